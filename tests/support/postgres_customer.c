/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/postgres_customer.h"

#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/dialect.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

static void move_customer(const struct postgres_server *s, const char *file, const char *database)
{
	const char *source = getenv("SOURCE_DIR");
	char command[3 * PATH_MAX];

	ck_assert_int_lt(snprintf(command, sizeof command,
				  "PGHOST=127.0.0.1 PGPORT=%d PGUSER=tenants '%s/compose/lib/to_postgres.sh' '%s' '%s'",
				  s->port, source ? source : ".", file, database),
			 (int)sizeof command);
	ck_assert_int_eq(system(command), 0);
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
	"CREATE TABLE y_more.y_logs (id bigint, at date NOT NULL, kind integer NOT NULL, mail text, PRIMARY KEY (id, at, kind))"
	" PARTITION BY RANGE (at)",
	"CREATE TABLE y_more.y_logs_old PARTITION OF y_more.y_logs FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
	"CREATE TABLE y_more.y_logs_new PARTITION OF y_more.y_logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
	" PARTITION BY LIST (kind)",
	"CREATE TABLE y_more.y_logs_new_1 PARTITION OF y_more.y_logs_new FOR VALUES IN (1)",
	"CREATE TABLE y_more.y_logs_new_x PARTITION OF y_more.y_logs_new DEFAULT",
	"CREATE TABLE y_more.y_logs_x PARTITION OF y_more.y_logs DEFAULT",
	"CREATE INDEX y_logs_mail ON y_more.y_logs (mail)",
	"CREATE INDEX y_logs_kind ON ONLY y_more.y_logs_new (kind)",
	"INSERT INTO y_more.y_logs SELECT g, DATE '2025-06-01' + g, g % 3, 'log' || g || '@hidden.example' FROM generate_series(1,"
	" 900) AS g",
	"CREATE DOMAIN y_more.x_address AS text DEFAULT 'nobody' CHECK (length(VALUE) < 200)",
	"CREATE TYPE y_more.x_reach AS (mail text, phone text)",
	"CREATE UNLOGGED TABLE y_more.y_rooms (id integer PRIMARY KEY, booked tstzrange, owner y_more.x_address, reach"
	" y_more.x_reach, EXCLUDE USING gist (booked WITH &&))",
	"INSERT INTO y_more.y_rooms SELECT g, tstzrange(to_timestamp(g * 3600), to_timestamp(g * 3600 + 60)), 'room' || g ||"
	" '@hidden.example', CAST(ROW('reach' || g || '@hidden.example', '1'::text) AS y_more.x_reach) FROM generate_series(1, 50) AS g",
	"CREATE MATERIALIZED VIEW y_more.y_mails AS SELECT owner::text AS mail FROM y_more.y_rooms",
	"CREATE UNIQUE INDEX y_mails_mail ON y_more.y_mails (mail)",
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
