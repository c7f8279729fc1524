/* SPDX-License-Identifier: Apache-2.0
 * Records that wait for a schema: the order of each partition holds, and no partition waits for another. */
#include "consumer/runtime/parked.h"

#include <check.h>
#include <stdlib.h>

static struct parked *parked;

static void setup(void)
{
	parked = parked_new();
	ck_assert_ptr_nonnull(parked);
}

static void teardown(void)
{
	parked_free(&parked);
	ck_assert_ptr_null(parked);
	parked_free(&parked);
}

static struct bus_position at(int partition, int64_t offset)
{
	return (struct bus_position){ TOPIC_REQUESTED, partition, offset };
}

static void add(int partition, int64_t offset)
{
	const struct bus_position where = at(partition, offset);

	ck_assert(parked_add(parked, &where));
}

/* Offsets that cannot be taken now, and what was tried and taken. */
struct tries {
	int64_t stuck[4];
	size_t stuck_count;
	int64_t tried[4096], taken[4096];
	size_t tried_count, taken_count;
};

static bool take(void *arg, const struct bus_position *where)
{
	struct tries *t = arg;

	t->tried[t->tried_count++] = where->offset;
	for (size_t i = 0; i < t->stuck_count; i++)
		if (t->stuck[i] == where->offset)
			return false;
	t->taken[t->taken_count++] = where->offset;
	return true;
}

START_TEST(those_behind_are_not_tried)
{
	struct tries t = { .stuck = { 10 }, .stuck_count = 1 };
	const struct bus_position zero = at(0, 0), one = at(1, 0), control = { TOPIC_CONTROL, 0, 0 };

	add(0, 10);
	add(1, 20);
	add(0, 11);
	add(1, 21);
	parked_retry(parked, take, &t);
	ck_assert_uint_eq(t.tried_count, 3); /* 10, 20, 21 */
	ck_assert_uint_eq(t.taken_count, 2);
	ck_assert(t.taken[0] == 20 && t.taken[1] == 21);
	ck_assert(parked_holds(parked, &zero));
	ck_assert(!parked_holds(parked, &one));
	ck_assert(!parked_holds(parked, &control));

	t = (struct tries){ 0 };
	add(0, 12);
	parked_retry(parked, take, &t);
	ck_assert_uint_eq(t.taken_count, 3);
	ck_assert(t.taken[0] == 10 && t.taken[1] == 11 && t.taken[2] == 12);
	ck_assert_uint_eq(parked_count(parked), 0);
}
END_TEST

START_TEST(a_second_can_be_stuck_behind_the_first)
{
	struct tries t = { .stuck = { 11 }, .stuck_count = 1 };

	add(0, 10);
	add(0, 11);
	add(0, 12);
	parked_retry(parked, take, &t);
	ck_assert_uint_eq(t.taken_count, 1);
	ck_assert_uint_eq(parked_count(parked), 2);
}
END_TEST

START_TEST(a_partition_that_went_away_is_forgotten)
{
	const struct bus_position zero = at(0, 0);
	struct tries t = { 0 };

	add(0, 10);
	add(1, 20);
	add(0, 11);
	parked_forget_partition(parked, &zero);
	ck_assert(!parked_holds(parked, &zero));
	parked_retry(parked, take, &t);
	ck_assert_uint_eq(t.taken_count, 1);
	ck_assert_int_eq(t.taken[0], 20);
}
END_TEST

START_TEST(many_fit)
{
	struct tries *t = calloc(1, sizeof *t);

	ck_assert_ptr_nonnull(t);
	for (int i = 0; i < 3 * PARKED_MANY; i++)
		add(i % 7, i);
	ck_assert_uint_eq(parked_count(parked), 3 * PARKED_MANY);
	parked_retry(parked, take, t);
	ck_assert_uint_eq(t->taken_count, 3 * PARKED_MANY);
	for (int i = 0; i < 3 * PARKED_MANY; i++)
		ck_assert_int_eq(t->taken[i], i);
	free(t);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parked");
	TCase *tc = tcase_create("parked");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, those_behind_are_not_tried);
	tcase_add_test(tc, a_second_can_be_stuck_behind_the_first);
	tcase_add_test(tc, a_partition_that_went_away_is_forgotten);
	tcase_add_test(tc, many_fit);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
