/* SPDX-License-Identifier: Apache-2.0
 * clone request, watch, list and show: what they print, what they send, and how they end. */
#include "ctl_fixture.h"

#define WISHES   "clone request --source Cust70000 --target Cust70001 --admin tester@company.example=ten-sales " \
	"--mask-domain sandbox.example"

/* ---- request ---- */

START_TEST(a_request_is_sent_as_it_was_wished)
{
	struct message *m;

	ends(WISHES " --user 12=ten-service --keep a@b.example --documents included-users --attachments none "
		"--enable-schedule 7 --no-run --approve-target Cust70001 --requested-by eva --confirm -o ids", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), FAKE_ID "\n");
	ck_has(&fake.talk, "Next: sandboxctl clone watch " FAKE_ID);
	ck_assert_str_eq(fake.sent.key, "Cust70001");
	ck_assert_int_eq(fake.sent.at.topic, TOPIC_REQUESTED);
	m = sent(MESSAGE_REQUEST);
	ck_assert_str_eq(m->request.job.clone_id, FAKE_ID);
	ck_assert_str_eq(m->request.job.requested_by, "eva");
	ck_assert_uint_eq(m->request.job.user_count, 2);
	ck_assert(m->request.job.users[0].is_admin && !m->request.job.users[1].is_admin);
	ck_assert_int_eq(m->request.job.users[1].associate_id, 12);
	ck_assert_str_eq(m->request.job.mask_keep[0], "a@b.example");
	ck_assert_int_eq(m->request.job.mask_mode, MASK_KEEP_NAMES);
	ck_assert_int_eq(m->request.job.documents, DOCUMENTS_INCLUDED_USERS);
	ck_assert_int_eq(m->request.job.attachments, ATTACHMENTS_NONE);
	ck_assert_int_eq(m->request.job.enable_schedules[0], 7);
	ck_assert(!m->request.job.set_running && m->request.confirmed);
	ck_assert_int_eq(m->request.requested_at_ms, FAKE_NOW);
	message_free(&m);
}
END_TEST

START_TEST(a_dry_run_sends_nothing)
{
	ends(WISHES " --dry-run", CTL_OK);
	ck_assert_int_eq(fake.sent_count, 0);
	ck_has(&fake.out, "\"sent\":false");
	ck_has(&fake.out, "\"ce_type\":\"sandbox.clone.requested.v1\"");
	ck_has(&fake.out, "\"login\":\"tester@company.example\"");
	ck_has(&fake.talk, "--confirm");
}
END_TEST

START_TEST(a_file_gives_the_wishes_and_options_win)
{
	struct message *m;

	buf_add_text(&fake.file, "{\"kind\":\"CREATE\",\"source_ctx\":\"Cust70000\",\"target_ctx\":\"Cust70001\","
		"\"mask\":{\"domain\":\"sandbox.example\"},\"documents\":\"ALL\",\"confirmed\":true,"
		"\"user_plan_map\":[{\"login\":\"a@b.example\",\"plan\":\"ten-sales\",\"admin\":true}]}");
	ends("clone request --from-file request.json --documents none --user x@y.example=ten-service", CTL_OK);
	m = sent(MESSAGE_REQUEST);
	ck_assert_int_eq(m->request.job.kind, CLONE_CREATE);
	ck_assert_int_eq(m->request.job.documents, DOCUMENTS_NONE);
	ck_assert_uint_eq(m->request.job.user_count, 2);
	ck_assert_str_eq(m->request.job.requested_by, "olga");
	message_free(&m);
	ends("clone request --from-file gone.json", CTL_USAGE);
}
END_TEST

START_TEST(rules_are_checked_before_anything_is_sent)
{
	ends("clone request --source Cust70000 --target cust70000 --admin a=b --confirm", CTL_USAGE);
	ck_has(&fake.talk, "target_ctx");
	ends("clone request --source Cust70000 --target Cust70001 --user a=b --confirm", CTL_USAGE);
	ck_has(&fake.talk, "administrator");
	ends("clone request --source Cust70000 --admin a=b --confirm", CTL_USAGE);
	ck_has(&fake.talk, "--target");
	ends(WISHES " --no-mask --confirm", CTL_USAGE);
	ends(WISHES " --mask-mode maybe --confirm", CTL_USAGE);
	ck_has(&fake.talk, "keep-names");
	ends("clone request --source Cust70000 --target Cust70001 --admin a=b --no-mask --mask-mode hash --confirm",
	     CTL_USAGE);
	ck_has(&fake.talk, "--no-mask and --mask-mode contradict each other");
	ends("clone request --source Cust70000 --target Cust70001 --admin a=b --no-mask --confirm", CTL_USAGE);
	ck_has(&fake.talk, "mask.enabled");
	ends(WISHES " --admin x --confirm", CTL_USAGE);
	ck_has(&fake.talk, "USER=PLAN");
	ends(WISHES " --enable-schedule x --confirm", CTL_USAGE);
	ends(WISHES " --traceparent x --confirm", CTL_USAGE);
	ends(WISHES " --timeout 5 --confirm", CTL_USAGE);
	ends(WISHES " --clone-id nonsense --confirm", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

START_TEST(a_public_inbox_is_warned_of)
{
	ends("clone request --source Cust70000 --target Cust70001 --admin a@b.example=ten --confirm", CTL_OK);
	ck_has(&fake.talk, "mailinator.com is a public inbox");
}
END_TEST

START_TEST(names_are_hidden_when_that_is_wished)
{
	struct message *m;

	ends(WISHES " --mask-mode hash --confirm", CTL_OK);
	m = sent(MESSAGE_REQUEST);
	ck_assert_int_eq(m->request.job.mask_mode, MASK_HASH);
	message_free(&m);
	ends(WISHES " --mask-mode hash --dry-run", CTL_OK);
	ck_has(&fake.out, "\"mode\":\"HASH\"");
	buf_add_text(&fake.file, "{\"kind\":\"CREATE\",\"source_ctx\":\"Cust70000\",\"target_ctx\":\"Cust70001\","
		"\"mask\":{\"domain\":\"sandbox.example\",\"mode\":\"HASH\"},\"confirmed\":true,"
		"\"user_plan_map\":[{\"login\":\"a@b.example\",\"plan\":\"ten-sales\",\"admin\":true}]}");
	ends("clone request --from-file request.json", CTL_OK);
	m = sent(MESSAGE_REQUEST);
	ck_assert_int_eq(m->request.job.mask_mode, MASK_HASH);
	message_free(&m);
	ends("clone request --from-file request.json --mask-mode keep-names", CTL_OK);
	m = sent(MESSAGE_REQUEST);
	ck_assert_int_eq(m->request.job.mask_mode, MASK_KEEP_NAMES);
	message_free(&m);
}
END_TEST

START_TEST(it_must_be_meant)
{
	ends(WISHES, CTL_USAGE);
	ck_has(&fake.talk, "--confirm");
	fake.terminal[DESK_IN] = true;
	fake.answer = "Cust70002";
	ends(WISHES, CTL_USAGE);
	ck_has(&fake.talk, "not confirmed");
	ends(WISHES " --no-input", CTL_USAGE);
	ck_assert_int_eq(fake.sent_count, 0);
	fake.answer = "Cust70001";
	ends(WISHES, CTL_OK);
	ck_has(&fake.talk, "will be lost");
	ck_assert_int_eq(fake.sent_count, 1);
}
END_TEST

START_TEST(a_busy_target_is_a_conflict)
{
	fake.lease = (struct inspect_lease){ true, "owner", OTHER_ID, 7, 20000 };
	ends(WISHES " --confirm", CTL_CONFLICT);
	ck_has(&fake.talk, OTHER_ID);
	ck_assert_int_eq(fake.sent_count, 0);
	ends(WISHES " --confirm --even-if-busy", CTL_OK);
	fake.no_store = true; /* then nobody knows, and the consumer decides */
	ends(WISHES " --confirm", CTL_OK);
	ck_assert_int_eq(fake.sent_count, 2);
}
END_TEST

START_TEST(an_id_that_is_taken_is_a_conflict)
{
	snap.fingerprint = 12345;
	known_as(CLONE_COMPLETED);
	ends(WISHES " --clone-id " OTHER_ID " --confirm", CTL_CONFLICT);
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

START_TEST(what_may_have_arrived_is_said)
{
	fake.unsure = true;
	ends(WISHES " --confirm", CTL_UNAVAILABLE);
	ck_has(&fake.talk, "--clone-id " FAKE_ID " is safe");
	fake.no_brokers = true;
	ends(WISHES " --confirm", CTL_UNAVAILABLE);
	ck_has_not(&fake.talk, "is safe");
}
END_TEST

/* ---- waiting for it ---- */

static void complete_later(struct fake *f)
{
	if (f->clone_count == 0 && f->now_ms > FAKE_NOW + 1000)
		fake_add_clone(f, FAKE_ID, "Cust70001", &snap);
	if (f->clone_count && f->now_ms > FAKE_NOW + 3000) {
		snap.status = CLONE_COMPLETED;
		snap.ended_at_ms = f->now_ms;
		memset(snap.outcome, STEP_DONE, STEP_END);
		fake_change(&f->clones[0], &snap);
	}
}

static void fail_later(struct fake *f)
{
	complete_later(f);
	if (snap.status == CLONE_COMPLETED) {
		snap.status = CLONE_FAILED;
		snap.failed_step = STEP_wait_web_config;
		snprintf(snap.cause, sizeof snap.cause, "the disk is full");
		fake_change(&f->clones[0], &snap);
	}
}

START_TEST(waiting_ends_with_the_clone)
{
	fake.on_sleep = complete_later;
	ends(WISHES " --confirm --wait", CTL_OK);
	ck_has(&fake.out, "33 wait_web_config DONE  33/33\n");
	ck_has(&fake.out, "COMPLETED  33/33");
	ck_has(&fake.talk, "Next: sandboxctl clone report");
}
END_TEST

START_TEST(waiting_for_a_failure_fails)
{
	fake.on_sleep = fail_later;
	ends(WISHES " --confirm --wait", CTL_FAILED);
	ck_has(&fake.out, "the disk is full");
	ck_has(&fake.talk, "Next: sandboxctl clone replay " FAKE_ID);
}
END_TEST

START_TEST(waiting_has_an_end)
{
	ends(WISHES " --confirm --wait --timeout 1m", CTL_TIMEOUT);
	ck_has(&fake.talk, "No consumer has taken the request yet");
	ck_has(&fake.talk, "the clone goes on");
	ck_assert_int_ge(fake.now_ms, FAKE_NOW + 60000);
	ck_assert_int_lt(fake.now_ms, FAKE_NOW + 61000);
	fake.interrupt_at_ms = fake.now_ms + 5000;
	ends(WISHES " --confirm --wait", CTL_INTERRUPTED);
	ck_has(&fake.talk, "the clone goes on");
}
END_TEST

START_TEST(waiting_ends_with_a_dead_letter)
{
	struct message m = letter_about("sandbox.clone.requested", "..." FAKE_ID "...", 42);

	fake_add_record(&fake, TOPIC_DEAD_LETTER, 0, 0, "k", &m);
	ends(WISHES " --confirm --wait", CTL_CONFLICT);
	ck_has(&fake.talk, "it was taken before (dead letter 0:0)");
}
END_TEST

/* ---- watch ---- */

START_TEST(watch_ends_at_rest)
{
	known_as(CLONE_FAILED);
	ends("clone watch @latest", CTL_OK);
	ends("clone watch @latest --exit-status", CTL_FAILED);
	ends("clone watch 0198 --exit-status -o jsonl", CTL_FAILED);
	ck_has(&fake.out, "\"change\":\"status\"");
	ends("clone watch 0199", CTL_NOT_FOUND);
	ends("clone watch @latest:Cust70009", CTL_NOT_FOUND);
	ends("clone watch @newest", CTL_NOT_FOUND);
	ends("clone watch " FAKE_ID, CTL_NOT_FOUND); /* a whole id is waited for, but not for ever */
	snap.status = CLONE_REJECTED;
	fake_change(&fake.clones[0], &snap);
	ends("clone watch @latest --exit-status", CTL_CONFLICT);
}
END_TEST

static void redis_comes_back(struct fake *f)
{
	f->no_store = f->now_ms < FAKE_NOW + 5000;
	if (f->now_ms > FAKE_NOW + 8000) {
		snap.status = CLONE_COMPLETED;
		fake_change(&f->clones[0], &snap);
	}
}

START_TEST(watch_survives_the_store)
{
	known_as(CLONE_RUNNING);
	fake.on_sleep = redis_comes_back;
	fake.no_store = true;
	ends("clone watch @latest --exit-status", CTL_OK);
	ck_has(&fake.talk, "trying again");
}
END_TEST

START_TEST(watch_redraws_on_a_terminal)
{
	known_as(CLONE_RUNNING);
	fake.terminal[DESK_OUT] = true;
	fake.columns = 100;
	fake.rows = 50;
	fake.on_sleep = redis_comes_back;
	ends("clone watch @latest", CTL_OK);
	ck_has(&fake.out, "\033[35A");
	ck_has(&fake.out, "\033[36m");
	fake.no_color = "1";
	ends("clone watch @latest", CTL_OK);
	ck_has_not(&fake.out, "\033[3");
	ends("clone watch @latest --color always", CTL_OK);
	ck_has(&fake.out, "\033[32m");
}
END_TEST

START_TEST(interrupting_leaves_the_clone_alone)
{
	known_as(CLONE_RUNNING);
	fake.interrupt_at_ms = FAKE_NOW + 2000;
	ends("clone watch @latest --exit-status", CTL_INTERRUPTED);
	ck_has(&fake.talk, "the clone goes on");
	ck_assert_int_eq(fake.sent_count, 0);
}
END_TEST

/* ---- list, show ---- */

START_TEST(list_picks_and_formats)
{
	ends("clone list", CTL_OK);
	ck_has(&fake.talk, "No clone yet");
	known_as(CLONE_FAILED);
	snap.status = CLONE_RUNNING;
	fake_add_clone(&fake, "0198f0c2-7d1e-7c5b-9a54-000000000000", "Cust70002", &snap);
	ends("clone list", CTL_OK);
	ck_has(&fake.out, "CLONE                      STATUS"); /* as much of the ids as tells them apart */
	ck_has(&fake.out, "0198f0c2-7d1e-7c5b-9a54-2  FAILED");
	ends("clone list --no-headers --status running", CTL_OK);
	ck_has_not(&fake.out, "CLONE");
	ck_has_not(&fake.out, "FAILED");
	ends("clone list --target Cust70001 -o ids", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), OTHER_ID "\n");
	ends("clone list -o jsonl", CTL_OK);
	ck_has(&fake.out, "}\n{");
	ends("clone list -o json --limit 1", CTL_OK);
	ck_has(&fake.out, "{\n  \"version\":1,\n  \"clones\":[");
	ends("clone list --limit 0", CTL_USAGE);
	ends("clone list --status sleeping", CTL_USAGE);
	ends("clone list --config gone.ini", CTL_USAGE);
	fake.no_store = true;
	ends("clone list", CTL_UNAVAILABLE);
}
END_TEST

START_TEST(show_says_cause_and_next_command_first)
{
	snap.failed_step = STEP_copy_database;
	snprintf(snap.cause, sizeof snap.cause, "the disk is full");
	snprintf(snap.error_class, sizeof snap.error_class, "refused");
	snap.outcome[STEP_enter_offline_mode] = STEP_DONE;
	known_as(CLONE_FAILED);
	ends("clone show 0198", CTL_OK);
	ck_assert(strncmp(buf_text(&fake.out), "FAILED  1/33  08 copy_database  elapsed 1m19s  run 1\n", 52) == 0);
	ck_assert(strstr(buf_text(&fake.out), "Cause (refused): the disk is full") <
		strstr(buf_text(&fake.out), "enter_offline_mode"));
	ck_has(&fake.out, "Next: sandboxctl clone replay " OTHER_ID " --reason '...'");
	ends("clone show 0198 -o json", CTL_OK);
	ck_has(&fake.out, "\"started_at\":\"2026-11-22T");
	ends("clone show 77", CTL_NOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_commands");
	SRunner *sr = srunner_create(s);

	suite_add_tcase(s, CASES("request", a_request_is_sent_as_it_was_wished, a_dry_run_sends_nothing,
		a_file_gives_the_wishes_and_options_win, rules_are_checked_before_anything_is_sent,
		a_public_inbox_is_warned_of, names_are_hidden_when_that_is_wished, it_must_be_meant,
		a_busy_target_is_a_conflict,
		an_id_that_is_taken_is_a_conflict, what_may_have_arrived_is_said));
	suite_add_tcase(s, CASES("watch", waiting_ends_with_the_clone, waiting_for_a_failure_fails, waiting_has_an_end,
				 waiting_ends_with_a_dead_letter, watch_ends_at_rest, watch_survives_the_store,
				 watch_redraws_on_a_terminal, interrupting_leaves_the_clone_alone));
	suite_add_tcase(s, CASES("look", list_picks_and_formats, show_says_cause_and_next_command_first));
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
