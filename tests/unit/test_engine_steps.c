/* SPDX-License-Identifier: Apache-2.0
 * The engine told as stories: steps that fail, wait and stand still, and how many run at once. */
#include "tests/support/engine_story.h"

#include <check.h>
#include <stdio.h>
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

/* Two a second and no more, whoever asks; what was not used in a second is not saved up for the next. */
START_TEST(a_system_takes_only_so_many_calls_in_a_minute)
{
	struct engine_policy policy = story_policy();
	struct engine_figures figures;
	struct story *s;

	policy.port_rate[PORT_SQL] = 120;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	for (int i = 1; i <= 5; i++) {
		char line[40];

		snprintf(line, sizeof line, "request c%d of T%d", i, i);
		say(s, line, NULL);
	}
	for (int i = 0; i < 10; i++) {
		say(s, "go without drop_database", NULL);
		say(s, "tick 1000", NULL);
	}
	say(s, "tick 1000", NULL);
	say(s, "go without drop_database", "c1 RUNNING 5, c2 RUNNING 5, c3 RUNNING 5, c4 RUNNING 5, c5 RUNNING 5");
	say(s, "step c1 drop_database again", "start c1 drop_database acted");
	say(s, "step c1 drop_database again", "start c1 drop_database acted");
	say(s, "step c1 drop_database again", "");
	say(s, "step c2 drop_database again", "");
	say(s, "tick 499", "");
	say(s, "tick 1", "start c1 drop_database acted");
	ck_assert_int_eq(engine_wake_ms(story_engine(s)), story_now(s) + 500);
	say(s, "tick 500", "start c2 drop_database acted");
	engine_figures(story_engine(s), &figures);
	ck_assert_int_gt(figures.port_throttled[PORT_SQL], 0);
	ck_assert_int_eq(figures.port_throttled[PORT_APPS], 0);
	story_end(&s);
}
END_TEST

/* The databases take one call at a time and there are two workers: between two pages of the giant somebody else has
 * his turn, so twenty small clones are complete long before it is. */
START_TEST(one_giant_copy_never_starves_twenty_small_clones)
{
	enum { SMALL = 20 };
	struct engine_policy policy = story_policy();
	int pages = 0, complete = 0, sql_steps = 0;
	struct story *s;

	policy.order = PLAN_PARALLEL;
	policy.max_running = 2;
	policy.max_running_a_clone = 1;
	policy.port_limit[PORT_SQL] = 1;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "request giant of G", "acquire giant");
	say(s, "go without copy_database of giant", NULL);
	for (int i = 0; i < SMALL; i++) {
		char line[40];

		snprintf(line, sizeof line, "request c%d of T%d", i, i);
		say(s, line, NULL);
	}
	for (int i = 0; i < STEP_END; i++)
		sql_steps += (steps[i].ports & (1u << PORT_SQL)) != 0;
	while (complete < SMALL && pages <= SMALL * sql_steps) {
		say(s, "go without copy_database of giant", NULL);
		say(s, "step giant copy_database again", NULL);
		pages++;
		complete = 0;
		for (int i = 0; i < SMALL; i++) {
			char id[8];

			snprintf(id, sizeof id, "c%d", i);
			complete += story_stored(s, id) && story_stored(s, id)->status == CLONE_COMPLETED;
		}
	}
	ck_assert_msg(complete == SMALL, "%d small clones are complete after %d pages of the giant", complete, pages);
	ck_assert_int_eq(story_stored(s, "giant")->status, CLONE_RUNNING);
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
	tcase_add_test(tc, a_system_takes_only_so_many_calls_in_a_minute);
	tcase_add_test(tc, one_giant_copy_never_starves_twenty_small_clones);
	tcase_add_test(tc, too_many_clones_pause_the_intake);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
