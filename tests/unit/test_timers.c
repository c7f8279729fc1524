/* SPDX-License-Identifier: Apache-2.0
 * The heap of deadlines: always the earliest first, none lost, none before its time. */
#include "consumer/core/retry.h"
#include "consumer/core/timers.h"

#include <check.h>
#include <stdlib.h>

enum { MANY = 10000 };

START_TEST(an_empty_heap_has_nothing)
{
	struct timers t = { 0 };
	uint64_t ref;

	ck_assert_int_eq(timers_next_ms(&t), -1);
	ck_assert(!timers_take_due(&t, INT64_MAX, &ref));
	timers_done(&t);
	timers_done(&t);
}
END_TEST

START_TEST(nothing_before_its_time)
{
	struct timers t = { 0 };
	uint64_t ref = 0;

	ck_assert(timers_add(&t, 50, 1));
	ck_assert(timers_add(&t, 20, 2));
	ck_assert_int_eq(timers_next_ms(&t), 20);
	ck_assert(!timers_take_due(&t, 19, &ref));
	ck_assert(timers_take_due(&t, 20, &ref));
	ck_assert_uint_eq(ref, 2);
	ck_assert(!timers_take_due(&t, 49, &ref));
	ck_assert_int_eq(timers_next_ms(&t), 50);
	ck_assert(timers_take_due(&t, 1000, &ref));
	ck_assert_uint_eq(ref, 1);
	timers_done(&t);
}
END_TEST

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

START_TEST(ten_thousand_come_out_in_order)
{
	static int64_t at[MANY], sorted[MANY];
	struct timers t = { 0 };
	uint64_t chance = 5, ref;
	static bool seen[MANY];

	for (int i = 0; i < MANY; i++) {
		at[i] = sorted[i] = chance_below(&chance, 3000); /* many fall on the same moment */
		ck_assert(timers_add(&t, at[i], (uint64_t)i));
	}
	qsort(sorted, MANY, sizeof *sorted, by_value);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(timers_next_ms(&t), sorted[i]);
		ck_assert(!timers_take_due(&t, sorted[i] - 1, &ref));
		ck_assert(timers_take_due(&t, sorted[i], &ref));
		ck_assert_uint_lt(ref, MANY);
		ck_assert_int_eq(at[ref], sorted[i]);
		ck_assert_msg(!seen[ref], "one came twice");
		seen[ref] = true;
	}
	ck_assert_int_eq(timers_next_ms(&t), -1);
	timers_done(&t);
}
END_TEST

/* Adding and taking mixed, against an unsorted list. */
START_TEST(against_a_model)
{
	static int64_t model[MANY];
	struct timers t = { 0 };
	uint64_t chance = 11, ref;
	int count = 0;

	for (int i = 0; i < MANY; i++) {
		int least = 0;

		if (count < 300 && chance_below(&chance, 5) < 3) {
			model[count] = chance_below(&chance, 1000000);
			ck_assert(timers_add(&t, model[count], (uint64_t)model[count]));
			count++;
			continue;
		}
		if (!count)
			continue;
		for (int k = 1; k < count; k++)
			if (model[k] < model[least])
				least = k;
		ck_assert(timers_take_due(&t, model[least], &ref));
		ck_assert_int_eq((int64_t)ref, model[least]);
		model[least] = model[--count];
	}
	ck_assert_uint_eq(t.count, (size_t)count);
	timers_done(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("timers");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, an_empty_heap_has_nothing);
	tcase_add_test(tc, nothing_before_its_time);
	tcase_add_test(tc, ten_thousand_come_out_in_order);
	tcase_add_test(tc, against_a_model);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
