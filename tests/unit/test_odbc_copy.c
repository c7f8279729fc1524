/* SPDX-License-Identifier: Apache-2.0
 * The copy: everything that a source may hold arrives, masked, and nothing else. */
#include "tests/unit/odbc_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct fixture x;

static void setup(void)
{
	fixture_folder(&x);
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
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(quote(id) || ',' || quote(n) || ',' || hex(r) || typeof(r) "
	        "|| printf('%!.20g', r)) FROM t");
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(quote(b) || typeof(b) || printf('%!.20g', b)) FROM t WHERE id <> 9223372036854775807");
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
	       "CREATE TABLE company (company_id INTEGER PRIMARY KEY, name nvarchar(219), \"x_Field\" nvarchar(20) COLLATE NOCASE)",
	       "CREATE TABLE y_rental (id INTEGER PRIMARY KEY AUTOINCREMENT, x_mail TEXT DEFAULT 'a?b')",
	       "CREATE TABLE \"wei\"\"rd; [name] {x} 'q' ?\" (\"co;l?\" TEXT, \"b\"\"[{\" INT)",
	       /* by a back door: the driver cannot read such a statement */
	       "CREATE TABLE \"bracket?\" (\"tick?\" TEXT, plain INT)", "PRAGMA writable_schema=ON",
	       "UPDATE sqlite_master SET sql = 'CREATE TABLE [bracket?] (`tick?` TEXT, plain INT -- isn''t {it?' || char(10) || ')' "
	       "WHERE name = 'bracket?'", "PRAGMA writable_schema=RESET",
	       "CREATE TABLE norow (a TEXT COLLATE NOCASE, b INT, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
	       "CREATE TABLE nokey (s TEXT, t TEXT)", "CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT)",
	       "CREATE TABLE computed (a INT, b AS (a * 2), c TEXT AS ('v' || a) STORED, d TEXT)",
	       "CREATE TABLE empty (a)", "CREATE TABLE \xc3\xa6\xc3\xb8\xc3\xa5 (\xe2\x9c\x93 TEXT)",
	       "CREATE TABLE sandbox_stamp (one, source_ctx)", "CREATE TABLE history (old TEXT)",
	       "INSERT INTO company VALUES (1, 'ACME', 'post@acme.com'), (5, 'B', NULL)",
	       "INSERT INTO y_rental (id, x_mail) VALUES (3, 'x@y.z'), (9, 'gone')", "DELETE FROM y_rental WHERE id = 9",
	       "INSERT INTO \"wei\"\"rd; [name] {x} 'q' ?\" VALUES ('m@n.o', 1)", "INSERT INTO \"bracket?\" VALUES ('p@q.r', 2)",
	       "INSERT INTO norow VALUES ('k', 2, 'a@b'), ('K2', 1, 'none'), ('z@z', 1, 'c@d')",
	       "INSERT INTO nokey VALUES ('a@b', NULL), ('', 'b'), (NULL, 'c@d')", "DELETE FROM nokey WHERE s = ''",
	       "INSERT INTO hidden VALUES ('r@1', 'r2')", "INSERT INTO computed (a, d) VALUES (4, 'e@f')",
	       "INSERT INTO \xc3\xa6\xc3\xb8\xc3\xa5 VALUES ('bl\xc3\xa5@b\xc3\xa6r')", "INSERT INTO sandbox_stamp VALUES (1, 'other')",
	       "CREATE INDEX i1 ON company (\"x_Field\" DESC)", "CREATE UNIQUE INDEX \"i;2?\" ON \"bracket?\" (plain)",
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
#define OTHERS " FROM (SELECT * FROM sqlite_master WHERE tbl_name NOT LIKE 'sandbox%' AND name NOT LIKE 'sqlite%' ORDER BY name)"
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(type || name || tbl_name || CASE name WHEN 'bracket?' THEN '' "
	        "ELSE sql END, char(10))" OTHERS);
	ck_ask(&x, GENERATION, "SELECT group_concat(name || coalesce(\"x_Field\", '-')) FROM company", "ACMEPOST@ACME.COM,B-");
	ck_ask(&x, GENERATION, "SELECT x_mail || (SELECT seq FROM sqlite_sequence) FROM y_rental", "X@Y.Z9");
	ck_ask(&x, GENERATION, "SELECT \"co;l?\" || \"b\"\"[{\" FROM \"wei\"\"rd; [name] {x} 'q' ?\"", "M@N.O1");
	ck_ask(&x, GENERATION, "SELECT \"tick?\" || plain FROM \"bracket?\"", "P@Q.R2");
	ck_ask(&x, GENERATION, "SELECT group_concat(a || b || c) FROM norow", "k2A@B,K21none,Z@Z1C@D");
	ck_ask(&x, GENERATION, "SELECT group_concat(rowid || coalesce(s, '-') || coalesce(t, '-')) FROM nokey", "1A@B-,3-C@D");
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
	ck_ask(&x, GENERATION, "SELECT c7 || c57 || c307 || c8 || typeof(c8) || c349 FROM wide", "A7@BA57@BA307@B8text349");
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

/* ---- pages, a source that moves ---- */

#define NUMBERS(n) "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " #n ") "

/* Three tables of several pages each, one of them without a hidden key and with gaps. */
static void make_source(void)
{
	SCRIPT(&x, SOURCE, "CREATE TABLE a (id INTEGER PRIMARY KEY, mail nvarchar(100), r REAL, n INT)",
	       NUMBERS(9000) "INSERT INTO a SELECT i * 3 - 10000, CASE i % 3 WHEN 0 THEN NULL ELSE 'p' || i || '@q.com' END, i / 7.0, i FROM r",
	       "CREATE TABLE b (k TEXT, l INT, v TEXT, PRIMARY KEY (k, l)) WITHOUT ROWID",
	       NUMBERS(5000) "INSERT INTO b SELECT 'k' || (i % 50) || '@b', i, 'v' || i FROM r", "CREATE TABLE c (body BLOB)",
	       NUMBERS(3000) "INSERT INTO c SELECT CASE i % 2 WHEN 0 THEN randomblob(i % 200) ELSE 't@' || i END FROM r",
	       "CREATE INDEX a1 ON a (mail)", "CREATE INDEX c1 ON c (body)", "CREATE VIEW v AS SELECT mail FROM a");
}

#define ALL_OF_A "SELECT group_concat(id || coalesce(upper(mail), '-') || quote(r) || n) FROM a"
#define ALL_OF_B "SELECT group_concat(upper(k) || l || v) FROM (SELECT * FROM b ORDER BY l)"
#define ALL_OF_C "SELECT group_concat(rowid || CASE typeof(body) WHEN 'text' THEN upper(body) ELSE quote(body) END) FROM c"

static void ck_is_copy(const char *generation)
{
	ck_same(&x, SOURCE, generation, ALL_OF_A);
	ck_same(&x, SOURCE, generation, ALL_OF_B);
	ck_same(&x, SOURCE, generation, ALL_OF_C);
	ck_ask(&x, generation, "SELECT count(*) FROM a WHERE mail GLOB '*[a-z]*'", "0");
	ck_ask(&x, generation, "SELECT count(*) FROM b WHERE k GLOB '*[a-z]*'", "0");
	ck_ask(&x, generation, "SELECT count(*) FROM c WHERE typeof(body) = 'text' AND body GLOB '*[a-z]*'", "0");
	ck_ask(&x, generation, "SELECT count(*) FROM sqlite_master WHERE name IN ('a1', 'c1', 'v')", "3");
	ck_ask(&x, generation, "PRAGMA integrity_check", "ok");
}

START_TEST(test_pages_are_bounded_and_counted)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };
	int64_t before = 0;
	int calls = 0;

	x.settings.page_rows = 700;
	make_source();
	fixture_open(&x);
	make_generation(&x);
	for (; !pages.finished; calls++) {
		must(x.sql->copy_next(x.sql, &x.fence, &filter, &pages, e));
		ck_assert_int_le(pages.rows - before, 700);
		ck_assert_uint_lt(strlen(pages.cursor), sizeof pages.cursor);
		before = pages.rows;
	}
	ck_assert_int_eq(pages.rows, 17000);
	ck_assert_int_eq(pages.rows_expected, 17000 + 17000 - 9000); /* of `a` the last key is 17000 */
	ck_assert_int_eq(pages.cells_changed, 6000 + 5000 + 1500);
	ck_assert_int_gt(calls, 40);
	ck_is_copy(GENERATION);
	ck_ask(&x, GENERATION, "SELECT sum(checksum = back_checksum AND rows = back_rows AND phase = 2) FROM sandbox_copy", "3");
}
END_TEST

START_TEST(test_source_moves_during_the_copy)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	x.settings.page_rows = 1000;
	make_source();
	fixture_open(&x);
	make_generation(&x);
	for (int i = 0; i < 12; i++) /* in the middle of reading `a` back */
		must(x.sql->copy_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert_int_eq(pages.rows, 9000);
	SCRIPT(&x, SOURCE, "UPDATE a SET mail = 'new@addr' WHERE n = 5", "DELETE FROM a WHERE n = 8000",
	       "INSERT INTO a VALUES (999999, 'late@x', 0.5, 0)");
	for (int i = 0; i < 14; i++)
		must(x.sql->copy_next(x.sql, &x.fence, &filter, &pages, e));
	SCRIPT(&x, SOURCE, "UPDATE b SET v = 'changed' WHERE l = 1", "INSERT INTO c VALUES ('more@x')",
	       "INSERT INTO b VALUES ('first@b', -1, '')");
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.rows, 17002);
	ck_is_copy(GENERATION);
}
END_TEST

START_TEST(test_source_changes_its_tables_during_the_copy)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	make_source();
	fixture_open(&x);
	make_generation(&x);
	for (int i = 0; i < 3; i++)
		must(x.sql->copy_next(x.sql, &x.fence, &filter, &pages, e));
	SCRIPT(&x, SOURCE, "ALTER TABLE a ADD COLUMN x_extra TEXT", "UPDATE a SET x_extra = 'e@f' WHERE n = 1",
	       "CREATE TABLE y_new (id INTEGER PRIMARY KEY)", "INSERT INTO y_new VALUES (4)");
	must(copy_all(&x, &filter, &pages, e));
	ck_ask(&x, GENERATION, "SELECT x_extra || (SELECT id FROM y_new) FROM a WHERE n = 1", "E@F4");
	ck_is_copy(GENERATION);
}
END_TEST

START_TEST(test_a_damaged_copy_is_not_accepted)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	x.settings.page_rows = 1000;
	make_source();
	fixture_open(&x);
	make_generation(&x);
	for (int i = 0; i < 5; i++)
		must(x.sql->copy_next(x.sql, &x.fence, &filter, &pages, e));
	SCRIPT(&x, GENERATION, "UPDATE a SET r = r + 1e-12 WHERE n = 5");
	must_fail(copy_all(&x, &filter, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "table a was read back different"));
}
END_TEST

/* ---- dying ---- */

static void copy_in_child(void)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	fixture_open(&x);
	must(copy_all(&x, &filter, &pages, e));
	fixture_close(&x);
	_exit(0);
}

START_TEST(test_killed_twenty_times)
{
	bool finished = false;
	int kills = 0;

	x.settings.page_rows = 100;
	make_source();
	fixture_open(&x);
	make_generation(&x);
	fixture_close(&x);
	srand(4711);
	while (!finished) {
		pid_t child = fork();
		int status;

		ck_assert_int_ge(child, 0);
		if (child == 0)
			copy_in_child();
		if (kills < 20)
			usleep((useconds_t)(20000 + rand() % 60000));
		kills += kill(child, kills < 20 ? SIGKILL : 0) == 0 && kills < 20;
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		finished = WIFEXITED(status);
		ck_assert(!finished || WEXITSTATUS(status) == 0);
	}
	ck_assert_int_ge(kills, 5);
	ck_is_copy(GENERATION);
	ck_ask(&x, GENERATION, "SELECT sum(rows) FROM sandbox_copy", "17000");
	ck_ask(&x, GENERATION, "SELECT rows FROM sandbox_ledger", "17000");
}
END_TEST

START_TEST(test_disk_full)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };
	struct rlimit limit;

	make_source();
	fixture_open(&x);
	make_generation(&x);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 300 * 1024;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 3; i++) { /* whether the commit got through is not always known */
		err_clear(&failure);
		ck_assert(!copy_all(&x, &filter, &pages, &failure));
		ck_assert(failure.class == ERR_TRANSIENT || failure.class == ERR_UNSURE);
		ck_assert_ptr_nonnull(strstr(failure.text, "disk full"));
	}
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	must(copy_all(&x, &filter, &pages, e));
	ck_is_copy(GENERATION);
}
END_TEST

/* ---- memory ---- */

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

START_TEST(test_memory_is_bounded)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };
	long before;

	SCRIPT(&x, SOURCE, "CREATE TABLE big (id INTEGER PRIMARY KEY, body TEXT, data)",
	       NUMBERS(60) "INSERT INTO big SELECT i, printf('%.*c', 500000, 'x') || ' a@b', zeroblob(500000) FROM r",
	       NUMBERS(2000) "INSERT INTO big SELECT i + 100, printf('%.*c', 3000, 'y'), NULL FROM r",
	       NUMBERS(60) "INSERT INTO big SELECT i + 3000, '', 'c@d' || hex(zeroblob(100000)) FROM r");
	fixture_open(&x);
	make_generation(&x);
	before = peak_kib();
	must(copy_all(&x, &filter, &pages, e));
	x.fence.step = "mask";
	memset(&pages, 0, sizeof pages);
	while (!pages.finished)
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert_msg(peak_kib() - before < 64 * 1024, "%ld KiB more", peak_kib() - before);
	ck_same(&x, SOURCE, GENERATION, "SELECT sum(length(body)) || ' ' || sum(length(data)) || ' ' || sum(id) FROM big");
}
END_TEST

/* ---- masking and proving afterwards ---- */

struct found {
	int64_t texts, ats;
	char where[512];
};

static enum sql_cell look(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
                          struct buf *out)
{
	struct found *f = arg;

	(void)out;
	f->texts++;
	if (!memchr(text, '@', len))
		return SQL_CELL_KEEP;
	f->ats++;
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'a' && text[i] <= 'z') {
			snprintf(f->where, sizeof f->where, "%s.%s %zu", table, column, width);
			break;
		}
	return SQL_CELL_REPLACE; /* ignored by a scan */
}

static void scan(struct found *found)
{
	struct sql_filter filter = { look, found };
	struct sql_pages pages = { 0 };

	memset(found, 0, sizeof *found);
	while (!pages.finished)
		must(x.sql->scan_next(x.sql, &filter, &pages, e));
}

START_TEST(test_mask_after_the_copy)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };
	struct found found;
	bool reopened = false;

	x.settings.page_rows = 900;
	make_source();
	SCRIPT(&x, SOURCE, "CREATE TABLE history (old TEXT)", "CREATE TABLE w (note nvarchar(33), up AS (note || '!'))",
	       "CREATE TRIGGER log AFTER UPDATE ON a BEGIN INSERT INTO history VALUES (OLD.mail); END",
	       "INSERT INTO w VALUES ('zz@top')");
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, NULL, &pages, e)); /* raw */
	ck_assert_int_eq(pages.cells_changed, 0);
	scan(&found);
	ck_assert_int_eq(found.ats, 6000 + 5000 + 1500 + 2);
	ck_assert_str_ne(found.where, "");
	memset(&pages, 0, sizeof pages);
	x.fence.step = "mask";
	while (!pages.finished) {
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &pages, e));
		if (pages.tables_done == 1 && !pages.finished) { /* another port goes on from the ledger's cursor */
			struct sql_ledger ledger;

			odbc_sql_close(&x.sql);
			if (!reopened) /* and once another process */
				fixture_close(&x);
			if (!reopened)
				fixture_open(&x);
			else
				must((x.sql = odbc_sql_open(x.server, &(struct odbc_databases){ SOURCE, "", GENERATION }, e)));
			reopened = true;
			must(x.sql->ledger(x.sql, &x.fence, &ledger, e));
			memset(&pages, 0, sizeof pages);
			memcpy(pages.cursor, ledger.cursor, sizeof pages.cursor);
		}
	}
	scan(&found);
	ck_assert_str_eq(found.where, "");
	ck_assert_int_eq(found.ats, 6000 + 5000 + 1500 + 2);
	ck_is_copy(GENERATION);
	ck_ask(&x, GENERATION, "SELECT count(*) FROM history", "0");
	ck_ask(&x, GENERATION, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'", "1");
	ck_ask(&x, GENERATION, "SELECT note || up FROM w", "ZZ@TOPZZ@TOP!");
	/* Again: finished at once by the ledger, nothing to change from the start. */
	must(x.sql->mask_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert(pages.finished);
	memset(&pages, 0, sizeof pages);
	while (!pages.finished)
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert_int_eq(pages.cells_changed, 0);
}
END_TEST

/* No byte of the generation's files holds what a filter replaced. */
START_TEST(test_no_raw_text_in_the_files)
{
	static const char *const tails[] = { "", "-wal" };
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT)",
	       NUMBERS(20000) "INSERT INTO t SELECT i, 'needle' || i || '@haystack.com' FROM r", "CREATE INDEX i ON t (mail)");
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, &filter, &pages, e));
	for (size_t i = 0; i < 2; i++) {
		char path[256], *bytes;
		size_t len;
		FILE *f;

		snprintf(path, sizeof path, "%s/" GENERATION ".sqlite%s", x.folder, tails[i]);
		f = fopen(path, "rb");
		if (!f)
			continue;
		bytes = malloc(64 << 20);
		len = fread(bytes, 1, 64 << 20, f);
		fclose(f);
		ck_assert(i > 0 || memmem(bytes, len, "NEEDLE", 6));
		ck_assert_ptr_null(memmem(bytes, len, "needle", 6));
		free(bytes);
	}
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
	ck_ask(&x, GENERATION, "SELECT group_concat(quote(gone) || hex(nul) || typeof(nul) || quote(blank) || same) FROM t",
	       "NULL610022FF0Atext''s,'y'610022FF0AtextNULLs");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("odbc_copy");
	TCase *tc = tcase_create("copy");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_all_kinds_of_values);
	tcase_add_test(tc, test_whole_schema);
	tcase_add_test(tc, test_many_columns);
	tcase_add_test(tc, test_what_cannot_be_copied_is_named);
	tcase_add_test(tc, test_missing_and_locked_sources);
	tcase_add_test(tc, test_pages_are_bounded_and_counted);
	tcase_add_test(tc, test_source_moves_during_the_copy);
	tcase_add_test(tc, test_source_changes_its_tables_during_the_copy);
	tcase_add_test(tc, test_a_damaged_copy_is_not_accepted);
	tcase_add_test(tc, test_killed_twenty_times);
	tcase_add_test(tc, test_disk_full);
	tcase_add_test(tc, test_memory_is_bounded);
	tcase_add_test(tc, test_mask_after_the_copy);
	tcase_add_test(tc, test_no_raw_text_in_the_files);
	tcase_add_test(tc, test_odd_answers_of_a_filter);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
