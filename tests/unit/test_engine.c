/* SPDX-License-Identifier: Apache-2.0
 * The engine told as stories: what is asked of a clone, and what becomes of it. */
#include "tests/support/engine_story.h"

#include <check.h>
#include <stdlib.h>

static struct story *story(void)
{
	const struct engine_policy policy = story_policy();

	return story_begin(&policy);
}

/* A request is leased, recorded, run step by step, told and at rest; read again later it is only passed. */
START_TEST(a_clone_from_request_to_rest)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "lease c1", "record c1 0..1 RUNNING request target [state]");
	say(s, "recorded c1", "publish c1 1-1, start c1 enter_offline_mode");
	say(s, "delivered c1 1", "");
	say(s, "step c1 enter_offline_mode done", "record c1 1..2 RUNNING [enter_offline_mode DONE]");
	say(s, "recorded c1", "publish c1 2-2, start c1 wait_customer_tasks");
	say(s, "go without wait_web_config", "c1 RUNNING 34");
	say(s, "step c1 wait_web_config done", "record c1 34..36 COMPLETED target [wait_web_config DONE; state]");
	say(s, "recorded c1", "publish c1 35-36");
	say(s, "delivered c1 35", "");
	say(s, "delivered c1 36", "forget c1 36, release c1");
	say(s, "released c1", "commit requested 1");
	say(s, "request c1", "acquire c1");
	say(s, "lease c1", "release c1");
	say(s, "released c1", "commit requested 2");
	story_end(&s);
}
END_TEST

/* Without a step named, the replay begins at the one that failed; with one, at that and all that depends on it. */
START_TEST(a_refused_step_fails_the_run_and_a_replay_goes_on)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign replay", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database refused", "record c1 8..10 FAILED target [copy_database FAILED; state]");
	say(s, "recorded c1", "publish c1 9-10");
	say(s, "go", "c1 FAILED 10");
	say(s, "replay c1", "acquire c1");
	say(s, "lease c1", "record c1 10..11 RUNNING request target [state]");
	say(s, "recorded c1", "publish c1 11-11, start c1 copy_database run 2");
	say(s, "go without mask_email_domains", "c1 RUNNING 16");
	say(s, "step c1 mask_email_domains refused",
		"record c1 16..18 FAILED target [mask_email_domains FAILED; state]");
	say(s, "go", "c1 FAILED 18");
	say(s, "replay c1 from prepare_database mask other.example", "acquire c1");
	say(s, "lease c1", "record c1 18..19 RUNNING request target clears 4 [state]");
	say(s, "go", "c1 COMPLETED 46");
	say(s, "replay c1", "acquire c1");
	say(s, "lease c1", "record c1 46..47 COMPLETED target [state]");
	say(s, "recorded c1", "publish c1 47-47");
	say(s, "delivered c1 72", "");
	ck_assert_str_eq(story_stored_domain(s, "c1"), "other.example");
	story_end(&s);
}
END_TEST

/* The refusal is recorded with the clone before the dead letter goes out. */
START_TEST(replays_that_make_no_sense_are_refused)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign replay", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database refused", "record c1 8..10 FAILED target [copy_database FAILED; state]");
	say(s, "go", "c1 FAILED 10");
	say(s, "replay c1 expects T__gother", "acquire c1");
	say(s, "lease c1", "record c1 10..11 FAILED target [state]");
	say(s, "recorded c1", "publish c1 11-11");
	say(s, "delivered c1 11", "dead-letter replay 0 refused, forget c1 11, release c1");
	say(s, "told replay 0", "commit replay 1");
	say(s, "released c1", "");
	say(s, "replay c1 from no_such_step", "acquire c1");
	say(s, "go", "c1 FAILED 12");
	say(s, "replay c1 until no_such_step", "acquire c1");
	say(s, "go", "c1 FAILED 13");
	say(s, "replay c1 until mask_email_domains", "acquire c1");
	say(s, "lease c1", "record c1 13..14 RUNNING request target [state]");
	say(s, "go", "c1 PAUSED 21");
	say(s, "replay c1", "acquire c1");
	say(s, "go", "c1 COMPLETED 44");
	story_end(&s);
}
END_TEST

START_TEST(a_replay_until_a_step_stops_there)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign replay", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database refused", "record c1 8..10 FAILED target [copy_database FAILED; state]");
	say(s, "go", "c1 FAILED 10");
	say(s, "replay c1 from create_database until prepare_database", "acquire c1");
	say(s, "lease c1", "record c1 10..11 RUNNING request target clears 2 [state]");
	say(s, "recorded c1", "publish c1 11-11, start c1 create_database run 2");
	say(s, "go without prepare_database", "c1 RUNNING 14");
	say(s, "step c1 prepare_database done", "record c1 14..16 PAUSED target [prepare_database DONE; state]");
	say(s, "recorded c1", "publish c1 15-16");
	say(s, "go", "c1 PAUSED 16");
	ck_assert_uint_eq(snapshot_done(story_stored(s, "c1")), STEP_BIT(STEP_map_login) - 1);
	story_end(&s);
}
END_TEST

/* What runs is finished first; a clone that has ended is not paused. */
START_TEST(pause_and_resume)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "pause c1", "");
	say(s, "step c1 copy_database done", "record c1 8..10 PAUSED target [copy_database DONE; state]");
	say(s, "recorded c1", "publish c1 9-10");
	say(s, "delivered c1 9", "");
	say(s, "delivered c1 10", "forget c1 10, release c1");
	say(s, "released c1", "commit requested 1, commit control 1");
	say(s, "resume c1", "acquire c1");
	say(s, "lease c1", "record c1 10..11 RUNNING target [state]");
	say(s, "recorded c1", "publish c1 11-11, start c1 prepare_database");
	say(s, "go", "c1 COMPLETED 38");
	say(s, "pause c1", "acquire c1");
	say(s, "lease c1", "record c1 38..39 COMPLETED target [state]");
	say(s, "recorded c1", "publish c1 39-39");
	say(s, "delivered c1 39", "dead-letter control 2 refused, forget c1 39, release c1");
	say(s, "told control 2", "commit control 3");
	story_end(&s);
}
END_TEST

/* A pause taken back in time changes nothing. */
START_TEST(retry_now_wakes_what_waits)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database wait 3600000", "");
	say(s, "retry-now c1", "start c1 copy_database try 2");
	say(s, "step c1 copy_database retry", "");
	say(s, "retry-now c1", "start c1 copy_database try 3");
	say(s, "pause c1", "");
	say(s, "resume c1", "");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	story_end(&s);
}
END_TEST

START_TEST(cancel_stops_cleans_up_and_ends)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "cancel c1", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "record c1 8..9 CANCELLING target [state]");
	say(s, "recorded c1", "publish c1 9-9, start c1 cleanup");
	say(s, "step c1 cleanup retry", "");
	say(s, "tick 1000", "start c1 cleanup try 2");
	say(s, "step c1 cleanup done", "record c1 9..10 CANCELLED target [state]");
	say(s, "recorded c1", "publish c1 10-10");
	say(s, "go", "c1 CANCELLED 10");
	say(s, "cancel c1", "acquire c1");
	say(s, "lease c1", "record c1 10..11 CANCELLED target [state]");
	say(s, "recorded c1", "publish c1 11-11");
	say(s, "delivered c1 11", "dead-letter control 1 refused, forget c1 11, release c1");
	story_end(&s);
}
END_TEST

/* First the store, then the world. */
START_TEST(a_second_request_for_a_busy_target_is_rejected)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "request c2", "acquire c2");
	say(s, "lease c2 held c1", "reject c2");
	say(s, "recorded c2", "tell requested 1 rejected");
	say(s, "told requested 1", "");
	say(s, "go", "c1 COMPLETED 36, c2 REJECTED 1");
	say(s, "request c3", "acquire c3");
	say(s, "lease c3 held c2", "");
	story_end(&s);
}
END_TEST

START_TEST(or_it_supersedes_the_first_one)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.on_busy = BUSY_SUPERSEDE;
	s = story_begin(&policy);
	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "request c2", "acquire c2");
	say(s, "lease c2 held c1", "abort c1 copy_database");
	say(s, "step c1 copy_database aborted", "record c1 8..9 CANCELLING target [state]");
	say(s, "go", "c1 CANCELLED 10, c2 - 0");
	say(s, "tick 5000", "acquire c2");
	say(s, "go", "c1 CANCELLED 10, c2 COMPLETED 36");
	story_end(&s);
}
END_TEST

START_TEST(a_request_that_expects_another_generation_is_rejected)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1 expects T__g1", "acquire c1");
	say(s, "lease c1", "release c1, reject c1");
	say(s, "recorded c1", "tell requested 0 rejected");
	say(s, "told requested 0", "commit requested 1");
	say(s, "released c1", "");
	story_end(&s);
}
END_TEST

/* However often it is asked for: a refusal must not make the target's hash name the old clone again. */
START_TEST(an_old_failed_clone_never_destroys_a_newer_sandbox)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "assign replay", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "pause c1", "");
	say(s, "step c1 copy_database refused", "record c1 8..10 FAILED target [copy_database FAILED; state]");
	say(s, "go", "c1 FAILED 10");
	say(s, "request c2", "acquire c2");
	say(s, "go", "c1 FAILED 10, c2 COMPLETED 36");
	say(s, "replay c1", "acquire c1");
	say(s, "lease c1", "record c1 10..11 FAILED [state]");
	say(s, "recorded c1", "publish c1 11-11");
	say(s, "go", "c1 FAILED 11, c2 COMPLETED 36");
	say(s, "replay c1", "acquire c1");
	say(s, "lease c1", "record c1 11..12 FAILED [state]");
	say(s, "go", "c1 FAILED 12, c2 COMPLETED 36");
	say(s, "replay c2", "acquire c2");
	say(s, "go", "c1 FAILED 12, c2 COMPLETED 37");
	story_end(&s);
}
END_TEST

START_TEST(an_old_paused_clone_may_only_be_cancelled)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "assign replay", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "pause c1", "");
	say(s, "step c1 copy_database done", "record c1 8..10 PAUSED target [copy_database DONE; state]");
	say(s, "go", "c1 PAUSED 10");
	say(s, "request c2", "acquire c2");
	say(s, "go", "c1 PAUSED 10, c2 COMPLETED 36");
	say(s, "resume c1", "acquire c1");
	say(s, "lease c1", "record c1 10..11 PAUSED [state]");
	say(s, "recorded c1", "publish c1 11-11");
	say(s, "go", "c1 PAUSED 11, c2 COMPLETED 36");
	say(s, "cancel c1", "acquire c1");
	say(s, "lease c1", "record c1 11..12 CANCELLING [state]");
	say(s, "recorded c1", "publish c1 12-12, start c1 cleanup");
	say(s, "go", "c1 CANCELLED 13, c2 COMPLETED 36");
	say(s, "resume c1", "acquire c1");
	say(s, "go", "c1 CANCELLED 14, c2 COMPLETED 36");
	story_end(&s);
}
END_TEST

/* A duplicate is no conflict. */
START_TEST(the_same_id_with_other_wishes_is_a_conflict)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "lease c1", "record c1 0..1 RUNNING request target [state]");
	say(s, "request c1", "");
	say(s, "request c1 wishes 2", "dead-letter requested 2 conflict");
	say(s, "told requested 2", "");
	say(s, "go", "c1 COMPLETED 36");
	say(s, "request c1 wishes 3", "acquire c1");
	say(s, "lease c1", "dead-letter requested 3 conflict, release c1");
	say(s, "told requested 3", "commit requested 4");
	say(s, "released c1", "");
	story_end(&s);
}
END_TEST

START_TEST(an_id_belongs_to_one_target)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "request c1 of U", "dead-letter requested 1 conflict");
	story_end(&s);
}
END_TEST

/* Not at once: topics have no common order. */
START_TEST(a_control_for_nobody_ends_as_a_dead_letter)
{
	struct story *s = story();

	say(s, "assign control", "");
	say(s, "pause c9", "acquire c9");
	say(s, "lease c9", "release c9");
	say(s, "tick 5000", "acquire c9");
	say(s, "lease c9", "release c9");
	say(s, "tick 5000", "acquire c9");
	say(s, "lease c9", "release c9");
	say(s, "tick 5000", "acquire c9");
	say(s, "lease c9", "dead-letter control 0 unknown-clone, release c9");
	say(s, "told control 0", "commit control 1");
	story_end(&s);
}
END_TEST

START_TEST(a_control_may_come_before_its_request)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "pause c1", "acquire c1");
	say(s, "lease c1", "release c1");
	say(s, "request c1", "");
	say(s, "tick 5000", "acquire c1");
	say(s, "lease c1", "record c1 0..1 PAUSED request target [state]");
	say(s, "recorded c1", "publish c1 1-1");
	story_end(&s);
}
END_TEST

/* It is sent again until it arrives, and its offset waits for that. */
START_TEST(a_bad_record_goes_to_the_dead_letters_and_nowhere_else)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "bad requested malformed", "dead-letter requested 1 malformed");
	say(s, "bad requested too-large", "dead-letter requested 2 too-large");
	say(s, "untold requested 1", "dead-letter requested 1 malformed");
	say(s, "told requested 2", "");
	say(s, "told requested 1", "");
	say(s, "go", "c1 COMPLETED 36");
	story_end(&s);
}
END_TEST

START_TEST(a_record_read_twice_counts_once)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "again c1 0", "");
	say(s, "go", "c1 COMPLETED 36");
	story_end(&s);
}
END_TEST

/* What /metrics is told of the steps under way. */
START_TEST(what_moves_and_what_stands_still_is_told)
{
	struct story *s = story();
	struct engine_figures f;

	say(s, "assign requested", "");
	say(s, "request c1", NULL);
	say(s, "go without copy_database", NULL);
	say(s, "moved c1 copy_database rows 500 bytes 9000 total 2000", "");
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.under_way[STEP_copy_database].count[STEP_MOVES], 1);
	ck_assert_int_eq(f.under_way[STEP_copy_database].moved.rows, 500);
	ck_assert_int_eq(f.under_way[STEP_copy_database].moved.bytes, 9000);
	ck_assert_int_eq(f.under_way[STEP_copy_database].moved.rows_total, 2000);
	say(s, "step c1 copy_database again", "start c1 copy_database acted");
	say(s, "tick 9000", NULL);
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.under_way[STEP_copy_database].count[STEP_MOVES], 1);
	ck_assert_int_eq(f.under_way[STEP_copy_database].moved.rows, 500); /* of the call before: it goes on there */
	say(s, "tick 1000", NULL);
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.under_way[STEP_copy_database].count[STEP_MOVES], 0);
	ck_assert_int_eq(f.under_way[STEP_copy_database].count[STEP_STANDS_STILL], 1);
	ck_assert_int_eq(f.longest_still_ms, 10000);
	say(s, "moved c1 copy_database rows 600 bytes 9900 total 2000", "");
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.under_way[STEP_copy_database].count[STEP_MOVES], 1);
	say(s, "step c1 copy_database wait 20000", "");
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.under_way[STEP_copy_database].count[STEP_WAITS], 1);
	say(s, "tick 20000", NULL);
	say(s, "go", NULL);
	engine_figures(story_engine(s), &f);
	for (int i = 0; i < STEP_END; i++)
		for (int a = 0; a < STEP_ACTIVITY_END; a++)
			ck_assert_int_eq(f.under_way[i].count[a], 0);
	story_end(&s);
}
END_TEST

static void hear(void *arg, const struct effect *fx, const struct engine_event *event, int64_t utc_ms)
{
	int64_t *still_ms = arg;

	(void)fx;
	(void)utc_ms;
	if (event->kind == MESSAGE_STEP_COMPLETED && event->step == STEP_copy_database)
		*still_ms = event->still_ms;
}

START_TEST(the_longest_stillness_is_in_the_event)
{
	struct story *s = story();
	int64_t still_ms = -1;

	story_hear_events(s, hear, &still_ms);
	say(s, "assign requested", "");
	say(s, "request c1", NULL);
	say(s, "go without copy_database", NULL);
	say(s, "tick 3000", NULL);
	say(s, "moved c1 copy_database", "");
	say(s, "tick 7000", NULL);
	say(s, "moved c1 copy_database", "");
	say(s, "tick 2000", NULL);
	say(s, "step c1 copy_database again", "start c1 copy_database acted");
	say(s, "tick 1000", NULL);
	say(s, "step c1 copy_database done", NULL);
	ck_assert_int_eq(still_ms, 7000);
	story_end(&s);
}
END_TEST

/* What /metrics and `watch` are told. */
START_TEST(it_can_be_looked_into)
{
	struct story *s = story();
	struct engine_figures f;
	struct clone_view view;

	say(s, "assign requested", "");
	say(s, "request c1", NULL);
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.clones, 1);
	ck_assert_int_eq(f.waiting_for_lease, 1);
	say(s, "go without copy_database", NULL);
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.waiting_for_lease, 0);
	ck_assert_int_eq(f.running_steps, 1);
	say(s, "step c1 copy_database wait 20000", "");
	say(s, "tick 4000", NULL);
	engine_figures(story_engine(s), &f);
	ck_assert_int_eq(f.running_steps, 0);
	ck_assert_int_eq(f.waiting_steps, 1);
	ck_assert_int_eq(f.oldest_wait_ms, 4000);
	ck_assert_int_eq(f.port_failures[PORT_SQL], 0);
	ck_assert(engine_view(story_engine(s), story_ref(s, "c1"), &view));
	ck_assert_str_eq(view.clone_id, "c1");
	ck_assert_str_eq(view.target_ctx, "T");
	ck_assert_uint_eq(view.waiting, STEP_BIT(STEP_copy_database));
	ck_assert_uint_eq(view.running, 0);
	ck_assert_int_eq(view.snapshot->status, CLONE_RUNNING);
	ck_assert(!engine_view(story_engine(s), story_ref(s, "c1") + ((clone_ref)1 << 32), &view));
	ck_assert(!engine_view(story_engine(s), 0, &view));
	story_end(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_clone_from_request_to_rest);
	tcase_add_test(tc, a_refused_step_fails_the_run_and_a_replay_goes_on);
	tcase_add_test(tc, replays_that_make_no_sense_are_refused);
	tcase_add_test(tc, a_replay_until_a_step_stops_there);
	tcase_add_test(tc, pause_and_resume);
	tcase_add_test(tc, retry_now_wakes_what_waits);
	tcase_add_test(tc, cancel_stops_cleans_up_and_ends);
	tcase_add_test(tc, a_second_request_for_a_busy_target_is_rejected);
	tcase_add_test(tc, or_it_supersedes_the_first_one);
	tcase_add_test(tc, a_request_that_expects_another_generation_is_rejected);
	tcase_add_test(tc, an_old_failed_clone_never_destroys_a_newer_sandbox);
	tcase_add_test(tc, an_old_paused_clone_may_only_be_cancelled);
	tcase_add_test(tc, the_same_id_with_other_wishes_is_a_conflict);
	tcase_add_test(tc, an_id_belongs_to_one_target);
	tcase_add_test(tc, a_control_for_nobody_ends_as_a_dead_letter);
	tcase_add_test(tc, a_control_may_come_before_its_request);
	tcase_add_test(tc, a_bad_record_goes_to_the_dead_letters_and_nowhere_else);
	tcase_add_test(tc, a_record_read_twice_counts_once);
	tcase_add_test(tc, it_can_be_looked_into);
	tcase_add_test(tc, what_moves_and_what_stands_still_is_told);
	tcase_add_test(tc, the_longest_stillness_is_in_the_event);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
