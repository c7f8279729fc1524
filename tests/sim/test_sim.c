/* SPDX-License-Identifier: Apache-2.0
 * The engine under simulation. `test_sim` runs SEEDS seeds on all cores; `test_sim SEED` runs one with its trace;
 * SIM_SEEDS=n and SIM_FIRST=n in the environment choose others. */
#include "tests/support/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, BUG_SEEDS = 40000 };

static const char *const bug_names[SIM_BUG_END] = {
	[SIM_BUG_NONE] = "none",           [SIM_BUG_NO_FENCE] = "no fence",   [SIM_BUG_NO_LEDGER] = "no ledger",
	[SIM_BUG_COMMIT_EARLY] = "commit early", [SIM_BUG_NO_OUTBOX] = "no outbox", [SIM_BUG_NO_STORE_CHECKS] = "no store checks",
};

static long number(const char *name, long fallback)
{
	const char *text = getenv(name);

	return text ? atol(text) : fallback;
}

static int run_share(uint64_t first, uint64_t count, int worker, struct sim_counts *counts)
{
	char why[256];

	for (uint64_t i = (uint64_t)worker; i < count; i += WORKERS)
		if (!sim_run(first + i, SIM_BUG_NONE, false, counts, why)) {
			printf("FAILED seed %llu: %s\n  replay it alone: test_sim %llu\n", (unsigned long long)(first + i), why,
				(unsigned long long)(first + i));
			fflush(stdout);
			return 1;
		}
	return 0;
}

static void add(struct sim_counts *sum, const struct sim_counts *more)
{
	long *to = (long *)sum;
	const long *from = (const long *)more;

	for (size_t i = 0; i < sizeof *sum / sizeof(long); i++)
		to[i] += from[i];
}

static int run_all(uint64_t first, uint64_t count, struct sim_counts *sum)
{
	int pipes[WORKERS][2], failed = 0;

	for (int w = 0; w < WORKERS; w++) {
		if (pipe(pipes[w]) != 0)
			return 1;
		if (fork() == 0) {
			struct sim_counts counts = { 0 };
			int rc = run_share(first, count, w, &counts);

			if (write(pipes[w][1], &counts, sizeof counts) != (ssize_t)sizeof counts)
				rc = 1;
			_exit(rc);
		}
		close(pipes[w][1]);
	}
	for (int w = 0; w < WORKERS; w++) {
		struct sim_counts counts = { 0 };
		int status;

		if (read(pipes[w][0], &counts, sizeof counts) != (ssize_t)sizeof counts)
			failed = 1;
		add(sum, &counts);
		if (wait(&status) > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
			failed = 1;
	}
	return failed;
}

/* Each rare path was met at least once, or the batch proves less than it says. */
static int check_sometimes(const struct sim_counts *c)
{
	int missed = 0;

#define X(name) \
	printf("  %-22s %ld\n", #name, c->name); \
	missed += c->name == 0;
	SIM_SOMETIMES(X)
#undef X
	if (missed)
		printf("FAILED: %d kinds of event never happened\n", missed);
	return missed != 0;
}

static int check_bugs(void)
{
	int missed = 0;

	for (int bug = 1; bug < SIM_BUG_END; bug++) {
		struct sim_counts counts = { 0 };
		char why[256];
		long seed = 1;

		while (seed <= BUG_SEEDS && sim_run((uint64_t)seed, (enum sim_bug)bug, false, &counts, why))
			seed++;
		if (seed > BUG_SEEDS) {
			printf("FAILED: design fault \"%s\" was not found in %d seeds\n", bug_names[bug], BUG_SEEDS);
			missed = 1;
		} else {
			printf("  design fault %-14s found by seed %ld: %s\n", bug_names[bug], seed, why);
		}
	}
	return missed;
}

int main(int argc, char **argv)
{
	struct sim_counts counts = { 0 };
	uint64_t first = (uint64_t)number("SIM_FIRST", 1), count = (uint64_t)number("SIM_SEEDS", 100000);
	struct timespec a, b;
	int failed;
	char why[256];

	if (argc > 1) {
		bool ok = sim_run(strtoull(argv[1], NULL, 10), SIM_BUG_NONE, true, &counts, why);

		printf("%s %s\n", ok ? "ok" : "FAILED", why);
		return !ok;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	failed = run_all(first, count, &counts);
	clock_gettime(CLOCK_MONOTONIC, &b);
	double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;

	printf("%ld seeds in %.1f s (%.0f a second), %ld steps, %ld clones complete, %ld at rest, %ld events\n", counts.runs,
		seconds, (double)counts.runs / seconds, counts.steps, counts.completed, counts.at_rest, counts.trace);
	if (count >= 10000)
		failed |= check_sometimes(&counts);
	failed |= check_bugs();
	printf("%d passed, %d failed\n", !failed, failed);
	return failed;
}
