/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/conn_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BINDS_MAX = 64, DIAGS_MAX = 8, LOGIN_S = 15, WIDE_MAX = 4000 };

/* ---- environment ---- */

struct odbc_env {
	SQLHENV handle;
};

struct odbc_env *odbc_env_new(struct err *e)
{
	struct odbc_env *env = calloc(1, sizeof *env);

	if (!env || !SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env->handle))) {
		free(env);
		err_set(e, ERR_TRANSIENT, 0, "odbc", "the ODBC driver manager gave no environment");
		return NULL;
	}
	SQLSetEnvAttr(env->handle, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
	return env;
}

void odbc_env_free(struct odbc_env **env)
{
	if (!env || !*env)
		return;
	SQLFreeHandle(SQL_HANDLE_ENV, (*env)->handle);
	free(*env);
	*env = NULL;
}

int64_t conn_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- diagnostics ---- */

/* Driver and manager put their names in brackets in front: "[SQLite]no such table". */
static const char *without_brackets(const char *text)
{
	while (*text == '[') {
		const char *end = strchr(text, ']');

		if (!end)
			break;
		text = end + 1;
	}
	return text;
}

bool conn_is_stopped(const struct conn *c)
{
	const atomic_bool *stop = atomic_load(&c->stop);

	return stop && atomic_load(stop);
}

/* Asked after every error: a driver may call a lost connection by many numbers. */
static bool is_dead(const struct conn *c)
{
	SQLUINTEGER dead = SQL_CD_FALSE;

	return SQL_SUCCEEDED(SQLGetConnectAttr(c->dbc, SQL_ATTR_CONNECTION_DEAD, &dead, SQL_IS_UINTEGER, NULL)) &&
	       dead == SQL_CD_TRUE;
}

/* Some of the database's own numbers (9001 to 9004 of SQL Server) are ours for something else. */
static int code_of(int native)
{
	return native >= ERR_CODE_FENCED && native < ERR_CODE_FENCED + 100 ? -native : native;
}

bool conn_fail_stopped(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, "odbc", "the statement was cancelled because the step ends");
}

/* Reads all records of the handle; the class comes from the first that says anything worse than success. */
bool conn_fail(struct conn *c, SQLSMALLINT type, SQLHANDLE handle, int *native_r, struct err *e)
{
	SQLCHAR state[6] = "", text[1024] = "", first_state[6] = "", first[1024] = "";
	enum err_class class = ERR_NONE;
	const char *hint = NULL;
	SQLINTEGER native = 0;
	SQLSMALLINT len;
	int first_native = 0;

	for (SQLSMALLINT i = 1; i <= DIAGS_MAX; i++) {
		if (!SQL_SUCCEEDED(SQLGetDiagRec(type, handle, i, state, &native, text, sizeof text, &len)))
			break;
		if (class != ERR_NONE)
			continue;
		first_native = (int)native;
		memcpy(first_state, state, sizeof first_state);
		memcpy(first, text, sizeof first);
		class = c->dialect->classify((const char *)state, (int)native, &hint);
	}
	if (class == ERR_NONE)
		class = ERR_TRANSIENT;
	if (native_r)
		*native_r = first_native;
	if (class != ERR_REFUSED || is_dead(c))
		c->tainted = true;
	if (conn_is_stopped(c))
		return conn_fail_stopped(e);
	if (atomic_load(&c->timed_out))
		return err_set(e, ERR_TRANSIENT, code_of(first_native), "odbc",
			       "the statement ran longer than %" PRId64 " ms and was cancelled", c->timeout_ms);
	return err_set(e, class, code_of(first_native), "odbc", "%s%s%.180s (%s, %d)", hint ? hint : "", hint ? ": " : "",
		       without_brackets((const char *)first), first_state, first_native);
}

/* ---- connecting ---- */

/* What the first record with a number means: one without says only that the connection was not made. */
static const char *meaning_of_refusal(struct conn *c)
{
	SQLCHAR state[6] = "", text[256] = "";
	const char *hint = NULL;
	SQLINTEGER native = 0;
	SQLSMALLINT len;

	for (SQLSMALLINT i = 1; i <= DIAGS_MAX && !hint; i++) {
		if (!SQL_SUCCEEDED(SQLGetDiagRec(SQL_HANDLE_DBC, c->dbc, i, state, &native, text, sizeof text, &len)))
			break;
		if (native != 0)
			c->dialect->classify((const char *)state, (int)native, &hint);
	}
	return hint;
}

/* The manager's message may repeat the connection string: only its state and number are told, and what they mean. */
static void refuse_connection(struct conn *c, struct err *e)
{
	SQLCHAR state[6] = "", text[256] = "";
	struct err inner = { 0 };
	const char *hint = meaning_of_refusal(c);
	SQLINTEGER ignored;
	SQLSMALLINT len;
	int native = 0;

	SQLGetDiagRec(SQL_HANDLE_DBC, c->dbc, 1, state, &ignored, text, sizeof text, &len);
	conn_fail(c, SQL_HANDLE_DBC, c->dbc, &native, &inner);
	if (native == 0 && strncmp((const char *)state, "08", 2) != 0 && strncmp((const char *)state, "HYT", 3) != 0)
		/* from the manager, not from a driver */
		err_set(e, ERR_REFUSED, 0, "odbc", "the ODBC driver could not be loaded (state %.5s)",
			(const char *)state);
	else
		err_set(e, inner.class, native, "odbc", "the database could not be opened%s%s (driver error %d)",
			hint ? ": " : "", hint ? hint : "", native);
}

static bool connect_to(struct conn *c, struct odbc_env *env, const char *connection, enum access access, struct err *e)
{
	if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, env->handle, &c->dbc)))
		return err_set(e, ERR_TRANSIENT, 0, "odbc", "the ODBC driver manager gave no connection");
	SQLSetConnectAttr(c->dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)(uintptr_t)LOGIN_S, SQL_IS_UINTEGER);
	if (!SQL_SUCCEEDED(SQLDriverConnect(c->dbc, NULL, (SQLCHAR *)(uintptr_t)connection, SQL_NTS, NULL, 0, NULL,
					    SQL_DRIVER_NOPROMPT))) {
		refuse_connection(c, e);
		SQLFreeHandle(SQL_HANDLE_DBC, c->dbc);
		c->dbc = NULL;
		return false;
	}
	if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, c->dbc, &c->idle)))
		return err_set(e, ERR_TRANSIENT, 0, "odbc", "the driver gave no statement");
	for (const char *const *sql = c->dialect->on_connect[access]; *sql; sql++)
		if (!conn_exec(c, *sql, NULL, 0, NULL, e))
			return false;
	return true;
}

struct conn *conn_open(struct odbc_env *env, const struct sql_dialect *dialect, const char *connection,
		       enum access access, const struct odbc_settings *settings, struct err *e)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c) {
		err_set(e, ERR_TRANSIENT, 0, "odbc", "out of memory");
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->dialect = dialect;
	c->timeout_ms = settings->query_timeout_ms;
	c->busy_ms = settings->busy_timeout_ms;
	if (!connect_to(c, env, connection, access, e))
		conn_close(&c);
	return c;
}

static void forget_kept(struct kept *k)
{
	if (k->sql)
		SQLFreeHandle(SQL_HANDLE_STMT, k->stmt);
	k->sql = NULL;
}

void conn_close(struct conn **cp)
{
	struct conn *c = cp ? *cp : NULL;

	if (!c)
		return;
	for (size_t i = 0; i < KEPT_MAX; i++)
		forget_kept(&c->kept[i]);
	if (c->idle)
		SQLFreeHandle(SQL_HANDLE_STMT, c->idle);
	if (c->dbc) {
		SQLDisconnect(c->dbc);
		SQLFreeHandle(SQL_HANDLE_DBC, c->dbc);
	}
	pthread_mutex_destroy(&c->lock);
	free(c->row);
	free(c);
	*cp = NULL;
}

void conn_obey(struct conn *c, const atomic_bool *stop)
{
	atomic_store(&c->stop, stop);
}

bool conn_is_tainted(const struct conn *c)
{
	return c->tainted;
}

void conn_interrupt_if_due(struct conn *c, int64_t now_ms)
{
	int64_t started_ms = atomic_load(&c->started_ms);

	if (!started_ms)
		return;
	if (c->timeout_ms > 0 && now_ms - started_ms > c->timeout_ms)
		atomic_store(&c->timed_out, true);
	else if (!conn_is_stopped(c))
		return;
	if (!c->dialect->cancels_running) {
		SQLCancel(c->idle);
		return;
	}
	pthread_mutex_lock(&c->lock);
	if (c->running)
		SQLCancel(c->running);
	pthread_mutex_unlock(&c->lock);
}

/* ---- executing ---- */

/* A backup or restore tells as it goes how far it is, each time with one more result. */
static void note_progress(struct conn *c, SQLHSTMT stmt, SQLRETURN rc)
{
	SQLCHAR state[6] = "", text[128] = "";
	SQLINTEGER native = 0;
	SQLSMALLINT len;

	if (rc != SQL_SUCCESS_WITH_INFO || !c->dialect->progress_native)
		return;
	for (SQLSMALLINT i = 1; i <= DIAGS_MAX; i++) {
		if (!SQL_SUCCEEDED(SQLGetDiagRec(SQL_HANDLE_STMT, stmt, i, state, &native, text, sizeof text, &len)))
			return;
		if (native == c->dialect->progress_native)
			atomic_store(&c->percent, atoi(without_brackets((const char *)text)));
	}
}

void conn_limit(struct conn *c, int64_t timeout_ms)
{
	c->timeout_ms = timeout_ms;
}

int conn_percent(struct conn *c)
{
	return atomic_load(&c->percent);
}

static void runs_now(struct conn *c, SQLHSTMT stmt)
{
	pthread_mutex_lock(&c->lock);
	c->running = stmt;
	pthread_mutex_unlock(&c->lock);
	if (stmt)
		atomic_store(&c->timed_out, false);
	atomic_store(&c->started_ms, stmt ? conn_clock_ms() : 0);
}

static SQLSMALLINT type_of_text(const struct conn *c, size_t len)
{
	if (!c->dialect->wide_texts)
		return SQL_VARCHAR;
	return len > WIDE_MAX ? SQL_WLONGVARCHAR : SQL_WVARCHAR;
}

static bool bind_all(struct conn *c, SQLHSTMT stmt, const struct bind *binds, SQLLEN *lengths, size_t count,
		     struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct bind *b = &binds[i];
		bool is_number = b->kind == BIND_NUMBER;
		size_t len = b->kind == BIND_TEXT ? strlen(b->text) : b->len;
		SQLPOINTER data = is_number ? (SQLPOINTER)(uintptr_t)&b->number : (SQLPOINTER)(uintptr_t)b->text;

		if (b->kind == BIND_NULL)
			lengths[i] = SQL_NULL_DATA;
		else if (is_number)
			lengths[i] = sizeof b->number;
		else /* a terminated text is not copied by the driver */
			lengths[i] = b->kind == BIND_TEXT ? SQL_NTS : (SQLLEN)b->len;
		if (!SQL_SUCCEEDED(SQLBindParameter(
			stmt, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, is_number ? SQL_C_SBIGINT : SQL_C_CHAR,
			is_number ? SQL_BIGINT : type_of_text(c, len), len ? len : 1, 0, data, (SQLLEN)len, &lengths[i])))
			return conn_fail(c, SQL_HANDLE_STMT, stmt, NULL, e);
	}
	return true;
}

static bool execute(struct conn *c, SQLHSTMT stmt, const char *sql, const struct bind *binds, size_t count,
		    int *native_r, struct err *e)
{
	SQLLEN lengths[BINDS_MAX];
	SQLRETURN rc;

	/* Prepared, it would be a scope of its own to SQL Server, at whose end settings and session tables are gone. */
	if (count == 0) {
		rc = SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS);
		note_progress(c, stmt, rc);
		return SQL_SUCCEEDED(rc) || rc == SQL_NO_DATA || conn_fail(c, SQL_HANDLE_STMT, stmt, native_r, e);
	}
	rc = SQLPrepare(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS);
	if (!SQL_SUCCEEDED(rc))
		return conn_fail(c, SQL_HANDLE_STMT, stmt, native_r, e);
	if (!bind_all(c, stmt, binds, lengths, count, e))
		return false;
	rc = SQLExecute(stmt);
	note_progress(c, stmt, rc);
	if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
		return conn_fail(c, SQL_HANDLE_STMT, stmt, native_r, e);
	return true;
}

/* Repeats what failed only because of a lock for busy_ms: here, not in the driver, whose waiting cannot be ended. */
bool conn_run(struct conn *c, const char *sql, const struct bind *binds, size_t count, SQLHSTMT *stmt_r, int *native_r,
	      struct err *e)
{
	int64_t give_up_ms = conn_clock_ms() + c->busy_ms;
	bool ok, was_tainted = c->tainted;
	int native = 0;

	if (count > BINDS_MAX)
		return err_set(e, ERR_MISUSE, 0, "odbc", "a statement has more than %d values", BINDS_MAX);
	for (;;) {
		struct err inner = { 0 };

		if (conn_is_stopped(c))
			return conn_fail_stopped(e);
		if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, c->dbc, stmt_r)))
			return err_set(e, ERR_TRANSIENT, 0, "odbc", "the driver gave no statement");
		runs_now(c, *stmt_r);
		ok = execute(c, *stmt_r, sql, binds, count, &native, &inner);
		runs_now(c, NULL);
		if (ok)
			return true;
		SQLFreeHandle(SQL_HANDLE_STMT, *stmt_r);
		*stmt_r = NULL;
		if (!c->dialect->is_busy(native) || conn_clock_ms() >= give_up_ms) {
			if (native_r)
				*native_r = native;
			return err_set(e, inner.class, inner.code, inner.where, "%s", inner.text);
		}
		c->tainted = was_tainted;
	}
}

bool conn_drain(struct conn *c, SQLHSTMT stmt, struct err *e)
{
	SQLRETURN rc;

	runs_now(c, stmt); /* most of a backup's time is spent here */
	while (SQL_SUCCEEDED(rc = SQLMoreResults(stmt)))
		note_progress(c, stmt, rc);
	runs_now(c, NULL);
	return rc == SQL_NO_DATA || conn_fail(c, SQL_HANDLE_STMT, stmt, NULL, e);
}

bool conn_exec(struct conn *c, const char *sql, const struct bind *binds, size_t count, int64_t *rows_r, struct err *e)
{
	SQLHSTMT stmt;
	SQLLEN rows = 0;
	bool ok;

	if (!conn_run(c, sql, binds, count, &stmt, NULL, e))
		return false;
	if (!SQL_SUCCEEDED(SQLRowCount(stmt, &rows)) || rows < 0)
		rows = 0;
	ok = conn_drain(c, stmt, e);
	SQLFreeHandle(SQL_HANDLE_STMT, stmt);
	if (ok && rows_r)
		*rows_r = (int64_t)rows;
	return ok;
}

/* ---- statements that stay prepared ---- */

/* The one of that text, prepared now when it is not there; NULL and *e on failure. */
static struct kept *keep(struct conn *c, const char *sql, struct err *e)
{
	struct kept *k = NULL;

	for (size_t i = 0; i < KEPT_MAX; i++) {
		if (c->kept[i].sql == sql)
			return &c->kept[i];
		if (!c->kept[i].sql)
			k = &c->kept[i];
	}
	if (!k) {
		k = &c->kept[0];
		forget_kept(k);
	}
	if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, c->dbc, &k->stmt))) {
		err_set(e, ERR_TRANSIENT, 0, "odbc", "the driver gave no statement");
		return NULL;
	}
	k->sql = sql;
	if (SQL_SUCCEEDED(SQLPrepare(k->stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS)))
		return k;
	conn_fail(c, SQL_HANDLE_STMT, k->stmt, NULL, e);
	forget_kept(k);
	return NULL;
}

static bool execute_kept(struct conn *c, struct kept *k, const struct bind *binds, size_t count, int64_t *rows_r,
			 struct err *e)
{
	SQLLEN lengths[BINDS_MAX], rows = 0;
	SQLRETURN rc;

	if (!bind_all(c, k->stmt, binds, lengths, count, e))
		return false;
	rc = SQLExecute(k->stmt);
	if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
		return conn_fail(c, SQL_HANDLE_STMT, k->stmt, NULL, e);
	if (rows_r)
		*rows_r = SQL_SUCCEEDED(SQLRowCount(k->stmt, &rows)) && rows > 0 ? (int64_t)rows : 0;
	return conn_drain(c, k->stmt, e) && SQL_SUCCEEDED(SQLFreeStmt(k->stmt, SQL_CLOSE)) &&
	       SQL_SUCCEEDED(SQLFreeStmt(k->stmt, SQL_RESET_PARAMS));
}

bool conn_exec_kept(struct conn *c, const char *sql, const struct bind *binds, size_t count, int64_t *rows_r,
		    struct err *e)
{
	struct kept *k;
	bool ok;

	if (count > BINDS_MAX)
		return err_set(e, ERR_MISUSE, 0, "odbc", "a statement has more than %d values", BINDS_MAX);
	if (conn_is_stopped(c))
		return conn_fail_stopped(e);
	k = keep(c, sql, e);
	if (!k)
		return false;
	runs_now(c, k->stmt);
	ok = execute_kept(c, k, binds, count, rows_r, e);
	runs_now(c, NULL);
	if (!ok) {
		forget_kept(k);
		err_set(e, ERR_TRANSIENT, 0, "odbc", "the statement could not be made ready again");
	}
	return ok;
}
