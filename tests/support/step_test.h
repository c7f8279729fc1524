/* SPDX-License-Identifier: Apache-2.0
 * What the test programs of single steps share: a base world made once, a copy of it for each test, and main. */
#ifndef SANDBOX_TESTS_STEP_TEST_H
#define SANDBOX_TESTS_STEP_TEST_H

#include "tests/support/world.h"

#include <check.h>

/* The world of the running test: everything the step comes after is done in it. Made before each test. */
extern struct world *w;

/* The step ends in that outcome; w->err and w->last say more. */
#define ck_step(step, wanted)                                                                                          \
	do {                                                                                                           \
		enum step_outcome outcome_ = world_run(w, step);                                                       \
		ck_assert_msg(outcome_ == (wanted), "%s instead of %s (%s)", step_outcome_name(outcome_),              \
			      step_outcome_name(wanted), w->err.text);                                                 \
	} while (0)

/* It is refused with a sentence that holds these words and no address. */
#define ck_refused(step, words)                                                                                        \
	do {                                                                                                           \
		ck_step(step, STEP_REFUSED);                                                                           \
		ck_assert_msg(strstr(w->err.text, words), "\"%s\" does not say \"%s\"", w->err.text, words);           \
		ck_assert_msg(!strchr(w->err.text, '@'), "\"%s\" tells an address", w->err.text);                      \
	} while (0)

#define ck_number(database, sql, wanted) ck_assert_int_eq(world_number(w, database, sql), wanted)
#define ck_told(path, wanted)            ck_assert_pstr_eq(world_told(w, path), wanted)

/* Runs the tests of one step; returns main's value. */
int step_test_run(enum step_id step, const TTest *const *tests, size_t count);
#define STEP_TESTS(slug, ...)                                                                                          \
	int main(void)                                                                                                 \
	{                                                                                                              \
		const TTest *const tests[] = { __VA_ARGS__ };                                                          \
		return step_test_run(STEP_##slug, tests, sizeof tests / sizeof *tests);                                \
	}

#endif
