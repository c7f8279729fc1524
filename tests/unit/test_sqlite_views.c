/* SPDX-License-Identifier: Apache-2.0
 * Rows that SQLite shows us: only while we look, only by statements of ours, and every text of every column. */
#include "tests/unit/odbc_fixture.h"

static struct fixture x;

struct counting { /* hands on to SQLite's, and counts */
	struct row_views views;
	struct row_views *real;
	int64_t shown_to;
};

static struct counting counting;

static void show_to(struct row_views *self, const struct row_viewer *viewer)
{
	(void)self;
	counting.shown_to += viewer != NULL;
	counting.real->show_to(counting.real, viewer);
}

static void setup(void)
{
	fixture_folder(&x);
	rows_stay_inside(&x);
	counting = (struct counting){ .views = { show_to }, .real = x.settings.views };
	x.settings.views = &counting.views;
}

static void teardown(void)
{
	fixture_remove(&x);
}

#define NUMBERS(n) "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " #n ") "

static void copy_so(const struct sql_filter *filter, struct sql_pages *pages)
{
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, filter, pages, e));
}

/* The 3,000th of them is in a page of its own kind, and in that page are whole numbers, too. */
START_TEST(test_a_text_among_whole_numbers)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	x.settings.page_rows = 1000;
	SCRIPT(&x, SOURCE, "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, m BIGINT, t TEXT)",
	       NUMBERS(5000) "INSERT INTO a SELECT i, i * 7, CASE i WHEN 2999 THEN 'me@home.com' ELSE -i END, 'x@' || i FROM r");
	copy_so(&filter, &pages);
	ck_ask(&x, GENERATION, "SELECT m || typeof(m) FROM a WHERE id = 2999", "ME@HOME.COMtext");
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(id || typeof(n) || n || typeof(m) || upper(m) || upper(t)) FROM a");
	ck_assert_int_eq(pages.rows, 5000);
	ck_assert_int_eq(pages.cells_changed, 5001);
	/* Five pages, the third of them twice, and five read back. */
	ck_assert_int_eq(counting.shown_to, 11);
}
END_TEST

/* Odd names, more columns than one call can show, a key that is a column and one that is none, a computed column. */
START_TEST(test_odd_tables)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };
	char create[8192] = "CREATE TABLE \"wide \"\"one\" (c0 INT", insert[8192] = "INSERT INTO \"wide \"\"one\" VALUES (0";

	for (int i = 1; i < 150; i++) {
		sprintf(create + strlen(create), i % 2 ? ", c%d INT" : ", c%d TEXT", i);
		sprintf(insert + strlen(insert), i % 2 ? ", %d" : ", 'p%d@q'", i);
	}
	strcat(create, ")");
	strcat(insert, ")");
	SCRIPT(&x, SOURCE, create, insert, insert, "CREATE TABLE one (rowid INTEGER PRIMARY KEY)", "INSERT INTO one VALUES (5), (7)",
	       "CREATE TABLE sums (a TEXT, b TEXT AS (a || '!'), c REAL)", "INSERT INTO sums (a, c) VALUES ('x@y', -0.0), ('', 1e300)");
	copy_so(&filter, &pages);
	ck_same(&x, SOURCE, GENERATION, "SELECT sum(c1) + sum(c149) || upper(group_concat(c2 || c148)) FROM \"wide \"\"one\"");
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(rowid) FROM one");
	ck_ask(&x, GENERATION, "SELECT group_concat(a || b || c) FROM sums", "X@YX@Y!0.0,!1.0e+300");
	ck_assert_int_eq(pages.rows, 6);
}
END_TEST

static enum sql_cell count_marks(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
				 struct buf *out)
{
	(void)table;
	(void)column;
	(void)width;
	(void)out;
	*(int64_t *)arg += memchr(text, '@', len) != NULL;
	return SQL_CELL_KEEP;
}

/* Nothing is raw in most pages; one page is rewritten, and the proof sees computed columns, too. */
START_TEST(test_masking_and_proving)
{
	struct sql_pages copied = { 0 }, masked = { 0 }, again = { 0 }, proved = { 0 };
	struct sql_filter filter = { shout, NULL };
	int64_t marks = 0, shown;
	const struct sql_filter proves = { count_marks, &marks };

	x.settings.page_rows = 1000;
	SCRIPT(&x, SOURCE, "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, t TEXT, u TEXT AS ('u' || t))",
	       NUMBERS(4000) "INSERT INTO a (id, n, t) SELECT i, i, CASE WHEN i IN (1500, 1501) THEN 'a@b' ELSE 'none' END FROM r");
	copy_so(NULL, &copied);
	shown = counting.shown_to;
	x.fence.step = "mask_email_domains";
	while (!masked.finished)
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &masked, e));
	ck_assert_int_eq(masked.cells_changed, 2);
	ck_assert_int_eq(masked.rows, 4000);
	ck_assert_int_eq(counting.shown_to - shown, 4);
	while (!again.finished)
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &again, e));
	ck_assert_int_eq(again.cells_changed, 0);
	ck_ask(&x, GENERATION, "SELECT count(*) FROM a WHERE t = 'A@B' AND id IN (1500, 1501)", "2");
	while (!proved.finished)
		must(x.sql->scan_next(x.sql, &proves, &proved, e));
	ck_assert_int_eq(marks, 4);
	ck_assert_int_eq(proved.rows, 4000);
}
END_TEST

START_TEST(test_only_by_statements_of_ours)
{
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT)", "INSERT INTO a VALUES (1, 'x')",
	       "CREATE VIEW v AS SELECT sandbox_cell(1, 0, t) FROM a",
	       "CREATE TRIGGER g AFTER INSERT ON a BEGIN SELECT sandbox_look(1, 0, new.t); END");
	copy_so(NULL, &pages);
	for (size_t i = 0; i < 3; i++) {
		const char *const statements[] = { "SELECT * FROM v", "INSERT INTO a VALUES (2, 'y')", "SELECT sandbox_look(1, 0, 2)" };
		const char *const why[] = { "unsafe use of sandbox_cell", "unsafe use of sandbox_look", "nobody looks at rows" };
		struct odbc_env *env;
		struct buf text;
		struct conn *c;

		buf_init(&text, 4096);
		must((env = odbc_env_new(e)));
		ck_assert(dialect_sqlite.connection(&x.settings, GENERATION, ACCESS_WRITE, &text));
		must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_WRITE, &x.settings, e)));
		must(conn_begin_write(c, e));
		must_fail(conn_exec(c, statements[i], NULL, 0, NULL, e), ERR_REFUSED);
		ck_assert_msg(strstr(failure.text, why[i]), "%s", failure.text);
		conn_close(&c);
		odbc_env_free(&env);
		buf_done(&text);
	}
}
END_TEST

static enum sql_cell flood(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
			   struct buf *out)
{
	(void)arg;
	(void)table;
	(void)column;
	(void)width;
	(void)text;
	(void)len;
	out->failed = true;
	return SQL_CELL_REPLACE;
}

START_TEST(test_a_filter_that_fails)
{
	struct sql_filter filter = { flood, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE a (id INTEGER PRIMARY KEY, t TEXT)", "INSERT INTO a VALUES (1, 'x'), (2, 'y')");
	fixture_open(&x);
	make_generation(&x);
	must_fail(copy_all(&x, &filter, &pages, e), ERR_REFUSED);
	ck_assert_msg(strstr(failure.text, "too large"), "%s", failure.text);
	ck_ask(&x, GENERATION, "SELECT count(*) FROM sqlite_master WHERE name = 'a'", "0");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sqlite_views");
	TCase *tc = tcase_create("views");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_a_text_among_whole_numbers);
	tcase_add_test(tc, test_odd_tables);
	tcase_add_test(tc, test_masking_and_proving);
	tcase_add_test(tc, test_only_by_statements_of_ours);
	tcase_add_test(tc, test_a_filter_that_fails);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
