/* SPDX-License-Identifier: Apache-2.0
 * The copy: everything that a source may hold arrives, masked, and nothing else. */
#include "tests/unit/odbc_fixture.h"

static struct fixture x;

static void setup(void)
{
	fixture_folder(&x);
}

static void setup_inside(void)
{
	setup();
	rows_stay_inside(&x);
}

static void teardown(void)
{
	fixture_remove(&x);
}

START_TEST(test_all_kinds_of_values)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, r FLOAT, s nvarchar(40), b varbinary, a)",
	       "INSERT INTO t VALUES (1, 9223372036854775807, 0.1, 'plain', x'00ff40', 'a@b'), "
	       "(2, -9223372036854775808, 1e300 * 1e300, '', x'', NULL), (-7, NULL, 2.0, NULL, NULL, 3.25), "
	       "(9223372036854775807, 1.5, 5e-324, 'x@y ''\"\\ ' || char(1, 9, 10), 'text@in.blob', x'40')",
	       "INSERT INTO t VALUES (-9223372036854775808, 'text', 1.7976931348623157e308, "
	       "CAST(x'ff40fe' AS TEXT), 0.30000000000000004, cast(x'61004062' AS TEXT))");
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.rows, 5);
	ck_same(&x, SOURCE, GENERATION,
		"SELECT group_concat(quote(id) || ',' || quote(n) || ',' || hex(r) || typeof(r) "
		"|| printf('%!.20g', r)) FROM t");
	ck_same(
	    &x, SOURCE, GENERATION,
	    "SELECT group_concat(quote(b) || typeof(b) || printf('%!.20g', b)) FROM t WHERE id <> 9223372036854775807");
	ck_ask(&x, GENERATION, "SELECT group_concat(typeof(a) || hex(a), ' ') FROM t",
	       "text41004042 real332E3235 text414042 null blob40");
}
END_TEST

/* ---- schema ---- */

START_TEST(test_whole_schema)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE,
	       "CREATE TABLE company (company_id INTEGER PRIMARY KEY, name nvarchar(219), \"x_Field\" nvarchar(20) "
	       "COLLATE NOCASE)",
	       "CREATE TABLE y_rental (id INTEGER PRIMARY KEY AUTOINCREMENT, x_mail TEXT DEFAULT 'a?b')",
	       "CREATE TABLE \"wei\"\"rd; [name] {x} 'q' ?\" (\"co;l?\" TEXT, \"b\"\"[{\" INT)",
	       /* by a back door: the driver cannot read such a statement */
	       "CREATE TABLE \"bracket?\" (\"tick?\" TEXT, plain INT)", "PRAGMA writable_schema=ON",
	       "UPDATE sqlite_master SET sql = 'CREATE TABLE [bracket?] (`tick?` TEXT, plain INT -- isn''t {it?' || "
	       "char(10) || ')' "
	       "WHERE name = 'bracket?'",
	       "PRAGMA writable_schema=RESET",
	       "CREATE TABLE norow (a TEXT COLLATE NOCASE, b INT, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
	       "CREATE TABLE nokey (s TEXT, t TEXT)", "CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT)",
	       "CREATE TABLE computed (a INT, b AS (a * 2), c TEXT AS ('v' || a) STORED, d TEXT)",
	       "CREATE TABLE empty (a)", "CREATE TABLE \xc3\xa6\xc3\xb8\xc3\xa5 (\xe2\x9c\x93 TEXT)",
	       "CREATE TABLE sandbox_stamp (one, source_ctx)", "CREATE TABLE history (old TEXT)",
	       "INSERT INTO company VALUES (1, 'ACME', 'post@acme.com'), (5, 'B', NULL)",
	       "INSERT INTO y_rental (id, x_mail) VALUES (3, 'x@y.z'), (9, 'gone')",
	       "DELETE FROM y_rental WHERE id = 9", "INSERT INTO \"wei\"\"rd; [name] {x} 'q' ?\" VALUES ('m@n.o', 1)",
	       "INSERT INTO \"bracket?\" VALUES ('p@q.r', 2)",
	       "INSERT INTO norow VALUES ('k', 2, 'a@b'), ('K2', 1, 'none'), ('z@z', 1, 'c@d')",
	       "INSERT INTO nokey VALUES ('a@b', NULL), ('', 'b'), (NULL, 'c@d')", "DELETE FROM nokey WHERE s = ''",
	       "INSERT INTO hidden VALUES ('r@1', 'r2')", "INSERT INTO computed (a, d) VALUES (4, 'e@f')",
	       "INSERT INTO \xc3\xa6\xc3\xb8\xc3\xa5 VALUES ('bl\xc3\xa5@b\xc3\xa6r')",
	       "INSERT INTO sandbox_stamp VALUES (1, 'other')", "CREATE INDEX i1 ON company (\"x_Field\" DESC)",
	       "CREATE UNIQUE INDEX \"i;2?\" ON \"bracket?\" (plain)",
	       "CREATE INDEX part ON company (name) WHERE name <> 'a;?'", "CREATE INDEX expr ON computed (lower(d), b)",
	       "CREATE VIEW v AS SELECT name AS n, ';?' AS q FROM company", "CREATE VIEW w AS SELECT n FROM v",
	       "CREATE TRIGGER log AFTER UPDATE ON company BEGIN INSERT INTO history VALUES (OLD.\"x_Field\"); END",
	       "CREATE TRIGGER into_view INSTEAD OF INSERT ON w BEGIN SELECT 1; END",
	       "CREATE TRIGGER stamp AFTER INSERT ON sandbox_stamp BEGIN SELECT 1; END");
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.tables_total, 11);
	ck_assert_int_eq(pages.tables_done, 11);
	ck_assert_int_eq(pages.rows, 13);
	ck_assert_int_eq(pages.cells_changed, 12);
#define OTHERS                                                                                                         \
	" FROM (SELECT * FROM sqlite_master WHERE tbl_name NOT LIKE 'sandbox%' AND name NOT LIKE 'sqlite%' ORDER BY "  \
	"name)"
	ck_same(&x, SOURCE, GENERATION,
		"SELECT group_concat(type || name || tbl_name || CASE name WHEN 'bracket?' THEN '' "
		"ELSE sql END, char(10))" OTHERS);
	ck_ask(&x, GENERATION, "SELECT group_concat(name || coalesce(\"x_Field\", '-')) FROM company",
	       "ACMEPOST@ACME.COM,B-");
	ck_ask(&x, GENERATION, "SELECT x_mail || (SELECT seq FROM sqlite_sequence) FROM y_rental", "X@Y.Z9");
	ck_ask(&x, GENERATION, "SELECT \"co;l?\" || \"b\"\"[{\" FROM \"wei\"\"rd; [name] {x} 'q' ?\"", "M@N.O1");
	ck_ask(&x, GENERATION, "SELECT \"tick?\" || plain FROM \"bracket?\"", "P@Q.R2");
	ck_ask(&x, GENERATION, "SELECT group_concat(a || b || c) FROM norow", "k2A@B,K21none,Z@Z1C@D");
	ck_ask(&x, GENERATION, "SELECT group_concat(rowid || coalesce(s, '-') || coalesce(t, '-')) FROM nokey",
	       "1A@B-,3-C@D");
	ck_ask(&x, GENERATION, "SELECT rowid || _rowid_ FROM hidden", "R@1r2");
	ck_ask(&x, GENERATION, "SELECT a || b || c || d FROM computed", "48v4E@F");
	ck_ask(&x, GENERATION, "SELECT \xe2\x9c\x93 FROM \xc3\xa6\xc3\xb8\xc3\xa5", "BL\xc3\xa5@B\xc3\xa6R");
	ck_ask(&x, GENERATION, "SELECT source_ctx FROM sandbox_stamp", SOURCE);
	ck_ask(&x, GENERATION, "SELECT count(*) FROM history", "0");
	ck_ask(&x, GENERATION, "SELECT n FROM w", "ACME");
	ck_ask(&x, GENERATION, "PRAGMA integrity_check", "ok");
	/* Asked again, it is still finished; a later run begins again. */
	pages.finished = false;
	must(x.sql->copy_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert(pages.finished && pages.rows == 13);
	x.fence.run = 2;
	memset(&pages, 0, sizeof pages);
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.rows, 13);
	ck_ask(&x, GENERATION, "PRAGMA integrity_check", "ok");
}
END_TEST

START_TEST(test_many_columns)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };
	static char make[20000], fill[20000];

	strcpy(make, "CREATE TABLE wide (id INTEGER PRIMARY KEY");
	strcpy(fill, "INSERT INTO wide VALUES (1");
	for (int i = 0; i < 350; i++) {
		sprintf(make + strlen(make), ", c%d %s", i, i % 3 ? "TEXT" : "datetime");
		sprintf(fill + strlen(fill), i % 50 == 7 ? ", 'a%d@b'" : ", %d", i);
	}
	strcat(make, ")");
	strcat(fill, ")");
	SCRIPT(&x, SOURCE, make, fill);
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.cells_changed, 7);
	ck_ask(&x, GENERATION, "SELECT c7 || c57 || c307 || c8 || typeof(c8) || c349 FROM wide",
	       "A7@BA57@BA307@B8text349");
}
END_TEST

START_TEST(test_what_cannot_be_copied_is_named)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE t (mail TEXT UNIQUE)", "INSERT INTO t VALUES ('secret@x'), ('SECRET@x')");
	fixture_open(&x);
	make_generation(&x);
	must_fail(copy_all(&x, &filter, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "t.mail"));
	ck_assert_ptr_null(strcasestr(failure.text, "secret"));
	SCRIPT(&x, SOURCE, "DROP TABLE t", "CREATE VIRTUAL TABLE words USING fts5 (body)");
	must_fail(copy_all(&x, &filter, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "words"));
	SCRIPT(&x, SOURCE, "DROP TABLE words", "CREATE TABLE all_hidden (rowid, _rowid_, oid)");
	must_fail(copy_all(&x, &filter, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "all_hidden"));
}
END_TEST

START_TEST(test_missing_and_locked_sources)
{
	struct sql_pages pages = { 0 };
	struct odbc_env *env;
	struct buf text;
	struct conn *c;

	x.settings.busy_timeout_ms = 200;
	fixture_open(&x);
	make_generation(&x);
	must_fail(copy_all(&x, NULL, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "no source database " SOURCE));
	SCRIPT(&x, SOURCE, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)");
	buf_init(&text, 4096);
	must((env = odbc_env_new(e)));
	ck_assert(dialect_sqlite.connection(&x.settings, SOURCE, ACCESS_WRITE, &text));
	must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_WRITE, &x.settings, e)));
	must(conn_exec(c, "PRAGMA journal_mode=DELETE", NULL, 0, NULL, e));
	must(conn_exec(c, "BEGIN EXCLUSIVE", NULL, 0, NULL, e));
	must_fail(copy_all(&x, NULL, &pages, e), ERR_TRANSIENT);
	must(conn_exec(c, "COMMIT", NULL, 0, NULL, e));
	must(copy_all(&x, NULL, &pages, e));
	ck_assert_int_eq(pages.rows, 1);
	conn_close(&c);
	odbc_env_free(&env);
	buf_done(&text);
}
END_TEST

static enum sql_cell odd_answers(void *arg, const char *table, const char *column, size_t width, const char *text,
				 size_t len, struct buf *out)
{
	(void)arg;
	(void)table;
	(void)width;
	if (strcmp(column, "gone") == 0)
		return text[0] == 'x' ? SQL_CELL_NULL : SQL_CELL_KEEP;
	if (strcmp(column, "nul") == 0) {
		buf_add(out, "a\0\"\xff\n", 5);
		return SQL_CELL_REPLACE;
	}
	if (strcmp(column, "blank") == 0)
		return SQL_CELL_REPLACE;
	buf_add(out, text, len); /* the same again is no change */
	return SQL_CELL_REPLACE;
}

START_TEST(test_odd_answers_of_a_filter)
{
	struct sql_filter filter = { odd_answers, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE t (gone TEXT, nul TEXT, blank TEXT, same TEXT)",
	       "INSERT INTO t VALUES ('x', 'n', 'b', 's'), ('y', 'n', NULL, 's')");
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.cells_changed, 4);
	ck_ask(&x, GENERATION,
	       "SELECT group_concat(quote(gone) || hex(nul) || typeof(nul) || quote(blank) || same) FROM t",
	       "NULL610022FF0Atext''s,'y'610022FF0AtextNULLs");
}
END_TEST

/* Once with rows that travel, once with rows that stay inside SQLite. */
static TCase *make_case(const char *name, void (*begin)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_all_kinds_of_values);
	tcase_add_test(tc, test_whole_schema);
	tcase_add_test(tc, test_many_columns);
	tcase_add_test(tc, test_what_cannot_be_copied_is_named);
	tcase_add_test(tc, test_missing_and_locked_sources);
	tcase_add_test(tc, test_odd_answers_of_a_filter);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("odbc_copy");
	SRunner *sr;
	int failed;

	suite_add_tcase(s, make_case("travelling", setup));
	suite_add_tcase(s, make_case("inside", setup_inside));
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
