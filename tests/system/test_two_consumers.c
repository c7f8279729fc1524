/* SPDX-License-Identifier: Apache-2.0
 * Two consumers share the work: one is frozen beyond its lease and wakes up, one is drained. Never two owners, every
 * clone ends, no effect is doubled. */
#include "tests/support/installation.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGETS = 6, CLONE_WITHIN_MS = 90000 };

static struct installation *i;
static struct buf wanted[3], found[3];
static char ids[TARGETS][CLONE_ID_MAX + 1], targets[TARGETS][32];

static void setup(void)
{
	i = installation_new(&(struct installation_options){ .targets = TARGETS, .own_sources = true });
	for (int n = 0; n < 3; n++) {
		buf_init(&wanted[n], WORLD_TEXT_MAX);
		buf_init(&found[n], WORLD_TEXT_MAX);
	}
	for (int n = 0; n < TARGETS; n++) {
		snprintf(ids[n], sizeof ids[n], "0198f0c2-0001-7c5b-9a54-%012d", n + 1);
		snprintf(targets[n], sizeof targets[n], "Cust%d", 70001 + n);
	}
	setenv("SANDBOX_SQL__PAGE_ROWS", "20", 1); /* longer steps */
	consumer_start(i, 0);
	consumer_start(i, 1);
}

static void teardown(void)
{
	for (int n = 0; n < 3; n++) {
		buf_done(&wanted[n]);
		buf_done(&found[n]);
	}
	installation_free(&i);
}

static void look(int n, struct buf out[3])
{
	snapshot_target(i, targets[n], &out[0]);
	snapshot_events(i, ids[n], targets[n], false, &out[1]);
	snapshot_calls(i, ids[n], targets[n], &out[2]);
}

static void check_all(void)
{
	static const char *const what[] = { "the world", "the events", "the effects outside" };

	for (int n = 0; n < TARGETS; n++)
		await(i, ids[n], CLONE_COMPLETED, CLONE_WITHIN_MS);
	look(0, wanted);
	for (int n = 1; n < TARGETS; n++) {
		char about[128];

		look(n, found);
		for (int k = 0; k < 3; k++) {
			snprintf(about, sizeof about, "%s of %s", what[k], targets[n]);
			check_same(&wanted[k], &found[k], about);
		}
	}
	await_committed(i, CLONE_WITHIN_MS);
	ck_assert_str_eq(left_over_databases(i), "");
}

/* Both must take part, or the test shows nothing. */
static void send_all(void)
{
	for (int n = 0; n < TARGETS; n++)
		send_request(i, ids[n], targets[n]);
}

static void await_total(int steps_done)
{
	int64_t until = now_ms() + CLONE_WITHIN_MS;

	for (;;) {
		int total = 0;

		for (int n = 0; n < TARGETS; n++)
			total += look_at(i, ids[n]).steps_done;
		if (total >= steps_done)
			return;
		if (now_ms() > until)
			fail_with_logs(i, "%d steps are never done", steps_done);
		pause_ms(2);
	}
}

START_TEST(one_freezes_and_wakes_up)
{
	send_all();
	await_total(TARGETS * 4);
	consumer_freeze(i, 0);
	pause_ms(2500); /* longer than its leases */
	await_total(TARGETS * 4 + 10);
	consumer_signal(i, 0, SIGCONT);
	await_total(TARGETS * 20);
	consumer_freeze(i, 1);
	pause_ms(9000); /* longer than its membership */
	consumer_signal(i, 1, SIGCONT);
	check_all();
	ck_assert(consumer_runs(i, 0) && consumer_runs(i, 1));
}
END_TEST

START_TEST(one_is_drained_and_hands_over)
{
	send_all();
	await_total(TARGETS * 5);
	ck_assert_int_eq(consumer_stop(i, 0, 20000), 0);
	await_total(TARGETS * 15);
	consumer_start(i, 0);
	await_total(TARGETS * 20);
	ck_assert_int_eq(consumer_stop(i, 1, 20000), 0);
	check_all();
	ck_assert_int_eq(consumer_stop(i, 0, 20000), 0);
}
END_TEST

START_TEST(one_is_killed_and_the_other_goes_on)
{
	send_all();
	await_total(TARGETS * 7);
	consumer_kill(i, 0);
	check_all();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("two_consumers");
	TCase *tc = tcase_create("two_consumers");

	tcase_set_timeout(tc, 150);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_freezes_and_wakes_up);
	tcase_add_test(tc, one_is_drained_and_hands_over);
	tcase_add_test(tc, one_is_killed_and_the_other_goes_on);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
