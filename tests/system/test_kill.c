/* SPDX-License-Identifier: Apache-2.0
 * SIGKILL at random moments: each clone ends with the database, the files, the events and the effects on outside
 * systems of one that nobody disturbed. SANDBOX_SEED=n repeats a run's choices. */
#include "tests/support/installation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VICTIMS = 8, KILLS = 6, MOMENTS = 33, CLONE_WITHIN_MS = 120000 };

static struct installation *i;
static struct buf wanted[3], found[3];
static char ids[VICTIMS + 1][CLONE_ID_MAX + 1], targets[VICTIMS + 1][32];

static void setup(void)
{
	const char *seed = getenv("SANDBOX_SEED");
	unsigned chosen = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);

	fprintf(stderr, "test_kill: SANDBOX_SEED=%u\n", chosen);
	srandom(chosen);
	i = installation_new(&(struct installation_options){ .targets = VICTIMS + 1, .own_sources = true });
	for (int n = 0; n < 3; n++) {
		buf_init(&wanted[n], WORLD_TEXT_MAX);
		buf_init(&found[n], WORLD_TEXT_MAX);
	}
	for (int n = 0; n <= VICTIMS; n++) {
		snprintf(ids[n], sizeof ids[n], "0198f0c2-0001-7c5b-9a54-%012d", n + 1);
		snprintf(targets[n], sizeof targets[n], "Cust%d", 70001 + n);
	}
	consumer_start(i, 0);
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

/* The clone that nobody disturbs. */
static void run_reference(void)
{
	send_request(i, ids[0], targets[0]);
	await(i, ids[0], CLONE_COMPLETED, CLONE_WITHIN_MS);
	look(0, wanted);
}

static void check_victims(void)
{
	static const char *const what[] = { "the world", "the events", "the effects outside" };

	for (int n = 1; n <= VICTIMS; n++) {
		char about[128];

		await(i, ids[n], CLONE_COMPLETED, CLONE_WITHIN_MS);
		look(n, found);
		for (int k = 0; k < 3; k++) {
			snprintf(about, sizeof about, "%s of %s, which was killed", what[k], targets[n]);
			check_same(&wanted[k], &found[k], about);
		}
	}
	await_committed(i, CLONE_WITHIN_MS);
	ck_assert_str_eq(left_over_databases(i), "");
}

/* Steps done of all victims, and how many of them are under way. */
static int progress(int *under_way_r)
{
	int steps_done = 0;

	*under_way_r = 0;
	for (int n = 1; n <= VICTIMS; n++) {
		const struct seen s = look_at(i, ids[n]);

		steps_done += s.steps_done;
		*under_way_r += s.status == CLONE_RUNNING;
	}
	return steps_done;
}

static int kill_at(int steps_done)
{
	int64_t until = now_ms() + CLONE_WITHIN_MS;
	int under_way;

	while (progress(&under_way) < steps_done) {
		if (now_ms() > until)
			fail_with_logs(i, "%d steps are never done", steps_done);
		pause_ms(1);
	}
	pause_ms((int)(random() % 30));
	progress(&under_way);
	consumer_kill(i, 0);
	return under_way;
}

START_TEST(killed_at_random_moments_of_eight_clones)
{
	struct buf source;
	char group[32];
	int moments = 0;

	buf_init(&source, WORLD_TEXT_MAX);
	snapshot_source(i, &source);
	run_reference();
	for (int n = 1; n <= VICTIMS; n++)
		send_request(i, ids[n], targets[n]);
	for (int k = 0; k < KILLS; k++) {
		moments += kill_at(k * STEP_END * VICTIMS / KILLS + (int)(random() % (STEP_END * VICTIMS / KILLS / 2)));
		/* Sometimes the group's offsets are lost too: everything is read again. It also joins sooner: the embedded
		 * broker makes a member wait for the dead one. */
		snprintf(group, sizeof group, "sandbox-consumer-%d", k / 2 * 2);
		setenv("SANDBOX_KAFKA__GROUP_ID", group, 1);
		consumer_start(i, 0);
	}
	check_victims();
	ck_assert_msg(moments >= MOMENTS, "only %d moments of clones were hit", moments);
	snapshot_source(i, &found[0]);
	check_same(&source, &found[0], "the source before and after");
	buf_done(&source);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kill");
	TCase *tc = tcase_create("kill");

	tcase_set_timeout(tc, 200);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, killed_at_random_moments_of_eight_clones);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
