/* SPDX-License-Identifier: Apache-2.0
 * A copy by rows from one SQL Server to another, through both real drivers, between two scripted servers: which statements
 * go where, in which order, with which values. The generation remembers what the copy told it to. */
#include "tests/unit/odbc_sqlserver_world.h"

#include <inttypes.h>

static struct tds_server *from; /* the source's server */

/* ---- the source ---- */

#define TABLES_OF(columns)                                                                                             \
	RULE("CREATE SCHEMA", "[\"k\", \"nvarchar\"], [\"n\", \"nvarchar\"], [\"d\", \"max\"], [\"e\", \"bigint\"]",   \
	     "[\"schema\", \"crm7\", \"CREATE SCHEMA [crm7]\", 0],"                                                    \
	     "[\"table\", \"crm7.contact\", \"CREATE TABLE [crm7].[contact] (" columns ")\", 3]")
#define STATE(numbers)                                                                                                 \
	RULE("snapshot_isolation_state", "[\"s\", \"int\"], [\"v\", \"int\"], [\"r\", \"int\"]", "[" numbers "]") \
	RULE("^SELECT COUNT... FROM sys.tables$", "[\"n\", \"int\"]", "[1]")
#define LIST   "[\"k\", \"nvarchar\"], [\"n\", \"nvarchar\"], [\"d\", \"max\"]"
#define CELLS  "[\"id\", \"nvarchar\"], [\"mail\", \"max\"], [\"note\", \"max\"]"
#define ROW1   "[\"10\", \"real@customer.example\", null]"
#define ROW2   "[\"20\", \"no address\", \"say \\\"hi\\\"\"]"
#define ROW3   "[\"30\", \"second@customer.example\", \"\\u00e5\\u20ac\"]"
#define BEHIND "CROSS JOIN .SELECT CONVERT.int"
#define REFUSED_BY(rows) RULE("SELECT TOP .1. w.why", "[\"w\", \"nvarchar\"]", rows)
#define INDEXES                                                                                                        \
	RULE("i.ignore_dup_key.*\\\\[1\\\\]$", LIST,                                                                   \
	     "[\"index\", \"crm7.contact.pk\", \"ALTER TABLE [crm7].[contact] ADD CONSTRAINT [pk] PRIMARY KEY CLUSTERED ([id])\"]") \
	RULE("i.ignore_dup_key.*\\\\[0\\\\]$", LIST,                                                                   \
	     "[\"index\", \"crm7.contact.by_mail\", \"CREATE NONCLUSTERED INDEX [by_mail] ON [crm7].[contact] ([mail])\"]")
#define LATER                                                                                                          \
	RULE("CREATE SEQUENCE", LIST,                                                                                  \
	     "[\"module\", \"crm7.on_other\", \"CREATE VIEW crm7.on_other AS SELECT 1 AS a FROM crm7.other\"],"         \
	     "[\"module\", \"crm7.other\", \"CREATE VIEW crm7.other AS SELECT 1 AS a\"]")
#define COLUMNS                                                                                                        \
	RULE("c.collation_name, N",                                                                                    \
	     "[\"n\", \"nvarchar\"], [\"t\", \"nvarchar\"], [\"d\", \"nvarchar\"], [\"w\", \"int\"], [\"k\", \"int\"], "       \
	     "[\"c\", \"nvarchar\"], [\"i\", \"int\"]",                                                                \
	     "[\"id\", \"int\", \"int\", 0, 1, \"\", 1],"                                                              \
	     "[\"mail\", \"nvarchar\", \"nvarchar(200)\", 200, 0, \"Latin1_General_CI_AS\", 0],"                        \
	     "[\"note\", \"nvarchar\", \"nvarchar(max)\", 0, 0, \"Latin1_General_CI_AS\", 0]")
#define PAGES                                                                                                          \
	RULE("^SELECT TOP .2. .*" BEHIND, CELLS, ROW3)                                                                 \
	RULE("^SELECT TOP .2. CONVERT", CELLS, ROW1 "," ROW2)                                                          \
	RULE("^SELECT TOP .5000. CONVERT", CELLS, ROW1 "," ROW2 "," ROW3)
#define COUNTERS                                                                                                       \
	RULE("n.last_value", LIST, "[\"counter\", \"crm7.contact\", \"DBCC CHECKIDENT (N'[crm7].[contact]', RESEED, 30)\"]")
#define IDENTITY RULE("SELECT CONCAT.database_id.*DB_ID", "[\"i\", \"nvarchar\"]", "[\"5:a\"]")
#define NOTHING_ELSE "{\"match\": \"nothing at all\", \"answer\": []}"
#define SOURCE_RULES                                                                                                   \
	IDENTITY STATE("1, 16, 2") REFUSED_BY("") LATER TABLES_OF("[id] int NOT NULL") INDEXES COLUMNS PAGES COUNTERS NOTHING_ELSE

/* ---- the generation: what it was told, it tells ---- */

#define IS(name) "{\"is\": \"" name "\"}"
#define REMEMBERS                                                                                                      \
	"{\"keep\": \"run\", \"match\": \"^UPDATE dbo.sandbox_copy_run\", \"answer\": [{\"count\": 1}]},"               \
	"{\"keep\": \"put\", \"match\": \"^UPDATE dbo.sandbox_copy.*SET phase\", \"answer\": [{\"count\": 1}]},"         \
	"{\"keep\": \"key\", \"match\": \"^UPDATE dbo.sandbox_copy SET at_text\", \"answer\": [{\"count\": 1}]},"        \
	"{\"if\": {\"run.0\": \"\"}, \"match\": \"FROM dbo.sandbox_copy_run WHERE one = 1$\", " ROWS(RUN, "") ","        \
	RULE("FROM dbo.sandbox_copy_run WHERE one = 1$", RUN, "[" IS("run.0") "," IS("run.1") "," IS("run.2") "," IS("run.3") "]") \
	"{\"if\": {\"put.0\": \"\"}, \"match\": \"sandbox_copy WHERE phase < 2\", "                                      \
	ROWS(TABLE, "[1, \"crm7.contact\", 0, 0, null, 0, 0, 0, 0, null, 0, 0]") ","                                     \
	"{\"if\": {\"put.0\": 0}, \"match\": \"sandbox_copy WHERE phase < 2\", " ROWS(TABLE, KEPT) ","                   \
	"{\"if\": {\"put.0\": 1}, \"match\": \"sandbox_copy WHERE phase < 2\", " ROWS(TABLE, KEPT) ","                   \
	RULE("sandbox_copy WHERE phase < 2", TABLE, "")                                                                \
	RULE("SELECT at_text", "[\"a\", \"max\"], [\"b\", \"max\"]", "[" IS("key.0") "," IS("key.1") "]")                \
	RULE("SUM.CASE WHEN phase >= 2",                                                                               \
	     "[\"n\", \"int\"], [\"d\", \"int\"], [\"r\", \"bigint\"], [\"b\", \"bigint\"], [\"c\", \"bigint\"], [\"e\", \"bigint\"]", \
	     "[1, 1, " IS("put.3") "," IS("put.4") "," IS("put.5") ", 3]")
#define RUN   "[\"r\", \"int\"], [\"p\", \"int\"], [\"s\", \"bigint\"], [\"t\", \"int\"]"
#define TABLE                                                                                                          \
	"[\"n\", \"int\"], [\"m\", \"nvarchar\"], [\"p\", \"int\"], [\"s\", \"bigint\"], [\"k\", \"bigint\"], [\"r\", \"bigint\"], " \
	"[\"b\", \"bigint\"], [\"c\", \"bigint\"], [\"h\", \"bigint\"], [\"bk\", \"bigint\"], [\"br\", \"bigint\"], [\"bh\", \"bigint\"]"
#define KEPT                                                                                                           \
	"[1, \"crm7.contact\", " IS("put.0") "," IS("put.1") "," IS("put.2") "," IS("put.3") "," IS("put.4") "," IS("put.5") "," \
	IS("put.6") "," IS("put.7") "," IS("put.8") "," IS("put.9") "]"
/* Comparing: older than the snapshot of whoever asks, until it was found to be the same. */
#define OLDER_NEVER RULE("sandbox_copy WHERE snapshot <>", TABLE, "")
#define OLDER_UNTIL_DONE                                                                                               \
	"{\"times\": 2, \"match\": \"sandbox_copy WHERE snapshot <>\", " ROWS(TABLE, KEPT) "," OLDER_NEVER
#define MASKED1 "[\"10\", \"hidden@mask.example\", null]"
#define MASKED3 "[\"30\", \"hidden@mask.example\", \"\\u00e5\\u20ac\"]"
#define READ_BACK                                                                                                      \
	RULE("^SELECT TOP .2. .*" BEHIND, CELLS, MASKED3)                                                              \
	RULE("^SELECT TOP .2. CONVERT", CELLS, MASKED1 "," ROW2)                                                       \
	RULE("^SELECT TOP .5000. CONVERT", CELLS, MASKED1 "," ROW2 "," MASKED3)
/* The view that needs another one is made behind it. */
#define LACKS                                                                                                          \
	"{\"times\": 1, \"match\": \"^CREATE VIEW crm7.on_other\", \"answer\": [{\"error\": [208, 16, \"Invalid object name\"]}]}," \
	"{\"set\": {\"on_other\": \"made\"}, \"match\": \"^CREATE VIEW crm7.on_other\", \"answer\": [{\"count\": 0}]},"  \
	"{\"set\": {\"other\": \"made\"}, \"match\": \"^CREATE VIEW crm7.other\", \"answer\": [{\"count\": 0}]},"        \
	"{\"set\": {\"index\": \"made\"}, \"match\": \"^CREATE NONCLUSTERED\", \"answer\": [{\"count\": 0}]},"           \
	"{\"if\": {\"index\": \"made\"}, \"match\": \"i.ignore_dup_key\", " ROWS(LIST, "[\"index\", \"crm7.contact.by_mail\", \"x\"]") "," \
	RULE("i.ignore_dup_key", LIST, "")                                                                             \
	"{\"if\": {\"on_other\": \"made\"}, \"match\": \"CREATE SEQUENCE\", "                                            \
	ROWS(LIST, "[\"module\", \"crm7.on_other\", \"x\"], [\"module\", \"crm7.other\", \"x\"]") ","                    \
	"{\"if\": {\"other\": \"made\"}, \"match\": \"CREATE SEQUENCE\", " ROWS(LIST, "[\"module\", \"crm7.other\", \"x\"]") "," \
	RULE("CREATE SEQUENCE", LIST, "")                                                                              \
	RULE("DROP CONSTRAINT", "[\"s\", \"nvarchar\"]", "[\"DROP TABLE [crm7].[contact]\"]")

static struct tds_server *open_both(struct fixture *x, int which, const char *source_rules, const char *target_rules,
				    size_t page_rows)
{
	struct tds_server *tds = world_start(x, which, target_rules);
	char script[32768];

	if (!tds)
		return NULL;
	ck_assert_int_lt(snprintf(script, sizeof script, "[%s]", source_rules), (int)sizeof script);
	from = tds_server_start(script);
	ck_assert_ptr_nonnull(from);
	x->settings.folder = "";
	x->settings.source_host = "127.0.0.1";
	x->settings.source_port = tds_server_port(from);
	x->settings.source_user = "reader";
	x->settings.source_password = "secret";
	x->settings.page_rows = page_rows;
	fixture_open(x);
	return tds;
}

static void close_both(struct fixture *x, struct tds_server **tds)
{
	world_close(x, tds);
	tds_server_stop(&from);
}

/* Another process goes on. */
static void begin_anew(struct fixture *x)
{
	fixture_close(x);
	fixture_open(x);
}

static enum sql_cell hide(void *arg, const char *table, const char *column, size_t width, const char *text, size_t len,
			  struct buf *out)
{
	(void)arg;
	ck_assert_str_eq(table, "contact"); /* as email_columns.csv names it */
	ck_assert(strcmp(column, "mail") == 0 ? width == 200 : strcmp(column, "note") == 0 && width == 0);
	if (!memchr(text, '@', len))
		return SQL_CELL_KEEP;
	buf_add_text(out, "hidden@mask.example");
	return SQL_CELL_REPLACE;
}

static const struct sql_filter masking = { hide, NULL };

/* Nothing but questions, settings of the session, and a transaction that is never committed. */
static void only_read(const struct tds_server *tds)
{
	static const char begin[] = "\"text\": \"";
	char *log = tds_server_log(tds);

	for (char *p = log; (p = strstr(p, begin));) {
		p += strlen(begin);
		ck_assert_msg(strncmp(p, "SELECT ", 7) == 0 || strncmp(p, "SET ", 4) == 0 || strncmp(p, "<BEGIN>", 7) == 0 ||
				  strncmp(p, "<ROLLBACK>", 10) == 0 || strncmp(p, "IF @@TRANCOUNT > 0 ROLLBACK", 27) == 0 ||
				  strncmp(p, SOURCE "\"", strlen(SOURCE) + 1) == 0, "the source was told: %.200s", p);
	}
	free(log);
}

static void copy_to_the_end(struct fixture *x, struct sql_pages *pages)
{
	for (int i = 0; i < 50 && !pages->finished; i++)
		must(x->sql->copy_next(x->sql, &x->fence, &masking, pages, e));
	ck_assert(pages->finished);
}

/* ---- the tests ---- */

START_TEST(a_source_on_another_server_is_copied_in_pages_and_masked_on_the_way)
{
	static const char *const order[] = {
		"DROP TABLE [crm7].[contact]", "CREATE SCHEMA [crm7]", "CREATE TABLE [crm7].[contact]", "PRIMARY KEY CLUSTERED",
		"SET IDENTITY_INSERT \\\"crm7\\\".\\\"contact\\\" ON; INSERT INTO \\\"crm7\\\".\\\"contact\\\" (\\\"id\\\", \\\"mail\\\", \\\"note\\\")",
		"OPENJSON(CAST(@P1 AS nvarchar(max)))",
		"[[\\\"10\\\",\\\"hidden@mask.example\\\",null],[\\\"20\\\",\\\"no address\\\",\\\"say \\\\u0022hi\\\\u0022\\\"]]",
		"UPDATE dbo.sandbox_ledger", "<COMMIT>",
		"[[\\\"30\\\",\\\"hidden@mask.example\\\"", "<COMMIT>",
		"SELECT TOP (2) CONVERT", "ORDER BY t.\\\"id\\\"", /* read back */
		"CREATE NONCLUSTERED INDEX", "CREATE VIEW crm7.on_other", "CREATE VIEW crm7.other", "CREATE VIEW crm7.on_other",
		"DBCC CHECKIDENT", "UPDATE dbo.sandbox_ledger", "<COMMIT>", NULL };
	static const char *const asked[] = { "SET TRANSACTION ISOLATION LEVEL SNAPSHOT",
					     "SELECT TOP (2) CONVERT(nvarchar(60), t.\\\"id\\\")",
					     "WHERE t.\\\"id\\\" > b.k1 ORDER BY t.\\\"id\\\"\", \"values\": [\"20\"]", "ROLLBACK", NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_NEVER READ_BACK LACKS, 2);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	ck_assert_int_eq(pages.rows, 2);
	ck_assert_int_eq(pages.rows_expected, 3);
	ck_assert_str_eq(pages.table, "crm7.contact");
	copy_to_the_end(&x, &pages);
	ck_assert_int_eq(pages.rows, 3);
	ck_assert_int_eq(pages.cells_changed, 2);
	asked_in_order(tds, order);
	asked_in_order(from, asked);
	ck_assert_uint_eq(tds_server_asked(tds, "customer.example"), 0);
	ck_assert_uint_eq(tds_server_asked(from, "\"kind\": \"login\""), 2); /* one for the catalogue, one for all rows */
	only_read(from);
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e)); /* again: nothing to do */
	ck_assert(pages.finished);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"CREATE TABLE [crm7]"), 1);
	close_both(&x, &tds);
}
END_TEST

START_TEST(rows_that_are_read_back_different_are_not_called_copied)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES,
			REMEMBERS OLDER_NEVER RULE("^SELECT TOP .5000. CONVERT", CELLS, MASKED1 "," ROW2 "," ROW1) LACKS, 5000);
	if (!tds)
		return;
	must_fail(copy_all(&x, &masking, &pages, e), ERR_REFUSED);
	ck_assert_msg(strstr(failure.text, "crm7.contact was read back different: 3 rows written, 3 read"), "%s", failure.text);
	ck_assert_uint_eq(tds_server_asked(tds, "CREATE NONCLUSTERED"), 0);
	close_both(&x, &tds);
}
END_TEST

START_TEST(what_cannot_be_copied_is_refused_before_anything_is_made)
{
	static const struct {
		const char *rules, *sentence;
	} all[] = {
		{ IDENTITY STATE("1, 16, 2") REFUSED_BY("[\"column shape of crm7.site is a geometry\"]"),
		  "cannot be copied by rows: column shape of crm7.site is a geometry" },
		{ IDENTITY STATE("0, 16, 2") REFUSED_BY(""), "ALTER DATABASE " SOURCE " SET ALLOW_SNAPSHOT_ISOLATION ON" },
		{ IDENTITY STATE("1, 13, 2") REFUSED_BY(""), "older than SQL Server 2017" },
		{ IDENTITY STATE("1, 16, 1") REFUSED_BY(""), "wants db_datareader and VIEW DEFINITION" },
		/* The generation itself, behind another name of its server. */
		{ RULE("SELECT CONCAT.database_id.*DB_ID", "[\"i\", \"nvarchar\"]", "[\"6:b\"]") STATE("1, 16, 2") REFUSED_BY(""),
		  "is the source under another name" },
	};
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	char script[4096];
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_NEVER READ_BACK LACKS, 5000);
	if (!tds)
		return;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		snprintf(script, sizeof script, "[%s%s]", all[i].rules, NOTHING_ELSE);
		tds_server_script(from, script);
		must_fail(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e), ERR_REFUSED);
		ck_assert_msg(strstr(failure.text, all[i].sentence), "%s", failure.text);
	}
	ck_assert_uint_eq(tds_server_asked(tds, "CREATE SCHEMA"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "DROP TABLE"), 0);
	only_read(from);
	close_both(&x, &tds);
}
END_TEST

/* The second process goes on behind the greatest key, in another snapshot, in which the rows of the first one are compared:
 * two pages, of two rows and one. */
START_TEST(another_process_goes_on_behind_the_greatest_key_and_compares)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_UNTIL_DONE READ_BACK LACKS, 2);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	ck_assert_uint_eq(tds_server_asked(from, "CROSS JOIN"), 0);
	begin_anew(&x);
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	ck_assert_uint_eq(tds_server_asked(from, "\"values\": [\"20\"]"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "INSERT INTO \\\"crm7\\\""), 2);
	copy_to_the_end(&x, &pages);
	ck_assert_uint_eq(tds_server_asked(from, "\"values\": [\"20\"]"), 2);
	ck_assert_uint_eq(tds_server_asked(from, "\"text\": \"SELECT TOP (2) CONVERT"), 4); /* copied, then seen again */
	ck_assert_uint_eq(tds_server_asked(tds, "INSERT INTO \\\"crm7\\\""), 2);
	ck_assert_uint_eq(tds_server_asked(tds, "TRUNCATE TABLE"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"CREATE TABLE [crm7]"), 1);
	close_both(&x, &tds);
}
END_TEST

/* What the source holds by then is something else: the table is emptied and copied again. */
START_TEST(a_table_that_changed_between_two_processes_is_copied_again)
{
	static const char *const order[] = { "INSERT INTO \\\"crm7\\\".\\\"contact\\\"", "TRUNCATE TABLE \\\"crm7\\\".\\\"contact\\\"",
					     "INSERT INTO \\\"crm7\\\".\\\"contact\\\"", "[[\\\"40\\\",\\\"new\\\",null]]", NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i,
			IDENTITY STATE("1, 16, 2") REFUSED_BY("") LATER TABLES_OF("[id] int NOT NULL") INDEXES COLUMNS
			ONCE("^SELECT TOP .5000. CONVERT", CELLS, ROW1 "," ROW2 "," ROW3)
			RULE("^SELECT TOP .5000. CONVERT", CELLS, "[\"40\", \"new\", null]") COUNTERS NOTHING_ELSE,
			REMEMBERS "{\"times\": 1, \"match\": \"sandbox_copy WHERE snapshot <>\", " ROWS(TABLE, KEPT) "," OLDER_NEVER
			ONCE("^SELECT TOP .5000. CONVERT", CELLS, MASKED1 "," ROW2 "," MASKED3)
			RULE("^SELECT TOP .5000. CONVERT", CELLS, "[\"40\", \"new\", null]") LACKS, 5000);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	begin_anew(&x);
	copy_to_the_end(&x, &pages);
	asked_in_order(tds, order);
	ck_assert_int_eq(pages.rows, 1);
	close_both(&x, &tds);
}
END_TEST

START_TEST(a_source_whose_tables_were_altered_is_begun_again)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_NEVER READ_BACK LACKS, 2);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	tds_server_script(from, "[" IDENTITY STATE("1, 16, 2") REFUSED_BY("") LATER TABLES_OF("[id] int NOT NULL, [more] int NULL")
			  INDEXES COLUMNS PAGES COUNTERS NOTHING_ELSE "]");
	begin_anew(&x);
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, "[more] int NULL"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DROP TABLE [crm7].[contact]"), 2);
	close_both(&x, &tds);
}
END_TEST

START_TEST(rows_are_written_by_nobody_but_the_newest_owner)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_NEVER READ_BACK LACKS, 2);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	x.fence.token = 999;
	must_fail(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, ERR_CODE_FENCED);
	ck_assert_uint_eq(tds_server_asked(tds, "INSERT INTO \\\"crm7\\\""), 1);
	close_both(&x, &tds);
}
END_TEST

/* A snapshot that was lost is never gone on with: the next page is of a new one, which is compared later. */
START_TEST(a_source_that_is_lost_begins_a_new_snapshot)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i,
			"{\"times\": 1, \"match\": \"^SELECT TOP .2. .*" BEHIND "\", \"answer\": [{\"close\": true}]}," SOURCE_RULES,
			REMEMBERS OLDER_NEVER READ_BACK LACKS, 2);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	must_fail(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e), ERR_TRANSIENT);
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	ck_assert_int_eq(pages.rows, 3);
	ck_assert_uint_eq(tds_server_asked(from, "LEVEL SNAPSHOT"), 2);
	ck_assert_uint_gt(tds_server_asked(tds, "\"values\": [1, -1, 0, 3,"), 0); /* of more than one snapshot */
	only_read(from);
	close_both(&x, &tds);
}
END_TEST

START_TEST(an_object_that_cannot_be_made_is_told_by_name)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES,
			REMEMBERS OLDER_NEVER READ_BACK
			"{\"match\": \"^CREATE VIEW crm7.on_other\", \"answer\": [{\"error\": [208, 16, \"Invalid object name\"]}]},"
			LACKS, 5000);
	if (!tds)
		return;
	must_fail(copy_all(&x, &masking, &pages, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, 208);
	ck_assert_msg(strstr(failure.text, "crm7.on_other"), "%s", failure.text);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"CREATE VIEW crm7.other"), 1);
	close_both(&x, &tds);
}
END_TEST

/* Drivers end a text there, or leave the rest of a part of it away: it would be stored, and read back, as a shorter one. */
START_TEST(a_text_with_a_nul_inside_is_refused_however_long_it_is)
{
#define TEN(x) x x x x x x x x x x
	static const char *const notes[] = { "a\\u0000b", TEN(TEN("abc ")) "\\u0000" TEN(TEN("def ")) };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	char script[16384];
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_NEVER READ_BACK LACKS, 5000);
	if (!tds)
		return;
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
		snprintf(script, sizeof script, "[" RULE("^SELECT TOP .5000. CONVERT", CELLS, "[\"10\", \"plain\", \"%s\"]")
			 SOURCE_RULES "]", notes[i]);
		tds_server_script(from, script);
		must_fail(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e), ERR_REFUSED);
		ck_assert_msg(strstr(failure.text, "holds a NUL"), "%s", failure.text);
	}
	ck_assert_uint_eq(tds_server_asked(tds, "INSERT INTO \\\"crm7"), 0);
	close_both(&x, &tds);
}
END_TEST

/* Its text still says the old name. */
START_TEST(an_object_that_was_renamed_is_not_made_for_ever)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES,
			REMEMBERS OLDER_NEVER READ_BACK "{\"match\": \"^CREATE VIEW crm7.other\", \"answer\": [{\"count\": 0}]}," LACKS,
			5000);
	if (!tds)
		return;
	must_fail(copy_all(&x, &masking, &pages, e), ERR_REFUSED);
	ck_assert_msg(strstr(failure.text, "crm7.other makes something else"), "%s", failure.text);
	close_both(&x, &tds);
}
END_TEST

/* Behind the rows, too: what comes then would not fit to the tables. */
START_TEST(a_source_that_is_altered_before_the_end_is_begun_again)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = open_both(&x, _i, SOURCE_RULES, REMEMBERS OLDER_NEVER READ_BACK LACKS, 2);
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	tds_server_script(from, "[" IDENTITY STATE("1, 16, 2") REFUSED_BY("") LATER TABLES_OF("[id] int NOT NULL, [more] int NULL")
			  INDEXES COLUMNS PAGES COUNTERS NOTHING_ELSE "]");
	must_fail(copy_all(&x, &masking, &pages, e), ERR_TRANSIENT);
	ck_assert_msg(strstr(failure.text, "were changed during the copy"), "%s", failure.text);
	ck_assert_uint_eq(tds_server_asked(tds, "CREATE NONCLUSTERED"), 0);
	must(x.sql->copy_next(x.sql, &x.fence, &masking, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, "[more] int NULL"), 1);
	close_both(&x, &tds);
}
END_TEST

static bool refuses_settings(const struct odbc_settings *s, const char *sentence)
{
	struct odbc_server *server;

	must_fail((server = odbc_server_open(s, e)), ERR_MISUSE);
	return strstr(failure.text, sentence) != NULL;
}

START_TEST(another_server_is_for_targets_on_a_sql_server_of_ones_own)
{
	struct tds_server *tds;
	struct fixture x;

	tds = world_start(&x, TDS_FREETDS, RULE("EngineEdition", "[\"e\", \"int\"]", "[5]"));
	if (!tds)
		return;
	x.settings.source_host = "127.0.0.1";
	ck_assert(refuses_settings(&x.settings, "not on Azure's"));
	x.settings.dialect = "sqlite";
	ck_assert(refuses_settings(&x.settings, "sqlserver alone"));
	world_close(&x, &tds);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_rows");
	TCase *t = tcase_create("both drivers"), *one = tcase_create("what no driver decides");

	tcase_set_timeout(t, 120);
	tcase_set_timeout(one, 120);
	tcase_add_loop_test(t, a_source_on_another_server_is_copied_in_pages_and_masked_on_the_way, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, another_process_goes_on_behind_the_greatest_key_and_compares, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_source_that_is_lost_begins_a_new_snapshot, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_text_with_a_nul_inside_is_refused_however_long_it_is, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, an_object_that_cannot_be_made_is_told_by_name, 0, TDS_DRIVERS);
	tcase_add_test(one, another_server_is_for_targets_on_a_sql_server_of_ones_own);
	tcase_add_loop_test(one, what_cannot_be_copied_is_refused_before_anything_is_made, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(one, a_table_that_changed_between_two_processes_is_copied_again, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(one, a_source_whose_tables_were_altered_is_begun_again, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(one, rows_are_written_by_nobody_but_the_newest_owner, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(one, an_object_that_was_renamed_is_not_made_for_ever, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(one, a_source_that_is_altered_before_the_end_is_begun_again, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(one, rows_that_are_read_back_different_are_not_called_copied, TDS_FREETDS, TDS_MICROSOFT);
	suite_add_tcase(s, t);
	suite_add_tcase(s, one);
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
