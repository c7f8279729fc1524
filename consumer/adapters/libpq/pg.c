/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/libpq/pg.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WATCH_MS = 100, PARTS_MAX = 16 };

static const char where[] = "libpq";

/* ---- failures ---- */

static bool is_stopped(const struct pg *pg)
{
	return pg->stop && atomic_load(pg->stop);
}

static bool fail_stopped(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, where, "the stream was cancelled because the step ends");
}

static enum err_class class_of(const char *state)
{
	static const char *const passing[] = { "08", "25", "40", "53", "55", "57", "58" };

	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (strncmp(state, passing[i], 2) == 0)
			return ERR_TRANSIENT;
	return *state ? ERR_REFUSED : ERR_TRANSIENT; /* none: the connection was lost */
}

/* Messages about values repeat the value, others may: nothing of a row gets into a sentence. */
static bool tells_values(const char *state, const char *message)
{
	return strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 || strchr(message, '@');
}

static bool fail(struct pg *pg, const PGresult *r, struct err *e)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *message = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *table = r ? PQresultErrorField(r, PG_DIAG_TABLE_NAME) : NULL;
	const char *column = r ? PQresultErrorField(r, PG_DIAG_COLUMN_NAME) : NULL;

	state = state ? state : "";
	message = message ? message : "the connection to the server was lost";
	if (is_stopped(pg))
		return fail_stopped(e);
	if (tells_values(state, message))
		message = "the server refused a value";
	return err_set(e, class_of(state), 0, where, "%.60s%s%.60s%s%.160s (%s)", table ? table : "", column ? "." : "",
		       column ? column : "", table ? ": " : "", message, state);
}

/* ---- connecting ---- */

static bool prepare_session(struct pg *pg, enum pg_side side, struct err *e)
{
	/* Values go out and come in as they are; names in definitions bear their schema. A source that is left alone
	 * must not be held to an old state for ever. */
	static const char session[] = "SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC';"
				      " SET extra_float_digits = 1; SET bytea_output = 'hex'; SET lock_timeout = '10s';"
				      " SET standard_conforming_strings = on; SET check_function_bodies = off;"
				      " SET search_path = pg_catalog; SET row_security = off;"
				      " SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = 0;";
	static const char source[] = " SET default_transaction_read_only = on";
	char sql[sizeof session + sizeof source];
	PGresult *r;
	bool ok;

	snprintf(sql, sizeof sql, "%s%s", session, side == PG_SOURCE ? source : "");
	r = PQexec(pg->conn, sql);
	ok = PQresultStatus(r) == PGRES_COMMAND_OK || fail(pg, r, e);
	PQclear(r);
	return ok;
}

/* Notices would go to the standard error, and may tell values. */
static void ignore_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

bool pg_open(struct pg *pg, const struct pg_settings *s, enum pg_side side, const char *database, struct err *e)
{
	bool other = side == PG_SOURCE && s->source_user && *s->source_user;
	const char *keys[PARTS_MAX], *values[PARTS_MAX];
	char port[12];
	int n = 0;

	if (pg->conn)
		return true;
	snprintf(port, sizeof port, "%d", s->port);
#define PART(key, value) (keys[n] = key, values[n] = value, n++)
	PART("host", s->host);
	PART("port", port);
	PART("dbname", database); /* not expanded: PQconnectdbParams is told so */
	PART("user", other ? s->source_user : s->user);
	PART("password", other ? s->source_password : s->password);
	PART("client_encoding", "UTF8");
	PART("application_name", "sandbox-clone");
	PART("connect_timeout", "10");
	PART("keepalives_idle", "30");
	if (s->tls && *s->tls)
		PART("sslmode", s->tls);
	keys[n] = values[n] = NULL;
#undef PART
	pg->conn = PQconnectdbParams(keys, values, 0);
	if (!pg->conn || PQstatus(pg->conn) != CONNECTION_OK) {
		err_set(e, ERR_TRANSIENT, 0, where, "no connection to database %s as %s", database,
			other ? s->source_user : s->user);
		pg_close(pg);
		return false;
	}
	PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
	if (prepare_session(pg, side, e))
		return true;
	pg_close(pg);
	return false;
}

void pg_close(struct pg *pg)
{
	if (pg->conn)
		PQfinish(pg->conn);
	pg->conn = NULL;
	pg->queued = 0;
	pg->owner[0] = '\0';
}

/* ---- statements ---- */

static void cancel(struct pg *pg)
{
	char ignored[256];
	PGcancel *c = PQgetCancel(pg->conn);

	if (c)
		PQcancel(c, ignored, sizeof ignored);
	PQfreeCancel(c);
}

/* Waits for the server's next word; a stop cancels what runs and then waits for that. */
static bool await(struct pg *pg, bool *cancelled, struct err *e)
{
	struct pollfd fd = { PQsocket(pg->conn), POLLIN, 0 };

	if (is_stopped(pg) && !*cancelled) {
		cancel(pg);
		*cancelled = true;
	}
	if (poll(&fd, 1, WATCH_MS) > 0 && !PQconsumeInput(pg->conn))
		return fail(pg, NULL, e);
	return true;
}

/* The next result; NULL behind the last one, or with *ok_r false. */
static PGresult *next_result(struct pg *pg, bool *ok_r, struct err *e)
{
	bool cancelled = false;

	*ok_r = true;
	while (PQisBusy(pg->conn)) {
		if (!await(pg, &cancelled, e)) {
			*ok_r = false;
			return NULL;
		}
	}
	return PQgetResult(pg->conn);
}

/* Up to the end of what was asked before; a stream that nobody ended is left as it is. */
static void drain(struct pg *pg)
{
	struct err ignored = { 0 };
	bool ok, streams = false;
	PGresult *r;

	while (!streams && (r = next_result(pg, &ok, &ignored))) {
		ExecStatusType status = PQresultStatus(r);

		streams = status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
		PQclear(r);
	}
}

/* May something be asked now? A queue that nobody ended, because of a failure, is past help. */
static bool is_ready(struct pg *pg, struct err *e)
{
	if (is_stopped(pg))
		return fail_stopped(e);
	if (pg->queued > 0)
		pg_close(pg);
	if (!pg->conn)
		return err_set(e, ERR_TRANSIENT, 0, where, "the connection to the server was given up");
	drain(pg);
	return true;
}

static PGresult *run(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e)
{
	PGresult *r;
	bool ok;

	if (!is_ready(pg, e))
		return NULL;
	if (!PQsendQueryParams(pg->conn, sql, count, NULL, values, NULL, NULL, 0)) {
		fail(pg, NULL, e);
		return NULL;
	}
	r = next_result(pg, &ok, e);
	if (!r && ok)
		fail(pg, NULL, e);
	return r;
}

PGresult *pg_query(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e)
{
	PGresult *r = run(pg, sql, values, count, e);
	ExecStatusType status = PQresultStatus(r);

	if (!r)
		return NULL;
	drain(pg);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return r;
	fail(pg, r, e);
	PQclear(r);
	return NULL;
}

bool pg_do(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e)
{
	PGresult *r = pg_query(pg, sql, values, count, e);

	PQclear(r);
	return r != NULL;
}

int64_t pg_number(const PGresult *r, int row, int column)
{
	return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

/* ---- many at a time ---- */

bool pg_queue(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e)
{
	if (pg->queued == 0 && (!is_ready(pg, e) || (!PQenterPipelineMode(pg->conn) && !fail(pg, NULL, e))))
		return false;
	if (is_stopped(pg))
		return fail_stopped(e);
	pg->queued++;
	return PQsendQueryParams(pg->conn, sql, count, NULL, values, NULL, NULL, 0) || fail(pg, NULL, e);
}

/* Takes in what one statement, the n-th, said: the first failure is told, and rows replace earlier ones. */
static bool take_said(struct pg *pg, PGresult *r, bool ok, PGresult **rows_r, struct err *e)
{
	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK:
		PQclear(*rows_r);
		*rows_r = r;
		return ok;
	case PGRES_COMMAND_OK:
		break;
	default:
		if (ok)
			fail(pg, r, e);
		ok = false;
	}
	PQclear(r);
	return ok;
}

/* Of each statement there is a result and a NULL; then one for the end. */
static bool take_queue(struct pg *pg, PGresult **rows_r, size_t *failed_r, struct err *e)
{
	size_t n = 0;
	bool ok = true, got;

	for (;;) {
		PGresult *r = next_result(pg, &got, ok ? e : &(struct err){ 0 });

		if (!got)
			return false;
		if (PQresultStatus(r) == PGRES_PIPELINE_SYNC) {
			PQclear(r);
			return ok;
		}
		if (!r && PQstatus(pg->conn) != CONNECTION_OK)
			return ok ? fail(pg, NULL, e) : false;
		if (!r) {
			n++;
			continue;
		}
		if (ok)
			*failed_r = n;
		ok = take_said(pg, r, ok, rows_r, e);
	}
}

bool pg_queue_end(struct pg *pg, PGresult **rows_r, size_t *failed_r, struct err *e)
{
	PGresult *rows = NULL;
	size_t failed = 0;
	bool ok;

	if (rows_r)
		*rows_r = NULL;
	if (pg->queued == 0)
		return true;
	ok = (PQpipelineSync(pg->conn) || fail(pg, NULL, e)) && take_queue(pg, &rows, &failed, e);
	pg->queued = 0;
	if (ok && rows_r)
		*rows_r = rows;
	else
		PQclear(rows);
	if (failed_r)
		*failed_r = failed;
	return (PQexitPipelineMode(pg->conn) || (ok && fail(pg, NULL, e))) && ok;
}

/* ---- streams ---- */

bool pg_send(struct pg *pg, const char *sql, struct err *e)
{
	return is_ready(pg, e) && (PQsendQuery(pg->conn, sql) || fail(pg, NULL, e));
}

static bool await_copy(struct pg *pg, ExecStatusType wanted, struct err *e)
{
	for (;;) {
		bool got;
		PGresult *r = next_result(pg, &got, e);
		ExecStatusType status = PQresultStatus(r);
		bool passes = status == wanted || status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

		if (got && !passes)
			fail(pg, r, e);
		PQclear(r);
		if (!got || !passes || status == wanted)
			return got && passes;
	}
}

bool pg_copy_out(struct pg *pg, struct err *e)
{
	return await_copy(pg, PGRES_COPY_OUT, e);
}

static bool end_of_lines(struct pg *pg, struct err *e)
{
	bool got;
	PGresult *r = next_result(pg, &got, e);
	bool ok = r && (PQresultStatus(r) == PGRES_COMMAND_OK || fail(pg, r, e));

	PQclear(r);
	return ok || (e->class == ERR_NONE && fail(pg, NULL, e));
}

bool pg_copy_line(struct pg *pg, char **line_r, size_t *len_r, struct err *e)
{
	bool cancelled = false;
	int len;

	*line_r = NULL;
	while ((len = PQgetCopyData(pg->conn, line_r, 1)) == 0)
		if (!await(pg, &cancelled, e))
			return false;
	if (len > 0) {
		*len_r = (size_t)len;
		return true;
	}
	return end_of_lines(pg, e);
}

bool pg_copy_in(struct pg *pg, struct err *e)
{
	return await_copy(pg, PGRES_COPY_IN, e);
}

bool pg_copy_put(struct pg *pg, const char *data, size_t len, struct err *e)
{
	if (is_stopped(pg))
		return fail_stopped(e);
	return PQputCopyData(pg->conn, data, (int)len) == 1 || fail(pg, NULL, e);
}

bool pg_copy_end(struct pg *pg, bool ok, struct err *e)
{
	struct err ignored = { 0 };

	if (PQputCopyEnd(pg->conn, ok ? NULL : "given up") != 1)
		return ok && fail(pg, NULL, e);
	return end_of_lines(pg, ok ? e : &ignored) && ok;
}
