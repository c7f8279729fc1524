/* SPDX-License-Identifier: Apache-2.0
 * The inside of a connection, for conn.c and conn_read.c alone. */
#ifndef SANDBOX_ODBC_CONN_PRIV_H
#define SANDBOX_ODBC_CONN_PRIV_H

#include "consumer/adapters/odbc/conn.h"

#include <pthread.h>
#include <sql.h>
#include <sqlext.h>

enum { COLUMNS_MAX = 1024 }; /* of a table of SQL Server */

struct conn {
	SQLHDBC dbc;
	/* Never executes anything: cancelling through it interrupts the connection without touching the statement
	 * that the other thread is using (sqliteodbc frees the results of the one it cancels). */
	SQLHSTMT idle;
	pthread_mutex_t lock; /* of what runs: cancelling must not meet a statement that is being freed */
	SQLHSTMT running;
	const struct sql_dialect *dialect;
	const atomic_bool *_Atomic stop;
	_Atomic int64_t started_ms; /* of the statement that runs, 0 when none */
	atomic_bool timed_out;
	_Atomic int64_t timeout_ms;
	int64_t busy_ms;
	bool in_transaction, tainted;
	atomic_int percent; /* of the backup or restore that runs */
	struct kept { /* prepared; sql NULL: free */
		const char *sql;
		SQLHSTMT stmt;
	} kept[KEPT_MAX];
	char *row; /* the cells of one row, one behind the other */
	size_t row_size;
	size_t usual[COLUMNS_MAX]; /* how long the column's last cell was */
};

/* Fills *e from all diagnostic records of the handle; native_r may be NULL. Always false. */
bool conn_fail(struct conn *c, SQLSMALLINT type, SQLHANDLE handle, int *native_r, struct err *e);
bool conn_is_stopped(const struct conn *c);
bool conn_fail_stopped(struct err *e);
/* Executes; on success the caller frees *stmt_r. Repeats what failed only because of a lock. */
bool conn_run(struct conn *c, const char *sql, const struct bind *binds, size_t count, SQLHSTMT *stmt_r, int *native_r,
	      struct err *e);
/* An error behind the first result shows only when the rest is asked for. */
bool conn_drain(struct conn *c, SQLHSTMT stmt, struct err *e);

#endif
