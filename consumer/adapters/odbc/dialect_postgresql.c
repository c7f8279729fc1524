/* SPDX-License-Identifier: Apache-2.0
 * PostgreSQL through psqlodbc: connections, failures and the catalogue's questions. Transactions are the driver's: it
 * does not know of one that was begun by a statement. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <string.h>

/* The driver decodes %XX and + in a password as a browser would. */
static bool password_is_legal(const char *password)
{
	return !*password || (connection_part_is_legal(password) && !strpbrk(password, "%+"));
}

/* "postgres" is there on every server: the catalogue is made from it. */
static bool is_a_database(const char *name)
{
	return database_name_is_legal(name) || strcmp(name, dialect_postgresql.server_database) == 0;
}

/* Protocol=7.4-1: a statement that fails ends its transaction; the driver would otherwise set a savepoint before each. */
static bool connection(const struct odbc_settings *s, const char *database, enum access access, struct buf *out)
{
	bool other = access == ACCESS_SOURCE && s->source_user && *s->source_user;
	const char *user = other ? s->source_user : s->user, *password = other ? s->source_password : s->password;
	const char *tls = s->tls ? s->tls : "";

	if (!connection_part_is_legal(s->driver) || !connection_part_is_legal(s->host) ||
	    !connection_part_is_legal(user) || !password_is_legal(password) || !is_a_database(database) ||
	    (*tls && !connection_part_is_legal(tls)))
		return false;
	return buf_printf(out, "Driver=%s;Server=%s;Port=%d;Database=%s;Uid=%s;Pwd=%s;Protocol=7.4-1;", s->driver, s->host,
		s->port, database, user, password) &&
	       (!*tls || buf_printf(out, "SSLmode=%s;", tls));
}

/* Nothing waits for ever: not for a lock, and not with a lock that somebody else waits for. */
#define NO_LONG_WAIT                                                                                                   \
	"SET client_encoding = 'UTF8'", "SET lock_timeout = '10s'", "SET idle_in_transaction_session_timeout = '60s'"
/* As one writes and reads a time in the sections. */
#define PLAIN_VALUES "SET datestyle = 'ISO'", "SET timezone = 'UTC'", "SET standard_conforming_strings = on"

static const char *const on_plain[] = { NO_LONG_WAIT, "SET statement_timeout = '30s'", NULL };
static const char *const on_write[] = { NO_LONG_WAIT, PLAIN_VALUES, NULL };
static const char *const on_read[] = { NO_LONG_WAIT, PLAIN_VALUES, "SET default_transaction_read_only = on", NULL };

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

static const struct sql_catalogue catalogue = {
	.has_table = "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')"
		     " AND lower(relname) = lower(CAST(? AS text)) AND pg_table_is_visible(oid)",
	.has_column = "SELECT count(*) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
		      " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND lower(c.relname) = lower(CAST(? AS text))"
		      " AND lower(a.attname) = lower(CAST(? AS text)) AND a.attnum > 0 AND NOT a.attisdropped"
		      " AND pg_table_is_visible(c.oid)",
};

static const char *const standard[] = { "standard", NULL };

const struct sql_dialect dialect_postgresql = {
	.name = "postgresql",
	.shared_statements = standard,
	.server_database = "_sandbox",
	.on_connect = { on_read, on_write, on_write, on_read },
	.lock_stamp = "SELECT one FROM sandbox_stamp WHERE one = 1 FOR SHARE",
	.folds_names = true,
	.cancels_running = true,
	.connection = connection,
	.classify = classify,
	.is_busy = is_busy,
	.commit_failed_surely = commit_failed_surely,
	.files = &dialect_postgresql_files,
	.catalogue = &catalogue,
};

const struct sql_dialect dialect_postgresql_plain = {
	.name = "postgresql",
	.shared_statements = standard,
	.on_connect = { on_plain, on_plain, on_plain, on_plain },
	.connection = connection,
	.classify = classify,
	.is_busy = is_busy,
	.commit_failed_surely = commit_failed_surely,
};
