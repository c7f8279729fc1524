/* SPDX-License-Identifier: Apache-2.0
 * The hash table against an array: growth, removal, keys that meet in one slot. */
#include "consumer/core/retry.h"
#include "consumer/core/table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 3000 };

static char keys[KEYS][24];

static void make_keys(void)
{
	for (int i = 0; i < KEYS; i++)
		snprintf(keys[i], sizeof keys[i], "clone-%d", i);
}

START_TEST(an_empty_table_has_nothing)
{
	struct table t = { 0 };
	uint64_t value = 7;

	ck_assert(!table_get(&t, "a", &value));
	ck_assert_uint_eq(value, 7);
	table_remove(&t, "a");
	table_done(&t);
	table_done(&t);
}
END_TEST

START_TEST(setting_again_replaces)
{
	struct table t = { 0 };
	char other[] = "same";
	uint64_t value;

	ck_assert(table_set(&t, "same", 1));
	ck_assert(table_set(&t, other, 2));
	ck_assert_uint_eq(t.count, 1);
	ck_assert(table_get(&t, "same", &value));
	ck_assert_uint_eq(value, 2);
	ck_assert(table_set(&t, "", 3));
	ck_assert(table_get(&t, "", &value));
	ck_assert_uint_eq(value, 3);
	table_remove(&t, "");
	ck_assert(!table_get(&t, "", &value));
	table_done(&t);
}
END_TEST

/* A key behind a removed one of the same slot must still be found, and must not be there twice afterwards. */
START_TEST(removal_leaves_what_lies_behind)
{
	struct table t = { 0 };
	uint64_t value;

	for (int i = 0; i < 30; i++)
		ck_assert(table_set(&t, keys[i], (uint64_t)i));
	for (int i = 0; i < 30; i += 2)
		table_remove(&t, keys[i]);
	for (int i = 1; i < 30; i += 2) {
		ck_assert(table_get(&t, keys[i], &value));
		ck_assert(table_set(&t, keys[i], (uint64_t)i + 100));
	}
	ck_assert_uint_eq(t.count, 15);
	for (int i = 1; i < 30; i += 2)
		table_remove(&t, keys[i]);
	ck_assert_uint_eq(t.count, 0);
	for (int i = 0; i < 30; i++)
		ck_assert(!table_get(&t, keys[i], &value));
	table_done(&t);
}
END_TEST

START_TEST(against_a_model)
{
	static uint64_t model[KEYS];
	struct table t = { 0 };
	uint64_t chance = 3, value;
	size_t count = 0;

	for (int i = 0; i < 200000; i++) {
		int k = (int)chance_below(&chance, KEYS), what = (int)chance_below(&chance, 3);

		if (what == 0) {
			uint64_t fresh = chance_next(&chance) | 1;

			count += !model[k];
			ck_assert(table_set(&t, keys[k], fresh));
			model[k] = fresh;
		} else if (what == 1) {
			count -= model[k] != 0;
			table_remove(&t, keys[k]);
			model[k] = 0;
		} else {
			ck_assert(table_get(&t, keys[k], &value) == (model[k] != 0));
			if (model[k])
				ck_assert_uint_eq(value, model[k]);
		}
		ck_assert_uint_eq(t.count, count);
	}
	for (int k = 0; k < KEYS; k++)
		ck_assert(table_get(&t, keys[k], &value) == (model[k] != 0));
	table_done(&t);
}
END_TEST

/* One key comes and goes for ever, as clones do: the table must neither grow nor run full of what was removed. */
START_TEST(coming_and_going_does_not_grow_it)
{
	struct table t = { 0 };
	uint64_t value;

	for (int i = 0; i < 100000; i++) {
		ck_assert(table_set(&t, keys[i % KEYS], 1));
		table_remove(&t, keys[i % KEYS]);
	}
	ck_assert_uint_eq(t.count, 0);
	ck_assert_uint_le(t.size, 64);
	ck_assert(!table_get(&t, "never", &value));
	table_done(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, make_keys, NULL);
	tcase_add_test(tc, an_empty_table_has_nothing);
	tcase_add_test(tc, setting_again_replaces);
	tcase_add_test(tc, removal_leaves_what_lies_behind);
	tcase_add_test(tc, against_a_model);
	tcase_add_test(tc, coming_and_going_does_not_grow_it);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
