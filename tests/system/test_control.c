/* SPDX-License-Identifier: Apache-2.0
 * What operators ask of a clone: pause, resume, cancel, retry now, replay with changed wishes. */
#include "tests/support/installation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 90000, TOLD_WITHIN_MS = 15000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002",
		  third[] = "0198f0c2-0003-7c5b-9a54-000000000003";

static struct installation *i;
static struct buf before, after;

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = 1, .web_config_reads = 14 });
	buf_init(&before, WORLD_TEXT_MAX);
	buf_init(&after, WORLD_TEXT_MAX);
}

static void teardown(void)
{
	buf_done(&before);
	buf_done(&after);
	installation_free(&i);
}

/* The old sandbox, in service. */
static void first_clone(void)
{
	consumer_start(i, 0);
	send_request(i, first, TARGET);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, TARGET, &before);
}

static void fault(const char *json)
{
	ck_assert(stub_server_fault(i->stubs, json));
}

/* No step ends while the outside system does not answer. */
static void hold_up(const char *system)
{
	char json[128];

	snprintf(json, sizeof json, "{\"kind\":\"status\",\"system\":\"%s\",\"status\":503,\"times\":-1}", system);
	fault(json);
}

static void let_go(void)
{
	ck_assert(stub_server_clear_faults(i->stubs));
}

static void check_dead_letter(size_t nth, const char *code, const char *words)
{
	struct message *letter = await_dead_letter(i, nth, TOLD_WITHIN_MS);

	ck_assert_str_eq(letter->dead_letter.reason_code, code);
	ck_assert_msg(strstr(letter->dead_letter.reason, words), "%s", letter->dead_letter.reason);
	message_free(&letter);
}

START_TEST(pause_and_resume)
{
	struct seen s;

	first_clone();
	hold_up("superid");
	send_request(i, second, TARGET);
	await_steps(i, second, 10, CLONE_WITHIN_MS);
	send_control(i, second, TARGET, CONTROL_PAUSE);
	s = await(i, second, CLONE_PAUSED, TOLD_WITHIN_MS);
	ck_assert_ptr_nonnull(strstr(s.cause, "operator"));
	await_committed(i, TOLD_WITHIN_MS);
	let_go();
	send_control(i, second, TARGET, CONTROL_RESUME);
	s = await_from_rest(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_int_eq(s.run, 1);
	snapshot_target(i, TARGET, &after);
	check_same(&before, &after, "a clone that was paused");
	send_control(i, second, TARGET, CONTROL_PAUSE);
	check_dead_letter(0, "refused", "only a running clone");
	send_control(i, "0198f0c2-0009", TARGET, CONTROL_PAUSE);
	check_dead_letter(1, "unknown-clone", "no clone of this id");
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

/* The world is as if the clone had never been. */
static void check_as_before(void)
{
	snapshot_target(i, TARGET, &after);
	check_same(&before, &after, "a clone that was cancelled");
	ck_assert_str_eq(left_over_databases(i), "");
	await_committed(i, TOLD_WITHIN_MS);
}

START_TEST(cancel_at_several_moments)
{
	static const int moments[] = { 1, 6, 12, 24, 30 };
	char id[CLONE_ID_MAX + 1];

	first_clone();
	for (size_t n = 0; n < sizeof moments / sizeof *moments; n++) {
		snprintf(id, sizeof id, "0198f0c2-0005-7c5b-9a54-%012zu", n);
		send_request(i, id, TARGET);
		await_steps(i, id, moments[n], CLONE_WITHIN_MS);
		send_control(i, id, TARGET, CONTROL_CANCEL);
		await(i, id, CLONE_CANCELLED, CLONE_WITHIN_MS);
		check_as_before();
	}
	send_request(i, third, TARGET); /* and a new one finds nothing in its way */
	await(i, third, CLONE_COMPLETED, CLONE_WITHIN_MS);
}
END_TEST

/* Nothing was there before, and no previous one is kept: what is in service stays, and the clone goes on to its end. */
START_TEST(a_cancel_that_comes_too_late)
{
	struct seen s;

	setenv("SANDBOX_ENGINE__POLL", "500ms", 1); /* step 33 looks some times */
	first_clone();
	send_request(i, second, TARGET);
	await_steps(i, second, 32, CLONE_WITHIN_MS);
	send_control(i, second, TARGET, CONTROL_CANCEL);
	s = await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_msg(strstr(s.cause, "could not be cancelled: ") && strstr(s.cause, "in service"), "%s", s.cause);
	snapshot_target(i, TARGET, &after);
	check_same(&before, &after, "a clone that could not be cancelled");
	await_committed(i, TOLD_WITHIN_MS);
	unsetenv("SANDBOX_ENGINE__POLL");
}
END_TEST

START_TEST(cancel_a_failed_one)
{
	first_clone();
	fault("{\"kind\":\"status\",\"system\":\"licence\",\"status\":400,\"times\":1}");
	send_request(i, second, TARGET);
	await(i, second, CLONE_FAILED, CLONE_WITHIN_MS);
	send_control(i, second, TARGET, CONTROL_CANCEL);
	await_from_rest(i, second, CLONE_CANCELLED, CLONE_WITHIN_MS);
	check_as_before();
}
END_TEST

START_TEST(the_consumer_dies_while_cleaning_up)
{
	first_clone();
	send_request(i, second, TARGET);
	await_steps(i, second, 20, CLONE_WITHIN_MS);
	fault("{\"kind\":\"delay\",\"system\":\"mail\",\"ms\":1500,\"times\":-1}");
	send_control(i, second, TARGET, CONTROL_CANCEL);
	pause_ms(900);
	consumer_kill(i, 0);
	let_go();
	consumer_start(i, 0);
	await(i, second, CLONE_CANCELLED, CLONE_WITHIN_MS);
	check_as_before();
}
END_TEST

START_TEST(retry_now)
{
	int64_t began;

	setenv("SANDBOX_ENGINE__RETRY_FIRST", "1m", 1);
	setenv("SANDBOX_ENGINE__RETRY_CAP", "5m", 1);
	setenv("SANDBOX_ENGINE__RETRY_BUDGET", "1h", 1);
	consumer_start(i, 0);
	fault("{\"kind\":\"status\",\"system\":\"licence\",\"status\":503,\"times\":1}");
	send_request(i, first, TARGET);
	began = now_ms();
	while (!consumer_said(i, "step failed for now") && now_ms() < began + CLONE_WITHIN_MS)
		pause_ms(20);
	pause_ms(500);
	send_control(i, first, TARGET, CONTROL_RETRY_NOW);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
}
END_TEST

START_TEST(a_spent_budget_pauses_and_a_replay_goes_on)
{
	struct message m = good_replay(first, TARGET);
	struct events events;
	struct seen s;

	setenv("SANDBOX_ENGINE__RETRY_BUDGET", "500ms", 1);
	consumer_start(i, 0);
	hold_up("superid");
	send_request(i, first, TARGET);
	s = await(i, first, CLONE_PAUSED, CLONE_WITHIN_MS);
	ck_assert_str_ne(s.cause, "");
	ck_assert_str_eq(s.failed_step, "register_superid");
	let_go();
	m.replay.has_mask_domain = m.replay.has_documents = true;
	m.replay.mask_domain = "changed.example";
	m.replay.documents = DOCUMENTS_NONE;
	m.replay.expected_generation = s.generation;
	send_message(i, &m);
	s = await_from_rest(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	ck_assert_int_eq(s.run, 2);
	events_read(i, &events);
	check_sequence(&events, first);
	ck_assert_uint_eq(events_count(&events, MESSAGE_BACKUP_RESTORED, first), 1);
	ck_assert_int_eq(events_nth(&events, MESSAGE_BACKUP_RESTORED, first, 0)->backup_restored.run, 2);
	events_free(&events);
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

START_TEST(a_replay_with_another_domain_and_mode_masks_again)
{
	struct message m = good_replay(first, TARGET);
	struct seen s;
	char text[512];

	setenv("SANDBOX_ENGINE__RETRY_BUDGET", "500ms", 1);
	consumer_start(i, 0);
	hold_up("apps");
	send_request(i, first, TARGET);
	s = await(i, first, CLONE_PAUSED, CLONE_WITHIN_MS);
	let_go();
	m.replay.from_step = "create_database";
	m.replay.has_mask_domain = m.replay.has_mask_mode = true;
	m.replay.mask_domain = "changed.example";
	m.replay.mask_mode = MASK_HASH;
	send_message(i, &m);
	s = await_from_rest(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snprintf(text, sizeof text, "SELECT count(*) FROM Email WHERE email_address LIKE '%%@sandbox.example'");
	ck_assert_int_eq(database_number(i, s.generation, text), 0);
	snprintf(text, sizeof text, "SELECT count(*) FROM Email WHERE email_address LIKE '%%@changed.example'");
	ck_assert_int_gt(database_number(i, s.generation, text), 0);
	snprintf(text, sizeof text, "SELECT count(*) FROM Email WHERE email_address GLOB '*_*@changed.example'");
	ck_assert_int_eq(database_number(i, s.generation, text), 0);
}
END_TEST

START_TEST(replays_that_are_refused)
{
	struct message m = good_replay(first, TARGET);
	struct seen s;
	char database[DATABASE_MAX + 1];

	consumer_start(i, 0);
	fault("{\"kind\":\"status\",\"system\":\"licence\",\"status\":400,\"times\":1}");
	send_request(i, first, TARGET);
	s = await(i, first, CLONE_FAILED, CLONE_WITHIN_MS);
	m.replay.expected_generation = "Cust70001__gother";
	send_message(i, &m);
	check_dead_letter(0, "refused", "another generation");
	m = good_replay(first, TARGET);
	m.replay.from_step = "no_such_step";
	send_message(i, &m);
	check_dead_letter(1, "refused", "from_step");
	send_request(i, second, TARGET);
	s = await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	m = good_replay(first, TARGET);
	send_message(i, &m);
	check_dead_letter(2, "refused", "newer clone");
	m = good_replay(second, TARGET);
	send_message(i, &m);
	check_dead_letter(3, "refused", "complete");
	ck_assert_str_eq(hosting_text(i, TARGET, "database", database, sizeof database), s.generation);
	await_committed(i, TOLD_WITHIN_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control");
	TCase *tc = tcase_create("control");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, pause_and_resume);
	tcase_add_test(tc, cancel_at_several_moments);
	tcase_add_test(tc, a_cancel_that_comes_too_late);
	tcase_add_test(tc, cancel_a_failed_one);
	tcase_add_test(tc, the_consumer_dies_while_cleaning_up);
	tcase_add_test(tc, retry_now);
	tcase_add_test(tc, a_spent_budget_pauses_and_a_replay_goes_on);
	tcase_add_test(tc, a_replay_with_another_domain_and_mode_masks_again);
	tcase_add_test(tc, replays_that_are_refused);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
