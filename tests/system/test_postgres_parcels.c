/* SPDX-License-Identifier: Apache-2.0
 * Parcels of a PostgreSQL copy: many small things in one round trip. What fails in one is named; an owner who lost the
 * generation between two objects of one makes nothing more; who is killed between two of them copies none again. */
#include "consumer/adapters/libpq/pg.h"
#include "consumer/adapters/odbc/odbc_sql.h"
#include "handlers/ports/fence.h"
#include "tests/support/postgres_server.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

enum { TABLES = 40, CALLS_MAX = 100 };

/* Each table has rows and a check; `only_here` is a text that no other database may hold. */
static const char tables[] =
	"CREATE DOMAIN only_here AS text CHECK (current_database() = 'Cust70000');"
	"CREATE FUNCTION take_away() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN IF to_regclass('public.sandbox_stamp') IS NOT"
	" NULL THEN UPDATE public.sandbox_stamp SET token = 7; END IF; RETURN true; END $f$;"
	"DO $d$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE t%s (id int, mail text, CONSTRAINT c%s CHECK (id > 0))',"
	" i, i); EXECUTE format('INSERT INTO t%s SELECT g, ''a'' || g FROM generate_series(1, 20) AS g', i); END LOOP; END $d$;";

static struct postgres_server *postgres;
static struct passes_port *passes;
static const struct fence fence = { .clone_id = "0198f0c2-0099-7c5b-9a54-000000000001", .run = 1, .step = "copy_database",
				    .target_ctx = "Cust70001", .generation = "Cust70001", .token = 1 };
static struct err e;

static void sql_on(const char *database, const char *sql)
{
	const struct pg_settings settings = { .host = "127.0.0.1", .port = postgres->port, .user = "tenants" };
	struct pg pg = { 0 };
	PGresult *r;

	ck_assert_msg(pg_open(&pg, &settings, PG_TARGET, database, &e) && pg_do(&pg, "SET search_path = public", NULL, 0, &e),
		      "%s", e.text);
	r = PQexec(pg.conn, sql);
	ck_assert_msg(PQresultStatus(r) != PGRES_FATAL_ERROR, "%s: %s", sql, PQerrorMessage(pg.conn));
	PQclear(r);
	pg_close(&pg);
}

static int64_t number(const char *sql)
{
	const struct pg_settings settings = { .host = "127.0.0.1", .port = postgres->port, .user = "tenants" };
	struct pg pg = { 0 };
	PGresult *r = pg_open(&pg, &settings, PG_TARGET, "Cust70001", &e) ? pg_query(&pg, sql, NULL, 0, &e) : NULL;
	int64_t n;

	ck_assert_msg(r, "%s: %s", sql, e.text);
	n = pg_number(r, 0, 0);
	PQclear(r);
	pg_close(&pg);
	return n;
}

static void open_passes(int workers, int64_t call_units)
{
	const struct pg_settings settings = { .host = "127.0.0.1", .port = postgres->port, .user = "tenants", .workers = workers,
					      .call_units = call_units };

	passes = pg_passes_new(&settings, &e);
	ck_assert_ptr_nonnull(passes);
}

static void make_generation(void)
{
	const struct odbc_settings settings = { .dialect = "postgresql", .driver = "PostgreSQL ANSI", .host = "127.0.0.1",
						.port = postgres->port, .user = "tenants", .password = "", .passes = passes };
	struct odbc_server *server = odbc_server_open(&settings, &e);
	const struct odbc_databases databases = { .source = "Cust70000", .previous = "", .target = "Cust70001" };
	struct sql_port *port = server ? odbc_sql_open(server, &databases, &e) : NULL;

	ck_assert_msg(port && port->create_database(port, &fence, "Cust70000", &e), "%s", e.text);
	odbc_sql_close(&port);
	odbc_server_close(&server);
}

static void start_server(void)
{
	postgres = postgres_start();
	ck_assert_ptr_nonnull(postgres);
}

static void stop_server(void)
{
	postgres_stop(&postgres);
}

static void setup(void)
{
	static const char *const databases[] = { "Cust70001", "_sandbox", "Cust70000" };
	char sql[80];

	err_clear(&e);
	for (size_t i = 0; i < sizeof databases / sizeof *databases; i++) {
		snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS \"%s\" WITH (FORCE)", databases[i]);
		sql_on("postgres", sql);
	}
	sql_on("postgres", "CREATE DATABASE \"Cust70000\"");
	sql_on("Cust70000", tables);
}

static void teardown(void)
{
	pg_passes_free(&passes);
}

static enum sql_cell keep(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
			  struct buf *out)
{
	(void)arg, (void)table, (void)column, (void)width, (void)text, (void)len, (void)out;
	return SQL_CELL_KEEP;
}

static bool copy_next(struct sql_pages *pages)
{
	static const struct sql_filter filter = { keep, NULL };
	static const atomic_bool stop;
	const struct passes_call call = { .source = "Cust70000", .target = "Cust70001", .fence = &fence, .filter = &filter,
					  .stop = &stop };

	err_clear(&e);
	return passes->copy_next(passes, &call, pages, &e);
}

/* Up to its end or its failure. */
static bool copy(void)
{
	struct sql_pages pages = { 0 };
	bool ok = true;

	for (int i = 0; ok && !pages.finished; i++) {
		ck_assert_int_lt(i, CALLS_MAX);
		ok = copy_next(&pages);
	}
	return ok;
}

START_TEST(a_table_that_fails_is_named)
{
	sql_on("Cust70000", "ALTER TABLE t23 ADD secret only_here");
	sql_on("Cust70000", "UPDATE t23 SET secret = 'a' WHERE id = 1");
	open_passes(1, 0);
	make_generation();
	ck_assert(!copy());
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_msg(strstr(e.text, "t23"), "%s", e.text);
	ck_assert_int_eq(number("SELECT count(*) FROM public.t23"), 0);
}
END_TEST

START_TEST(an_object_that_fails_is_named)
{
	sql_on("Cust70000", "ALTER TABLE t23 ADD CONSTRAINT here CHECK (current_database() = 'Cust70000')");
	open_passes(2, 0);
	make_generation();
	ck_assert(!copy());
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_msg(strstr(e.text, "constraint public.t23 here"), "%s", e.text);
	ck_assert_int_eq(number("SELECT count(*) FROM public.sandbox_copy_object WHERE name LIKE '% here'"), 0);
}
END_TEST

/* The fence falls in the middle of a parcel, by a check that another's takeover is hidden in. */
START_TEST(nothing_is_made_for_a_stale_owner)
{
	sql_on("Cust70000", "ALTER TABLE t23 ADD CONSTRAINT taken CHECK (take_away())");
	sql_on("Cust70000", "ALTER TABLE t24 ADD CONSTRAINT after_that CHECK (id > 0)");
	open_passes(1, 0);
	make_generation();
	ck_assert(!copy());
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_msg(e.code == ERR_CODE_FENCED, "%s", e.text);
	ck_assert_int_eq(number("SELECT count(*) FROM public.sandbox_copy_object WHERE name LIKE '% taken'"), 1);
	ck_assert_int_eq(number("SELECT count(*) FROM public.sandbox_copy_object WHERE name LIKE '% after_that'"), 0);
	ck_assert_int_eq(number("SELECT count(*) FROM pg_constraint WHERE conname ~ '^c[0-9]+$'"), TABLES);
	ck_assert_int_eq(number("SELECT token FROM public.sandbox_stamp"), 7);
	ck_assert(!copy());
	ck_assert_int_eq(e.code, ERR_CODE_FENCED);
}
END_TEST

/* Who is killed takes nothing along but its connections. */
START_TEST(what_a_killed_one_copied_stays)
{
	static const char copied[] = "SELECT count(*) FROM public.sandbox_copy_unit WHERE done = 1",
			  parcels[] = "SELECT count(DISTINCT xmin::text) FROM public.sandbox_copy_unit WHERE done = 1",
			  first[] = "SELECT min(xmin::text::bigint) FROM public.t1";
	struct sql_pages pages = { 0 };
	int64_t done, by;

	open_passes(2, TABLES / 2);
	make_generation();
	ck_assert_msg(copy_next(&pages), "%s", e.text);
	done = number(copied);
	by = number(first);
	ck_assert_int_eq(done, TABLES / 2);
	ck_assert_int_lt(number(parcels), done);
	pg_passes_free(&passes);
	open_passes(2, 0);
	ck_assert_msg(copy(), "%s", e.text);
	ck_assert_int_eq(number(copied), TABLES);
	ck_assert_int_eq(number(first), by);
	ck_assert_int_eq(number("SELECT count(*) FROM public.t40"), 20);
	ck_assert_int_eq(number("SELECT count(*) FROM pg_constraint WHERE conname ~ '^c[0-9]+$' AND convalidated"), TABLES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("postgres parcels");
	TCase *tc = tcase_create("parcels");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!postgres_is_here())
		return 0;
	tcase_set_timeout(tc, 120);
	tcase_add_unchecked_fixture(tc, start_server, stop_server);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_table_that_fails_is_named);
	tcase_add_test(tc, an_object_that_fails_is_named);
	tcase_add_test(tc, nothing_is_made_for_a_stale_owner);
	tcase_add_test(tc, what_a_killed_one_copied_stays);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
