/* SPDX-License-Identifier: Apache-2.0
 * What is kept between the calls of a pass: connections, the source's snapshot, the catalogue; and the workers that
 * do the jobs of one call. */
#ifndef SANDBOX_LIBPQ_SESSION_H
#define SANDBOX_LIBPQ_SESSION_H

#include "consumer/adapters/libpq/schema.h"

#include <pthread.h>

enum { WORKERS_MAX = 16 };

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
/* Rows and cursor of the fence's step, in the transaction under way. */
bool pg_put_ledger(struct pg *target, const struct fence *f, int64_t rows, const char *cursor, struct err *e);

struct pg_crew;
typedef bool pg_job_fn(struct pg_crew *crew, struct pg_worker *worker, size_t job, struct err *e);

struct pg_crew { /* one call's jobs */
	struct pg_session *session;
	const struct passes_call *call;
	pg_job_fn *fn;
	void *arg;
	size_t count;     /* of jobs */
	int64_t until_ms; /* no job begins later */
	/* its own */
	_Atomic size_t next, done;
	atomic_bool failed;
	pthread_mutex_t filter_lock, err_lock;
	struct err *e;
};

int64_t pg_clock_ms(void);
/* Does the jobs, some at a time, until one fails or time is over; *done_r of them were done, the first ones. */
bool pg_crew_run(struct pg_crew *crew, size_t *done_r, struct err *e);

/* Reads lines of the stream that was begun on `from` through work, and writes them on `to` when it is not NULL. */
bool pg_crew_stream(struct pg_crew *crew, struct pg_worker *worker, struct pg *from, struct pg *to, struct err *e);

#endif
