/* SPDX-License-Identifier: Apache-2.0
 * The test world's databases on a PostgreSQL of its own. */
#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/dialect.h"
#include "tests/support/postgres_server.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- connections ---- */

static struct conn *connect_as(const struct world *w, const char *database, const char *user, const char *password,
			       struct err *e)
{
	static struct odbc_env *env;
	const struct odbc_settings settings = { .dialect = "postgresql", .driver = "PostgreSQL ANSI", .host = "127.0.0.1",
						.port = w->postgres->port, .user = user };
	char connection[512];

	if (!env)
		env = odbc_env_new(e);
	snprintf(connection, sizeof connection,
		 "Driver=PostgreSQL ANSI;Server=127.0.0.1;Port=%d;Database=%s;Uid=%s;Pwd=%s;Protocol=7.4-1;BoolsAsChar=0;",
		 w->postgres->port, database, user, password);
	return env ? conn_open(env, &dialect_postgresql_plain, connection, ACCESS_WRITE, &settings, e) : NULL;
}

struct conn *world_postgres_connect(const struct world *w, const char *database)
{
	struct err e = { 0 };
	struct conn *c = connect_as(w, database, "tenants", "", &e);

	ck_assert_msg(c, "%s: %s", database, e.text);
	return c;
}

static void exec(const struct world *w, const char *database, const char *sql)
{
	struct conn *c = world_postgres_connect(w, database);
	struct err e = { 0 };

	ck_assert_msg(conn_exec(c, sql, NULL, 0, NULL, &e), "%s: %s", sql, e.text);
	conn_close(&c);
}

/* ---- life ---- */

static void make_database(const struct world *w, const char *name, const char *owner, const char *rows)
{
	char sql[200];
	struct conn *c;
	struct err e = { 0 };

	snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\" OWNER %s", name, owner);
	exec(w, "postgres", sql);
	c = world_postgres_connect(w, name);
	snprintf(sql, sizeof sql, "SET ROLE %s", owner);
	ck_assert_msg(conn_exec(c, sql, NULL, 0, NULL, &e), "%s", e.text);
	ck_assert_msg(conn_begin_write(c, &e), "%s", e.text);
	world_run_script(c, "customer_tables.sql", true);
	world_run_script(c, rows, true);
	ck_assert_msg(conn_commit(c, &e), "%s", e.text);
	conn_close(&c);
}

/* As docs/databases.md says: the cloner is no superuser, and the reader can only read. */
static void make_roles(const struct world *w)
{
	static const char *const roles[] = {
		"CREATE ROLE crm",
		"CREATE ROLE cloner LOGIN CREATEDB CREATEROLE",
		"GRANT pg_signal_backend TO cloner",
		"CREATE ROLE reader LOGIN",
		"CREATE ROLE customer_query LOGIN PASSWORD 'ask me'",
	};

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		exec(w, "postgres", roles[i]);
}

void world_postgres_open(struct world *w)
{
	char path[PATH_MAX];
	bool is_new;

	world_path(path, w->folder, "pg");
	is_new = mkdir(path, 0700) == 0;
	if (is_new)
		ck_assert_int_eq(chmod(path, 0755), 0);
	w->postgres = postgres_start_in(path);
	if (!is_new)
		return;
	make_roles(w);
	make_database(w, WORLD_SOURCE, "crm", "customer_rows.sql");
	exec(w, "postgres", "REVOKE CONNECT ON DATABASE \"" WORLD_SOURCE "\" FROM PUBLIC");
	exec(w, "postgres", "GRANT CONNECT ON DATABASE \"" WORLD_SOURCE "\" TO reader");
	exec(w, WORLD_SOURCE, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
	make_database(w, WORLD_TARGET, "cloner", "old_sandbox_rows.sql");
}

void world_postgres_stop(struct world *w)
{
	postgres_stop(&w->postgres);
}

void world_postgres_settle(const struct world *w)
{
	exec(w, "postgres", "CHECKPOINT");
}

/* ---- looking ---- */

static bool number(const struct world *w, const char *database, const char *sql, const char *value, int64_t *number_r)
{
	struct conn *c = world_postgres_connect(w, database);
	struct err e = { 0 };
	bool found = false;

	ck_assert_msg(conn_number(c, sql, &TEXT(value), 1, number_r, &found, &e), "%s: %s", sql, e.text);
	conn_close(&c);
	return found;
}

bool world_postgres_has(struct world *w, const char *database)
{
	int64_t count = 0;

	number(w, "postgres", "SELECT count(*) FROM pg_database WHERE datname = CAST(? AS name)", database, &count);
	return count > 0;
}

int64_t world_postgres_bytes(struct world *w, const char *database, const char *bytes)
{
	char folder[PATH_MAX], path[PATH_MAX];
	const struct dirent *entry;
	int64_t oid = 0, found = 0;
	DIR *files;

	world_postgres_settle(w);
	ck_assert(number(w, "postgres", "SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = CAST(? AS name)", database,
			 &oid));
	snprintf(folder, sizeof folder, "%s/pg/data/base/%" PRId64, w->folder, oid);
	files = opendir(folder);
	ck_assert_ptr_nonnull(files);
	while ((entry = readdir(files))) {
		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_lt(snprintf(path, sizeof path, "%s/%s", folder, entry->d_name), (int)sizeof path);
		found += world_count_bytes(path, bytes);
	}
	closedir(files);
	return found;
}

bool world_can(struct world *w, const char *database, const char *user, const char *password, const char *sql)
{
	struct err e = { 0 };
	struct conn *c = connect_as(w, database, user, password, &e);
	int64_t ignored;
	bool found, ok = c && conn_number(c, sql, NULL, 0, &ignored, &found, &e);

	conn_close(&c);
	return ok;
}

/* ---- all of it as lines ---- */

struct dump {
	struct buf *out, sql;
	const char *database;
};

static bool add_line(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct dump *d = arg;

	(void)e;
	buf_printf(d->out, "%s", d->database);
	for (size_t i = 0; i < count; i++)
		buf_printf(d->out, " %s", cells[i].text);
	return buf_add_text(d->out, "\n");
}

static bool add_text(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)count, (void)e;
	return buf_add_text(arg, cells[0].text);
}

static void ask(struct conn *c, const char *sql, conn_row_fn *fn, void *arg)
{
	struct err e = { 0 };

	ck_assert_msg(conn_query(c, sql, NULL, 0, fn, arg, &e), "%.300s: %s", sql, e.text);
}

/* One question for all tables; who wrote and when is not what was written. */
static void dump_database(const struct world *w, const char *database, struct buf *out)
{
	static const char make_question[] =
		"SELECT CASE WHEN row_number() OVER (ORDER BY schemaname, tablename) > 1 THEN ' UNION ALL ' ELSE '' END ||"
		" format('SELECT ''table %s'', count(*), coalesce(sum(hashtextextended(CAST(to_jsonb(t) - ARRAY[''token'','"
		"'last_token'',''updated_at'',''created_at'',''snapshot''] AS text), 0)), 0) FROM %I.%I AS t',"
		" tablename, schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^pg_' AND schemaname <>"
		" 'information_schema' ORDER BY schemaname, tablename";
	struct conn *c = world_postgres_connect(w, database);
	struct dump d = { .out = out, .database = database };

	buf_init(&d.sql, 1 << 20);
	ask(c, make_question, add_text, &d.sql);
	/* Several workers of the server may answer at once, in any order. */
	if (d.sql.len && buf_add_text(&d.sql, " ORDER BY 1"))
		ask(c, buf_text(&d.sql), add_line, &d);
	ask(c, "SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname !~ '^pg_' ORDER BY 1, 2, 3", add_line, &d);
	buf_done(&d.sql);
	conn_close(&c);
}

static void dump_server(const struct world *w, struct buf *out)
{
	struct conn *c = world_postgres_connect(w, "postgres");
	struct dump d = { .out = out, .database = "server" };

	ask(c, "SELECT 'database', datname, coalesce(CAST(datacl AS text), '-') FROM pg_database ORDER BY 2", add_line, &d);
	ask(c, "SELECT 'role', rolname, CAST(rolcanlogin AS integer), CAST(rolsuper AS integer) FROM pg_roles ORDER BY 2", add_line,
	    &d);
	ask(c, "SELECT 'member', CAST(CAST(roleid AS regrole) AS text), CAST(CAST(member AS regrole) AS text)"
	    " FROM pg_auth_members ORDER BY 2, 3", add_line, &d);
	conn_close(&c);
}

void world_postgres_dump(struct world *w, const char *database, struct buf *out)
{
	struct conn *c;
	struct buf names;
	char *rest, *name;

	if (database) {
		dump_database(w, database, out);
		return;
	}
	buf_init(&names, 1 << 16);
	c = world_postgres_connect(w, "postgres");
	ask(c, "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE NOT datistemplate AND datname <>"
	    " 'postgres'", add_text, &names);
	conn_close(&c);
	rest = names.data;
	while ((name = strsep(&rest, ",")))
		dump_database(w, name, out);
	buf_done(&names);
	dump_server(w, out);
}
