/* SPDX-License-Identifier: Apache-2.0
 * SQL Server's dialect through both real drivers, FreeTDS and Microsoft's, against a scripted server: what the drivers
 * do differently must look the same above conn.h. */
#include "tests/support/tds_server.h"
#include "tests/unit/odbc_fixture.h"

#include <limits.h>
#include <pthread.h>

struct world {
	struct tds_server *tds;
	struct odbc_env *env;
	struct conn *conn;
	struct odbc_settings settings;
	char driver[PATH_MAX];
};

/* False when the driver or python3 cannot be had. */
static bool world_make(struct world *w, int driver, const char *script)
{
	memset(w, 0, sizeof *w);
	if (!tds_driver_path((enum tds_driver)driver, w->driver, sizeof w->driver))
		return false;
	w->tds = tds_server_start(script);
	if (!w->tds) {
		puts("SKIPPED: python3 is not installed");
		return false;
	}
	w->settings = (struct odbc_settings){ .dialect = "sqlserver",
					      .driver = w->driver,
					      .folder = "/backups",
					      .host = "127.0.0.1",
					      .port = tds_server_port(w->tds),
					      .user = "cloner",
					      .password = "secret",
					      .tls = "off",
					      .schema = "crm7",
					      .query_timeout_ms = 30000 };
	return true;
}

static struct conn *dial(struct world *w, const char *database, struct err *e)
{
	struct buf text;
	struct conn *c;

	buf_init(&text, 4096);
	ck_assert(dialect_sqlserver.connection(&w->settings, database, ACCESS_WRITE, &text));
	c = conn_open(w->env, &dialect_sqlserver, buf_text(&text), ACCESS_WRITE, &w->settings, e);
	buf_done(&text);
	return c;
}

static bool world_open(struct world *w, int driver, const char *script)
{
	if (!world_make(w, driver, script))
		return false;
	must((w->env = odbc_env_new(e)));
	must((w->conn = dial(w, "Cust70001", e)));
	return true;
}

static void world_close(struct world *w)
{
	conn_close(&w->conn);
	odbc_env_free(&w->env);
	tds_server_stop(&w->tds);
}

/* ---- connecting ---- */

START_TEST(the_session_is_set_up_in_the_connection_not_in_a_prepared_scope)
{
	struct world w;

	if (!world_open(&w, _i, "[]"))
		return;
	ck_assert_uint_eq(tds_server_asked(w.tds, "{\"kind\": \"batch\", \"text\": \"SET XACT_ABORT ON\""), 1);
	ck_assert_uint_eq(tds_server_asked(w.tds, "{\"kind\": \"batch\", \"text\": \"SET NOCOUNT OFF\""), 1);
	ck_assert_uint_eq(tds_server_asked(w.tds, "\"text\": \"SET ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ARITHABORT"), 1);
	ck_assert_uint_eq(tds_server_asked(w.tds, "\"kind\": \"rpc\", \"text\": \"SET"), 0);
	world_close(&w);
}
END_TEST

static void refused_login(int driver, int number, enum err_class wanted)
{
	struct world w;
	char script[200];

	snprintf(script, sizeof script, "[{\"match\": \"^<LOGIN\", \"answer\": [{\"error\": [%d, 14, \"no\"]}]}]", number);
	if (!world_make(&w, driver, script))
		return;
	must((w.env = odbc_env_new(e)));
	must_fail(dial(&w, "Cust70001", e), wanted);
	ck_assert_int_eq(failure.code, number);
	ck_assert_ptr_null(strstr(failure.text, "secret"));
	world_close(&w);
}

START_TEST(a_login_that_is_refused_is_told_from_a_database_that_moves)
{
	refused_login(_i, 18456, ERR_REFUSED);
	refused_login(_i, 4060, ERR_TRANSIENT);
	refused_login(_i, 40613, ERR_TRANSIENT);
}
END_TEST

START_TEST(a_server_that_is_not_there_may_be_there_later)
{
	struct world w;

	if (!world_make(&w, _i, "[]"))
		return;
	tds_server_stop(&w.tds);
	must((w.env = odbc_env_new(e)));
	must_fail(dial(&w, "Cust70001", e), ERR_TRANSIENT);
	world_close(&w);
}
END_TEST

/* ---- texts ---- */

START_TEST(texts_travel_as_unicode_in_both_directions)
{
	static const char text[] = "\xc3\x85sa \xe2\x82\xac <\xf0\x9f\x98\x80>";
	struct buf got;
	struct world w;
	bool found;

	if (!world_open(&w, _i,
			"[{\"match\": \"^SELECT n\", \"answer\": [{\"columns\": [[\"t\", \"nvarchar\"]], \"rows\": "
			"[[\"\xc3\x85sa \xe2\x82\xac <\xf0\x9f\x98\x80>\"]]}]}]"))
		return;
	const struct bind binds[] = { TEXT(text), NUMBER(INT64_MIN) };

	buf_init(&got, 1000);
	must(conn_text(w.conn, "SELECT n FROM t WHERE a = ? AND b = ?", binds, 2, &got, &found, e));
	ck_assert_str_eq(buf_text(&got), text);
	buf_done(&got);
	ck_assert_uint_eq(tds_server_asked(w.tds, "\"values\": [\"\xc3\x85sa \xe2\x82\xac <\xf0\x9f\x98\x80>\", "
						  "-9223372036854775808]"),
			  1);
	world_close(&w);
}
END_TEST

/* Longer than any buffer the adapter or the drivers begin with, with a wide character at every offset of theirs. */
static char *long_text(size_t characters)
{
	char *text = malloc(characters * 3 + 1), *p = text;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < characters; i++)
		p += sprintf(p, "%s", i % 7 == 0 ? "\xe2\x82\xac" : i % 3 == 0 ? "\xc3\xa5" : "x");
	return text;
}

START_TEST(long_texts_arrive_whole)
{
	char *text = long_text(30000), *script = malloc(strlen(text) + 200);
	struct buf got;
	struct world w;
	bool found;

	sprintf(script, "[{\"match\": \"^SELECT\", \"answer\": [{\"columns\": [[\"t\", \"max\"]], \"rows\": [[\"%s\"]]}]}]", text);
	if (world_open(&w, _i, script)) {
		buf_init(&got, 1 << 20);
		must(conn_text(w.conn, "SELECT t FROM t WHERE a = ?", &TEXT(text), 1, &got, &found, e));
		ck_assert_uint_eq(got.len, strlen(text));
		ck_assert_str_eq(buf_text(&got), text);
		ck_assert_uint_eq(tds_server_asked(w.tds, text), 1);
		buf_done(&got);
		world_close(&w);
	}
	free(script);
	free(text);
}
END_TEST

/* ---- results ---- */

START_TEST(an_error_behind_the_first_result_is_not_missed)
{
	struct world w;
	int64_t number;
	bool found;

	if (!world_open(&w, _i,
			"[{\"match\": \"late\", \"answer\": [{\"count\": 3}, {\"count\": 1}, {\"error\": [50000, 16, \"too late\"]}]},"
			" {\"match\": \"plain\", \"answer\": [{\"columns\": [[\"n\", \"int\"]], \"rows\": [[7]]}]}]"))
		return;
	must_fail(conn_exec(w.conn, "UPDATE late SET a = 1", NULL, 0, NULL, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, 50000);
	ck_assert_ptr_nonnull(strstr(failure.text, "too late"));
	must_fail(conn_exec(w.conn, "UPDATE late SET a = ?", &NUMBER(1), 1, NULL, e), ERR_REFUSED);
	must(conn_number(w.conn, "SELECT plain", NULL, 0, &number, &found, e)); /* and the connection goes on */
	ck_assert_int_eq(number, 7);
	world_close(&w);
}
END_TEST

START_TEST(a_change_of_no_rows_is_a_success)
{
	struct world w;
	int64_t rows = -1;

	if (!world_open(&w, _i, "[{\"match\": \"three\", \"answer\": [{\"count\": 3}]}, {\"match\": \"^UPDATE\", \"answer\": [{\"count\": 0}]}]"))
		return;
	must(conn_exec(w.conn, "UPDATE t SET a = 1", NULL, 0, &rows, e));
	ck_assert_int_eq(rows, 0);
	must(conn_exec(w.conn, "UPDATE t SET a = ?", &NUMBER(1), 1, &rows, e));
	ck_assert_int_eq(rows, 0);
	must(conn_exec(w.conn, "UPDATE three SET a = ?", &NUMBER(1), 1, &rows, e));
	ck_assert_int_eq(rows, 3);
	must(conn_exec(w.conn, "ALTER DATABASE x SET MULTI_USER", NULL, 0, &rows, e));
	world_close(&w);
}
END_TEST

START_TEST(numbers_decide_what_an_error_is)
{
	static const struct {
		int native;
		enum err_class class;
		int code;
		bool tainted;
	} cases[] = {
		{ 1205, ERR_TRANSIENT, 1205, true },  { 1222, ERR_TRANSIENT, 1222, true },
		{ 3702, ERR_TRANSIENT, 3702, true },  { 3101, ERR_TRANSIENT, 3101, true },
		{ 40501, ERR_TRANSIENT, 40501, true }, { 9002, ERR_TRANSIENT, -9002, true },
		{ 2627, ERR_REFUSED, 2627, false },   { 547, ERR_REFUSED, 547, false },
		{ 208, ERR_REFUSED, 208, false },     { 262, ERR_REFUSED, 262, false },
		{ 3154, ERR_REFUSED, 3154, false },
	};

	struct world w;

	if (!world_open(&w, _i, "[]"))
		return;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char script[200];

		snprintf(script, sizeof script,
			 "[{\"match\": \"^UPDATE\", \"answer\": [{\"error\": [%d, 16, \"text\"]}, {\"info\": [3621, \"ended\"]}]}]",
			 cases[i].native);
		tds_server_script(w.tds, script);
		must_fail(conn_exec(w.conn, "UPDATE t SET a = ?", &NUMBER(1), 1, NULL, e), cases[i].class);
		ck_assert_int_eq(failure.code, cases[i].code);
		ck_assert_int_eq(conn_is_tainted(w.conn), cases[i].tainted);
		conn_close(&w.conn);
		must((w.conn = dial(&w, "Cust70001", e)));
	}
	world_close(&w);
}
END_TEST

START_TEST(a_lost_connection_may_come_back_and_this_one_is_not_used_again)
{
	struct world w;

	if (!world_open(&w, _i, "[{\"match\": \"^UPDATE\", \"answer\": [{\"close\": true}]}]"))
		return;
	must_fail(conn_exec(w.conn, "UPDATE t SET a = ?", &NUMBER(1), 1, NULL, e), ERR_TRANSIENT);
	ck_assert(conn_is_tainted(w.conn));
	world_close(&w);
}
END_TEST

/* ---- transactions ---- */

static void commit_that_fails(int driver, const char *answer, enum err_class wanted)
{
	struct world w;
	char script[200];

	snprintf(script, sizeof script, "[{\"match\": \"^<COMMIT>$\", \"answer\": [%s]}]", answer);
	if (!world_open(&w, driver, script))
		return;
	must(conn_begin_write(w.conn, e));
	must(conn_exec(w.conn, "UPDATE t SET a = ?", &NUMBER(1), 1, NULL, e));
	must_fail(conn_commit(w.conn, e), wanted);
	ck_assert(conn_is_tainted(w.conn));
	ck_assert_uint_eq(tds_server_asked(w.tds, "<COMMIT>"), 1);
	world_close(&w);
}

START_TEST(a_connection_lost_in_commit_leaves_it_unsure)
{
	commit_that_fails(_i, "{\"close\": true}", ERR_UNSURE);
}
END_TEST

START_TEST(a_commit_that_the_server_refuses_was_rolled_back)
{
	commit_that_fails(_i, "{\"error\": [1205, 13, \"deadlock\"]}", ERR_TRANSIENT);
}
END_TEST

START_TEST(what_is_rolled_back_is_not_committed)
{
	struct world w;

	if (!world_open(&w, _i, "[]"))
		return;
	must(conn_begin_write(w.conn, e));
	must(conn_exec(w.conn, "UPDATE t SET a = ?", &NUMBER(1), 1, NULL, e));
	conn_rollback(w.conn);
	ck_assert_uint_eq(tds_server_asked(w.tds, "<COMMIT>"), 0);
	must(conn_begin_write(w.conn, e));
	must(conn_exec(w.conn, "UPDATE t SET a = ?", &NUMBER(1), 1, NULL, e));
	must(conn_commit(w.conn, e));
	ck_assert_uint_eq(tds_server_asked(w.tds, "<COMMIT>"), 1);
	world_close(&w);
}
END_TEST

/* ---- long statements ---- */

static void *back_up(void *arg)
{
	struct world *w = arg;

	must(conn_exec(w->conn, "BACKUP DATABASE x TO DISK = ?", &TEXT("/x.bak"), 1, NULL, e));
	return NULL;
}

START_TEST(a_backup_tells_how_far_it_is_while_it_runs)
{
	pthread_t thread;
	struct world w;
	bool half = false;

	if (!world_open(&w, _i,
			"[{\"match\": \"^BACKUP\", \"answer\": [{\"info\": [3211, \"25 percent processed.\"], \"done\": true},"
			"{\"info\": [3211, \"50 percent processed.\"], \"done\": true}, {\"sleep\": 3},"
			"{\"info\": [3211, \"100 percent processed.\"], \"done\": true}, {\"info\": [3014, \"BACKUP DATABASE was successful\"]}]}]"))
		return;
	ck_assert_int_eq(pthread_create(&thread, NULL, back_up, &w), 0);
	for (int i = 0; i < 2000 && !half; i++) {
		half = conn_percent(w.conn) == 50;
		usleep(1000);
	}
	pthread_join(thread, NULL);
	/* FreeTDS keeps the messages of a statement with values until its end: there the copy asks the server instead. */
	ck_assert_msg(half || _i == TDS_FREETDS, "nothing was told in the middle");
	ck_assert_int_eq(conn_percent(w.conn), 100);
	world_close(&w);
}
END_TEST

/* ---- connection strings ---- */

static bool string_for(const struct odbc_settings *s, const char *database, char out[512])
{
	struct buf text;
	bool ok;

	buf_init(&text, 511);
	ok = dialect_sqlserver.connection(s, database, ACCESS_SOURCE, &text);
	snprintf(out, 512, "%s", buf_text(&text));
	buf_done(&text);
	return ok;
}

START_TEST(connection_strings_are_made_of_checked_parts)
{
	static const char *const wrong[] = { "a;b", "a=b", "{a}", "a'b", "a\"b", "a\nb", "" };
	struct odbc_settings s = { .driver = "FreeTDS", .host = "db", .port = 1433, .user = "cloner", .password = "pw" };
	char text[512];

	ck_assert(string_for(&s, "Cust1", text));
	ck_assert_str_eq(text, "Driver=FreeTDS;Server=db;Port=1433;Database=Cust1;UID=cloner;PWD=pw;Encryption=require;"
			       "TDS_Version=7.4;ClientCharset=UTF-8;APP=sandbox-clone;");
	s.driver = "ODBC Driver 18 for SQL Server";
	s.source_user = "reader";
	s.source_password = "other";
	ck_assert(string_for(&s, "Cust1", text));
	ck_assert_str_eq(text, "Driver=ODBC Driver 18 for SQL Server;Server=tcp:db,1433;Database=Cust1;UID=reader;PWD=other;"
			       "Encrypt=yes;TrustServerCertificate=no;MARS_Connection=no;ConnectRetryCount=0;"
			       "APP=sandbox-clone;");
	s.tls = "trust";
	ck_assert(string_for(&s, "Cust1", text));
	ck_assert_ptr_nonnull(strstr(text, "Encrypt=yes;TrustServerCertificate=yes;"));
	s.tls = "strict";
	ck_assert(string_for(&s, "Cust1", text));
	s.driver = "FreeTDS";
	ck_assert(!string_for(&s, "Cust1", text)); /* it cannot */
	s.tls = "perhaps";
	ck_assert(!string_for(&s, "Cust1", text));
	s.tls = "off";
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct odbc_settings bad = s;

		bad.host = wrong[i];
		ck_assert(!string_for(&bad, "Cust1", text));
		bad = s;
		bad.source_password = wrong[i];
		ck_assert(!string_for(&bad, "Cust1", text));
		ck_assert(!string_for(&s, wrong[i], text));
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_sqlserver");
	TCase *drivers = tcase_create("both drivers"), *pure = tcase_create("strings");

	tcase_set_timeout(drivers, 120);
	tcase_add_loop_test(drivers, the_session_is_set_up_in_the_connection_not_in_a_prepared_scope, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_login_that_is_refused_is_told_from_a_database_that_moves, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_server_that_is_not_there_may_be_there_later, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, texts_travel_as_unicode_in_both_directions, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, long_texts_arrive_whole, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, an_error_behind_the_first_result_is_not_missed, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_change_of_no_rows_is_a_success, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, numbers_decide_what_an_error_is, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_lost_connection_may_come_back_and_this_one_is_not_used_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_connection_lost_in_commit_leaves_it_unsure, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_commit_that_the_server_refuses_was_rolled_back, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, what_is_rolled_back_is_not_committed, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_backup_tells_how_far_it_is_while_it_runs, 0, TDS_DRIVERS);
	suite_add_tcase(s, drivers);
	tcase_add_test(pure, connection_strings_are_made_of_checked_parts);
	suite_add_tcase(s, pure);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
