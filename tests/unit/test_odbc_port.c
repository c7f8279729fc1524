/* SPDX-License-Identifier: Apache-2.0
 * The SQL port on real SQLite databases: looking, fenced changes, locks, cancelling. */
#include "tests/unit/odbc_fixture.h"

#include <pthread.h>

static struct fixture x;

static void setup(void)
{
	fixture_schedule(&x);
}

static void teardown(void)
{
	fixture_remove(&x);
}

static struct sql_port *sql(void)
{
	return x.sql;
}

/* ---- looking: the sections of step 11 are real ones ---- */

#define S11_ARGS                                                                                                       \
	((struct sql_args){ 3,                                                                                         \
			    { { "ids", { .kind = SQL_TEXT, .text = "[1]" } },                                          \
			      { "login", { .kind = SQL_TEXT, .text = "nobody" } },                                     \
			      { "database", { .kind = SQL_TEXT, .text = GENERATION } } } })

struct rows {
	int count;
	struct sql_value last[4];
	char text[4][32];
};

static bool take(void *arg, const struct sql_row *row, struct err *e)
{
	struct rows *r = arg;

	(void)e;
	r->count++;
	for (size_t i = 0; i < row->count && i < 4; i++) {
		r->last[i] = row->values[i];
		snprintf(r->text[i], sizeof r->text[i], "%s", row->values[i].text ? row->values[i].text : "NULL");
	}
	return true;
}

START_TEST(test_looks)
{
	const struct sql_args args = S11_ARGS;
	struct arena *mem = arena_new(1 << 16);
	const char *text = "unset";
	struct rows rows = { 0 };
	bool has = false;
	int64_t n = -1;

	must(sql()->scalar(sql(), SQL_SERVER, "s07_login_enabled", &args, &n, e));
	ck_assert_int_eq(n, 0);
	must_fail(sql()->scalar(sql(), SQL_SERVER, "_server_owner",
				&(struct sql_args){ 1, { { "name", { .kind = SQL_TEXT, .text = "none" } } } }, &n, e),
		  ERR_REFUSED);
	must_fail(sql()->scalar(sql(), SQL_SERVER, "no_such_section", &args, &n, e), ERR_MISUSE);
	must_fail(sql()->scalar(sql(), SQL_SERVER, "s07_login_enabled", NULL, &n, e), ERR_MISUSE);
	must(sql()->text(sql(), SQL_SERVER, "_server_identity", NULL, mem, &text, e));
	ck_assert_uint_eq(strlen(text), 36);
	must(sql()->text(sql(), SQL_SERVER, "_server_owner",
			 &(struct sql_args){ 1, { { "name", { .kind = SQL_TEXT, .text = "none" } } } }, mem, &text, e));
	ck_assert_ptr_null(text);
	must(sql()->has(sql(), SQL_SOURCE, "SCHEDULE", NULL, &has, e));
	ck_assert(has);
	must(sql()->has(sql(), SQL_SOURCE, "schedule", "TITLE", &has, e));
	ck_assert(has);
	must(sql()->has(sql(), SQL_SOURCE, "schedule", "gone", &has, e));
	ck_assert(!has);
	must(sql()->has(sql(), SQL_SOURCE, "x'; DROP TABLE schedule; --", NULL, &has, e));
	ck_assert(!has);
	/* needs: of a table that is not there */
	must(sql()->rows(sql(), SQL_SOURCE, "_stamp_get", NULL, take, &rows, e));
	ck_assert_int_eq(rows.count, 0);
	must_fail(sql()->scalar(sql(), SQL_PREVIOUS, "_server_identity", NULL, &n, e), ERR_MISUSE);
	must_fail(sql()->scalar(sql(), SQL_TARGET, "_copy_run", NULL, &n, e), ERR_REFUSED);
	arena_free(&mem);
}
END_TEST

START_TEST(test_kinds_of_values)
{
	const struct sql_args args = { 1, { { "name", { .kind = SQL_TEXT, .text = "q'\"; --" } } } };
	struct rows rows = { 0 };

	make_generation(&x);
	must(sql()->rows(sql(), SQL_TARGET, "_stamp_get", NULL, take, &rows, e));
	ck_assert_int_eq(rows.count, 1);
	ck_assert_int_eq(rows.last[0].kind, SQL_TEXT);
	ck_assert_str_eq(rows.text[0], SOURCE);
	ck_assert_int_eq(rows.last[3].kind, SQL_NUMBER);
	ck_assert_int_eq(rows.last[3].number, 1);
	must(sql()->apply_server(
	    sql(), &x.fence,
	    &(struct sql_change){ "_server_quarantine",
				  { 2, { args.arg[0], { "quarantined", { .kind = SQL_NUMBER, .number = 1 } } } } },
	    e));
	ck_ask(&x, "_server", "SELECT name FROM database_entry WHERE name LIKE 'q%'", "q'\"; --");
}
END_TEST

START_TEST(test_long_texts_and_empty_ones)
{
	char *long_text = malloc(20001);
	struct arena *mem = arena_new(1 << 20);
	const char *text;

	memset(long_text, 'x', 20000);
	long_text[20000] = '\0';
	must(sql()->apply_server(sql(), &x.fence,
				 &(struct sql_change){ "_server_put_database",
						       { 2,
							 { { "name", { .kind = SQL_TEXT, .text = "n" } },
							   { "owner", { .kind = SQL_TEXT, .text = long_text } } } } },
				 e));
	must(sql()->text(sql(), SQL_SERVER, "_server_owner",
			 &(struct sql_args){ 1, { { "name", { .kind = SQL_TEXT, .text = "n" } } } }, mem, &text, e));
	ck_assert_str_eq(text, long_text);
	must(sql()->apply_server(sql(), &x.fence,
				 &(struct sql_change){ "_server_put_database",
						       { 2,
							 { { "name", { .kind = SQL_TEXT, .text = "empty" } },
							   { "owner", { .kind = SQL_TEXT, .text = "" } } } } },
				 e));
	must(sql()->text(sql(), SQL_SERVER, "_server_owner",
			 &(struct sql_args){ 1, { { "name", { .kind = SQL_TEXT, .text = "empty" } } } }, mem, &text,
			 e));
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, "");
	arena_free(&mem);
	free(long_text);
}
END_TEST

/* ---- changes, ledger, fence ---- */

START_TEST(test_changes_and_ledger_are_one)
{
	const struct sql_change good = { "_copy_add",
					 { 2,
					   { { "name", { .kind = SQL_TEXT, .text = "first" } },
					     { "expected", { .kind = SQL_NUMBER, .number = 1 } } } } };
	const struct sql_change both[] = { good, good }; /* the second breaks a rule of the table */
	struct sql_ledger ledger;
	int64_t rows = 0;

	make_generation(&x);
	x.fence.step = "a_step";
	must(sql()->ledger(sql(), &x.fence, &ledger, e));
	ck_assert(!ledger.found);
	must_fail(sql()->apply(sql(), &x.fence, both, 2, &rows, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "sandbox_copy.name"));
	ck_ask(&x, GENERATION, "SELECT count(*) FROM sandbox_copy", "0");
	must(sql()->ledger(sql(), &x.fence, &ledger, e));
	ck_assert(!ledger.found);
	must(sql()->apply(sql(), &x.fence, &good, 1, &rows, e));
	ck_assert_int_eq(rows, 1);
	must(sql()->ledger(sql(), &x.fence, &ledger, e));
	ck_assert(ledger.found && ledger.rows == 1 && ledger.token == 1000);
	ck_assert_str_eq(ledger.cursor, "");
	/* a section whose table is not there is passed over */
	must(sql()->apply(sql(), &x.fence, &(struct sql_change){ .statement = "s09_inbox_items" }, 1, &rows, e));
	ck_assert_int_eq(rows, 0);
}
END_TEST

START_TEST(test_proof)
{
	struct sql_stamp stamp;
	char too_long[300];

	make_generation(&x);
	must(sql()->put_proof(sql(), &x.fence, "2024-05-06T07:08:09Z", "{\"left\":0}", e));
	must(sql()->stamp(sql(), GENERATION, &stamp, e));
	ck_assert_str_eq(stamp.masked_at, "2024-05-06T07:08:09Z");
	ck_assert_str_eq(stamp.proof, "{\"left\":0}");
	memset(too_long, 'x', sizeof too_long - 1);
	too_long[sizeof too_long - 1] = '\0';
	must_fail(sql()->put_proof(sql(), &x.fence, "2024-05-06T07:08:09Z", too_long, e), ERR_MISUSE);
}
END_TEST

START_TEST(test_old_owner_is_refused)
{
	struct sql_pages pages = { 0 };
	struct sql_filter filter = { shout, NULL };
	struct fence newer;
	struct sql_port *port;

	fixture_copied(&x);
	port = fixture_other_port(&x, &newer, GENERATION, 2000);
	must(port->raise_token(port, &newer, e));
#define fenced(call)                                                                                                   \
	do {                                                                                                           \
		must_fail(call, ERR_REFUSED);                                                                          \
		ck_assert_msg(failure.code == ERR_CODE_FENCED, "%s", failure.text);                                    \
	} while (0)
	fenced(sql()->apply(sql(), &x.fence, NULL, 0, NULL, e));
	fenced(sql()->put_proof(sql(), &x.fence, "now", "{}", e));
	fenced(sql()->raise_token(sql(), &x.fence, e));
	fenced(sql()->copy_next(sql(), &x.fence, NULL, &pages, e));
	fenced(sql()->mask_next(sql(), &x.fence, &filter, &pages, e));
	fenced(sql()->quarantine(sql(), &x.fence, GENERATION, false, e));
	fenced(sql()->drop_database(sql(), &x.fence, GENERATION, e));
	fenced(sql()->create_database(sql(), &x.fence, SOURCE, e));
	fenced(sql()->apply_server(sql(), &x.fence, &(struct sql_change){ .statement = "_server_forget_database" }, e));
	must(port->apply(port, &newer, NULL, 0, NULL, e));
	must(port->drop_database(port, &newer, GENERATION, e));
	fenced(sql()->create_database(sql(), &x.fence, SOURCE, e)); /* not even when it is gone */
	odbc_sql_close(&port);
}
END_TEST

START_TEST(test_a_greater_token_raises_the_stamp)
{
	struct sql_stamp stamp;

	make_generation(&x);
	x.fence.token = 3000;
	x.fence.run = 2;
	must(sql()->apply(sql(), &x.fence, NULL, 0, NULL, e));
	must(sql()->stamp(sql(), GENERATION, &stamp, e));
	ck_assert_uint_eq(stamp.token, 3000);
	ck_assert_int_eq(stamp.run, 2);
}
END_TEST

/* ---- locks, cancelling, time ---- */

START_TEST(test_a_lock_is_transient)
{
	struct odbc_env *env;
	struct buf text;
	struct conn *c;

	make_generation(&x);
	fixture_close(&x);
	x.settings.busy_timeout_ms = 300;
	fixture_open(&x);
	buf_init(&text, 4096);
	must((env = odbc_env_new(e)));
	ck_assert(dialect_sqlite.connection(&x.settings, GENERATION, ACCESS_WRITE, &text));
	must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_WRITE, &x.settings, e)));
	must(conn_begin_write(c, e));
	must_fail(x.sql->apply(x.sql, &x.fence, NULL, 0, NULL, e), ERR_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(failure.text, "lock"));
	must(conn_commit(c, e));
	must(x.sql->apply(x.sql, &x.fence, NULL, 0, NULL, e));
	conn_close(&c);
	odbc_env_free(&env);
	buf_done(&text);
}
END_TEST

enum { WRITES = 40 };

static void *write_many(void *arg)
{
	const struct odbc_databases databases = { SOURCE, "", GENERATION };
	const struct sql_change change = { "_copy_put_run",
					   { 4,
					     { { "run", { .kind = SQL_NUMBER, .number = 1 } },
					       { "phase", { .kind = SQL_NUMBER } },
					       { "source_schema", { .kind = SQL_NUMBER } },
					       { "starts", { .kind = SQL_NUMBER } } } } };
	struct fence f = x.fence;
	struct sql_port *port;

	f.step = arg;
	must((port = odbc_sql_open(x.server, &databases, e)));
	for (int i = 0; i < WRITES; i++)
		must(port->apply(port, &f, &change, 1, NULL, e));
	odbc_sql_close(&port);
	return NULL;
}

START_TEST(test_two_writers)
{
	pthread_t a, b;

	make_generation(&x);
	ck_assert_int_eq(pthread_create(&a, NULL, write_many, (void *)(uintptr_t) "one"), 0);
	ck_assert_int_eq(pthread_create(&b, NULL, write_many, (void *)(uintptr_t) "two"), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	ck_ask(&x, GENERATION, "SELECT group_concat(step || rows) FROM (SELECT * FROM sandbox_ledger ORDER BY step)",
	       "one40,two40");
}
END_TEST

static void *cancel_soon(void *arg)
{
	usleep(100000);
	odbc_sql_cancel(arg);
	return NULL;
}

static enum sql_cell slow(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
			  struct buf *out)
{
	(void)arg;
	(void)table;
	(void)column;
	(void)width;
	(void)text;
	(void)len;
	(void)out;
	usleep(1000);
	return SQL_CELL_KEEP;
}

START_TEST(test_cancel_from_another_thread)
{
	struct sql_filter filter = { slow, NULL };
	struct sql_pages pages = { 0 };
	int64_t started_ms;
	pthread_t thread;
	bool has;

	SCRIPT(&x, SOURCE, "CREATE TABLE big (id INTEGER PRIMARY KEY, s TEXT)",
	       "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 50000) INSERT INTO big SELECT "
	       "i, 'x' FROM r");
	make_generation(&x);
	started_ms = conn_clock_ms();
	ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, x.sql), 0);
	must_fail(copy_all(&x, &filter, &pages, e), ERR_TRANSIENT);
	ck_assert_int_eq(failure.code, ERR_CODE_ABORTED);
	pthread_join(thread, NULL);
	ck_assert_int_lt(conn_clock_ms() - started_ms, 10000);
	must_fail(sql()->has(sql(), SQL_SOURCE, "big", NULL, &has, e), ERR_TRANSIENT);
	ck_assert_int_eq(failure.code, ERR_CODE_ABORTED);
	odbc_sql_close(&x.sql);
	must((x.sql = odbc_sql_open(x.server, &(struct odbc_databases){ SOURCE, "", GENERATION }, e)));
	must(copy_all(&x, NULL, &pages, e));
	ck_same(&x, SOURCE, GENERATION, "SELECT count(*) FROM big");
}
END_TEST

struct interrupter {
	struct conn *conn;
	atomic_bool end;
};

static void *interrupt_often(void *arg)
{
	struct interrupter *i = arg;

	while (!atomic_load(&i->end)) {
		usleep(20000);
		conn_interrupt_if_due(i->conn, conn_clock_ms());
	}
	return NULL;
}

START_TEST(test_a_statement_that_runs_too_long)
{
	static const char endless[] =
	    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r";
	struct interrupter interrupter = { 0 };
	atomic_bool stop = false;
	struct odbc_env *env;
	struct buf text;
	pthread_t thread;
	int64_t n;
	bool found;

	x.settings.query_timeout_ms = 100;
	buf_init(&text, 4096);
	must((env = odbc_env_new(e)));
	ck_assert(dialect_sqlite.connection(&x.settings, SOURCE, ACCESS_READ, &text));
	must((interrupter.conn = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_READ, &x.settings, e)));
	ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_often, &interrupter), 0);
	must_fail(conn_number(interrupter.conn, endless, NULL, 0, &n, &found, e), ERR_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(failure.text, "longer than 100 ms"));
	conn_obey(interrupter.conn, &stop);
	atomic_store(&stop, true);
	must_fail(conn_number(interrupter.conn, "SELECT 1", NULL, 0, &n, &found, e), ERR_TRANSIENT);
	ck_assert_int_eq(failure.code, ERR_CODE_ABORTED);
	atomic_store(&interrupter.end, true);
	pthread_join(thread, NULL);
	conn_close(&interrupter.conn);
	odbc_env_free(&env);
	buf_done(&text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("odbc_port");
	TCase *tc = tcase_create("port");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_looks);
	tcase_add_test(tc, test_kinds_of_values);
	tcase_add_test(tc, test_long_texts_and_empty_ones);
	tcase_add_test(tc, test_changes_and_ledger_are_one);
	tcase_add_test(tc, test_proof);
	tcase_add_test(tc, test_old_owner_is_refused);
	tcase_add_test(tc, test_a_greater_token_raises_the_stamp);
	tcase_add_test(tc, test_a_lock_is_transient);
	tcase_add_test(tc, test_two_writers);
	tcase_add_test(tc, test_cancel_from_another_thread);
	tcase_add_test(tc, test_a_statement_that_runs_too_long);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
