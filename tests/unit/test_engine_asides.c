/* SPDX-License-Identifier: Apache-2.0
 * The engine told as stories: what it runs beside the plan, for clones that are at rest. */
#include "tests/support/engine_story.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct story *story_of(const struct engine_policy *policy)
{
	struct story *s = story_begin(policy);

	say(s, "assign requested", "");
	say(s, "assign control", "");
	say(s, "assign replay", "");
	return s;
}

static struct story *story(void)
{
	const struct engine_policy policy = story_policy();

	return story_of(&policy);
}

/* One clone, complete and at rest. */
static struct story *complete(void)
{
	struct story *s = story();

	say(s, "request c1", "acquire c1");
	say(s, "go", "c1 COMPLETED 36");
	return s;
}

/* ---- cancelling ---- */

/* Its database may be gone and the old sandbox in service: none of its steps may run again. */
START_TEST(a_cancelling_that_broke_off_is_only_gone_on_with)
{
	struct engine_policy policy = story_policy();
	struct story *s;

	policy.retry_budget_ms = 3000;
	s = story_of(&policy);
	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "cancel c1", "abort c1 copy_database");
	say(s, "go without cleanup", "c1 CANCELLING 10");
	say(s, "step c1 cleanup retry", "");
	say(s, "tick 5000", "forget c1 10, start c1 cleanup try 2");
	say(s, "step c1 cleanup retry", "record c1 10..11 PAUSED target [state]");
	say(s, "go", "c1 PAUSED 11");
	ck_assert(story_stored(s, "c1")->cancel_begun);
	say(s, "replay c1", "acquire c1");
	say(s, "lease c1", "record c1 11..12 PAUSED target [state]"); /* refused */
	say(s, "go", "c1 PAUSED 12");
	say(s, "resume c1", "acquire c1");
	say(s, "lease c1", "record c1 12..13 CANCELLING target [state]");
	say(s, "go", "c1 CANCELLED 14");
	story_end(&s);
}
END_TEST

START_TEST(a_cancel_that_comes_too_late)
{
	struct story *s = story();

	say(s, "request c1", "acquire c1");
	say(s, "go without wait_web_config", "c1 RUNNING 34");
	say(s, "cancel c1", "abort c1 wait_web_config");
	say(s, "step c1 wait_web_config aborted", NULL);
	say(s, "go without cleanup", "c1 CANCELLING 35");
	say(s, "step c1 cleanup late", "record c1 35..36 RUNNING target [state]");
	say(s, "go without wait_web_config", "c1 RUNNING 36");
	ck_assert(!story_stored(s, "c1")->cancel_begun);
	ck_assert_str_eq(story_stored(s, "c1")->cause, "it could not be cancelled: it did not go well");
	say(s, "cancel c1", NULL); /* it is known now, and refused at once */
	say(s, "go", "c1 COMPLETED 39");
	ck_assert_str_eq(story_stored(s, "c1")->cause, "it could not be cancelled: it did not go well");
	story_end(&s);
}
END_TEST

/* A newer clone has the target: the older one must not go on, it can only be cancelled when the newer one is in service. */
START_TEST(too_late_for_one_that_was_superseded)
{
	struct story *s = story();

	say(s, "request c1", "acquire c1");
	say(s, "go without wait_web_config", "c1 RUNNING 34");
	say(s, "step c1 wait_web_config refused", NULL);
	say(s, "go", "c1 FAILED 36");
	say(s, "request c2", "acquire c2");
	say(s, "go without create_database of c2", NULL);
	say(s, "step c2 create_database refused", NULL);
	say(s, "go", NULL);
	ck_assert_int_eq(story_stored(s, "c2")->status, CLONE_FAILED);
	say(s, "cancel c1", "acquire c1");
	say(s, "go without cleanup", NULL);
	say(s, "step c1 cleanup late", NULL);
	say(s, "go", NULL);
	ck_assert_int_eq(story_stored(s, "c1")->status, CLONE_FAILED);
	ck_assert(story_stored(s, "c1")->cancel_begun);
	story_end(&s);
}
END_TEST

/* ---- rollback ---- */

START_TEST(a_complete_clone_is_rolled_back)
{
	struct story *s = complete();

	say(s, "rollback c1", "acquire c1");
	say(s, "lease c1", "record c1 36..37 ROLLING_BACK target [state]");
	say(s, "recorded c1", "publish c1 37-37, start c1 rollback");
	say(s, "step c1 rollback retry", "");
	say(s, "tick 1000", "start c1 rollback try 2");
	say(s, "step c1 rollback done", "record c1 37..38 ROLLED_BACK target [state]");
	say(s, "go", "c1 ROLLED_BACK 38");
	ck_assert_ptr_nonnull(strstr(story_stored(s, "c1")->cause, "rolled back by an operator"));
	say(s, "rollback c1", "acquire c1"); /* once is enough */
	say(s, "lease c1", "record c1 38..39 ROLLED_BACK target [state]");
	say(s, "go", "c1 ROLLED_BACK 39");
	say(s, "request c2", "acquire c2"); /* the target is free for another */
	say(s, "go", "c1 ROLLED_BACK 39, c2 COMPLETED 36");
	story_end(&s);
}
END_TEST

/* Refused before anything was changed: the clone is what it was, and says why. It may be asked again. */
START_TEST(a_rollback_that_is_refused_changes_nothing)
{
	struct story *s = complete();

	say(s, "rollback c1", "acquire c1");
	say(s, "go without rollback", "c1 ROLLING_BACK 37");
	say(s, "step c1 rollback refused", "record c1 37..38 COMPLETED target [state]");
	say(s, "go", "c1 COMPLETED 38");
	ck_assert_str_eq(story_stored(s, "c1")->cause, "it could not be rolled back: it did not go well");
	say(s, "rollback c1", "acquire c1");
	say(s, "go", "c1 ROLLED_BACK 40");
	story_end(&s);
}
END_TEST

START_TEST(a_rollback_that_breaks_off_fails_the_clone)
{
	struct story *s = complete();

	say(s, "rollback c1", "acquire c1");
	say(s, "go without rollback", "c1 ROLLING_BACK 37");
	say(s, "step c1 rollback unsure", "");
	say(s, "tick 1000", "start c1 rollback try 2 acted");
	say(s, "step c1 rollback refused", "record c1 37..38 FAILED target [state]"); /* the first call changed something */
	say(s, "go", "c1 FAILED 38");
	say(s, "replay c1", "acquire c1"); /* would only find that every step was done */
	say(s, "lease c1", "record c1 38..39 FAILED target [state]");
	say(s, "go", "c1 FAILED 39");
	say(s, "rollback c1", "acquire c1");
	say(s, "go without rollback", "c1 ROLLING_BACK 40");
	say(s, "step c1 rollback broken", "record c1 40..41 FAILED target [state]");
	say(s, "go", "c1 FAILED 41");
	say(s, "cancel c1", "acquire c1");
	say(s, "go", "c1 CANCELLED 43");
	story_end(&s);
}
END_TEST

/* Whoever goes on with it does not know how far the last owner came. */
START_TEST(a_rollback_is_taken_over)
{
	struct story *s = complete();

	say(s, "rollback c1", "acquire c1");
	say(s, "go without rollback", "c1 ROLLING_BACK 37");
	say(s, "tick 10000", "renew c1, forget c1 37");
	say(s, "renewed c1 fenced", "abort c1 cleanup");
	say(s, "step c1 rollback aborted", "acquire c1");
	say(s, "lease c1", "start c1 rollback");
	say(s, "step c1 rollback refused", "record c1 37..38 FAILED target [state]");
	story_end(&s);
}
END_TEST

START_TEST(only_what_is_complete_is_rolled_back)
{
	struct story *s = story();

	say(s, "request c1", "acquire c1");
	say(s, "go without copy_database", "c1 RUNNING 8");
	say(s, "rollback c1", "record c1 8..9 RUNNING target [state]"); /* refused, and recorded as such */
	say(s, "recorded c1", "publish c1 9-9");
	say(s, "delivered c1 9", "dead-letter control 0 refused");
	say(s, "told control 0", ""); /* its record stays for as long as the clone goes on */
	say(s, "step c1 copy_database refused", "record c1 9..11 FAILED target [copy_database FAILED; state]");
	say(s, "recorded c1", "publish c1 10-11");
	say(s, "delivered c1 10", "");
	say(s, "delivered c1 11", "forget c1 11, release c1");
	say(s, "released c1", "commit requested 1, commit control 1");
	say(s, "rollback c1", "acquire c1");
	say(s, "lease c1", "record c1 11..12 FAILED target [state]");
	story_end(&s);
}
END_TEST

START_TEST(an_older_clone_is_never_rolled_back)
{
	struct story *s = complete();

	say(s, "request c2", "acquire c2");
	say(s, "go", "c1 COMPLETED 36, c2 COMPLETED 36");
	say(s, "rollback c1", "acquire c1");
	say(s, "lease c1", "record c1 36..37 COMPLETED [state]");
	say(s, "recorded c1", "publish c1 37-37");
	say(s, "delivered c1 37", NULL);
	ck_assert_int_eq(story_stored(s, "c1")->status, CLONE_COMPLETED);
	say(s, "go", "c1 COMPLETED 37, c2 COMPLETED 36");
	story_end(&s);
}
END_TEST

START_TEST(what_is_rolled_back_can_only_be_waited_for)
{
	static const char *const verbs[] = { "pause c1", "resume c1", "cancel c1", "retry-now c1" };
	struct story *s = complete();

	say(s, "rollback c1", "acquire c1");
	say(s, "go without rollback", "c1 ROLLING_BACK 37");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		say(s, verbs[i], NULL);
		say(s, "go without rollback", NULL);
	}
	say(s, "go without rollback", "c1 ROLLING_BACK 41");
	say(s, "step c1 rollback done", "record c1 41..42 ROLLED_BACK target [state]");
	story_end(&s);
}
END_TEST

/* ---- sweep ---- */

START_TEST(a_target_is_swept_for_the_clone_that_rests_there)
{
	struct story *s = complete();
	struct clone_view view;

	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1", "start c1 sweeping");
	say(s, "sweep c1", ""); /* it is here already */
	say(s, "step c1 sweeping done", "release c1");
	say(s, "released c1", "");
	ck_assert(!engine_view(story_engine(s), story_ref(s, "c1"), &view));
	say(s, "sweep c1", "acquire c1"); /* whatever came of the last one */
	say(s, "lease c1", "start c1 sweeping");
	say(s, "step c1 sweeping refused", "release c1");
	say(s, "released c1", "");
	ck_assert_int_eq(story_stored(s, "c1")->status, CLONE_COMPLETED);
	ck_assert_uint_eq(story_stored(s, "c1")->sequence, 36);
	story_end(&s);
}
END_TEST

START_TEST(where_somebody_works_nothing_is_swept)
{
	struct story *s = complete();

	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1 held c9", ""); /* not asked for again */
	say(s, "tick 60000", "");
	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1 down", "");
	say(s, "request c2", "acquire c2");
	say(s, "go without copy_database", "c1 COMPLETED 36, c2 RUNNING 8");
	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1", "release c1"); /* it is c2's target now */
	say(s, "sweep c2", ""); /* it is at work */
	story_end(&s);
}
END_TEST

START_TEST(what_the_store_has_lost_is_not_swept)
{
	struct story *s = complete();

	say(s, "wipe", "");
	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1", "release c1");
	story_end(&s);
}
END_TEST

/* Records wait until the sweep is over, and are then what they always are. */
START_TEST(a_record_that_comes_during_a_sweep)
{
	struct story *s = complete();

	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1", "start c1 sweeping");
	say(s, "rollback c1", "");
	say(s, "tick 10000", "renew c1");
	say(s, "renewed c1", "");
	say(s, "step c1 sweeping done", "record c1 36..37 ROLLING_BACK target [state]");
	say(s, "go", "c1 ROLLED_BACK 38");
	story_end(&s);
}
END_TEST

START_TEST(a_lost_lease_ends_a_sweep)
{
	struct story *s = complete();
	struct clone_view view;

	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1", "start c1 sweeping");
	say(s, "tick 10000", "renew c1");
	say(s, "renewed c1 fenced", "abort c1 cleanup");
	say(s, "step c1 sweeping aborted", "");
	ck_assert(!engine_view(story_engine(s), story_ref(s, "c1"), &view));
	story_end(&s);
}
END_TEST

START_TEST(a_stop_waits_for_a_sweep_but_not_for_ever)
{
	struct story *s = complete();

	say(s, "sweep c1", "acquire c1");
	say(s, "lease c1", "start c1 sweeping");
	say(s, "stop", "intake off");
	say(s, "sweep c2", "");
	say(s, "pass 10000", "abort c1 cleanup");
	say(s, "step c1 sweeping aborted", "release c1");
	say(s, "released c1", "drained");
	story_end(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine_asides");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_cancelling_that_broke_off_is_only_gone_on_with);
	tcase_add_test(tc, a_cancel_that_comes_too_late);
	tcase_add_test(tc, too_late_for_one_that_was_superseded);
	tcase_add_test(tc, a_complete_clone_is_rolled_back);
	tcase_add_test(tc, a_rollback_that_is_refused_changes_nothing);
	tcase_add_test(tc, a_rollback_that_breaks_off_fails_the_clone);
	tcase_add_test(tc, a_rollback_is_taken_over);
	tcase_add_test(tc, only_what_is_complete_is_rolled_back);
	tcase_add_test(tc, an_older_clone_is_never_rolled_back);
	tcase_add_test(tc, what_is_rolled_back_can_only_be_waited_for);
	tcase_add_test(tc, a_target_is_swept_for_the_clone_that_rests_there);
	tcase_add_test(tc, where_somebody_works_nothing_is_swept);
	tcase_add_test(tc, what_the_store_has_lost_is_not_swept);
	tcase_add_test(tc, a_record_that_comes_during_a_sweep);
	tcase_add_test(tc, a_lost_lease_ends_a_sweep);
	tcase_add_test(tc, a_stop_waits_for_a_sweep_but_not_for_ever);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
