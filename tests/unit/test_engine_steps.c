/* SPDX-License-Identifier: Apache-2.0
 * The engine told as stories: steps that fail, wait and stand still, and how many run at once. */
#include "tests/support/engine_story.h"

#include <check.h>
#include <stdlib.h>

static struct story *story(void)
{
	const struct engine_policy policy = story_policy();

	return story_begin(&policy);
}

/* Then the clone rests with the cause; resumed, the step gets its time anew. */
START_TEST(a_step_waits_until_its_deadline)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.lease_ttl_ms = INT64_C(1) << 40; /* so that nothing renews meanwhile */
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without wait_customer_tasks", "c1 RUNNING 2");
	say(s, "step c1 wait_customer_tasks wait 20000000", "");
	say(s, "tick 20000000", "start c1 wait_customer_tasks try 2");
	say(s, "step c1 wait_customer_tasks wait 2000000", "");
	say(s, "tick 2000000", "start c1 wait_customer_tasks try 3");
	say(s, "step c1 wait_customer_tasks wait 1000", "record c1 2..3 PAUSED target [state]");
	say(s, "recorded c1", "publish c1 3-3");
	say(s, "go", "c1 PAUSED 3");
	say(s, "resume c1", "acquire c1");
	say(s, "go without wait_customer_tasks", "c1 RUNNING 4");
	say(s, "step c1 wait_customer_tasks wait 1000", "");
	story_end(&s);
}
END_TEST

START_TEST(a_step_fails_until_the_budget_is_spent)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.lease_ttl_ms = INT64_C(1) << 40; /* so that nothing renews meanwhile */
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without wait_customer_tasks", "c1 RUNNING 2");
	say(s, "step c1 wait_customer_tasks retry", "");
	say(s, "tick 1000", "start c1 wait_customer_tasks try 2");
	say(s, "step c1 wait_customer_tasks retry", "");
	say(s, "tick 3599000", "start c1 wait_customer_tasks try 3");
	say(s, "step c1 wait_customer_tasks retry", "record c1 2..3 PAUSED target [state]");
	say(s, "recorded c1", "publish c1 3-3");
	ck_assert_str_eq(story_stored(s, "c1")->cause, "it did not go well");
	ck_assert_int_eq(story_stored(s, "c1")->failed_step, STEP_wait_customer_tasks);
	story_end(&s);
}
END_TEST

/* Only failing counts against it. */
START_TEST(an_answer_renews_the_budget)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.lease_ttl_ms = INT64_C(1) << 40; /* so that nothing renews meanwhile */
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without wait_customer_tasks", "c1 RUNNING 2");
	say(s, "step c1 wait_customer_tasks retry", "");
	say(s, "tick 3000000", "start c1 wait_customer_tasks try 2");
	say(s, "step c1 wait_customer_tasks wait 1000", "");
	say(s, "tick 1000", "start c1 wait_customer_tasks try 3");
	say(s, "step c1 wait_customer_tasks retry", "");
	say(s, "tick 3000000", "start c1 wait_customer_tasks try 4");
	say(s, "step c1 wait_customer_tasks retry", "");
	story_end(&s);
}
END_TEST

/* Signs of life renew its time; standing still counts against the budget. */
START_TEST(a_step_that_stands_still_is_stopped_and_tried_again)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "pass 599000", "forget c1 8");
	say(s, "moved c1 copy_database", "");
	say(s, "pass 600000", "");
	say(s, "pass 10000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "");
	say(s, "pass 2000", "start c1 copy_database try 2");
	say(s, "pass 700000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "");
	say(s, "pass 4000", "start c1 copy_database try 3");
	say(s, "pass 700000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "");
	say(s, "pass 8000", "start c1 copy_database try 4");
	say(s, "pass 700000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "");
	say(s, "pass 16000", "start c1 copy_database try 5");
	say(s, "pass 700000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "");
	say(s, "pass 32000", "start c1 copy_database try 6");
	say(s, "pass 700000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "");
	say(s, "pass 64000", "start c1 copy_database try 7");
	say(s, "pass 700000", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "record c1 8..9 PAUSED target [state]");
	say(s, "recorded c1", "publish c1 9-9");
	ck_assert_str_eq(story_stored(s, "c1")->cause, "it moved nothing for 600 seconds and was stopped");
	story_end(&s);
}
END_TEST

/* More of the same work is no new try. */
START_TEST(an_unsure_step_is_told_that_it_acted)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database unsure", "");
	say(s, "tick 1000", "start c1 copy_database try 2 acted");
	say(s, "step c1 copy_database again", "start c1 copy_database try 2 acted");
	say(s, "step c1 copy_database again", "start c1 copy_database try 2 acted");
	say(s, "step c1 copy_database already", "record c1 8..9 RUNNING [copy_database ALREADY_DONE]");
	story_end(&s);
}
END_TEST

/* Half open, one probe at a time. */
START_TEST(a_broken_system_is_left_alone)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "request c2 of U", "acquire c2");
	say(s, "go without create_login", "c1 RUNNING 7, c2 RUNNING 7");
	say(s, "step c1 create_login retry", "");
	say(s, "pass 1000", "start c1 create_login try 2");
	say(s, "step c1 create_login retry", "");
	say(s, "pass 2000", "start c1 create_login try 3");
	say(s, "step c1 create_login retry", "");
	say(s, "pass 4000", "forget c1 7, forget c2 7, start c1 create_login try 4");
	say(s, "step c1 create_login retry", "");
	say(s, "step c2 create_login retry", "");
	say(s, "pass 29000", "");
	say(s, "pass 1000", "start c2 create_login try 2");
	say(s, "step c2 create_login retry", "");
	say(s, "pass 29000", "");
	say(s, "pass 1000", "start c1 create_login try 5");
	say(s, "step c1 create_login done",
		"record c1 7..8 RUNNING [create_login DONE], start c2 create_login try 3");
	story_end(&s);
}
END_TEST

/* A failed step of several systems does not say which of them it was: it neither breaks one nor makes one whole. */
START_TEST(a_failure_between_two_systems_says_nothing_of_either)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "request c2 of U", "acquire c2");
	say(s, "go without create_database", "c1 RUNNING 6, c2 RUNNING 6");
	say(s, "step c1 create_database done", NULL);
	say(s, "recorded c1", "publish c1 7-7, start c1 create_login");
	for (int i = 0; i < 4; i++) {
		say(s, "step c1 create_login retry", "");
		say(s, "step c2 create_database retry", "");
		say(s, "pass 9000", NULL);
	}
	say(s, "step c2 create_database retry", "");
	say(s, "step c1 create_login retry", ""); /* the fifth: now it is broken, though others failed between */
	say(s, "pass 29000", "");
	story_end(&s);
}
END_TEST

START_TEST(a_clone_gets_only_its_share_of_workers)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.order = PLAN_PARALLEL;
	policy.max_running_a_clone = 2;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without drop_database", "c1 RUNNING 5");
	say(s, "step c1 drop_database done", "record c1 5..6 RUNNING [drop_database DONE]");
	say(s, "recorded c1", "publish c1 6-6, start c1 create_database");
	say(s, "step c1 create_database done", "record c1 6..7 RUNNING [create_database DONE]");
	say(s, "recorded c1", "publish c1 7-7, start c1 create_login, start c1 copy_database");
	story_end(&s);
}
END_TEST

/* One record at a time: what ends meanwhile comes with the next. */
START_TEST(what_is_independent_runs_side_by_side)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.order = PLAN_PARALLEL;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without drop_database", "c1 RUNNING 5");
	say(s, "step c1 drop_database done", "record c1 5..6 RUNNING [drop_database DONE]");
	say(s, "recorded c1", "publish c1 6-6, start c1 create_database");
	say(s, "step c1 create_database done", "record c1 6..7 RUNNING [create_database DONE]");
	say(s, "recorded c1",
		"publish c1 7-7, start c1 create_login, start c1 copy_database, start c1 register_superid, "
		"start c1 clone_azure_templates");
	say(s, "step c1 copy_database done", "record c1 7..8 RUNNING [copy_database DONE]");
	say(s, "step c1 create_login done", "");
	say(s, "recorded c1", "publish c1 8-8, record c1 8..9 RUNNING [create_login DONE]");
	story_end(&s);
}
END_TEST

START_TEST(a_system_takes_only_so_many_steps_at_once)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.order = PLAN_PARALLEL;
	policy.port_limit[PORT_SQL] = 1;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "request c2 of U", "acquire c2");
	say(s, "go without create_database", "c1 RUNNING 6, c2 RUNNING 6");
	say(s, "step c1 create_database done",
		"record c1 6..7 RUNNING [create_database DONE], start c2 create_database");
	say(s, "step c2 create_database done", "record c2 6..7 RUNNING [create_database DONE]");
	say(s, "recorded c2",
		"publish c2 7-7, start c2 create_login, start c2 register_superid, start c2 clone_azure_templates");
	say(s, "recorded c1", "publish c1 7-7, start c1 register_superid, start c1 clone_azure_templates");
	say(s, "step c2 create_login done", "record c2 7..8 RUNNING [create_login DONE], start c2 copy_database");
	story_end(&s);
}
END_TEST

START_TEST(too_many_clones_pause_the_intake)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.max_clones = 2;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "request c2 of U", "acquire c2, intake off");
	say(s, "go", "c1 COMPLETED 36, c2 COMPLETED 36");
	say(s, "request c3 of V", "acquire c3");
	say(s, "request c4 of W", "acquire c4, intake off");
	story_end(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_steps");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_step_waits_until_its_deadline);
	tcase_add_test(tc, a_step_fails_until_the_budget_is_spent);
	tcase_add_test(tc, an_answer_renews_the_budget);
	tcase_add_test(tc, a_step_that_stands_still_is_stopped_and_tried_again);
	tcase_add_test(tc, an_unsure_step_is_told_that_it_acted);
	tcase_add_test(tc, a_broken_system_is_left_alone);
	tcase_add_test(tc, a_failure_between_two_systems_says_nothing_of_either);
	tcase_add_test(tc, a_clone_gets_only_its_share_of_workers);
	tcase_add_test(tc, what_is_independent_runs_side_by_side);
	tcase_add_test(tc, a_system_takes_only_so_many_steps_at_once);
	tcase_add_test(tc, too_many_clones_pause_the_intake);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
