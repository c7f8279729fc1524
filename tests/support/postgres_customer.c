/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/postgres_customer.h"

#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/dialect.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENT_MAX = 8 << 20, ROWS_A_STATEMENT = 50 };

static struct conn *connect_as(const struct postgres_server *s, const char *database, const char *user,
			       const char *password, struct err *e)
{
	static const struct odbc_settings settings = { .dialect = "postgresql" };
	static struct odbc_env *env;
	char connection[512];

	if (!env)
		env = odbc_env_new(e);
	ck_assert_ptr_nonnull(env);
	snprintf(connection, sizeof connection,
		 "Driver=PostgreSQL ANSI;Server=127.0.0.1;Port=%d;Database=%s;Uid=%s;Pwd=%s;Protocol=7.4-1;BoolsAsChar=0;", s->port,
		 database, user, password);
	return conn_open(env, &dialect_postgresql_plain, connection, ACCESS_WRITE, &settings, e);
}

int64_t postgres_number(const struct postgres_server *s, const char *database, const char *user, const char *password,
			const char *sql, bool *found_r)
{
	struct err e = { 0 };
	struct conn *c = connect_as(s, database, user, password, &e);
	int64_t number = 0;
	bool found = false, ok = c && conn_number(c, sql, NULL, 0, &number, &found, &e);

	conn_close(&c);
	ck_assert_msg(ok || found_r, "%s: %s", sql, e.text);
	if (found_r)
		*found_r = ok;
	return number;
}

static void exec(struct conn *c, const char *sql)
{
	struct err e = { 0 };

	ck_assert_msg(conn_exec(c, sql, NULL, 0, NULL, &e), "%.300s: %s", sql, e.text);
}

static struct conn *connect(const struct postgres_server *s, const char *database)
{
	struct err e = { 0 };
	struct conn *c = connect_as(s, database, "tenants", "", &e);

	ck_assert_msg(c, "%s: %s", database, e.text);
	return c;
}

int64_t postgres_bytes(const struct postgres_server *s, const char *database, const char *bytes)
{
	char folder[PATH_MAX], path[PATH_MAX], sql[200];
	struct conn *c = connect(s, "postgres");
	const struct dirent *entry;
	int64_t found = 0;
	DIR *files;

	exec(c, "CHECKPOINT");
	conn_close(&c);
	snprintf(sql, sizeof sql, "SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = '%s'", database);
	snprintf(folder, sizeof folder, "%s/data/base/%" PRId64, s->folder,
		 postgres_number(s, "postgres", "tenants", "", sql, NULL));
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

/* ---- moving ---- */

struct move {
	struct conn *from, *to;
	struct buf sql, list;
	char names[1000][80];
	size_t count, rows;
	char table[80];
};

static bool add_name(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct move *m = arg;

	(void)count, (void)e;
	ck_assert_uint_lt(m->count, 1000);
	snprintf(m->names[m->count++], 80, "%s", cells[0].text);
	return true;
}

static bool add_definition(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct move *m = arg;

	(void)count, (void)e;
	return buf_printf(&m->list, "%s%c", cells[0].text, 1);
}

/* A BLOB as PostgreSQL writes one; NULL stays NULL because a list of values says so. */
static bool add_column(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct move *m = arg;

	(void)count, (void)e;
	return buf_printf(&m->list, "%sCASE typeof(\"%s\") WHEN 'blob' THEN '\\x' || hex(\"%s\") ELSE \"%s\" END",
			  m->list.len ? ", " : "", cells[0].text, cells[0].text, cells[0].text);
}

static void flush(struct move *m)
{
	if (m->rows)
		exec(m->to, buf_text(&m->sql));
	buf_clear(&m->sql);
	m->rows = 0;
}

static bool add_row(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct move *m = arg;

	(void)e;
	ck_assert(m->rows ? buf_add_text(&m->sql, ", (") : buf_printf(&m->sql, "INSERT INTO \"%s\" VALUES (", m->table));
	for (size_t i = 0; i < count; i++) {
		ck_assert(buf_add_text(&m->sql, i ? ", " : ""));
		if (cells[i].is_null) {
			ck_assert(buf_add_text(&m->sql, "NULL"));
			continue;
		}
		ck_assert(buf_add_text(&m->sql, "'"));
		for (const char *p = cells[i].text; *p; p++)
			ck_assert(buf_add(&m->sql, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1));
		ck_assert(buf_add_text(&m->sql, "'"));
	}
	ck_assert(buf_add_text(&m->sql, ")"));
	if (++m->rows == ROWS_A_STATEMENT)
		flush(m);
	return true;
}

static void ask(struct conn *c, const char *sql, conn_row_fn *fn, void *arg)
{
	struct err e = { 0 };

	ck_assert_msg(conn_query(c, sql, NULL, 0, fn, arg, &e), "%.300s: %s", sql, e.text);
}

static void move_rows(struct move *m, const char *table)
{
	char sql[200];
	struct buf select;

	snprintf(m->table, sizeof m->table, "%s", table);
	for (char *p = m->table; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	buf_clear(&m->list);
	snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_xinfo('%s') ORDER BY cid", table);
	ask(m->from, sql, add_column, m);
	buf_init(&select, 1 << 20);
	ck_assert(buf_printf(&select, "SELECT %s FROM \"%s\"", buf_text(&m->list), table));
	ask(m->from, buf_text(&select), add_row, m);
	flush(m);
	buf_done(&select);
}

/* Names in quotes as the server keeps those without. */
static void fold_quoted(char *text)
{
	bool inside = false;

	for (char *p = text; *p; p++) {
		inside ^= *p == '"';
		if (inside)
			*p = (char)tolower((unsigned char)*p);
	}
}

static void make(struct move *m, const char *which)
{
	char sql[200], *at, *end, *text;

	buf_clear(&m->list);
	snprintf(sql, sizeof sql, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%%' AND %s", which);
	ask(m->from, sql, add_definition, m);
	text = world_in_postgres(strdup(buf_text(&m->list)));
	fold_quoted(text);
	for (at = text; (end = strchr(at, 1)); at = end + 1) {
		*end = '\0';
		exec(m->to, at);
	}
	free(text);
}

static void move_customer(const struct postgres_server *s, const char *file, const char *database)
{
	struct move *m = calloc(1, sizeof *m);

	ck_assert_ptr_nonnull(m);
	buf_init(&m->sql, STATEMENT_MAX);
	buf_init(&m->list, STATEMENT_MAX);
	m->from = world_connect(file, false);
	m->to = connect(s, database);
	make(m, "type = 'table'");
	ask(m->from, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'", add_name, m);
	for (size_t i = 0; i < m->count; i++)
		move_rows(m, m->names[i]);
	make(m, "type = 'index'");
	make(m, "type = 'view'");
	conn_close(&m->from);
	conn_close(&m->to);
	buf_done(&m->sql);
	buf_done(&m->list);
	free(m);
}

/* ---- what SQLite does not have ---- */

static const char *const extras[] = {
	"CREATE TYPE x_mood AS ENUM ('glad', 'sad')",
	"CREATE SCHEMA y_more",
	"CREATE TABLE y_more.y_visits (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x_person integer REFERENCES"
	" person (person_id), x_mood x_mood, x_note jsonb, x_tags text[], x_when tstzrange, x_at point, x_code char(8),"
	" x_len integer GENERATED ALWAYS AS (length(x_code)) STORED)",
	"INSERT INTO y_more.y_visits (x_person, x_mood, x_note, x_tags, x_when, x_at, x_code) SELECT person_id, 'sad',"
	" '{\"mail\": \"very.private@hidden.example\", \"n\": 1.50}', ARRAY['a', 'tag@hidden.example', NULL],"
	" '[2026-01-01,2026-02-01)', '(1,2)', 'ab' FROM person ORDER BY person_id LIMIT 20",
	"INSERT INTO y_more.y_visits (x_person) VALUES (NULL)",
	"CREATE FUNCTION y_more.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''touched''; END'",
	"CREATE TRIGGER t BEFORE INSERT OR DELETE ON y_more.y_visits FOR EACH ROW EXECUTE FUNCTION y_more.touch()",
	"CREATE SEQUENCE y_more.y_counter START 5",
	"SELECT nextval('y_more.y_counter')",
	"CREATE VIEW y_more.y_view AS SELECT x_note FROM y_more.y_visits",
	"CREATE INDEX y_tags ON y_more.y_visits USING gin (x_tags)",
	"GRANT USAGE ON SCHEMA y_more TO reader",
	"GRANT SELECT ON ALL TABLES IN SCHEMA public, y_more TO reader",
	"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public, y_more TO reader",
};

static const char *const roles[] = {
	"CREATE ROLE cloner LOGIN CREATEDB CREATEROLE",
	"GRANT pg_signal_backend TO cloner",
	"CREATE ROLE reader LOGIN",
	"CREATE ROLE customer_query LOGIN PASSWORD 'ask me'",
};

void postgres_customer_make(const struct postgres_server *s, const char *file, const char *database)
{
	struct conn *c = connect(s, "postgres");
	char sql[200];

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		exec(c, roles[i]);
	snprintf(sql, sizeof sql, "CREATE DATABASE \"%s\"", database);
	exec(c, sql);
	snprintf(sql, sizeof sql, "REVOKE CONNECT ON DATABASE \"%s\" FROM PUBLIC", database);
	exec(c, sql);
	snprintf(sql, sizeof sql, "GRANT CONNECT ON DATABASE \"%s\" TO reader", database);
	exec(c, sql);
	conn_close(&c);
	move_customer(s, file, database);
	c = connect(s, database);
	for (size_t i = 0; i < sizeof extras / sizeof *extras; i++)
		exec(c, extras[i]);
	conn_close(&c);
}
