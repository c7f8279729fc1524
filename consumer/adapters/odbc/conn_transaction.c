/* SPDX-License-Identifier: Apache-2.0
 * Transactions of a connection, and what is known when one could not be committed. */
#include "consumer/adapters/odbc/conn_priv.h"

#include <stdlib.h>

/* Transactions of the driver, for a dialect that has no statements for them. */
static bool set_auto_commit(struct conn *c, bool on, struct err *e)
{
	SQLPOINTER value = (SQLPOINTER)(uintptr_t)(on ? SQL_AUTOCOMMIT_ON : SQL_AUTOCOMMIT_OFF);

	return SQL_SUCCEEDED(SQLSetConnectAttr(c->dbc, SQL_ATTR_AUTOCOMMIT, value, SQL_IS_UINTEGER)) ||
	       conn_fail(c, SQL_HANDLE_DBC, c->dbc, NULL, e);
}

static bool begin(struct conn *c, const char *statement, struct err *e)
{
	c->in_transaction = statement ? conn_exec(c, statement, NULL, 0, NULL, e) : set_auto_commit(c, false, e);
	return c->in_transaction;
}

static bool end_by_driver(struct conn *c, SQLSMALLINT how, struct err *e)
{
	bool ok = SQL_SUCCEEDED(SQLEndTran(SQL_HANDLE_DBC, c->dbc, how)) || conn_fail(c, SQL_HANDLE_DBC, c->dbc, NULL, e);

	if (!set_auto_commit(c, true, e))
		c->tainted = true; /* what was committed is */
	return ok;
}

/* Whether it was done is not known when the driver says no, unless the server told why not. */
static bool commit_by_driver(struct conn *c, struct err *e)
{
	struct err inner = { 0 };

	if (conn_is_stopped(c)) {
		conn_rollback(c);
		return conn_fail_stopped(e);
	}
	c->in_transaction = false;
	if (end_by_driver(c, SQL_COMMIT, &inner))
		return true;
	c->tainted = true;
	if (!inner.code || !c->dialect->commit_failed_surely(abs(inner.code)))
		inner.class = ERR_UNSURE;
	return err_set(e, inner.class, inner.code, inner.where, "%.200s", inner.text);
}

bool conn_begin_read(struct conn *c, struct err *e)
{
	return begin(c, c->dialect->begin_read, e);
}

bool conn_begin_write(struct conn *c, struct err *e)
{
	return begin(c, c->dialect->begin_write, e);
}

bool conn_commit(struct conn *c, struct err *e)
{
	struct err inner = { 0 };
	SQLHSTMT stmt = NULL;
	int native = 0;

	if (!c->dialect->commit)
		return commit_by_driver(c, e);
	if (conn_run(c, c->dialect->commit, NULL, 0, &stmt, &native, &inner)) {
		SQLFreeHandle(SQL_HANDLE_STMT, stmt);
		c->in_transaction = false;
		return true;
	}
	/* native 0: it was never sent, for we were stopped before */
	if (native != 0 && !c->dialect->commit_failed_surely(native))
		inner.class = ERR_UNSURE;
	conn_rollback(c);
	c->tainted = true;
	return err_set(e, inner.class, inner.code, inner.where, "%.200s", inner.text);
}

void conn_rollback(struct conn *c)
{
	const atomic_bool *stop = atomic_load(&c->stop);
	struct err ignored = { 0 };
	bool was_tainted = c->tainted;

	if (!c->in_transaction)
		return;
	c->in_transaction = false;
	if (!c->dialect->rollback) {
		if (!end_by_driver(c, SQL_ROLLBACK, &ignored))
			c->tainted = true;
		return;
	}
	/* Also for one that was told to stop. "There is no transaction" means that the database rolled back itself. */
	atomic_store(&c->stop, NULL);
	if (!conn_exec(c, c->dialect->rollback, NULL, 0, NULL, &ignored))
		was_tainted = true;
	c->tainted = was_tainted;
	atomic_store(&c->stop, stop);
}
