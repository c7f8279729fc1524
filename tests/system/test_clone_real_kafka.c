/* SPDX-License-Identifier: Apache-2.0
 * Whole clones on a real Apache Kafka, one of them killed in the middle: what the embedded broker is trusted to show is
 * shown once by the real one. Skipped, with a line that says so, where Java or the jars cannot be had. */
#include "tests/support/installation.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLONE_WITHIN_MS = 90000, TOLD_WITHIN_MS = 30000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002";

static struct kafka_broker kafka;
static struct installation *i;
static struct buf wanted[3], found[3];

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = 2, .own_sources = true, .kafka = &kafka });
	for (int n = 0; n < 3; n++) {
		buf_init(&wanted[n], WORLD_TEXT_MAX);
		buf_init(&found[n], WORLD_TEXT_MAX);
	}
}

static void teardown(void)
{
	for (int n = 0; n < 3; n++) {
		buf_done(&wanted[n]);
		buf_done(&found[n]);
	}
	installation_free(&i);
}

static void look(const char *id, const char *target, struct buf out[3])
{
	await(i, id, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, target, &out[0]);
	snapshot_events(i, id, target, false, &out[1]);
	snapshot_calls(i, id, target, &out[2]);
}

START_TEST(killed_in_the_middle)
{
	static const char *const what[] = { "the world", "the events", "the effects outside" };
	struct events events;

	consumer_start(i, 0);
	send_request(i, first, TARGET);
	look(first, TARGET, wanted);
	slow_one_call(i);
	send_request(i, second, "Cust70002");
	await_steps(i, second, 12, CLONE_WITHIN_MS);
	consumer_kill(i, 0);
	ck_assert_int_lt(look_at(i, second).steps_done, STEP_END);
	consumer_start(i, 0);
	look(second, "Cust70002", found);
	for (int n = 0; n < 3; n++)
		check_same(&wanted[n], &found[n], what[n]);
	ck_assert_str_eq(left_over_databases(i), "");
	await_committed(i, TOLD_WITHIN_MS);
	events_read(i, &events);
	ck_assert_uint_eq(events_count(&events, MESSAGE_STEP_COMPLETED, second), STEP_END);
	ck_assert_uint_eq(events_count(&events, MESSAGE_BACKUP_RESTORED, second), 1);
	events_free(&events);
	ck_assert_int_eq(consumer_stop(i, 0, TOLD_WITHIN_MS), 0);
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("clone_real_kafka");
	TCase *tc = tcase_create("clone_real_kafka");

	tcase_set_timeout(tc, 200);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, killed_in_the_middle);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}

int main(void)
{
	return KAFKA_REAL_MAIN(&kafka, "start", run_tests);
}
