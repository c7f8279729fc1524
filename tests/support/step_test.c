/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/step_test.h"

#include "tests/support/world_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECONDS_A_TEST = 60 };

struct world *w;

static char folder[128];

static const char *prepared(void)
{
	static char path[sizeof folder + 8];

	snprintf(path, sizeof path, "%s/base", folder);
	return path;
}

static void setup(void)
{
	w = world_open(prepared());
}

static void teardown(void)
{
	world_free(&w);
}

/* A test as well: it runs in a process of its own, so that the others inherit no threads, connections or children. */
START_TEST(the_steps_before_it_work)
{
	struct world *made = world_before((enum step_id)_i);

	world_save(made, prepared());
	world_free(&made);
}
END_TEST

int step_test_run(enum step_id step, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(steps[step].slug);
	TCase *before = tcase_create("before"), *tcase = tcase_create(steps[step].slug);
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!world_test_folder(folder, sizeof folder))
		return 1;
	tcase_set_timeout(before, SECONDS_A_TEST);
	tcase_add_loop_test(before, the_steps_before_it_work, (int)step, (int)step + 1);
	suite_add_tcase(suite, before);
	tcase_set_timeout(tcase, SECONDS_A_TEST);
	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	world_remove_folder(folder);
	srunner_free(runner);
	return failed != 0;
}
