/* SPDX-License-Identifier: Apache-2.0
 * SQL Server's dialect through both real drivers, FreeTDS and Microsoft's, against a scripted server: what the drivers
 * do differently must look the same above conn.h. */
#include "consumer/adapters/odbc/rows_text.h"
#include "consumer/adapters/odbc/statements.h"
#include "handlers/sql/statements.h"
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
					      .tls = "disable",
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
	ck_assert_uint_eq(tds_server_asked(w.tds, "{\"kind\": \"batch\", \"text\": \"SET ANSI_NULLS ON; "), 1);
	ck_assert_uint_eq(tds_server_asked(w.tds, "SET XACT_ABORT ON; SET NOCOUNT OFF; "), 1);
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
	s.tls = "verify-full";
	ck_assert(!string_for(&s, "Cust1", text)); /* nor that */
	s.tls = "perhaps";
	ck_assert(!string_for(&s, "Cust1", text));
	s.tls = "disable";
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

/* ---- what the adapter says by itself ---- */

static struct column_shape one_key[] = {
	{ .name = "contact_id", .is_stored = true, .key_part = 1 },
	{ .name = "mail", .width = 200, .is_stored = true, .is_simple = true },
	{ .name = "x\"y", .is_stored = true, .is_simple = true },
};
static struct column_shape two_keys[] = {
	{ .name = "a", .is_stored = true, .key_part = 2, .is_simple = true },
	{ .name = "b", .is_stored = true, .key_part = 1 },
	{ .name = "text", .is_stored = true, .is_simple = true },
};

static void say(struct buf *all, const char *name, const char *sql)
{
	ck_assert(buf_printf(all, "\n-- name: %s\n%s\n", name, sql));
}

typedef bool made(struct buf *sql, const struct table_shape *t, enum beside where, bool first);

static void say_made(struct buf *all, const char *name, made *make, const struct table_shape *t, bool first)
{
	struct buf sql;

	buf_init(&sql, 1 << 16);
	ck_assert(make(&sql, t, BESIDE_MAIN, first));
	say(all, name, buf_text(&sql));
	buf_done(&sql);
}

static bool made_rewrite(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	static const enum change changes[] = { CHANGE_NONE, CHANGE_TEXT, CHANGE_MAYBE_NULL };

	(void)where;
	return dialect_sqlserver_paging.rewrite(sql, t, changes, first);
}

static bool made_column(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	(void)where;
	(void)first;
	return dialect_sqlserver_paging.set_column(sql, t, 1);
}

static bool made_last(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	(void)first;
	return dialect_sqlserver_paging.last_key(sql, t, where);
}

static void say_bounds(struct buf *all, const struct table_shape *t)
{
	static const char *const names[] = { "drop_low",   "drop_high", "make_low",  "make_high",
					     "clear_high", "reach",     "clear_low", "advance" };
	struct buf sql;

	buf_init(&sql, 1 << 16);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		buf_clear(&sql);
		ck_assert(dialect_sqlserver_paging.bound(&sql, t, BESIDE_MAIN, (enum bound)i, false, 500));
		say(all, names[i], buf_text(&sql));
	}
	buf_done(&sql);
}

static void say_pages(struct buf *all, const struct table_shape *t, const char *key)
{
	const struct {
		const char *name;
		made *make;
		bool first;
	} all_made[] = {
		{ "measure_first", dialect_sqlserver_paging.measure, true }, { "measure", dialect_sqlserver_paging.measure, false },
		{ "read_first", dialect_sqlserver_paging.read, true },	     { "read", dialect_sqlserver_paging.read, false },
		{ "rewrite", made_rewrite, false },			     { "last_key", made_last, false },
	};
	char name[64];

	for (size_t i = 0; i < sizeof all_made / sizeof *all_made; i++) {
		snprintf(name, sizeof name, "%s_by_%s", all_made[i].name, key);
		say_made(all, name, all_made[i].make, t, all_made[i].first);
	}
}

/* A copy by rows: every kind of column, a key of one column and one of three. */
static void say_rows(struct buf *all)
{
	struct rows_column columns[] = {
		{ "id", "int", "", ROWS_OTHER, 0, 1 },
		{ "na\"me", "varchar(20)", "Latin1_General_CI_AS", ROWS_TEXT, 20, 0 },
		{ "page", "xml", "", ROWS_XML, 0, 0 },
		{ "image", "varbinary(max)", "", ROWS_BINARY, 0, 0 },
		{ "at", "datetime2(7)", "", ROWS_DATE, 0, 0 },
		{ "price", "money", "", ROWS_MONEY, 0, 0 },
		{ "ratio", "float", "", ROWS_FLOAT, 0, 0 },
	};
	struct rows_shape t = { .schema = "crm7", .name = "con.tact", .columns = columns, .count = 7, .keys = 1 };
	struct buf sql;

	buf_init(&sql, 1 << 16);
	ck_assert(rows_text_read(&sql, &t, 500, true));
	say(all, "rows_read_first", buf_text(&sql));
	buf_clear(&sql);
	ck_assert(rows_text_read(&sql, &t, 500, false));
	say(all, "rows_read", buf_text(&sql));
	columns[1].key_part = 2;
	columns[4].key_part = 3;
	t.keys = 3;
	buf_clear(&sql);
	ck_assert(rows_text_read(&sql, &t, 500, false));
	say(all, "rows_read_by_three_columns", buf_text(&sql));
	t.has_identity = true;
	buf_clear(&sql);
	ck_assert(rows_text_write(&sql, &t));
	say(all, "rows_write", buf_text(&sql));
	buf_clear(&sql);
	ck_assert(rows_text_empty(&sql, &t));
	say(all, "rows_empty", buf_text(&sql));
	buf_done(&sql);
}

static char *whole_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (f && getdelim(&text, &size, '\0', f) < 0)
		*text = '\0';
	if (f)
		fclose(f);
	return text;
}

/* tests/lint/tsql.sh has the file read by two parsers; UPDATE_DOCS=1 writes it anew. */
START_TEST(the_adapters_own_statements_are_those_that_the_parsers_read)
{
	const struct table_shape by_one = { .name = "crm7.con.tact", .columns = one_key, .count = 3, .row_key = "contact_id" };
	const struct table_shape by_two = { .name = "crm7.pair", .columns = two_keys, .count = 3 };
	const struct sql_catalogue *c = dialect_sqlserver.catalogue;
	const char *source = getenv("SOURCE_DIR");
	char path[PATH_MAX], *kept;
	struct buf all;
	FILE *f;

	buf_init(&all, 1 << 20);
	ck_assert(buf_add_text(&all, "-- SPDX-License-Identifier: Apache-2.0\n-- What the adapter itself says to SQL Server, "
				     "for two sample tables: written by tests/unit/test_odbc_sqlserver.c.\n"));
	say_pages(&all, &by_one, "one_number");
	say_made(&all, "set_column", made_column, &by_one, false);
	say_pages(&all, &by_two, "two_columns");
	say_bounds(&all, &by_two);
	say_rows(&all);
	say(&all, "put_changes", dialect_sqlserver_paging.put_changes);
	say(&all, "clear_changes", dialect_sqlserver_paging.clear_changes);
	say(&all, "session", dialect_sqlserver_paging.session[0]);
	for (const char *const *sql = dialect_sqlserver.on_connect[ACCESS_WRITE]; *sql; sql++)
		say(&all, "on_connect", *sql);
	say(&all, "lock_stamp", dialect_sqlserver.lock_stamp);
	say(&all, "has_table", c->has_table);
	say(&all, "has_column", c->has_column);
	say(&all, "tables", c->tables[BESIDE_MAIN]);
	say(&all, "columns", c->columns[BESIDE_MAIN]);
	say(&all, "hidden_key", c->hidden_key[BESIDE_MAIN]);
	say(&all, "triggers", c->triggers);
	snprintf(path, sizeof path, "%s/tests/support/sqlserver_pages.sql", source ? source : SOURCE_DIR);
	if (getenv("UPDATE_DOCS")) {
		f = fopen(path, "we");
		ck_assert(f && fputs(buf_text(&all), f) >= 0 && fclose(f) == 0);
	}
	kept = whole_file(path);
	ck_assert_msg(kept && strcmp(kept, buf_text(&all)) == 0, "%s is not what the adapter says: run with UPDATE_DOCS=1", path);
	free(kept);
	buf_done(&all);
}
END_TEST

/* ---- the sections ---- */

/* Names of the next "-- name:" at *at; false behind the last. */
static bool next_name(const char **at, char name[64])
{
	const char *found = strstr(*at, "-- name: ");

	if (!found)
		return false;
	*at = found + strlen("-- name: ");
	snprintf(name, 64, "%.*s", (int)strcspn(*at, "\n"), *at);
	return true;
}

static bool is_of_sqlite(const char *file)
{
	return strncmp(file, "sql/sqlite/", 11) == 0 || strncmp(file, "sql/standard/", 13) == 0;
}

START_TEST(every_section_of_sqlite_is_there_in_t_sql)
{
	struct statements *all;
	size_t count = 0;
	char name[64];

	must((all = statements_new("sqlserver", NULL, false, sql_files, sql_files_count, e)));
	for (size_t i = 0; i < sql_files_count; i++) {
		const char *at = sql_files[i].text;

		while (is_of_sqlite(sql_files[i].name) && next_name(&at, name)) {
			must(statements_find(all, name, e));
			count++;
		}
	}
	ck_assert_uint_gt(count, 150);
	statements_free(&all);
}
END_TEST

START_TEST(a_block_is_one_statement_and_tables_have_their_schema)
{
	const struct sql_args args = { 2, { { "login", { .kind = SQL_TEXT, .text = "app" } },
					    { "database", { .kind = SQL_TEXT, .text = "Cust1" } } } };
	struct statement st = { .schema = "crm7" };
	const struct section *section;
	struct statements *all;
	const char *at;
	bool more;

	buf_init(&st.sql, 1 << 16);
	must((all = statements_new("sqlserver", NULL, false, sql_files, sql_files_count, e)));
	must((section = statements_find(all, "s10_map_user", e)));
	at = section->sql;
	must(statement_next(section, &at, &args, &st, &more, e));
	ck_assert(more && strstr(buf_text(&st.sql), "EXEC \"Cust1\".sys.sp_executesql @sql;"));
	must(statement_next(section, &at, &args, &st, &more, e));
	ck_assert(!more);
	must((section = statements_find(all, "login_of_associate", e)));
	at = section->sql;
	must(statement_next(section, &at, &(struct sql_args){ 1, { { "associate", { .kind = SQL_NUMBER } } } }, &st, &more, e));
	ck_assert_ptr_nonnull(strstr(buf_text(&st.sql), "FROM \"crm7\".associate"));
	buf_done(&st.sql);
	statements_free(&all);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_sqlserver");
	TCase *drivers = tcase_create("both drivers"), *pure = tcase_create("strings");

	tcase_set_timeout(drivers, 120);
	tcase_add_loop_test(drivers, the_session_is_set_up_in_the_connection_not_in_a_prepared_scope, 0, TDS_DRIVERS);
	tcase_add_loop_test(drivers, a_login_that_is_refused_is_told_from_a_database_that_moves, 0, TDS_DRIVERS);
	/* Microsoft's driver says the same, after the whole of the login's time. */
	tcase_add_loop_test(drivers, a_server_that_is_not_there_may_be_there_later, TDS_FREETDS, TDS_MICROSOFT);
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
	tcase_add_test(pure, the_adapters_own_statements_are_those_that_the_parsers_read);
	tcase_add_test(pure, every_section_of_sqlite_is_there_in_t_sql);
	tcase_add_test(pure, a_block_is_one_statement_and_tables_have_their_schema);
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
