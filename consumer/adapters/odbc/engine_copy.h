/* SPDX-License-Identifier: Apache-2.0
 * Copies that the server itself makes: how far one is (in the server's catalogue, as the copy takes the generation's own
 * ledger away), the jobs that wait for its statements, and what engines share. */
#ifndef SANDBOX_ODBC_ENGINE_COPY_H
#define SANDBOX_ODBC_ENGINE_COPY_H

#include "consumer/adapters/odbc/port.h"
#include "consumer/adapters/odbc/sql_text.h"

/* What is done. Kept in sandbox_database.copy_phase: numbers stay what they are. Between the first and the last one the
 * generation's own stamp says nothing (_copy_stamp). */
enum reached {
	REACHED_NOTHING,
	REACHED_BACKUP, /* it could begin; where there is a backup it is made */
	REACHED_GONE,   /* the empty generation is dropped: whatever bears its name from now on is the copy */
	REACHED_COPY,   /* it is there, and closed to others */
	REACHED_END,
};

struct copy_state { /* of the generation, in the server's catalogue */
	enum reached reached;
	uint64_t file_token; /* whose backup it is */
	char source_ctx[CTX_MAX + 1];
};

struct engine_call { /* one copy_next, with no job under way */
	struct odbc_port *port;
	struct conn *catalogue;
	const struct fence *fence;
	struct copy_state state;
	const struct err *failed; /* how the last job failed, if it has just ended so; else NULL */
	struct sql_pages *pages;  /* to be filled in */
};

/* ---- engine_copy.c ---- */

/* Writes the state and commits the catalogue's transaction, which was begun with server_fenced_begin. */
bool engine_put_state(struct odbc_port *p, struct conn *catalogue, const struct fence *f, const struct copy_state *s,
		      struct err *e);
/* The same with a transaction of its own. */
bool engine_reach(struct engine_call *call, enum reached reached, struct err *e);
/* The generation is this clone's own and empty: what its stamp says, which goes with it, is remembered in the state. */
bool engine_may_begin(struct engine_call *call, struct err *e);
/* The failure of the last job, handed on: false, when there was one. */
bool engine_went_well(const struct engine_call *call, struct err *e);
/* Begins the backup. Which file it will be is noted before, so that cancelling finds it; what an earlier owner left goes
 * first. */
bool engine_begin_backup(struct engine_call *call, struct err *e);
/* Whose backup a copy that is not finished has left; 0: there is none. */
bool engine_left_file(struct odbc_port *p, const char *generation, uint64_t *token_r, struct err *e);
/* Stamp and ledger go into the copy; rows and tables are counted. */
bool engine_stamp(struct engine_call *call, struct err *e);
/* Bytes, and "word 40%" as the cursor; session: of the statement that runs, or 0. */
bool engine_show(struct odbc_port *p, const struct fence *f, const char *word, int session, int64_t percent,
		 struct sql_pages *pages, struct err *e);

/* ---- engine_jobs.c ---- */

struct engine_job;
/* The statement that may run for hours, on a connection to master without a limit. Moves state->reached on. */
typedef bool engine_work_fn(struct engine_job *j, struct conn *master, struct copy_state *state, struct err *e);

struct engine_jobs {
	pthread_mutex_t lock;
	struct engine_job *first;
};

/* Cancels what runs and waits for its end. */
void engine_jobs_end(struct engine_jobs *jobs);
/* Ends the one of that generation, unless a newer owner than the fence's began it: what it makes is about to go. */
void engine_job_cancel(struct odbc_port *p, const struct fence *f, const char *generation);
/* Begins one in a thread of its own, which holds the token's row in the catalogue until the work is done and the state
 * written. `word` says what it does. */
bool engine_job_begin(struct engine_call *call, engine_work_fn *work, const char *word, struct err *e);
/* Waits a moment. NULL when there is none, or when it has just ended: then *ok_r and *e tell how. */
struct engine_job *engine_job_look(struct odbc_port *p, const struct fence *f, bool *ok_r, struct err *e);
bool engine_job_show(struct odbc_port *p, struct engine_job *j, struct sql_pages *pages, struct err *e);
/* For the work: what it is about. The port is the job's own. */
struct odbc_port *engine_job_port(struct engine_job *j);
const struct fence *engine_job_fence(const struct engine_job *j);

/* ---- engine_restore.c: a server of one's own ---- */

enum { ENGINE_PATH_BYTES = 600 };

/* By BACKUP and RESTORE ... MOVE, RESTRICTED_USER. */
bool engine_restore_next(struct engine_call *call, struct err *e);
/* Removes the backup of a copy that was not finished. */
bool engine_restore_forget(struct odbc_port *p, const char *generation, struct err *e);
/* The backup's file as the server sees it, which may be another system than ours, or its blob. MISUSE without a legal
 * sql.folder. */
bool engine_backup_path(const struct odbc_server *server, const char *generation, uint64_t token,
			char out[ENGINE_PATH_BYTES], struct err *e);
bool engine_back_up(struct engine_job *j, struct conn *master, struct copy_state *state, struct err *e);

/* ---- engine_azure.c: Azure SQL Database and Managed Instance ---- */

/* By CREATE DATABASE ... AS COPY OF. */
bool engine_copy_of_next(struct engine_call *call, struct err *e);
/* By BACKUP ... TO URL and RESTORE ... FROM URL. */
bool engine_from_url_next(struct engine_call *call, struct err *e);
/* Removes the blob of a copy that was not finished, where somebody can. */
bool engine_from_url_forget(struct odbc_port *p, const char *generation, struct err *e);

#endif
