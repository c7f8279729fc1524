/* SPDX-License-Identifier: Apache-2.0
 * Making or dropping a database is no transaction: what is left when the process dies in the middle can be cancelled,
 * dropped again and taken over. */
#include "tests/support/step_test.h"

#include <stdio.h>

static char folder[128];

/* As if the process had died before the stamp was written. */
static void break_off_making(void)
{
	w = world_before(STEP_create_database);
	world_exec(w, "_server",
		   "INSERT INTO database_entry (name, owner, quarantined) "
		   "SELECT '" WORLD_GENERATION "', '0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10', 1");
	world_put_file(w, "db", WORLD_GENERATION ".sqlite", "");
}

static enum step_outcome abandon(void)
{
	world_call(w, STEP_create_login); /* fills w->last, whatever it says */
	err_clear(&w->err);
	world_take_over(w);
	w->last.fence.token = w->token;
	return abandon_clone(&w->last);
}

START_TEST(a_making_that_was_broken_off_can_be_cancelled)
{
	break_off_making();
	ck_assert_msg(abandon() == STEP_DONE, "%s", w->err.text);
	ck_assert(!world_has_database(w, WORLD_GENERATION));
	ck_told("hosting.tenants.Cust70001.database", WORLD_TARGET);
	ck_number("_server", "SELECT count(*) FROM database_entry WHERE name = '" WORLD_GENERATION "'", 0);
	world_free(&w);
}
END_TEST

START_TEST(a_making_that_was_broken_off_goes_on)
{
	break_off_making();
	world_take_over(w);
	ck_step(STEP_create_database, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_stamp", 1);
	world_free(&w);
}
END_TEST

START_TEST(what_is_another_clones_stays)
{
	break_off_making();
	world_exec(w, "_server", "UPDATE database_entry SET owner = 'another' WHERE name = '" WORLD_GENERATION "'");
	ck_assert_int_eq(abandon(), STEP_REFUSED);
	ck_assert(world_has_database(w, WORLD_GENERATION));
	world_free(&w);
}
END_TEST

START_TEST(a_drop_that_was_broken_off_leaves_no_entry)
{
	w = world_before(STEP_enter_running_mode);
	world_drop_file(w, "db", WORLD_TARGET ".sqlite"); /* the file goes first */
	ck_step(STEP_enter_running_mode, STEP_DONE);
	ck_number("_server", "SELECT count(*) FROM database_entry WHERE name = '" WORLD_TARGET "'", 0);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("broken_off");
	TCase *tc = tcase_create("broken_off");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!world_test_folder(folder, sizeof folder))
		return 1;
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_making_that_was_broken_off_can_be_cancelled);
	tcase_add_test(tc, a_making_that_was_broken_off_goes_on);
	tcase_add_test(tc, what_is_another_clones_stays);
	tcase_add_test(tc, a_drop_that_was_broken_off_leaves_no_entry);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	world_remove_folder(folder);
	srunner_free(runner);
	return failed != 0;
}
