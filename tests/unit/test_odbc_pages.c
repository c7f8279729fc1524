/* SPDX-License-Identifier: Apache-2.0
 * Passes over many pages: their bounds, a source that moves meanwhile, dying in the middle, a full disk, memory,
 * masking and proving afterwards. */
#include "tests/unit/odbc_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

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

/* ---- pages, a source that moves ---- */

#define NUMBERS(n) "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < " #n ") "

/* Three tables of several pages each, one of them without a hidden key and with gaps. */
static void make_source(void)
{
	SCRIPT(
	    &x, SOURCE, "CREATE TABLE a (id INTEGER PRIMARY KEY, mail nvarchar(100), r REAL, n INT)",
	    NUMBERS(9000) "INSERT INTO a SELECT i * 3 - 10000, CASE i % 3 WHEN 0 THEN NULL ELSE 'p' || i || '@q.com' "
			  "END, i / 7.0, i FROM r",
	    "CREATE TABLE b (k TEXT, l INT, v TEXT, PRIMARY KEY (k, l)) WITHOUT ROWID",
	    NUMBERS(5000) "INSERT INTO b SELECT 'k' || (i % 50) || '@b', i, 'v' || i FROM r",
	    "CREATE TABLE c (body BLOB)",
	    NUMBERS(3000) "INSERT INTO c SELECT CASE i % 2 WHEN 0 THEN randomblob(i % 200) ELSE 't@' || i END FROM r",
	    "CREATE INDEX a1 ON a (mail)", "CREATE INDEX c1 ON c (body)", "CREATE VIEW v AS SELECT mail FROM a");
}

#define ALL_OF_A "SELECT group_concat(id || coalesce(upper(mail), '-') || quote(r) || n) FROM a"
#define ALL_OF_B "SELECT group_concat(upper(k) || l || v) FROM (SELECT * FROM b ORDER BY l)"
#define ALL_OF_C                                                                                                       \
	"SELECT group_concat(rowid || CASE typeof(body) WHEN 'text' THEN upper(body) ELSE quote(body) END) FROM c"

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
	ck_ask(&x, GENERATION,
	       "SELECT sum(checksum = back_checksum AND rows = back_rows AND phase = 2) FROM sandbox_copy", "3");
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MEMORY_KIB = 1024 * 1024 }; /* the sanitizer keeps what was freed */
#else
enum { MEMORY_KIB = 64 * 1024 };
#endif

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
	ck_assert_msg(peak_kib() - before < MEMORY_KIB, "%ld KiB more", peak_kib() - before);
	ck_same(&x, SOURCE, GENERATION,
		"SELECT sum(length(body)) || ' ' || sum(length(data)) || ' ' || sum(id) FROM big");
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
				must((x.sql = odbc_sql_open(x.server,
							    &(struct odbc_databases){ SOURCE, "", GENERATION }, e)));
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
	       NUMBERS(20000) "INSERT INTO t SELECT i, 'needle' || i || '@haystack.com' FROM r",
	       "CREATE INDEX i ON t (mail)");
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

/* Once with rows that travel, once with rows that stay inside SQLite. */
static TCase *make_case(const char *name, void (*begin)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_pages_are_bounded_and_counted);
	tcase_add_test(tc, test_source_moves_during_the_copy);
	tcase_add_test(tc, test_source_changes_its_tables_during_the_copy);
	tcase_add_test(tc, test_a_damaged_copy_is_not_accepted);
	tcase_add_test(tc, test_killed_twenty_times);
	tcase_add_test(tc, test_disk_full);
	tcase_add_test(tc, test_memory_is_bounded);
	tcase_add_test(tc, test_mask_after_the_copy);
	tcase_add_test(tc, test_no_raw_text_in_the_files);
	return tc;
}

int main(void)
{
	Suite *s = suite_create("odbc_pages");
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
