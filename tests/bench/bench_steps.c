/* SPDX-License-Identifier: Apache-2.0
 * What a durable step costs: clones of 33 steps that do nothing, through the real loop, Redis and a broker, beside the
 * floor in the same run. Prints a table; judges nothing. */
#include "tests/bench/measure.h"
#include "tests/bench/services.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS_MAX = 15, LEVELS_MAX = 8, WORKERS_DEFAULT = 32 };

enum what { WHAT_OURS, WHAT_STRICT, WHAT_LAZY, WHAT_END };

static const char *const what_names[WHAT_END] = { "ours", "floor strict", "floor lazy" };

struct options {
	const char *bootstrap, *broker_name, *fsync;
	pid_t broker_pid;
	size_t levels[LEVELS_MAX], level_count, clones;
	int rounds, workers, step_ms;
	bool floor;
};

struct figures { /* of one run */
	double steps_per_s, gap_p50_us, gap_p99_us, clone_ms;
	double own_cpu, redis_cpu, broker_cpu, all_cpu; /* seconds per 1,000 steps */
};

static const char usage[] =
	"Usage: bench_steps [OPTION...]\n"
	"  --in-flight A,B,C   clones under way at a time (default 1,50,200)\n"
	"  --clones N          measured clones of each run (default 100, or 20 for each in flight, at most 2000)\n"
	"  --rounds N          runs of each, of which the median is printed (default 1)\n"
	"  --fsync POLICY      everysec or always (default everysec)\n"
	"  --workers N         threads that run steps (default 32)\n"
	"  --step-ms N         a step sleeps so long (default 0)\n"
	"  --no-floor          ours only\n"
	"  --broker HOST:PORT  a broker that runs (default: the embedded one is started)\n"
	"  --broker-name TEXT  what to call it\n"
	"  --broker-pid N      its process, for the processor time\n";

static bool parse_levels(const char *text, struct options *o)
{
	char *end;

	o->level_count = 0;
	do {
		size_t n = strtoul(text, &end, 10);

		if (!n || n > 2000 || o->level_count == LEVELS_MAX || (*end && *end != ','))
			return false;
		o->levels[o->level_count++] = n;
		text = end + 1;
	} while (*end);
	return true;
}

static bool take_option(int c, struct options *o)
{
	long n = optarg ? strtol(optarg, NULL, 10) : 0;

	switch (c) {
	case 'i':
		return parse_levels(optarg, o);
	case 'c':
		o->clones = (size_t)n;
		return n > 0 && n <= 20000;
	case 'r':
		o->rounds = (int)n;
		return n > 0 && n <= ROUNDS_MAX;
	case 'w':
		o->workers = (int)n;
		return n > 0 && n <= 256;
	case 's':
		o->step_ms = (int)n;
		return n >= 0 && n < 1000;
	case 'f':
		o->fsync = optarg;
		return true;
	case 'n':
		o->floor = false;
		return true;
	case 'b':
		o->bootstrap = optarg;
		return true;
	case 'm':
		o->broker_name = optarg;
		return true;
	case 'p':
		o->broker_pid = (pid_t)n;
		return n > 1;
	default:
		return false;
	}
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = { { "in-flight", 1, NULL, 'i' }, { "clones", 1, NULL, 'c' },
		{ "rounds", 1, NULL, 'r' }, { "fsync", 1, NULL, 'f' }, { "workers", 1, NULL, 'w' }, { "step-ms", 1, NULL, 's' },
		{ "no-floor", 0, NULL, 'n' }, { "broker", 1, NULL, 'b' }, { "broker-name", 1, NULL, 'm' },
		{ "broker-pid", 1, NULL, 'p' }, { NULL, 0, NULL, 0 } };
	int c;

	*o = (struct options){ .bootstrap = "", .broker_name = "embedded broker", .fsync = "everysec",
		.levels = { 1, 50, 200 }, .level_count = 3, .rounds = 1, .workers = WORKERS_DEFAULT, .floor = true };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (!take_option(c, o))
			return false;
	return optind == argc;
}

/* ---- one run ---- */

struct cpu {
	double subject, redis, broker, driver;
};

static struct cpu cpu_now(const struct services *s, const struct subject *r)
{
	return (struct cpu){ measure_cpu_s(r->pid), measure_cpu_s(redis_server_pid(s->redis)), measure_cpu_s(s->broker_pid),
		measure_cpu_s(getpid()) };
}

static bool start_subject(struct services *s, const struct options *o, enum what what, size_t clones, struct subject *r)
{
	const struct noop_options noop = { .mode = NOOP_STEPS, .clones = clones, .workers = o->workers,
		.step_ms = o->step_ms };

	if (what == WHAT_OURS)
		return subject_start_noop(s, &noop, r);
	return subject_start_floor(s, what == WHAT_STRICT ? "strict" : "lazy", clones, r);
}

static void fill(struct figures *f, struct trace *t, int warm, struct cpu before, struct cpu after, double done)
{
	struct trace_figures found = trace_figures(t, warm);

	f->steps_per_s = found.steps_per_s;
	f->gap_p50_us = (double)found.gap_p50_ns / 1e3;
	f->gap_p99_us = (double)found.gap_p99_ns / 1e3;
	f->clone_ms = (double)found.clone_p50_ns / 1e6;
	f->own_cpu = (after.subject - before.subject) / done * 1e3;
	f->redis_cpu = (after.redis - before.redis) / done * 1e3;
	f->broker_cpu = (after.broker - before.broker) / done * 1e3;
	f->all_cpu = f->own_cpu + f->redis_cpu + f->broker_cpu + (after.driver - before.driver) / done * 1e3;
}

static bool run_once(struct services *s, const struct options *o, enum what what, size_t in_flight, struct figures *f)
{
	size_t warm = 2 * in_flight > 10 ? 2 * in_flight : 10, many = in_flight * 20 > 100 ? in_flight * 20 : 100;
	size_t measured = o->clones ? o->clones : many < 2000 ? many : 2000;
	struct bench_requests *requests = bench_requests_new();
	struct driver_subject subject = what == WHAT_OURS ? driver_of_noop(requests) : driver_of_floor();
	struct driver *driver;
	struct subject r = { 0 };
	struct cpu before = { 0 }, after = { 0 };
	struct trace t;
	bool ok;

	services_forget(s);
	driver = driver_open(s->bootstrap, &subject, warm + measured);
	ok = requests && driver && start_subject(s, o, what, warm + measured, &r) && driver_run(driver, 0, warm, in_flight);
	if (ok) {
		before = cpu_now(s, &r);
		ok = driver_run(driver, warm, warm + measured, in_flight);
		after = cpu_now(s, &r);
	}
	ok = subject_end(s, &r, what == WHAT_OURS || !ok) && ok;
	driver_close(&driver);
	bench_requests_free(&requests);
	if (!ok || !trace_read(r.trace, &t))
		return false;
	fill(f, &t, (int)warm, before, after, (double)measured * 33);
	trace_done(&t);
	return true;
}

/* ---- the table ---- */

static double middle(const struct figures *runs, int count, size_t member)
{
	double values[ROUNDS_MAX];

	for (int i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&runs[i] + member, sizeof values[i]);
	return median(values, (size_t)count);
}

#define MIDDLE(runs, o, member) middle((runs), (o)->rounds, offsetof(struct figures, member))

static void print_line(const char *name, size_t in_flight, const struct figures *runs, const struct options *o)
{
	printf("%9zu  %-12s %8.0f %11.0f %11.0f %9.2f %8.4f %8.4f %8.4f %8.4f", in_flight, name, MIDDLE(runs, o, steps_per_s),
		MIDDLE(runs, o, gap_p50_us), MIDDLE(runs, o, gap_p99_us), MIDDLE(runs, o, clone_ms), MIDDLE(runs, o, own_cpu),
		MIDDLE(runs, o, redis_cpu), MIDDLE(runs, o, broker_cpu), MIDDLE(runs, o, all_cpu));
}

static bool run_level(struct services *s, const struct options *o, size_t in_flight)
{
	static struct figures runs[WHAT_END][ROUNDS_MAX];
	double ours;

	for (int round = 0; round < o->rounds; round++)
		for (int what = 0; what < (o->floor ? WHAT_END : WHAT_OURS + 1); what++)
			if (!run_once(s, o, (enum what)what, in_flight, &runs[what][round]))
				return false;
	ours = MIDDLE(runs[WHAT_OURS], o, steps_per_s);
	for (int what = 0; what < (o->floor ? WHAT_END : WHAT_OURS + 1); what++) {
		print_line(what_names[what], in_flight, runs[what], o);
		if (what != WHAT_OURS)
			printf("   ours is %.2f of it", ours / MIDDLE(runs[what], o, steps_per_s));
		printf("\n");
		fflush(stdout);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct options o;
	struct services s;
	bool ok;

	if (!parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	ok = services_start(&s, o.bootstrap, o.broker_pid, o.fsync);
	if (ok)
		printf("33 steps of %d ms, strict order, %d workers; Redis AOF appendfsync %s; %s; median of %d\n"
			"                                                             processor seconds per 1,000 steps\n"
			"in flight                steps/s  gap p50 us  gap p99 us  clone ms      own    Redis   broker      all\n",
			o.step_ms, o.workers, o.fsync, o.broker_name, o.rounds);
	for (size_t i = 0; ok && i < o.level_count; i++)
		ok = run_level(&s, &o, o.levels[i]);
	services_stop(&s);
	return ok ? 0 : 1;
}
