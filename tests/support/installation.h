/* SPDX-License-Identifier: Apache-2.0
 * The whole product for one test, as an operator would run it: a seeded source customer, broker, Redis, the outside
 * systems, and real sandbox-consumer processes that can be killed, frozen and started again. What cannot be set up, or
 * does not come true in time, fails the test at once and shows the end of the consumers' logs. */
#ifndef SANDBOX_TESTS_INSTALLATION_H
#define SANDBOX_TESTS_INSTALLATION_H

#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/inspect.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/redis_server.h"
#include "tests/support/stub_server.h"

#include <check.h>

#define SOURCE "Cust70000"
#define TARGET "Cust70001" /* further ones: Cust70002 ... */

enum { CONSUMERS_MAX = 3, TARGETS_MAX = 9 };

struct installation_options {
	int targets;     /* test tenants of the one source; 0 means 1 */
	int factor;      /* of the seed customer */
	/* Each target is the sandbox of a production tenant of its own, all with the same database. A tenant has one test
	 * environment in SuperID, over which targets of one source compete. */
	bool own_sources;
	int web_config_reads; /* how often a pending web configuration is seen; 0: as seeded */
	const char *disk; /* "3m": the databases lie on a disk of that size; NULL: as they come */
	const char *apps; /* JSON list of authorisations of their tenants, beside the seed's; NULL: none */
	const struct kafka_broker *kafka; /* one that runs already, with the topics; NULL: an embedded one of its own */
};

struct installation {
	char folder[64]; /* db, objects, archive, stubs, redis, s.ini, consumer-<n>.log */
	int targets, partitions;
	bool own_broker, own_sources;
	struct kafka_broker broker;
	struct redis_server *redis;
	struct stub_server *stubs;
	pid_t consumers[CONSUMERS_MAX]; /* 0: does not run */
	struct bus_port *bus;
	struct codec_port *codec;
	struct inspect_port *inspect; /* NULL until asked, and after the store went away */
};

/* Everything but a consumer runs. NULL only when options wish a disk that cannot be had here: it was said why.
 * Settings of the consumer are changed through its environment: setenv("SANDBOX_ENGINE__PLAN", "strict", 1). */
struct installation *installation_new(const struct installation_options *options);
/* Ends all its processes, removes its folder. NULL-safe; *i becomes NULL. */
void installation_free(struct installation **i);
/* Makes the disk of the databases that large. */
void disk_resize(const struct installation *i, const char *size);
/* Runs the suite in a temporary folder of its own, which goes whatever fails; main's value. SANDBOX_KEEP=1 keeps it. */
int installation_run(Suite *suite);

/* ---- the consumers ---- */

void consumer_start(struct installation *i, int n);
void consumer_kill(struct installation *i, int n); /* SIGKILL */
void consumer_signal(struct installation *i, int n, int signal_number);
/* SIGSTOP at a moment when it holds no lock of what all share, the catalogue of the databases and their folder: nobody can
 * break a lock of SQLite's, so all others would have to wait. SIGCONT wakes it up. */
void consumer_freeze(struct installation *i, int n);
/* SIGTERM; its exit status, -1 when it did not end in time and had to be killed. */
int consumer_stop(struct installation *i, int n, int within_ms);
bool consumer_runs(struct installation *i, int n);
/* Does any consumer's log hold that text? */
bool consumer_said(const struct installation *i, const char *text);

/* ---- what goes in ---- */

/* A sound request, to be changed and sent. id and target are borrowed. */
struct message good_request(const struct installation *i, const char *id, const char *target);
struct message good_replay(const char *id, const char *target);
struct message good_control(const char *id, const char *target, enum control_verb verb);
/* Encodes, publishes and waits until it is delivered. */
void send_message(struct installation *i, const struct message *m);
void send_request(struct installation *i, const char *id, const char *target);
void send_control(struct installation *i, const char *id, const char *target, enum control_verb verb);
/* Bytes as they are, to the partition of that key. */
void send_bytes(struct installation *i, enum topic topic, const char *key, const void *value, size_t len);
/* The bytes that send_message would send; the caller's to free. */
void encode_message(struct installation *i, const struct message *m, struct buf *value_r);

/* ---- what the store says of a clone ---- */

struct seen {
	enum clone_status status; /* UNSET: not known (or the store does not answer) */
	int steps_done, run;
	char generation[DATABASE_MAX + 1], failed_step[SLUG_MAX + 1], cause[256];
	bool is_told; /* every event has reached its topic */
};

struct seen look_at(struct installation *i, const char *id);
/* Waits until it is in that status and all its events are told. Fails at once when it rests in another one. */
struct seen await(struct installation *i, const char *id, enum clone_status status, int within_ms);
/* The same for a clone that rests and was asked to go on. */
struct seen await_from_rest(struct installation *i, const char *id, enum clone_status status, int within_ms);
/* Waits until that many steps are done, or it rests. */
struct seen await_steps(struct installation *i, const char *id, int steps, int within_ms);
/* Whose lease is on the target: the owner, "" nobody. */
void lease_owner(struct installation *i, const char *target, char *owner_r, size_t size);
/* The next call of SuperID takes 1.5 s, which every clone makes about half way: long enough to be met by something. */
void slow_one_call(struct installation *i);
void pause_ms(int ms);
int64_t now_ms(void);
/* Fails the test with the end of the consumers' logs. */
_Noreturn void fail_with_logs(struct installation *i, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- what came out ---- */

struct told { /* one record of an outbound topic, decoded */
	struct bus_position at;
	struct message *message;
	bool schema_in_header; /* instead of before the value */
};

struct events {
	struct told *items; /* by topic, partition, offset */
	size_t count;
};

/* Everything in the outbound topics. Each record must decode with its schema and bear the CloudEvents headers. */
void events_read(struct installation *i, struct events *events_r);
void events_free(struct events *events);
/* The nth (from 0) of that kind about that clone with repeats of an event id dropped; NULL: no more. "" any clone. */
const struct message *events_nth(const struct events *events, enum message_kind kind, const char *id, size_t nth);
size_t events_count(const struct events *events, enum message_kind kind, const char *id);
/* Waits for the nth dead letter and says it; the message is the caller's to free. */
struct message *await_dead_letter(struct installation *i, size_t nth, int within_ms);
/* Waits until the group has committed everything that was sent in. */
void await_committed(struct installation *i, int within_ms);
/* The clone's events are a gapless sequence, each with one id, and rises in every topic. */
void check_sequence(const struct events *events, const char *id);

/* ---- the whole world of a target as lines, names and times of this clone left out ---- */

enum { WORLD_TEXT_MAX = 32 * 1024 * 1024 };

/* The source customer: database, files, outside systems. */
void snapshot_source(struct installation *i, struct buf *out);
/* What is the target's: the database in service, files, records in every outside system. */
void snapshot_target(struct installation *i, const char *target, struct buf *out);
/* Steps and BackupRestored of a clone, once each, in the order of the plan. Unless exact, DONE and ALREADY are the same
 * and what this try wrote is left out: after a crash a step says what is left to do, not what was done before. */
void snapshot_events(struct installation *i, const char *id, const char *target, bool exact, struct buf *out);
/* Every call of the clone that changed an outside system. */
void snapshot_calls(struct installation *i, const char *id, const char *target, struct buf *out);
/* Databases beside the source's and those in service; "" when there are none. Borrowed until the next call. */
const char *left_over_databases(struct installation *i);
/* Members of the hosting record of a tenant, "" when there is none; out_r holds size bytes. */
const char *hosting_text(struct installation *i, const char *ctx, const char *member, char *out_r, size_t size);
/* A number from a tenant's database by one statement. */
int64_t database_number(struct installation *i, const char *database, const char *sql);
void check_same(const struct buf *one, const struct buf *other, const char *what);

#endif
