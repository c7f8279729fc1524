/* SPDX-License-Identifier: Apache-2.0
 * PostgreSQL through psqlodbc: connections and failures, for the tables of the tenant-state updater. Transactions are
 * the driver's: it does not know of one that was begun by a statement. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <string.h>

/* The driver decodes %XX and + in a password as a browser would. */
static bool password_is_legal(const char *password)
{
	return !*password || (connection_part_is_legal(password) && !strpbrk(password, "%+"));
}

/* Protocol=7.4-1: a statement that fails ends its transaction; the driver would otherwise set a savepoint before each. */
static bool connection(const struct odbc_settings *s, const char *database, enum access access, struct buf *out)
{
	(void)access;
	if (!connection_part_is_legal(s->driver) || !connection_part_is_legal(s->host) ||
	    !connection_part_is_legal(s->user) || !password_is_legal(s->password) || !database_name_is_legal(database))
		return false;
	return buf_printf(out, "Driver=%s;Server=%s;Port=%d;Database=%s;Uid=%s;Pwd=%s;Protocol=7.4-1;", s->driver, s->host,
		s->port, database, s->user, s->password);
}

/* Nothing waits for ever: not for a lock, and not with a lock that somebody else waits for. */
static const char *const on_connect[] = { "SET client_encoding = 'UTF8'", "SET statement_timeout = '30s'",
					  "SET lock_timeout = '10s'",
					  "SET idle_in_transaction_session_timeout = '60s'", NULL };

/* By the two characters that say which class of SQLSTATE it is. */
static enum err_class classify(const char *sqlstate, int native, const char **hint_r)
{
	static const struct {
		const char *begin, *hint;
	} passing[] = {
		{ "08", "the server cannot be reached" }, { "40", "another transaction was in the way" },
		{ "53", "the server is short of something" }, { "55", "another connection holds the lock" },
		{ "57", "the server ended the statement" }, { "58", "the server's system failed" },
		{ "HYT", "the server did not answer in time" }, { "HY000", NULL }, { "01000", NULL }, { "25", NULL },
	};

	(void)native;
	*hint_r = NULL;
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
		if (strncmp(sqlstate, passing[i].begin, strlen(passing[i].begin)) != 0)
			continue;
		*hint_r = passing[i].hint;
		return ERR_TRANSIENT;
	}
	return ERR_REFUSED;
}

/* The server waits for locks by itself. */
static bool is_busy(int native)
{
	(void)native;
	return false;
}

static bool commit_failed_surely(int native)
{
	(void)native;
	return false;
}

const struct sql_dialect dialect_postgresql = {
	.name = "postgresql",
	.on_connect = { on_connect, on_connect, on_connect },
	.connection = connection,
	.classify = classify,
	.is_busy = is_busy,
	.commit_failed_surely = commit_failed_surely,
};
