/* SPDX-License-Identifier: Apache-2.0
 * The events a process remembers, against a model: put in any order, replaced, forgotten from below. */
#include "consumer/core/retry.h"
#include "consumer/runtime/outbox.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONES = 40, SEQUENCES = 60 };

START_TEST(what_is_put_is_there_until_forgotten)
{
	struct outbox *o = outbox_new();
	const struct outbox_entry *all;
	size_t count;

	ck_assert(outbox_put(o, "c1", 3, "three", 5));
	ck_assert(outbox_put(o, "c1", 1, "o\0e", 3));
	ck_assert(outbox_put(o, "c1", 2, "", 0));
	ck_assert(outbox_put(o, "c2", 2, "other", 5));
	all = outbox_all(o, "c1", &count);
	ck_assert_uint_eq(count, 3);
	ck_assert_uint_eq(outbox_clones(o), 2);
	for (size_t i = 0; i < 3; i++)
		ck_assert_uint_eq(all[i].sequence, i + 1);
	ck_assert_mem_eq(all[0].data, "o\0e", 3);
	ck_assert_uint_eq(all[1].len, 0);
	ck_assert(outbox_put(o, "c1", 3, "THREE!", 6));
	ck_assert_uint_eq(outbox_get(o, "c1", 3)->len, 6);
	ck_assert_mem_eq(outbox_get(o, "c1", 3)->data, "THREE!", 6);
	outbox_forget(o, "c1", 2);
	ck_assert_ptr_null(outbox_get(o, "c1", 2));
	ck_assert_ptr_nonnull(outbox_get(o, "c1", 3));
	ck_assert_ptr_nonnull(outbox_get(o, "c2", 2));
	outbox_forget(o, "c1", UINT64_MAX);
	ck_assert_ptr_null(outbox_all(o, "c1", &count));
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(outbox_clones(o), 1);
	outbox_forget(o, "c1", 5);
	outbox_forget(o, "never", 5);
	outbox_free(&o);
	ck_assert_ptr_null(o);
	outbox_free(&o);
}
END_TEST

static int model[CLONES][SEQUENCES]; /* 0: nothing there; otherwise what the data says */

static void check_clone(const struct outbox *o, const char *id, const int *expected)
{
	size_t count, at = 0;
	const struct outbox_entry *all = outbox_all(o, id, &count);

	for (uint64_t q = 0; q < SEQUENCES; q++) {
		const struct outbox_entry *entry = outbox_get(o, id, q);

		ck_assert((entry != NULL) == (expected[q] != 0));
		if (!entry)
			continue;
		ck_assert_uint_lt(at, count);
		ck_assert_ptr_eq(entry, &all[at++]);
		ck_assert_uint_eq(entry->sequence, q);
		ck_assert_uint_eq(entry->len, sizeof(int));
		ck_assert_mem_eq(entry->data, &expected[q], sizeof(int));
	}
	ck_assert_uint_eq(at, count);
}

START_TEST(against_a_model)
{
	struct outbox *o = outbox_new();
	uint64_t chance = 4;

	for (int i = 1; i < 60000; i++) {
		int clone = (int)chance_below(&chance, CLONES);
		uint64_t q = (uint64_t)chance_below(&chance, SEQUENCES);
		char id[24];

		snprintf(id, sizeof id, "clone-%d", clone);
		if (chance_below(&chance, 10) < 7) {
			model[clone][q] = i;
			ck_assert(outbox_put(o, id, q, &i, sizeof i));
		} else {
			if (chance_below(&chance, 4) == 0)
				q = UINT64_MAX;
			for (uint64_t k = 0; k < SEQUENCES && k <= q; k++)
				model[clone][k] = 0;
			outbox_forget(o, id, q);
		}
		if (i % 300 == 0)
			check_clone(o, id, model[clone]);
	}
	for (int clone = 0; clone < CLONES; clone++) {
		char id[24];

		snprintf(id, sizeof id, "clone-%d", clone);
		check_clone(o, id, model[clone]);
	}
	outbox_free(&o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("outbox");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_put_is_there_until_forgotten);
	tcase_add_test(tc, against_a_model);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
