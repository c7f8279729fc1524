/* SPDX-License-Identifier: Apache-2.0
 * The broker goes away for some seconds while clones run: events wait, the clones go on or wait, nothing is lost. */
#include "tests/support/installation.h"

#include <stdio.h>

enum { CLONE_WITHIN_MS = 120000 };

static const char *const ids[] = { "0198f0c2-0001-7c5b-9a54-000000000001", "0198f0c2-0001-7c5b-9a54-000000000002",
				   "0198f0c2-0001-7c5b-9a54-000000000003" };
static const char *const targets[] = { "Cust70001", "Cust70002", "Cust70003" };

static struct installation *i;
static struct buf wanted, found;

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = 3, .own_sources = true });
	buf_init(&wanted, WORLD_TEXT_MAX);
	buf_init(&found, WORLD_TEXT_MAX);
	consumer_start(i, 0);
	send_request(i, ids[0], targets[0]);
	await(i, ids[0], CLONE_COMPLETED, CLONE_WITHIN_MS);
}

static void teardown(void)
{
	buf_done(&wanted);
	buf_done(&found);
	installation_free(&i);
}

static void check_like_the_first(int n)
{
	await(i, ids[n], CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, CLONE_WITHIN_MS);
	snapshot_target(i, targets[0], &wanted);
	snapshot_target(i, targets[n], &found);
	check_same(&wanted, &found, "the world");
	snapshot_events(i, ids[0], targets[0], false, &wanted);
	snapshot_events(i, ids[n], targets[n], false, &found);
	check_same(&wanted, &found, "the events");
	snapshot_calls(i, ids[0], targets[0], &wanted);
	snapshot_calls(i, ids[n], targets[n], &found);
	check_same(&wanted, &found, "the effects outside");
}

static void without_broker(int ms)
{
	ck_assert(kafka_broker_say(&i->broker, "down"));
	pause_ms(ms);
	ck_assert(kafka_broker_say(&i->broker, "up"));
}

START_TEST(the_broker_goes_and_comes)
{
	send_request(i, ids[1], targets[1]);
	await_steps(i, ids[1], 4, CLONE_WITHIN_MS);
	without_broker(3000);
	check_like_the_first(1);
	send_request(i, ids[2], targets[2]);
	await_steps(i, ids[2], 9, CLONE_WITHIN_MS);
	without_broker(9000); /* longer than the membership */
	check_like_the_first(2);
	ck_assert(consumer_runs(i, 0));
}
END_TEST

START_TEST(the_consumer_dies_while_the_broker_is_away)
{
	send_request(i, ids[1], targets[1]);
	await_steps(i, ids[1], 6, CLONE_WITHIN_MS);
	ck_assert(kafka_broker_say(&i->broker, "down"));
	pause_ms(500);
	consumer_kill(i, 0);
	consumer_start(i, 0);
	pause_ms(2000);
	ck_assert(kafka_broker_say(&i->broker, "up"));
	check_like_the_first(1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("broker_loss");
	TCase *tc = tcase_create("broker_loss");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_broker_goes_and_comes);
	tcase_add_test(tc, the_consumer_dies_while_the_broker_is_away);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
