/* SPDX-License-Identifier: Apache-2.0
 * What clones cost that only wait for somebody else: memory of each, processor time while nothing happens, how late
 * they are called when many timers ring at once, and how long taking them up again takes after a restart. Prints a
 * table; judges nothing. */
#include "tests/bench/measure.h"
#include "tests/bench/services.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALARM_CLONES = 1000, ALARM_AFTER_S = 15, SETTLE_S = 3, WORKERS = 32 };

struct options {
	const char *bootstrap, *broker_name;
	pid_t broker_pid;
	size_t clones;
	int idle_s;
};

static const char usage[] =
	"Usage: bench_waiting [OPTION...]\n"
	"  --clones N          clones that wait (default 10000)\n"
	"  --idle N            seconds of looking on while nothing happens (default 20)\n"
	"  --broker HOST:PORT  a broker that runs (default: the embedded one is started)\n"
	"  --broker-name TEXT  what to call it\n"
	"  --broker-pid N      its process, for the processor time\n";

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = { { "clones", 1, NULL, 'c' }, { "idle", 1, NULL, 'i' },
		{ "broker", 1, NULL, 'b' }, { "broker-name", 1, NULL, 'm' }, { "broker-pid", 1, NULL, 'p' }, { NULL, 0, NULL, 0 } };
	int c;

	*o = (struct options){ .bootstrap = "", .broker_name = "embedded broker", .clones = 10000, .idle_s = 20 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'c')
			o->clones = strtoul(optarg, NULL, 10);
		else if (c == 'i')
			o->idle_s = (int)strtol(optarg, NULL, 10);
		else if (c == 'b')
			o->bootstrap = optarg;
		else if (c == 'm')
			o->broker_name = optarg;
		else if (c == 'p')
			o->broker_pid = (pid_t)strtol(optarg, NULL, 10);
		else
			return false;
	}
	return optind == argc && o->clones > 0 && o->clones <= 20000 && o->idle_s > 0;
}

struct look { /* at everything that costs */
	int64_t own_bytes, redis_bytes;
	double own_cpu, redis_cpu, broker_cpu;
};

static int64_t redis_memory(const struct services *s)
{
	return redis_server_tell(s->redis, "EVAL \"return tonumber(string.match(redis.call('INFO', 'memory'), "
		"'used_memory:(%d+)'))\" 0");
}

static struct look look(const struct services *s, const struct subject *r)
{
	return (struct look){ measure_pss_bytes(r->pid), redis_memory(s),
		measure_cpu_s(r->pid), measure_cpu_s(redis_server_pid(s->redis)), measure_cpu_s(s->broker_pid) };
}

/* ---- waiting ---- */

static void print_waiting(const struct options *o, const struct look *empty, const struct look *full,
                          const struct look *later, double taken_s)
{
	double n = (double)o->clones, seconds = o->idle_s;

	printf("%zu clones wait for an outside task; %s\n", o->clones, o->broker_name);
	printf("  taken up in                        %10.1f s\n", taken_s);
	printf("  our process, PSS                   %10.1f MB, empty %.1f MB\n", (double)full->own_bytes / 1e6,
		(double)empty->own_bytes / 1e6);
	printf("  memory of each, our process        %10.0f bytes\n", (double)(full->own_bytes - empty->own_bytes) / n);
	printf("  memory of each, Redis              %10.0f bytes\n", (double)(full->redis_bytes - empty->redis_bytes) / n);
	printf("  processor while nothing happens    %10.2f %% of a core ours, %.2f %% Redis, %.2f %% broker\n",
		(later->own_cpu - full->own_cpu) / seconds * 100, (later->redis_cpu - full->redis_cpu) / seconds * 100,
		(later->broker_cpu - full->broker_cpu) / seconds * 100);
}

/* How long a new process takes until it has called the first step of each clone again. */
static bool restart(struct services *s, const struct options *o, const struct noop_options *noop, struct subject *r)
{
	int64_t start_ns, first_ns = INT64_MAX, last_ns = 0;
	struct trace t;

	if (!subject_end(s, r, true))
		return false;
	start_ns = measure_now_ns();
	if (!subject_start_noop(s, noop, r))
		return false;
	sleep((unsigned)(SETTLE_S + 7 + (int)(o->clones / 500)));
	if (!subject_end(s, r, true) || !trace_read(r->trace, &t))
		return false;
	for (size_t i = 0; i < t.count; i++) {
		last_ns = t.rows[i].start_ns > last_ns ? t.rows[i].start_ns : last_ns;
		first_ns = t.rows[i].start_ns < first_ns ? t.rows[i].start_ns : first_ns;
	}
	printf("  restarted: %zu called again, the first %.1f s after the start, the last %.1f s later\n", t.count,
		(double)(first_ns - start_ns) / 1e9, (double)(last_ns - first_ns) / 1e9);
	trace_done(&t);
	return true;
}

static bool bench_waiting(struct services *s, const struct options *o)
{
	const size_t from = ALARM_CLONES, to = from + o->clones; /* those of the alarm are read again */
	const struct noop_options noop = { .mode = NOOP_WAIT, .clones = to, .workers = WORKERS };
	struct bench_requests *requests = bench_requests_new();
	struct driver_subject subject = driver_of_noop(requests);
	struct driver *driver = driver_open(s->bootstrap, &subject, to);
	struct subject r = { 0 };
	struct look empty, full, later;
	int64_t start_ns;
	double taken_s;
	bool ok = driver && subject_start_noop(s, &noop, &r);

	if (ok) {
		sleep(SETTLE_S + 2);
		empty = look(s, &r);
		start_ns = measure_now_ns();
		ok = driver_publish(driver, from, to, 1);
		taken_s = (double)(measure_now_ns() - start_ns) / 1e9;
	}
	if (ok) {
		sleep(SETTLE_S + 8); /* what the last events left in the outbox is gone by then */
		full = look(s, &r);
		sleep((unsigned)o->idle_s);
		later = look(s, &r);
		print_waiting(o, &empty, &full, &later, taken_s);
		ok = restart(s, o, &noop, &r);
	} else {
		subject_end(s, &r, true);
	}
	driver_close(&driver);
	bench_requests_free(&requests);
	return ok;
}

/* ---- alarms ---- */

static void print_alarms(struct trace *t)
{
	int64_t *late = calloc(t->count, sizeof *late);

	if (!late)
		abort();
	for (size_t i = 0; i < t->count; i++)
		late[i] = t->rows[i].end_ns - t->rows[i].start_ns;
	printf("%zu timers due within 200 ms: called late by p50 %.1f ms, p99 %.1f ms, at most %.1f ms\n", t->count,
		(double)percentile(late, t->count, 0.5) / 1e6, (double)percentile(late, t->count, 0.99) / 1e6,
		(double)percentile(late, t->count, 1) / 1e6);
	free(late);
}

static bool bench_alarms(struct services *s)
{
	const struct noop_options noop = { .mode = NOOP_ALARM, .clones = ALARM_CLONES, .workers = WORKERS,
		.alarm_ns = measure_now_ns() + ALARM_AFTER_S * INT64_C(1000000000) };
	struct bench_requests *requests = bench_requests_new();
	struct driver_subject subject = driver_of_noop(requests);
	struct driver *driver = driver_open(s->bootstrap, &subject, ALARM_CLONES);
	struct subject r = { 0 };
	struct trace t;
	bool ok = driver && subject_start_noop(s, &noop, &r) && driver_publish(driver, 0, ALARM_CLONES, 1);

	if (ok && measure_now_ns() > noop.alarm_ns)
		ok = fprintf(stderr, "bench: the clones began after the alarm; the machine is too busy\n") < 0;
	if (ok)
		sleep(ALARM_AFTER_S + 2);
	ok = subject_end(s, &r, true) && ok && trace_read(r.trace, &t);
	if (ok) {
		print_alarms(&t);
		trace_done(&t);
	}
	driver_close(&driver);
	bench_requests_free(&requests);
	return ok;
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
	ok = services_start(&s, o.bootstrap, o.broker_pid, "everysec");
	s.fetch_wait_ms = "100"; /* the product's own: nobody waits for the next request here */
	ok = ok && bench_alarms(&s);
	fflush(stdout);
	ok = ok && services_forget(&s) && bench_waiting(&s, &o);
	services_stop(&s);
	return ok ? 0 : 1;
}
