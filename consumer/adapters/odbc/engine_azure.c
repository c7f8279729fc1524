/* SPDX-License-Identifier: Apache-2.0
 * Copies of Azure SQL Database (CREATE DATABASE ... AS COPY OF) and of Managed Instance (BACKUP ... TO URL, RESTORE ... FROM
 * URL). In both the service makes the copy: it goes on when the statement, the connection or the consumer ends, so what
 * counts is what sys.databases says, never how the statement ended.
 *
 * First the empty generation is dropped, and that is remembered: from then on whatever bears its name is the copy, whoever
 * asked for it, and a second one is never begun beside it. As soon as it is there it is closed; until then it can be read by
 * whoever can read the source. One that failed is dropped and begun again. */
#include "consumer/adapters/odbc/dialect_sqlserver.h"
#include "consumer/adapters/odbc/engine_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 500, EXISTS_ALREADY = 1801 };

static const char where[] = "copy";

static const struct sql_files *files_of(const struct odbc_port *p)
{
	return server_dialect(p->server)->files;
}

/* ---- making it: in the job's thread ---- */

static bool close_if_there(struct odbc_port *p, const char *generation, struct copy_state *state, struct err *e)
{
	bool there = false;

	if (!sqlserver_is_reachable(server_settings(p->server), generation, &there, e))
		return false;
	if (!there) /* the statement has ended before the copy */
		return true;
	if (!files_of(p)->close_to_others(server_settings(p->server), generation, true, e))
		return false;
	state->reached = REACHED_COPY;
	return true;
}

static bool make(struct engine_job *j, struct conn *master, const char *file, struct copy_state *state, struct err *e)
{
	struct odbc_port *p = engine_job_port(j);
	const char *generation = engine_job_fence(j)->generation;
	const struct sql_args args =
	    ARGS(arg_text("database", generation), arg_text("source", p->source), arg_text("file", file));
	struct err failed = { 0 };

	if (!section_exec(p->server, master, "_copy_make", &args, NULL, &failed) && failed.code != EXISTS_ALREADY)
		return err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
	return close_if_there(p, generation, state, e);
}

static bool copy_of(struct engine_job *j, struct conn *master, struct copy_state *state, struct err *e)
{
	return make(j, master, "", state, e);
}

static bool from_url(struct engine_job *j, struct conn *master, struct copy_state *state, struct err *e)
{
	char file[ENGINE_PATH_BYTES];

	return engine_backup_path(engine_job_port(j)->server, engine_job_fence(j)->generation, state->file_token, file, e) &&
	       make(j, master, file, state, e);
}

/* ---- waiting for it ---- */

static void pause_for_a_look(const struct odbc_port *p)
{
	for (int waited_ms = 0; waited_ms < LOOK_MS && !atomic_load(&p->stop); waited_ms += 10)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* The token stays locked meanwhile, so that it is nobody's but ours. */
static bool close_and_note(struct engine_call *call, struct err *e)
{
	struct copy_state next = call->state;
	struct odbc_port *p = call->port;

	if (!server_fenced_begin(p, call->catalogue, call->fence, e))
		return false;
	if (close_if_there(p, call->fence->generation, &next, e) &&
	    engine_put_state(p, call->catalogue, call->fence, &next, e))
		return true;
	conn_rollback(call->catalogue);
	return false;
}

/* What the service says was wrong, where the login may ask; 0 else. */
static int error_of_copy(const struct odbc_port *p, const char *generation)
{
	struct sqlserver_answer a = { 0 };
	struct err ignored = { 0 };

	sqlserver_ask(server_settings(p->server), generation, "_copy_error", &a, &ignored);
	return (int)a.number;
}

static bool drop_failed(struct engine_call *call, const char *state, struct err *e)
{
	const char *generation = call->fence->generation;
	struct odbc_port *p = call->port;
	int number = error_of_copy(p, generation);
	bool ok;

	if (!server_fenced_begin(p, call->catalogue, call->fence, e))
		return false;
	ok = files_of(p)->drop(server_settings(p->server), generation, e);
	conn_rollback(call->catalogue); /* it only held the token */
	return ok && err_set(e, ERR_TRANSIENT, number, where,
			     "the service's copy failed (%s, error %d); it was dropped and is begun again", state, number);
}

static bool wait_for_copy(struct engine_call *call, engine_work_fn *work, const char *word, struct err *e)
{
	const struct odbc_settings *s = server_settings(call->port->server);
	const char *generation = call->fence->generation;
	struct sqlserver_answer state;
	bool comes = false;

	if (!sqlserver_ask(s, generation, "_database_state", &state, e))
		return false;
	if (strcmp(state.text, "ONLINE") == 0)
		return close_and_note(call, e);
	if (strcmp(state.text, "SUSPECT") == 0 || strcmp(state.text, "EMERGENCY") == 0)
		return drop_failed(call, state.text, e);
	if (!state.text[0] && !azure_is_under_way(s, generation, &comes, e))
		return false;
	if (!state.text[0] && !comes)
		return engine_went_well(call, e) && engine_job_begin(call, work, word, e);
	pause_for_a_look(call->port);
	return engine_show(call->port, call->fence, word, 0, 0, call->pages, e);
}

/* ---- beginning and ending ---- */

static bool drop_empty(struct engine_call *call, struct err *e)
{
	struct odbc_port *p = call->port;
	struct copy_state next = call->state;

	port_let_go(p, call->fence->generation);
	next.reached = REACHED_GONE;
	if (!server_fenced_begin(p, call->catalogue, call->fence, e))
		return false;
	if (files_of(p)->drop(server_settings(p->server), call->fence->generation, e) &&
	    engine_put_state(p, call->catalogue, call->fence, &next, e))
		return true;
	conn_rollback(call->catalogue);
	return false;
}

static bool take_number(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)count;
	(void)e;
	*(int64_t *)arg = cells[0].number;
	return true;
}

/* The copy brings no lock of its own: it is looked at once more before anything is written into it. */
static bool is_closed(struct engine_call *call, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", call->fence->generation));
	struct odbc_port *p = call->port;
	int64_t open = 1;
	struct place at;
	bool ok = files_of(p)->close_to_others(server_settings(p->server), call->fence->generation, true, e) &&
		  place_take(p, SQL_TARGET, "database_is_open", &args, &at, e);

	if (!ok)
		return false;
	ok = section_query(p->server, at.conn, "database_is_open", &args, take_number, &open, e);
	place_give(p, &at);
	return ok && (open == 0 || err_set(e, ERR_TRANSIENT, 0, where, "%s does not stay closed to others",
					   call->fence->generation));
}

static bool finish(struct engine_call *call, struct err *e)
{
	call->pages->finished =
		is_closed(call, e) && engine_stamp(call, e) && engine_reach(call, REACHED_END, e);
	return call->pages->finished;
}

/* ---- one look ---- */

bool engine_copy_of_next(struct engine_call *call, struct err *e)
{
	switch (call->state.reached) {
	case REACHED_NOTHING:
		return engine_may_begin(call, e) && engine_reach(call, REACHED_BACKUP, e);
	case REACHED_BACKUP:
		return drop_empty(call, e);
	case REACHED_GONE:
		return wait_for_copy(call, copy_of, "copy", e);
	case REACHED_COPY:
		return finish(call, e);
	default:
		call->pages->finished = true;
		return true;
	}
}

/* ---- the blob of a backup, which no statement of the server removes ---- */

static bool blob_name(const struct odbc_port *p, const char *generation, uint64_t token, char out[ENGINE_PATH_BYTES],
		      struct err *e)
{
	char file[ENGINE_PATH_BYTES];

	if (!engine_backup_path(p->server, generation, token, file, e))
		return false;
	snprintf(out, ENGINE_PATH_BYTES, "%s", strrchr(file, '/') + 1);
	return true;
}

static bool remove_blob(struct odbc_port *p, const char *generation, uint64_t token, struct err *e)
{
	const struct odbc_settings *s = server_settings(p->server);
	char name[ENGINE_PATH_BYTES];

	return blob_name(p, generation, token, name, e) && s->remove_blob(s->remove_arg, name, &p->stop, e);
}

bool engine_from_url_forget(struct odbc_port *p, const char *generation, struct err *e)
{
	uint64_t token = 0;

	if (!server_settings(p->server)->remove_blob)
		return true;
	return engine_left_file(p, generation, &token, e) && (token == 0 || remove_blob(p, generation, token, e));
}

/* Where nobody can remove it, the step says what has to be removed. */
static bool settle_blob(struct engine_call *call, struct err *e)
{
	char name[ENGINE_PATH_BYTES];

	if (server_settings(call->port->server)->remove_blob)
		return remove_blob(call->port, call->fence->generation, call->state.file_token, e);
	if (!blob_name(call->port, call->fence->generation, call->state.file_token, name, e))
		return false;
	snprintf(call->pages->left_behind, sizeof call->pages->left_behind, "%.*s",
		 (int)sizeof call->pages->left_behind - 1, name);
	return true;
}

bool engine_from_url_next(struct engine_call *call, struct err *e)
{
	switch (call->state.reached) {
	case REACHED_NOTHING:
		return engine_went_well(call, e) && engine_begin_backup(call, e);
	case REACHED_BACKUP:
		return drop_empty(call, e);
	case REACHED_GONE:
		return wait_for_copy(call, from_url, "restore", e);
	case REACHED_COPY:
		return settle_blob(call, e) && finish(call, e);
	default:
		call->pages->finished = true;
		return settle_blob(call, e);
	}
}
