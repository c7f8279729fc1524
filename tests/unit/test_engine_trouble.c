/* SPDX-License-Identifier: Apache-2.0
 * The engine told as stories: leases, stores and topics that do not do what they should. */
#include "tests/support/engine_story.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static struct story *story(void)
{
	const struct engine_policy policy = story_policy();

	return story_begin(&policy);
}

START_TEST(a_stop_lets_steps_end_but_not_for_ever)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "request c2 of U", "acquire c2");
	say(s, "go without copy_database", "c1 RUNNING 8, c2 RUNNING 8");
	say(s, "stop", "intake off");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "recorded c1", "publish c1 9-9");
	say(s, "delivered c1 9", "forget c1 9, release c1");
	say(s, "tick 10000", "renew c2, abort c2 copy_database, forget c2 8");
	say(s, "step c2 copy_database aborted", "release c2, drained");
	say(s, "tick 1", "");
	say(s, "released c1", "");
	story_end(&s);
}
END_TEST

/* A step that waits holds nothing up; who gets the partition back goes on. */
START_TEST(a_rebalance_waits_for_running_steps_only)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "request c2 of U", "acquire c2");
	say(s, "go without copy_database", "c1 RUNNING 8, c2 RUNNING 8");
	say(s, "revoke requested", "");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "step c2 copy_database wait 60000", "forget c2 8, release c2");
	say(s, "recorded c1", "publish c1 9-9");
	say(s, "delivered c1 9", "forget c1 9, release c1, revoked");
	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "again c1 0", "");
	say(s, "lease c1", "start c1 prepare_database");
	story_end(&s);
}
END_TEST

START_TEST(a_partition_that_is_lost_is_never_committed)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "lose requested", "");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "recorded c1", "publish c1 9-9");
	say(s, "delivered c1 9", "forget c1 9, release c1, revoked");
	story_end(&s);
}
END_TEST

/* The group did not wait for the step; then the partition comes back while it still runs. */
START_TEST(a_partition_that_was_given_up_and_came_back_is_committed)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "revoke requested", "");
	say(s, "lose requested", "");
	say(s, "assign requested", "");
	say(s, "again c1 0", "revoked");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "go without wait_web_config", "c1 RUNNING 34");
	say(s, "step c1 wait_web_config done", "record c1 34..36 COMPLETED target [wait_web_config DONE; state]");
	say(s, "recorded c1", "publish c1 35-36");
	say(s, "delivered c1 35", "");
	say(s, "delivered c1 36", "forget c1 36, release c1");
	say(s, "released c1", "commit requested 1");
	story_end(&s);
}
END_TEST

/* It slept while its partition went to another consumer, which paused the clone and committed both records. */
START_TEST(what_was_asked_of_a_clone_that_must_go_is_not_done_late)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "pause c1", "");
	say(s, "step c1 copy_database done", "record c1 8..10 PAUSED target [copy_database DONE; state]");
	say(s, "go", "c1 PAUSED 10");
	say(s, "resume c1", "acquire c1");
	say(s, "lose control", "");
	say(s, "lease c1", "release c1, revoked");
	story_end(&s);
}
END_TEST

/* Whoever has the lease next looks again. */
START_TEST(a_lost_lease_stops_the_step)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "tick 10000", "renew c1, forget c1 8");
	say(s, "renewed c1 fenced", "abort c1 copy_database");
	say(s, "step c1 copy_database fenced", "acquire c1");
	say(s, "lease c1 held c1", "");
	say(s, "tick 5000", "acquire c1");
	say(s, "lease c1", "start c1 copy_database");
	story_end(&s);
}
END_TEST

/* Long before it could run out at the store. */
START_TEST(a_lease_not_proved_in_time_counts_as_lost)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "tick 10000", "renew c1, forget c1 8");
	say(s, "renewed c1 down", "");
	say(s, "tick 9999", "");
	say(s, "tick 1", "renew c1");
	say(s, "tick 5000", "abort c1 copy_database");
	say(s, "step c1 copy_database done", "acquire c1");
	say(s, "lease c1", "start c1 copy_database");
	story_end(&s);
}
END_TEST

START_TEST(a_lease_is_asked_for_until_it_is_had)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "lease c1 down", "");
	say(s, "tick 5000", "acquire c1");
	say(s, "lease c1 readers", "");
	say(s, "tick 5000", "acquire c1");
	say(s, "lease c1", "record c1 0..1 RUNNING request target [state]");
	story_end(&s);
}
END_TEST

/* Until then the offset stays. */
START_TEST(rest_is_confirmed_by_the_store)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without wait_web_config", "c1 RUNNING 34");
	say(s, "step c1 wait_web_config done", "record c1 34..36 COMPLETED target [wait_web_config DONE; state]");
	say(s, "recorded c1", "publish c1 35-36");
	say(s, "delivered c1 35", "");
	say(s, "delivered c1 36", "forget c1 36, release c1");
	say(s, "released c1 down", "");
	say(s, "tick 5000", "release c1");
	say(s, "released c1 fenced", "acquire c1");
	say(s, "lease c1", "release c1");
	say(s, "released c1", "commit requested 1");
	story_end(&s);
}
END_TEST

/* The replay's record is gone by then; what the request borrowed of it must not be. */
START_TEST(a_wiped_store_is_told_what_a_replay_changed)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign replay", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database refused", "record c1 8..10 FAILED target [copy_database FAILED; state]");
	say(s, "go", "c1 FAILED 10");
	say(s, "replay c1 mask other.example", "acquire c1");
	say(s, "go without mask_email_domains", "c1 RUNNING 16");
	say(s, "step c1 mask_email_domains refused",
		"record c1 16..18 FAILED target [mask_email_domains FAILED; state]");
	say(s, "recorded c1", "publish c1 17-18");
	say(s, "delivered c1 17", "");
	say(s, "delivered c1 18", "forget c1 18, release c1");
	say(s, "cancel c1", "");
	say(s, "released c1", "acquire c1, commit replay 1");
	say(s, "wipe", "");
	say(s, "lease c1", "record c1 0..19 CANCELLING full request target clears 21 [state]");
	say(s, "recorded c1", "publish c1 19-19, start c1 cleanup run 2");
	ck_assert_str_eq(story_stored_domain(s, "c1"), "other.example");
	story_end(&s);
}
END_TEST

START_TEST(a_wiped_store_is_told_again)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "wipe", "");
	say(s, "tick 10000", "renew c1, forget c1 8");
	say(s, "renewed c1 fenced", "abort c1 copy_database");
	say(s, "step c1 copy_database done", "acquire c1");
	say(s, "lease c1", "record c1 0..8 RUNNING full request target clears 26 []");
	say(s, "recorded c1", "start c1 copy_database");
	story_end(&s);
}
END_TEST

START_TEST(a_record_without_an_answer_is_sent_again_as_it_was)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "recorded c1 down", "");
	say(s, "tick 249", "");
	say(s, "tick 1", "record c1 8..9 RUNNING again [copy_database DONE]");
	say(s, "recorded c1 down", "");
	say(s, "tick 250", "record c1 8..9 RUNNING again [copy_database DONE]");
	say(s, "recorded c1", "publish c1 9-9, start c1 prepare_database");
	story_end(&s);
}
END_TEST

START_TEST(a_store_that_went_back_gets_the_record_again)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "recorded c1 behind", "acquire c1");
	say(s, "lease c1", "record c1 8..9 RUNNING again request [copy_database DONE]");
	say(s, "recorded c1", "publish c1 9-9, start c1 prepare_database");
	story_end(&s);
}
END_TEST

START_TEST(deliveries_in_any_order)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "step c1 copy_database done", "record c1 8..9 RUNNING [copy_database DONE]");
	say(s, "recorded c1", "publish c1 9-9, start c1 prepare_database");
	say(s, "step c1 prepare_database done", "record c1 9..10 RUNNING [prepare_database DONE]");
	say(s, "recorded c1", "publish c1 10-10, start c1 map_login");
	say(s, "step c1 map_login done", "record c1 10..11 RUNNING [map_login DONE]");
	say(s, "recorded c1", "publish c1 11-11, start c1 disable_scheduled_tasks");
	say(s, "delivered c1 11", "");
	say(s, "failed c1 10", "publish c1 10-10");
	say(s, "delivered c1 10", "");
	say(s, "delivered c1 9", "");
	say(s, "delivered c1 9", "");
	story_end(&s);
}
END_TEST

START_TEST(a_rejection_that_comes_too_late_is_none)
{
	struct story *s = story();

	say(s, "assign requested", "");
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "request c2", "acquire c2");
	say(s, "lease c2 held c1", "reject c2");
	say(s, "recorded c2 fenced", "");
	say(s, "tick 5000", "forget c1 8, acquire c2");
	say(s, "lease c2 held c1", "reject c2");
	say(s, "recorded c2 down", "");
	story_end(&s);
}
END_TEST

/* The broker takes nothing for long, then gives its answers in the worst order: none may be forgotten, and the clone
 * rests only when all have arrived. */
START_TEST(a_hundred_events_delivered_backwards)
{
	struct story *s = story();
	char line[64];

	say(s, "assign requested", "");
	say(s, "assign replay", "");
	say(s, "request c1", NULL);
	say(s, "lease c1", NULL);
	say(s, "recorded c1", "publish c1 1-1, start c1 enter_offline_mode");
	for (int run = 1; run <= 3; run++) {
		for (int i = 0; i < STEP_wait_web_config; i++) {
			snprintf(line, sizeof line, "step c1 %s done", steps[i].slug);
			say(s, line, NULL);
			say(s, "recorded c1", NULL);
		}
		say(s, "step c1 wait_web_config refused", NULL);
		say(s, "recorded c1", NULL);
		if (run == 3)
			break;
		say(s, "replay c1 from enter_offline_mode", NULL);
		say(s, "recorded c1", NULL);
	}
	ck_assert_uint_eq(story_stored(s, "c1")->sequence, 108);
	for (int i = 64; i > 1; i--) {
		snprintf(line, sizeof line, "delivered c1 %d", i);
		say(s, line, "");
	}
	say(s, "delivered c1 1", "publish c1 65-108");
	for (int i = 108; i > 65; i--) {
		snprintf(line, sizeof line, "delivered c1 %d", i);
		say(s, line, "");
	}
	say(s, "delivered c1 65", "forget c1 108, release c1");
	say(s, "released c1", "commit requested 1, commit replay 2");
	story_end(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_trouble");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_stop_lets_steps_end_but_not_for_ever);
	tcase_add_test(tc, a_rebalance_waits_for_running_steps_only);
	tcase_add_test(tc, a_partition_that_is_lost_is_never_committed);
	tcase_add_test(tc, a_partition_that_was_given_up_and_came_back_is_committed);
	tcase_add_test(tc, what_was_asked_of_a_clone_that_must_go_is_not_done_late);
	tcase_add_test(tc, a_lost_lease_stops_the_step);
	tcase_add_test(tc, a_lease_not_proved_in_time_counts_as_lost);
	tcase_add_test(tc, a_lease_is_asked_for_until_it_is_had);
	tcase_add_test(tc, rest_is_confirmed_by_the_store);
	tcase_add_test(tc, a_wiped_store_is_told_what_a_replay_changed);
	tcase_add_test(tc, a_wiped_store_is_told_again);
	tcase_add_test(tc, a_record_without_an_answer_is_sent_again_as_it_was);
	tcase_add_test(tc, a_store_that_went_back_gets_the_record_again);
	tcase_add_test(tc, deliveries_in_any_order);
	tcase_add_test(tc, a_rejection_that_comes_too_late_is_none);
	tcase_add_test(tc, a_hundred_events_delivered_backwards);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
