/* SPDX-License-Identifier: Apache-2.0
 * What is kept between the calls of a pass: connections, the source's snapshot, the catalogue; and the workers that
 * do the jobs of one call. */
#ifndef SANDBOX_LIBPQ_SESSION_H
#define SANDBOX_LIBPQ_SESSION_H

#include "consumer/adapters/libpq/schema.h"

#include <pthread.h>

enum { WORKERS_MAX = 16, SQL_MAX = 1 << 20, QUEUE_MAX = 256 };

struct pg_worker {
	struct pg source, target;
	bool in_snapshot;
	struct buf sql, out;
	struct pg_line_work work;
};

struct pg_session {
	struct pg_session *next;
	const struct pg_settings *settings;
	char source[64], target[64]; /* source "" for a pass over the target alone */
	struct pg exporter;          /* holds the snapshot that the workers read in */
	struct pg own;               /* to the target, for what is remembered */
	char exported[64];
	int64_t snapshot; /* a number for it, 0 for none */
	bool is_dirty;    /* masking found something to rewrite */
	struct pg_schema schema;
	struct pg_worker workers[WORKERS_MAX];
};

struct pg_session *pg_session_new(const struct pg_settings *settings, const char *source, const char *target,
				  struct err *e);
void pg_session_free(struct pg_session **session);
/* Whose stop flag counts from now on. */
void pg_session_obey(struct pg_session *session, const atomic_bool *stop);
/* Lets go of the source. */
void pg_session_leave_source(struct pg_session *session);

/* Begins a transaction on a connection to the target that the fence's owner may make: a share lock on the stamp, which
 * a newer owner has to wait for, is held until its end. A lower token is raised. */
bool pg_fenced_begin(struct pg *target, const struct fence *f, struct err *e);
bool pg_commit(struct pg *pg, struct err *e);
void pg_rollback(struct pg *pg);

/* The same in fewer round trips, for owners whose token is in the stamp. A connection is told once whom it works for;
 * then one statement without values checks the stamp, holds it, and fails when it bears another clone or token. */
#define PG_FENCE_SQL                                                                                                   \
	"SELECT 1 / count(*) FROM (SELECT 1 FROM public.sandbox_stamp WHERE one = 1 AND clone_id ="                    \
	" current_setting('sandbox.clone') AND token = current_setting('sandbox.token')::bigint FOR SHARE) AS s"
bool pg_tell_owner(struct pg *target, const struct fence *f, struct err *e);
/* Raises the stamp's token, once for each owner that comes by this connection, and tells it. */
bool pg_take_over(struct pg *own, const struct fence *f, struct err *e);
/* Queues what pg_fenced_begin does; pg_fenced_end queues the commit and waits for all, rows_r as pg_queue_end. */
bool pg_fenced_queue(struct pg *target, struct err *e);
bool pg_fenced_end(struct pg *target, const struct fence *f, PGresult **rows_r, struct err *e);
/* After a failure: rolls back, and when it was the fence puts that into *e. Always false. */
bool pg_blame_fence(struct pg *target, const struct fence *f, struct err *e);
/* Queues rows and cursor of the fence's step. */
bool pg_queue_ledger(struct pg *target, const struct fence *f, int64_t rows, const char *cursor, struct err *e);

/* The worker's connection to the target, for the fence's owner. */
bool pg_worker_target(struct pg_session *session, struct pg_worker *worker, const struct fence *f, struct err *e);

struct pg_crew;
typedef bool pg_job_fn(struct pg_crew *crew, struct pg_worker *worker, size_t job, struct err *e);

struct pg_parcel { /* things small enough that one worker does them together */
	size_t first, count;
};

struct pg_crew { /* one call's jobs */
	struct pg_session *session;
	const struct passes_call *call;
	pg_job_fn *fn;
	void *arg;
	struct pg_parcel *parcels; /* one for each job */
	size_t count;              /* of jobs */
	int64_t until_ms;          /* no job begins later */
	/* its own */
	_Atomic size_t next, done;
	atomic_bool failed;
	pthread_mutex_t filter_lock, err_lock;
	struct err *e;
};

int64_t pg_clock_ms(void);
/* Does `count` things, in parcels of neighbours that have few pages together, some parcels at a time, until one fails or
 * time is over; *done_r of the things were done, the first ones. pages_of tells a thing's pages, by crew->arg. */
typedef int64_t pg_pages_fn(const void *arg, size_t thing);
bool pg_crew_run(struct pg_crew *crew, size_t count, pg_pages_fn *pages_of, size_t *done_r, struct err *e);

/* Reads lines of the stream that was begun on `from` through work, and writes them on `to` when it is not NULL. */
bool pg_crew_stream(struct pg_crew *crew, struct pg_worker *worker, struct pg *from, struct pg *to, struct err *e);

#endif
