/* SPDX-License-Identifier: Apache-2.0
 * What a benchmark runs against: a private Redis, a broker (embedded, or one that runs already), and the program that
 * is measured, as a process of its own. */
#ifndef SANDBOX_BENCH_SERVICES_H
#define SANDBOX_BENCH_SERVICES_H

#include "consumer/ports/codec.h"
#include "tests/bench/driver.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/redis_server.h"

#include <stdbool.h>
#include <sys/types.h>

enum { BENCH_PARTITIONS = 8 };

struct services {
	char folder[64]; /* Redis, traces, logs; removed at the end */
	struct redis_server *redis;
	struct kafka_broker broker; /* pid 0: not ours */
	char bootstrap[256];
	pid_t broker_pid; /* 0 unknown */
	const char *fetch_wait_ms; /* the embedded broker lets a fetch wait so long even when a record comes meanwhile */
	const char *session_ms;    /* and keeps the next member of a group waiting for so long */
};

/* bootstrap "": an embedded broker is started. fsync is Redis' appendfsync. False: said on stderr why not. */
bool services_start(struct services *s, const char *bootstrap, pid_t broker_pid, const char *fsync);
void services_stop(struct services *s);
bool services_forget(const struct services *s); /* empties Redis */

enum noop_mode { NOOP_STEPS, NOOP_WAIT, NOOP_ALARM };

struct noop_options { /* of the real loop with steps that do nothing */
	enum noop_mode mode;
	size_t clones;
	int workers, step_ms;
	int64_t alarm_ns; /* NOOP_ALARM: the first step of clone n is due then, plus n % 200 ms */
};

struct subject {
	pid_t pid;
	char trace[96]; /* written when it ends */
};

bool subject_start_noop(struct services *s, const struct noop_options *o, struct subject *r);
/* mode "strict" or "lazy"; ends by itself after so many clones. */
bool subject_start_floor(struct services *s, const char *mode, size_t clones, struct subject *r);
/* Asks it to end (unless it ends by itself) and waits. False: it did not end well; its log is on stderr. */
bool subject_end(struct services *s, struct subject *r, bool ask);

/* What the driver must know of each; bench_requests_new() first for ours. */
struct bench_requests;
struct bench_requests *bench_requests_new(void);
void bench_requests_free(struct bench_requests **r);
struct driver_subject driver_of_noop(struct bench_requests *r);
struct driver_subject driver_of_floor(void);
/* The clone number of a clone id made here; -1: it was not. */
int bench_clone_number(const char *clone_id);

#endif
