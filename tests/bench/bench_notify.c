/* SPDX-License-Identifier: Apache-2.0
 * sandbox-notifier end to end: a tenant's many apps are told while one in ten hangs, through the real program with a
 * broker, Redis and the partners' server. First nobody knows who hangs; the second notice, of another tenant, comes
 * while the notifier does. Printed are when the healthy ones heard and what it took.
 *
 *   bench_notify [APPS [http|https]] */
#include "tests/bench/measure.h"
#include "tests/support/notifier_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HANG_EVERY = 10, TENANTS = 2, GIVE_UP_MS = 600 * 1000, APPS_MOST = 10000 };

static int apps = APPS_MOST;
static enum partner_door door = PARTNER_HTTP;
static struct notifier_world *w;
static size_t seen; /* requests of the partners looked at so far */

static bool hangs(int app)
{
	return app % HANG_EVERY == 0;
}

static const char *tenant(int n)
{
	return n == 0 ? "Cust70001" : "Cust70002";
}

static void approve_all(void)
{
	char client[32], path[32];

	ck_assert(partner_server_script(w->partner, "/hang/*", "hang"));
	for (int app = 0; app < apps; app++) {
		snprintf(client, sizeof client, "app-%05d", app);
		snprintf(path, sizeof path, "/%s/%05d", hangs(app) ? "hang" : "good", app);
		for (int t = 0; t < TENANTS; t++)
			approve(w, tenant(t), client, door, path, "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
	}
}

/* Takes down when each healthy app heard, until all have. */
static void hear(int64_t *heard_ms, size_t wanted, int64_t from_ms)
{
	const int64_t until_ms = steady_ms() + GIVE_UP_MS;
	size_t heard = 0;

	while (heard < wanted) {
		const struct partner_request *r = partner_server_request(w->partner, NULL, seen);

		if (!r) {
			if (steady_ms() > until_ms || !notifier_runs(w, 0))
				notifier_failed(w, "%zu of %zu healthy apps heard", heard, wanted);
			wait_ms(5);
			continue;
		}
		seen++;
		if (strncmp(r->path, "/good/", 6) == 0)
			heard_ms[heard++] = r->at_ms - from_ms;
	}
}

/* A line of /proc/<pid>/status in MiB. */
static double memory_mib(pid_t pid, const char *name)
{
	char path[64], line[128];
	double kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtod(line + strlen(name) + 1, NULL);
	if (f)
		fclose(f);
	return kib / 1024;
}

static void tell(int n, const char *what)
{
	const size_t wanted = (size_t)(apps - (apps + HANG_EVERY - 1) / HANG_EVERY);
	int64_t *heard_ms = calloc(wanted, sizeof *heard_ms), from_ms;
	const double cpu_before = measure_cpu_s(w->notifiers[0]), own_before = measure_cpu_s(getpid());
	double seconds;

	ck_assert_ptr_nonnull(heard_ms);
	from_ms = steady_ms();
	tell_restored(w, tenant(n), 1);
	hear(heard_ms, wanted, from_ms);
	seconds = (double)percentile(heard_ms, wanted, 1) / 1000;
	printf("  %-34s %8.1f %8.1f %8.1f %8.0f %8.2f %8.2f %8.0f\n", what, (double)percentile(heard_ms, wanted, 0.5) / 1000,
	       (double)percentile(heard_ms, wanted, 0.99) / 1000, seconds, (double)wanted / seconds,
	       (measure_cpu_s(w->notifiers[0]) - cpu_before) * 1000 / (double)wanted,
	       (measure_cpu_s(getpid()) - own_before) * 1000 / (double)wanted, memory_mib(w->notifiers[0], "VmHWM:"));
	free(heard_ms);
}

START_TEST(notify)
{
	w = notifier_world_new();
	approve_all();
	notifier_world_open(w, "");
	notifier_start(w, 0);
	printf("%d apps, %d of which hang, by %s\n  %-34s %8s %8s %8s %8s %8s %8s %8s\n", apps, (apps + HANG_EVERY - 1) / HANG_EVERY,
	       door == PARTNER_HTTP ? "http" : "https", "", "p50 s", "p99 s", "last s", "posts/s", "CPU ms", "theirs", "MiB");
	tell(0, "nobody knows yet who hangs");
	tell(1, "they are known");
	ck_assert_int_eq(notifier_stop(w, 0, 60000), 0);
	notifier_world_free(&w);
}
END_TEST

int main(int argc, char **argv)
{
	Suite *suite = suite_create("notify");
	TCase *tc = tcase_create("notify");
	SRunner *sr = srunner_create(suite);
	int failed;

	if (argc > 1)
		apps = atoi(argv[1]);
	if (argc > 2 && strcmp(argv[2], "https") == 0)
		door = PARTNER_HTTPS;
	if (argc > 3 || apps < HANG_EVERY || apps > APPS_MOST) {
		fprintf(stderr, "usage: bench_notify [APPS [http|https]], with %d to %d apps\n", HANG_EVERY, APPS_MOST);
		return 2;
	}
	tcase_set_timeout(tc, 0);
	tcase_add_test(tc, notify);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_SILENT);
	failed = srunner_ntests_failed(sr);
	if (failed)
		srunner_print(sr, CK_NORMAL);
	srunner_free(sr);
	return failed != 0;
}
