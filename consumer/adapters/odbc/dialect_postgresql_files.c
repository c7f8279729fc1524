/* SPDX-License-Identifier: Apache-2.0
 * PostgreSQL's databases: made, closed and dropped by statements that allow no transaction around them, on connections
 * to the catalogue (handlers/sql/postgresql/_server.sql), whose functions know the roles. */
#include "consumer/adapters/odbc/server.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <stdio.h>
#include <string.h>

enum { CREATE_MAX = 512, NAME_MAX_BYTES = 61 }; /* two more are needed for the names of its roles */

static const char where[] = "postgresql";
static const char first_database[] = "postgres"; /* is there on every server */

static bool is_catalogue(const char *database)
{
	return strcmp(database, dialect_postgresql.server_database) == 0;
}

/* A connection to the catalogue, given back by server_give. */
static struct link *take(const struct odbc_settings *s, const char *database, struct err *e)
{
	if (!is_catalogue(database) && (!database_name_is_legal(database) || strlen(database) > NAME_MAX_BYTES)) {
		err_set(e, ERR_REFUSED, 0, where, "that is no name of a database");
		return NULL;
	}
	return server_take(s->server, is_catalogue(database) ? first_database : dialect_postgresql.server_database,
			   ACCESS_WRITE, NULL, e);
}

static bool one_number(const struct odbc_settings *s, const char *database, const char *sql, int64_t *number_r,
		       struct err *e)
{
	struct link *l = take(s, database, e);
	bool found = false, ok;

	*number_r = 0;
	ok = l && conn_number(l->conn, sql, &TEXT(database), 1, number_r, &found, e);
	server_give(s->server, &l);
	return ok;
}

/* One that allows no connections is being made, or was left in the middle of that. */
static bool exists(const struct odbc_settings *s, const char *database, bool *exists_r, struct err *e)
{
	int64_t count;

	if (!one_number(s, database, "SELECT count(*) FROM pg_database WHERE datname = CAST(? AS name) AND datallowconn",
			&count, e))
		return false;
	*exists_r = count > 0;
	return true;
}

static bool identity(const struct odbc_settings *s, const char *database, char *out, size_t size, struct err *e)
{
	int64_t oid;

	if (is_catalogue(database) || strcmp(database, first_database) == 0) {
		snprintf(out, size, "%s", database); /* asking would need a connection to it */
		return true;
	}
	if (!one_number(s, database, "SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = CAST(? AS name)", &oid, e))
		return false;
	if (oid == 0)
		return err_set(e, ERR_REFUSED, 0, where, "there is no database %s", database);
	snprintf(out, size, "%lld", (long long)oid);
	return true;
}

static bool statement(struct conn *c, const char *before, const char *database, const char *after, struct err *e)
{
	struct buf sql;
	bool ok;

	buf_init(&sql, CREATE_MAX);
	ok = (buf_add_text(&sql, before) && sql_quote_name(&sql, database) && buf_add_text(&sql, after)) ||
	     err_set(e, ERR_MISUSE, 0, where, "the name of a database is too long");
	ok = ok && conn_exec(c, buf_text(&sql), NULL, 0, NULL, e);
	buf_done(&sql);
	return ok;
}

static bool call(struct conn *c, const char *sql, const char *database, struct err *e)
{
	int64_t ignored;
	bool found;

	return conn_number(c, sql, &TEXT(database), 1, &ignored, &found, e);
}

/* Nobody can connect before everybody's right to is gone; the roles of those who will may be there from an earlier try. */
static bool make(struct conn *c, const char *database, bool is_there, struct err *e)
{
	if (!is_there && !statement(c, "CREATE DATABASE ", database,
				    " TEMPLATE template0 ENCODING 'UTF8' ALLOW_CONNECTIONS false", e))
		return false;
	if (!statement(c, "REVOKE ALL ON DATABASE ", database, " FROM PUBLIC", e))
		return false;
	return (is_catalogue(database) || call(c, "SELECT sandbox_make_roles(CAST(? AS text))", database, e)) &&
	       statement(c, "ALTER DATABASE ", database, " ALLOW_CONNECTIONS true", e);
}

/* Another consumer may make the catalogue at the same time: then it is there when we have failed. */
static bool create(const struct odbc_settings *s, const char *database, struct err *e)
{
	struct link *l = take(s, database, e);
	int64_t state = 0; /* 0 not there, 1 closed to all, 2 ready */
	bool found, ok;

	ok = l && conn_number(l->conn, "SELECT CASE WHEN datallowconn THEN 2 ELSE 1 END FROM pg_database"
			      " WHERE datname = CAST(? AS name)", &TEXT(database), 1, &state, &found, e);
	if (ok && state < 2)
		ok = make(l->conn, database, state == 1, e);
	server_give(s->server, &l);
	if (!ok && is_catalogue(database)) {
		struct err ignored = { 0 };
		bool there = false;

		ok = exists(s, database, &there, &ignored) && there;
		if (ok)
			err_clear(e);
	}
	return ok;
}

static bool drop(const struct odbc_settings *s, const char *database, struct err *e)
{
	struct link *l;
	bool ok;

	if (is_catalogue(database))
		return err_set(e, ERR_MISUSE, 0, where, "the catalogue is not dropped");
	if (s->passes)
		s->passes->forget(s->passes, database);
	l = take(s, database, e);
	ok = l && statement(l->conn, "DROP DATABASE IF EXISTS ", database, " WITH (FORCE)", e) &&
	     call(l->conn, "SELECT sandbox_drop_roles(CAST(? AS text))", database, e);
	server_give(s->server, &l);
	return ok;
}

static bool close_to_others(const struct odbc_settings *s, const char *database, bool closed, struct err *e)
{
	struct link *l = take(s, database, e);
	bool ok = l && call(l->conn, closed ? "SELECT sandbox_close(CAST(? AS text))" : "SELECT sandbox_open(CAST(? AS text))",
			    database, e);

	server_give(s->server, &l);
	return ok;
}

const struct sql_files dialect_postgresql_files = {
	.exists = exists,
	.identity = identity,
	.create = create,
	.drop = drop,
	.close_to_others = close_to_others,
};
