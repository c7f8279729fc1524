/* SPDX-License-Identifier: Apache-2.0
 * One ODBC connection: statements in, rows out, every diagnostic looked at. Only conn*.c call ODBC. */
#ifndef SANDBOX_ODBC_CONN_H
#define SANDBOX_ODBC_CONN_H

#include "consumer/adapters/odbc/dialect.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A cell never grows beyond this; a page of a copy is far smaller unless a single row is that large. */
#define CELL_MAX_BYTES ((size_t)1 << 30)

struct odbc_env; /* the ODBC environment of a process */

/* NULL and *e filled when the driver manager fails. */
struct odbc_env *odbc_env_new(struct err *e);
void odbc_env_free(struct odbc_env **env);

struct conn; /* used by one thread at a time, except conn_interrupt */

struct bind { /* a value for one '?' */
	enum bind_kind { BIND_NULL, BIND_NUMBER, BIND_TEXT, BIND_BYTES } kind;
	int64_t number;
	const char *text; /* BIND_TEXT: NUL-terminated; BIND_BYTES: text of len bytes, may hold NUL */
	size_t len;
};

#define NUMBER(n) ((struct bind){ .kind = BIND_NUMBER, .number = (n) })
#define TEXT(t)   ((struct bind){ .kind = BIND_TEXT, .text = (t) })

struct cell {                    /* borrowed until the row callback returns */
	bool is_null, is_number; /* is_number: the column is an integer type and the value is one */
	int64_t number;          /* of any text that is a whole number, else 0 */
	const char *text;        /* NUL-terminated; "" when NULL */
	size_t len;
};

typedef bool conn_row_fn(void *arg, const struct cell *cells, size_t count, struct err *e); /* false ends the reading */

/* Connects by a checked connection string and prepares the session. NULL and *e filled on failure. */
struct conn *conn_open(struct odbc_env *env, const struct sql_dialect *dialect, const char *connection,
		       enum access access, const struct odbc_settings *settings, struct err *e);
/* Disconnecting rolls back. NULL-safe. */
void conn_close(struct conn **c);

/* Whose stop flag counts from now on, NULL for nobody's. It is looked at before and after every statement: when it is
 * set everything fails with ERR_CODE_ABORTED. */
void conn_obey(struct conn *c, const atomic_bool *stop);
/* Something happened that makes the connection unfit for another use. */
bool conn_is_tainted(const struct conn *c);

/* From any thread: cancels the statement that runs, if it ran too long or its owner was told to stop. */
void conn_interrupt_if_due(struct conn *c, int64_t now_ms);
int64_t conn_clock_ms(void);

/* A statement without results. *rows_r, which may be NULL, is what it changed. SQL_NO_DATA is success. */
bool conn_exec(struct conn *c, const char *sql, const struct bind *binds, size_t count, int64_t *rows_r, struct err *e);
/* The same for one that is executed again and again: it stays prepared. sql must be the very same text, unchanged, for
 * the life of the connection; at most KEPT_MAX of them. */
enum { KEPT_MAX = 8 };
bool conn_exec_kept(struct conn *c, const char *sql, const struct bind *binds, size_t count, int64_t *rows_r,
		    struct err *e);
/* How long each of the next statements may run; 0 is no limit. */
void conn_limit(struct conn *c, int64_t timeout_ms);
/* From any thread: how far the backup or restore that runs here says it is; it starts anew at 0 by itself. */
int conn_percent(struct conn *c);
/* A statement with results: fn for each row; reading ends early, and with success, when fn returns false without
 * filling *e. */
bool conn_query(struct conn *c, const char *sql, const struct bind *binds, size_t count, conn_row_fn *fn, void *arg,
		struct err *e);
/* First column of the first row as a number; *found_r false when there is no row or it is NULL. */
bool conn_number(struct conn *c, const char *sql, const struct bind *binds, size_t count, int64_t *value_r,
		 bool *found_r, struct err *e);
/* First column of the first row appended to *out, whose end marks NULL by *found_r false. */
bool conn_text(struct conn *c, const char *sql, const struct bind *binds, size_t count, struct buf *out, bool *found_r,
	       struct err *e);

/* Transactions; begin_write takes the write lock at once. conn_rollback does nothing outside one and never fails. */
bool conn_begin_read(struct conn *c, struct err *e);
bool conn_begin_write(struct conn *c, struct err *e);
/* UNSURE when the answer was lost. */
bool conn_commit(struct conn *c, struct err *e);
void conn_rollback(struct conn *c);

#endif
