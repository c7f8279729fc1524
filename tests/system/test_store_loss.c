/* SPDX-License-Identifier: Apache-2.0
 * The fast store goes away while clones run: with its data, without, and together with the consumer. The clones end
 * without an operator, and no step has its effect twice. */
#include "tests/support/installation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 120000, TARGETS = 5 };

static struct installation *i;
static char ids[TARGETS + 2][CLONE_ID_MAX + 1], targets[TARGETS][32];

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = TARGETS, .own_sources = true });
	for (int n = 0; n < TARGETS + 2; n++)
		snprintf(ids[n], sizeof ids[n], "0198f0c2-0001-7c5b-9a54-%012d", n + 1);
	for (int n = 0; n < TARGETS; n++)
		snprintf(targets[n], sizeof targets[n], "Cust%d", 70001 + n);
	consumer_start(i, 0);
	send_request(i, ids[0], targets[0]);
	await(i, ids[0], CLONE_COMPLETED, CLONE_WITHIN_MS);
}

static void teardown(void)
{
	installation_free(&i);
}

/* The nth clone is like the first one, which nobody disturbed. */
static void check_like_the_first(int n)
{
	struct buf wanted, found;

	buf_init(&wanted, WORLD_TEXT_MAX);
	buf_init(&found, WORLD_TEXT_MAX);
	await(i, ids[n], CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, targets[0], &wanted);
	snapshot_target(i, targets[n], &found);
	check_same(&wanted, &found, "the world");
	snapshot_events(i, ids[0], targets[0], false, &wanted);
	snapshot_events(i, ids[n], targets[n], false, &found);
	check_same(&wanted, &found, "the events");
	snapshot_calls(i, ids[0], targets[0], &wanted);
	snapshot_calls(i, ids[n], targets[n], &found);
	check_same(&wanted, &found, "the effects outside");
	await_committed(i, CLONE_WITHIN_MS);
	ck_assert_str_eq(left_over_databases(i), "");
	buf_done(&wanted);
	buf_done(&found);
}

static void begin(int n, int steps_done)
{
	slow_one_call(i);
	send_request(i, ids[n], targets[n]);
	await_steps(i, ids[n], steps_done, CLONE_WITHIN_MS);
}

static void restart_store(void)
{
	struct err e = { 0 };

	ck_assert_msg(redis_server_restart(i->redis, &e), "%s", e.text);
}

static void wipe_store(void)
{
	ck_assert_int_ne(redis_server_tell(i->redis, "FLUSHALL"), REDIS_SERVER_ERROR);
}

START_TEST(gone_with_its_data_and_without)
{
	begin(1, 5);
	redis_server_stop(i->redis);
	pause_ms(1000); /* shorter than a lease */
	restart_store();
	await_steps(i, ids[1], 15, CLONE_WITHIN_MS);
	redis_server_kill(i->redis);
	pause_ms(4000); /* longer */
	restart_store();
	check_like_the_first(1);
	begin(2, 4);
	wipe_store();
	pause_ms(700);
	wipe_store();
	check_like_the_first(2);
	begin(3, 10);
	redis_server_kill(i->redis);
	redis_server_wipe(i->redis);
	pause_ms(300);
	restart_store();
	check_like_the_first(3);
}
END_TEST

START_TEST(wiped_together_with_the_consumer)
{
	static const int moments[] = { 0, 3, 16, 31 };

	for (int n = 1; n < TARGETS; n++) {
		begin(n, moments[n - 1]);
		consumer_kill(i, 0);
		wipe_store();
		consumer_start(i, 0);
		check_like_the_first(n);
		ck_assert_int_eq(look_at(i, ids[0]).status, CLONE_COMPLETED);
	}
}
END_TEST

/* What protects a newer sandbox from an old clone's replay, and a target from an outdated request, must not be lost
 * with the store. */
START_TEST(what_the_store_knew_of_a_target_is_known_again)
{
	struct message m = good_replay(ids[1], targets[1]), *letter;
	struct seen now;
	char text[DATABASE_MAX + 1];

	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"status\",\"system\":\"licence\",\"status\":400,\"times\":1}"));
	send_request(i, ids[1], targets[1]);
	await(i, ids[1], CLONE_FAILED, CLONE_WITHIN_MS);
	send_request(i, ids[2], targets[1]);
	now = await(i, ids[2], CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, CLONE_WITHIN_MS);
	consumer_kill(i, 0);
	wipe_store();
	consumer_start(i, 0);
	send_message(i, &m);
	letter = await_dead_letter(i, 0, CLONE_WITHIN_MS);
	ck_assert_str_eq(letter->dead_letter.reason_code, "refused");
	ck_assert_ptr_nonnull(strstr(letter->dead_letter.reason, "newer clone"));
	message_free(&letter);
	ck_assert_str_eq(hosting_text(i, targets[1], "database", text, sizeof text), now.generation);
	m = good_request(i, ids[3], targets[1]);
	m.request.expected_generation = now.generation;
	send_message(i, &m);
	await(i, ids[3], CLONE_COMPLETED, CLONE_WITHIN_MS);
}
END_TEST

/* Nobody restarts a consumer, and no clone is under way that would notice it: what is at rest is known all the same. */
START_TEST(wiped_while_all_is_at_rest)
{
	struct message m = good_replay(ids[1], targets[1]), *letter;

	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"status\",\"system\":\"licence\",\"status\":400,\"times\":2}"));
	send_request(i, ids[1], targets[1]);
	await(i, ids[1], CLONE_FAILED, CLONE_WITHIN_MS);
	send_request(i, ids[2], targets[2]);
	await(i, ids[2], CLONE_FAILED, CLONE_WITHIN_MS);
	await_committed(i, CLONE_WITHIN_MS);
	wipe_store();
	send_message(i, &m);
	await_from_rest(i, ids[1], CLONE_COMPLETED, CLONE_WITHIN_MS);
	send_request(i, ids[3], targets[2]); /* and an older clone cannot take the target of a newer one back */
	await(i, ids[3], CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, CLONE_WITHIN_MS);
	wipe_store();
	m = good_replay(ids[2], targets[2]);
	send_message(i, &m);
	letter = await_dead_letter(i, 0, CLONE_WITHIN_MS);
	ck_assert_msg(strstr(letter->dead_letter.reason, "newer clone"), "%s", letter->dead_letter.reason);
	message_free(&letter);
	ck_assert_int_eq(look_at(i, ids[0]).status, CLONE_COMPLETED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_loss");
	TCase *tc = tcase_create("store_loss");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, gone_with_its_data_and_without);
	tcase_add_test(tc, wiped_together_with_the_consumer);
	tcase_add_test(tc, what_the_store_knew_of_a_target_is_known_again);
	tcase_add_test(tc, wiped_while_all_is_at_rest);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
