/* SPDX-License-Identifier: Apache-2.0
 * sandbox-tenant under load: how fast it folds what has piled up, how many requests it answers, and how long an answer
 * takes while events go on coming. Broker, load and program share this machine. Prints a table; judges nothing.
 * Another database by SANDBOX_TENANT__DIALECT and its like in the environment. */
#include "consumer/core/metrics.h"
#include "tests/bench/measure.h"
#include "tests/bench/services.h"
#include "tests/bench/state_events.h"
#include "tests/bench/state_load.h"
#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNDER_WAY = 500, CAUGHT_UP_WITHIN_S = 120 };

struct options {
	int backlog, tenants, connections, seconds, partitions, events, requests;
};

struct bench {
	struct options o;
	char folder[64], config[96];
	struct kafka_broker broker;
	struct state_events *events;
	pid_t pid;
	int port;
};

static const char usage[] =
	"Usage: bench_state [OPTION...]\n"
	"  --backlog N       events to fold at first (default 200000)\n"
	"  --tenants N       tenants they are of (default 5000)\n"
	"  --events N        events a second while it is asked (default 10000)\n"
	"  --requests N      requests a second (default 20000)\n"
	"  --connections N   kept open (default 64)\n"
	"  --seconds N       (default 10)\n";

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option names[] = { { "backlog", 1, NULL, 'b' }, { "tenants", 1, NULL, 't' },
		{ "events", 1, NULL, 'e' }, { "requests", 1, NULL, 'r' }, { "connections", 1, NULL, 'c' },
		{ "seconds", 1, NULL, 's' }, { NULL, 0, NULL, 0 } };
	int c;

	*o = (struct options){ 200000, 5000, 64, 10, 12, 10000, 20000 };
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		long n = optarg ? strtol(optarg, NULL, 10) : 0;

		if (c == '?' || n <= 0 || n > 10000000)
			return false;
		*(c == 'b' ? &o->backlog : c == 't' ? &o->tenants : c == 'c' ? &o->connections : c == 's' ? &o->seconds :
		  c == 'e' ? &o->events : &o->requests) = (int)n;
	}
	return optind == argc;
}

/* ---- the program ---- */

static bool start_program(struct bench *b)
{
	const char *build = getenv("BUILD_DIR");
	char program[512];
	FILE *f;

	b->port = free_port();
	f = fopen(b->config, "we");
	if (!f)
		return false;
	fprintf(f, "[kafka]\nbootstrap.servers = %s\nfetch.wait.max.ms = 10\n[topics]\ncreate = true\n[log]\nlevel = warn\n"
		"[tenant]\nfolder = %s\nlisten = 127.0.0.1:%d\n", b->broker.bootstrap, b->folder, b->port);
	fclose(f);
	snprintf(program, sizeof program, "%s/consumer/programs/sandbox-tenant", build ? build : ".");
	b->pid = fork();
	if (b->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(program, "sandbox-tenant", "--config", b->config, (char *)NULL);
		_exit(127);
	}
	return b->pid > 0;
}

static void stop_program(struct bench *b)
{
	if (b->pid <= 0)
		return;
	kill(b->pid, SIGTERM);
	waitpid(b->pid, NULL, 0);
	b->pid = 0;
}

/* The sum of all series of a metric; -1 it does not answer. */
static double metric(const struct bench *b, const char *name)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)b->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	static char answer[METRICS_TEXT_MAX];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t n = 0;
	double sum = 0;

	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0)
		while (len < sizeof answer - 1 && (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
			len += (size_t)n;
	close(fd);
	answer[len] = '\0';
	for (char *p = answer; (p = strstr(p, name)); p++)
		if (p > answer && p[-1] == '\n' && p[strlen(name)] != '_')
			sum += strtod(strchr(p, ' '), NULL);
	return len ? sum : -1;
}

static long folded(const struct bench *b)
{
	return (long)metric(b, "sandbox_events_folded_total");
}

static bool await_folded(const struct bench *b, size_t count)
{
	int64_t until = measure_now_ns() + CAUGHT_UP_WITHIN_S * INT64_C(1000000000);

	while (folded(b) < (long)count)
		if (usleep(20000) != 0 || measure_now_ns() > until)
			return fprintf(stderr, "bench: only %ld of %zu events are folded\n", folded(b), count) < 0;
	return true;
}

/* ---- parts ---- */

struct changes { /* of the database, so far */
	double events, count, seconds;
};

static struct changes look(const struct bench *b)
{
	return (struct changes){ metric(b, "sandbox_events_folded_total"), metric(b, "sandbox_tenant_changes_total"),
		metric(b, "sandbox_fold_seconds_sum") };
}

static void print_changes(const struct bench *b, const struct changes *before)
{
	const struct changes now = look(b);
	double count = now.count - before->count;

	printf("  in one change of the database      %10.0f events, %.1f ms\n", (now.events - before->events) / count,
		(now.seconds - before->seconds) / count * 1000);
}

/* The time from the first fold on: joining the group is not folding. */
static bool bench_backlog(struct bench *b)
{
	size_t count = (size_t)b->o.backlog;
	int64_t first, last;
	long before;
	double cpu;

	if (!state_events_publish(b->events, count, 0) || !start_program(b))
		return false;
	while ((before = folded(b)) <= 0)
		usleep(5000);
	first = measure_now_ns();
	cpu = measure_cpu_s(b->pid);
	if (!await_folded(b, count))
		return false;
	last = measure_now_ns();
	printf("%zu events of %d tenants had piled up\n", count, b->o.tenants);
	printf("  folded                             %10.0f a second\n",
		(double)(count - (size_t)before) / ((double)(last - first) / 1e9));
	printf("  processor                          %10.1f us an event\n",
		(measure_cpu_s(b->pid) - cpu) * 1e6 / (double)(count - (size_t)before));
	print_changes(b, &(struct changes){ 0 });
	printf("  memory, PSS                        %10.1f MB\n", (double)measure_pss_bytes(b->pid) / 1e6);
	return true;
}

static void print_load(const char *what, const struct state_load_result *r)
{
	printf("%s\n", what);
	printf("  answered                           %10.0f a second, %zu not 200\n", r->per_second, r->wrong);
	printf("  an answer takes                    p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, at most %.2f ms\n",
		(double)r->p50_ns / 1e6, (double)r->p99_ns / 1e6, (double)r->p999_ns / 1e6, (double)r->most_ns / 1e6);
}

static struct state_load load_of(const struct bench *b, double rate)
{
	return (struct state_load){ .port = b->port, .connections = b->o.connections, .tenants = b->o.tenants, .rate = rate,
		.seconds = b->o.seconds };
}

static void *publish(void *arg)
{
	struct bench *b = arg;

	return state_events_publish(b->events, (size_t)(b->o.events * b->o.seconds), b->o.events) ? b : NULL;
}

static bool bench_both(struct bench *b)
{
	struct state_load load = load_of(b, b->o.requests);
	struct state_load_result r;
	const struct changes before = look(b);
	int64_t start = measure_now_ns();
	double cpu = measure_cpu_s(b->pid), broker_cpu = measure_cpu_s(b->broker.pid), own_cpu = measure_cpu_s(getpid()), seconds;
	pthread_t thread;
	void *published;
	char what[160];
	bool ok;

	if (pthread_create(&thread, NULL, publish, b) != 0)
		return false;
	ok = state_load_run(&load, &r);
	pthread_join(thread, &published);
	ok = ok && published && await_folded(b, state_events_published(b->events));
	seconds = (double)(measure_now_ns() - start) / 1e9;
	snprintf(what, sizeof what, "%d requests a second over %d connections, while %d events a second come",
		b->o.requests, b->o.connections, b->o.events);
	print_load(what, &r);
	printf("  folded                             %10.0f a second\n", ((double)folded(b) - before.events) / seconds);
	print_changes(b, &before);
	printf("  processor                          %10.0f %% of one, %.0f %% the broker, %.0f %% the load itself\n",
		(measure_cpu_s(b->pid) - cpu) / seconds * 100, (measure_cpu_s(b->broker.pid) - broker_cpu) / seconds * 100,
		(measure_cpu_s(getpid()) - own_cpu) / seconds * 100);
	return ok;
}

static bool bench_most(struct bench *b)
{
	struct state_load load = load_of(b, 0);
	struct state_load_result r;
	bool ok = state_load_run(&load, &r);

	print_load("as many requests as it can answer, no events", &r);
	return ok;
}

/* ---- from start to end ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

int main(int argc, char **argv)
{
	struct bench b = { .port = 0 };
	const char *base = getenv("TMPDIR");
	bool ok;

	if (!parse(argc, argv, &b.o)) {
		fputs(usage, stderr);
		return 2;
	}
	snprintf(b.folder, sizeof b.folder, "%.40s/bench-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(b.folder) || !kafka_broker_start(&b.broker, b.o.partitions))
		return 1;
	snprintf(b.config, sizeof b.config, "%s/s.ini", b.folder);
	b.events = state_events_open(b.broker.bootstrap, b.o.tenants, UNDER_WAY);
	ok = b.events && bench_backlog(&b);
	fflush(stdout);
	ok = ok && bench_both(&b);
	fflush(stdout);
	ok = ok && bench_most(&b);
	state_events_close(&b.events);
	stop_program(&b);
	kafka_broker_stop(&b.broker);
	nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return ok ? 0 : 1;
}
