/* SPDX-License-Identifier: Apache-2.0
 * Whole functions of the SQL port in SQL Server's dialect, through both real drivers, against a scripted server: which
 * statements go out, in which order, with which values. Whether a SQL Server takes them is for a SQL Server to say. */
#include "tests/unit/odbc_sqlserver_world.h"

START_TEST(a_generation_is_made_closed_to_others_before_it_is_stamped)
{
	static const char *const order[] = { "CREATE DATABASE \\\"" GENERATION,
					     "ALTER DATABASE \\\"" GENERATION "\\\" SET RESTRICTED_USER WITH ROLLBACK IMMEDIATE",
					     "SET RECOVERY SIMPLE",
					     "CREATE TABLE dbo.sandbox_stamp",
					     "INSERT INTO dbo.sandbox_stamp",
					     "<COMMIT>",
					     NULL };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, "");
	if (!tds)
		return;
	must(x.sql->create_database(x.sql, &x.fence, SOURCE, e));
	asked_in_order(tds, order);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_newer_owner_is_obeyed)
{
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, RULE("SELECT token FROM dbo.sandbox_generation_token", "[\"t\", \"bigint\"]", "[1001]"));
	if (!tds)
		return;
	must_fail(x.sql->drop_database(x.sql, &x.fence, GENERATION, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, ERR_CODE_FENCED);
	ck_assert_uint_eq(tds_server_asked(tds, "DROP DATABASE"), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(the_source_is_never_dropped)
{
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, RULE("SELECT CONCAT.database_id", "[\"i\", \"nvarchar\"]", "[\"5:a\"]"));
	if (!tds)
		return;
	must_fail(x.sql->drop_database(x.sql, &x.fence, GENERATION, e), ERR_REFUSED);
	ck_assert_uint_eq(tds_server_asked(tds, "DROP DATABASE"), 0);
	world_close(&x, &tds);
}
END_TEST

/* ---- the copy ---- */

#define STATE "[\"p\", \"int\"], [\"t\", \"bigint\"], [\"s\", \"nvarchar\"]"
#define COPY                                                                                                           \
	ONCE("SELECT copy_phase", STATE, "")                                                                           \
	ONCE("SELECT copy_phase.*", STATE, "[1, 1000, \"" SOURCE "\"]")                                                \
	ONCE("SELECT copy_phase.*.*", STATE, "[3, 1000, \"" SOURCE "\"]")                                              \
	RULE("SELECT copy_phase", STATE, "[4, 1000, \"" SOURCE "\"]")                                                  \
	RULE("@@SPID", "[\"n\", \"int\"]", "[77]")                                                                     \
	RULE("InstanceDefaultDataPath", "[\"d\", \"nvarchar\"], [\"l\", \"nvarchar\"]", "[\"/data/\", \"/log/\"]")     \
	RULE("FILELISTONLY", "[\"n\", \"nvarchar\"], [\"f\", \"nvarchar\"], [\"t\", \"nvarchar\"]",                    \
	     "[\"crm\", \"/x/crm.mdf\", \"D\"], [\"crm_log\", \"/x/crm.ldf\", \"L\"]")                                 \
	RULE("percent_complete", "[\"p\", \"bigint\"]", "[40]")                                                        \
	RULE("master_files", "[\"s\", \"bigint\"]", "[1000000]")                                                       \
	RULE("COUNT.DISTINCT t.object_id", "[\"r\", \"bigint\"], [\"t\", \"int\"]", "[123, 4]")

START_TEST(a_copy_is_a_backup_and_a_restore_in_quarantine)
{
	static const char *const order[] = { "BACKUP DATABASE \\\"" SOURCE,
					     "COPY_ONLY",
					     "\"values\": [\"/backups/" GENERATION "_1000.bak\"]",
					     "RESTORE FILELISTONLY",
					     "DROP DATABASE \\\"" GENERATION,
					     "RESTORE DATABASE \\\"" GENERATION "\\\" FROM DISK = @P1 WITH RESTRICTED_USER, CHECKSUM",
					     "MOVE @P2 TO @P3, MOVE @P4 TO @P5",
					     "\"crm\", \"/data/" GENERATION "_0.mdf\", \"crm_log\", \"/log/" GENERATION "_1.ldf\"",
					     "DELETE FROM dbo.sandbox_stamp WHERE clone_id <>",
					     "INSERT INTO dbo.sandbox_stamp",
					     "SET RECOVERY SIMPLE",
					     "xp_delete_file 0",
					     NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;
	bool moved = false;

	tds = world_open(&x, _i,
			 COPY "{\"match\": \"^BACKUP\", \"answer\": [{\"sleep\": 2}, {\"info\": [3014, \"done\"]}]},"
			      "{\"match\": \"^RESTORE DATABASE\", \"answer\": [{\"sleep\": 2}, {\"info\": [3014, \"done\"]}]},");
	if (!tds)
		return;
	for (int i = 0; i < 1000 && !pages.finished; i++) {
		must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
		moved = moved || (pages.bytes == 400000 && strcmp(pages.cursor, "backup 40%") == 0);
	}
	ck_assert(pages.finished);
	ck_assert_msg(moved, "nobody was told how far it is");
	ck_assert_int_eq(pages.rows, 123);
	ck_assert_int_eq(pages.tables_done, 4);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"BACKUP"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"RESTORE DATABASE"), 1);
	asked_in_order(tds, order);
	must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e)); /* again: nothing to do */
	ck_assert(pages.finished);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_backup_that_fails_is_told_and_begun_again)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;
	struct err e = { 0 };

	tds = world_open(&x, _i,
			 RULE("SELECT copy_phase", STATE, "") RULE("@@SPID", "[\"n\", \"int\"]", "[77]")
			     RULE("percent_complete", "[\"p\", \"bigint\"]", "[0]")
				 RULE("master_files", "[\"s\", \"bigint\"]", "[1000]")
			     "{\"match\": \"^BACKUP\", \"answer\": [{\"error\": [3201, 16, \"Cannot open backup device\"]},"
			     "{\"error\": [3013, 16, \"terminating abnormally\"]}]},");
	if (!tds)
		return;
	for (int i = 0; i < 1000 && e.class == ERR_NONE; i++)
		x.sql->copy_next(x.sql, &x.fence, NULL, &pages, &e);
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_int_eq(e.code, 3201);
	err_clear(&e);
	for (int i = 0; i < 1000 && e.class == ERR_NONE; i++)
		x.sql->copy_next(x.sql, &x.fence, NULL, &pages, &e);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"BACKUP"), 2);
	ck_assert_uint_eq(tds_server_asked(tds, "RESTORE DATABASE"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "DROP DATABASE"), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_backup_that_runs_is_ended_with_the_program)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 RULE("SELECT copy_phase", STATE, "") RULE("@@SPID", "[\"n\", \"int\"]", "[77]")
			     RULE("percent_complete", "[\"p\", \"bigint\"]", "[0]")
				 RULE("master_files", "[\"s\", \"bigint\"]", "[1000]")
			     "{\"match\": \"^BACKUP\", \"answer\": [{\"sleep\": 3}, {\"info\": [3014, \"done\"]}]},");
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
	for (int i = 0; i < 1000 && tds_server_asked(tds, "\"text\": \"BACKUP") == 0; i++)
		usleep(10000);
	world_close(&x, &tds); /* and nothing hangs or leaks */
}
END_TEST

/* The file is known from before the backup on. */
#define DOES_NOTE_TOKEN                                                                                                \
	"{\"set\": {\"file\": \"yes\"}, \"match\": \"SET copy_run\", \"answer\": [{\"count\": 1}]},"                     \
	"{\"if\": {\"file\": \"yes\"}, \"match\": \"SELECT copy_token FROM\", " ROWS("[\"t\", \"bigint\"]", "[1000]") ","

START_TEST(dropping_ends_a_backup_that_runs_and_removes_its_file)
{
	static const char *const order[] = { "\"values\": [1, 0, 1000", "\"text\": \"BACKUP", "DROP DATABASE",
					     "xp_delete_file 0, @P1\", \"values\": [\"/backups/" GENERATION "_1000.bak\"]",
					     "DELETE FROM dbo.sandbox_database", NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 DOES_NOTE_TOKEN RULE("SELECT copy_phase", STATE, "") RULE("@@SPID", "[\"n\", \"int\"]", "[77]")
			     RULE("percent_complete", "[\"p\", \"bigint\"]", "[0]")
				 RULE("master_files", "[\"s\", \"bigint\"]", "[1000]")
			     "{\"match\": \"^BACKUP\", \"answer\": [{\"sleep\": 3}, {\"info\": [3014, \"done\"]}]},");
	if (!tds)
		return;
	must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
	for (int i = 0; i < 1000 && tds_server_asked(tds, "\"text\": \"BACKUP") == 0; i++)
		usleep(10000);
	must(x.sql->drop_database(x.sql, &x.fence, GENERATION, e));
	ck_assert_uint_eq(tds_server_asked(tds, "DROP DATABASE \\\"" GENERATION), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "\"values\": [1, 1, 1000"), 0); /* the job did not end well */
	asked_in_order(tds, order);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_restore_that_was_broken_off_has_an_owner_and_can_be_dropped)
{
	struct tds_server *tds;
	struct sql_stamp stamp;
	struct fixture x;

	tds = world_open(&x, _i,
			 RULE("SELECT source_ctx, owner", "[\"s\", \"nvarchar\"], [\"o\", \"nvarchar\"], [\"r\", \"int\"], [\"t\", \"bigint\"]",
			      "[\"" SOURCE "\", \"" CLONE "\", 1, 1000]") RULE("SELECT state_desc", "[\"s\", \"nvarchar\"]", "[\"RESTORING\"]")
			 "{\"match\": \"^<LOGIN " GENERATION "\", \"answer\": [{\"error\": [927, 14, \"being restored\"]}]},");
	if (!tds)
		return;
	x.fence.token = 2000;
	must(x.sql->raise_token(x.sql, &x.fence, e));
	must(x.sql->stamp(x.sql, GENERATION, &stamp, e));
	ck_assert(stamp.found);
	ck_assert_str_eq(stamp.clone_id, CLONE);
	ck_assert_str_eq(stamp.target_ctx, TARGET);
	must(x.sql->drop_database(x.sql, &x.fence, GENERATION, e));
	ck_assert_uint_eq(tds_server_asked(tds, "DROP DATABASE \\\"" GENERATION), 1);
	world_close(&x, &tds);
}
END_TEST

/* ---- masking ---- */

#define PAGE "[[10,[null,\\\"real@customer.example\\\"]],[11,[null,\\\"no address\\\"]]]"
#define TABLES                                                                                                         \
	RULE("FROM sys.triggers", "[\"n\", \"nvarchar\"], [\"d\", \"nvarchar\"], [\"o\", \"nvarchar\"]",               \
	     "[\"log_it\", \"ENABLE TRIGGER [crm7].[log_it] ON [crm7].[contact]\", "                                   \
	     "\"DISABLE TRIGGER [crm7].[log_it] ON [crm7].[contact]\"]")                                               \
	RULE("temporal_type", "[\"n\", \"nvarchar\"], [\"d\", \"nvarchar\"], [\"o\", \"int\"]",                        \
	     "[\"crm7.contact\", \"\", 0]")                                                                            \
	RULE("SELECT c.name, CONCAT", "[\"n\", \"nvarchar\"], [\"t\", \"nvarchar\"], [\"c\", \"int\"], [\"k\", \"int\"]", \
	     "[\"contact_id\", \"int(4)\", 0, 1], [\"mail\", \"nvarchar(200)\", 0, 0]")                                \
	RULE("SELECT CASE WHEN COUNT", "[\"n\", \"int\"]", "[1]")                                                      \
	ONCE("MAX.p.k.", "[\"n\", \"int\"], [\"k\", \"int\"], [\"b\", \"bigint\"]", "[2, 11, 100]")                    \
	RULE("MAX.p.k.", "[\"n\", \"int\"], [\"k\", \"int\"], [\"b\", \"bigint\"]", "[0, null, 0]")                    \
	RULE("STRING_AGG.CAST.N.\\\\[", "[\"p\", \"max\"]", "[\"" PAGE "\"]")

static enum sql_cell hide(void *arg, const char *table, const char *column, size_t width_chars, const char *text,
			  size_t len, struct buf *out)
{
	int *seen = arg;

	++*seen;
	ck_assert_str_eq(table, "contact"); /* as email_columns.csv names it */
	ck_assert_str_eq(column, "mail");
	ck_assert_uint_eq(width_chars, 200);
	if (!memchr(text, '@', len))
		return SQL_CELL_KEEP;
	buf_add_text(out, "hidden@mask.example");
	return SQL_CELL_REPLACE;
}

START_TEST(masking_takes_triggers_away_writes_key_ranges_and_cleans_pages)
{
	static const char *const order[] = { "STRING_ESCAPE",
					     "DISABLE TRIGGER [crm7].[log_it]",
					     "OPENJSON",
					     "hidden@mask.example",
					     "UPDATE t SET t.\\\"mail\\\"",
					     "BETWEEN @P1 AND @P2",
					     "ENABLE TRIGGER [crm7].[log_it]",
					     "UPDATE dbo.sandbox_ledger",
					     "<COMMIT>",
					     "REBUILD",
					     "sp_clean_db_free_space",
					     NULL };
	int seen = 0;
	const struct sql_filter filter = { hide, &seen };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, TABLES);
	if (!tds)
		return;
	for (int i = 0; i < 20 && !pages.finished; i++)
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert(pages.finished);
	ck_assert_int_eq(seen, 2);
	ck_assert_int_eq(pages.cells_changed, 1);
	asked_in_order(tds, order);
	world_close(&x, &tds);
}
END_TEST

/* Pages of a table whose key is no single whole number go by bounds in the session, of the key's own types. */
#define PAIR_PAGE "[[1,[\\\"a\\\",null,\\\"real@customer.example\\\"]]]"
#define PAIRS                                                                                                          \
	RULE("FROM sys.triggers", "[\"n\", \"nvarchar\"], [\"d\", \"nvarchar\"], [\"o\", \"nvarchar\"]", "")             \
	RULE("temporal_type", "[\"n\", \"nvarchar\"], [\"d\", \"nvarchar\"], [\"o\", \"int\"]", "[\"crm7.pair\", \"\", 0]")  \
	RULE("SELECT c.name, CONCAT", "[\"n\", \"nvarchar\"], [\"t\", \"nvarchar\"], [\"c\", \"int\"], [\"k\", \"int\"]",    \
	     "[\"code\", \"nvarchar(20)\", 0, 2], [\"id\", \"uniqueidentifier(16)\", 0, 1], [\"mail\", \"nvarchar(200)\", 0, 0]") \
	RULE("SELECT CASE WHEN COUNT", "[\"n\", \"int\"]", "[0]")                                                      \
	ONCE("MAX.p.k.", "[\"n\", \"int\"], [\"k\", \"int\"], [\"b\", \"bigint\"]", "[1, 0, 100]")                     \
	RULE("MAX.p.k.", "[\"n\", \"int\"], [\"k\", \"int\"], [\"b\", \"bigint\"]", "[0, null, 0]")                    \
	RULE("STRING_AGG.CAST.N.\\\\[", "[\"p\", \"max\"]", "[\"" PAIR_PAGE "\"]")

static enum sql_cell hide_mail(void *arg, const char *table, const char *column, size_t width_chars, const char *text,
			       size_t len, struct buf *out)
{
	(void)arg;
	(void)width_chars;
	(void)text;
	(void)len;
	ck_assert_str_eq(table, "pair");
	if (strcmp(column, "mail") != 0)
		return SQL_CELL_KEEP;
	buf_add_text(out, "hidden@mask.example");
	return SQL_CELL_REPLACE;
}

START_TEST(a_key_of_several_columns_is_gone_over_by_bounds_in_the_session)
{
	static const char *const order[] = {
		"SELECT t.\\\"id\\\", t.\\\"code\\\" INTO #sandbox_low FROM \\\"crm7\\\".\\\"pair\\\"",
		"SELECT t.\\\"id\\\", t.\\\"code\\\" INTO #sandbox_high",
		"INSERT INTO #sandbox_high SELECT TOP (1) p.\\\"id\\\", p.\\\"code\\\"",
		"ROW_NUMBER() OVER (ORDER BY t.\\\"id\\\", t.\\\"code\\\")",
		"hidden@mask.example",
		"ON s.\\\"id\\\" = t.\\\"id\\\" AND s.\\\"code\\\" = t.\\\"code\\\"",
		"INSERT INTO #sandbox_low SELECT * FROM #sandbox_high",
		"(t.\\\"id\\\" > b.\\\"id\\\" OR (t.\\\"id\\\" = b.\\\"id\\\" AND (t.\\\"code\\\" > b.\\\"code\\\")))",
		"<COMMIT>",
		NULL
	};
	const struct sql_filter filter = { hide_mail, NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, PAIRS);
	if (!tds)
		return;
	for (int i = 0; i < 20 && !pages.finished; i++)
		must(x.sql->mask_next(x.sql, &x.fence, &filter, &pages, e));
	ck_assert(pages.finished);
	ck_assert_int_eq(pages.cells_changed, 1);
	ck_assert_int_eq(pages.rows, 1);
	asked_in_order(tds, order);
	world_close(&x, &tds);
}
END_TEST

/* Another unique index does as well as a primary key, where none of its columns can be NULL: the catalogue's question. */
START_TEST(the_key_is_looked_for_among_unique_indexes_too)
{
	static const char *const order[] = { "i.is_unique = 1 AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0",
					     "y.is_nullable = 1 OR y.is_computed = 1",
					     "ORDER BY i.is_primary_key DESC, i.index_id", NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, PAIRS);
	if (!tds)
		return;
	must(x.sql->scan_next(x.sql, &(struct sql_filter){ hide_mail, NULL }, &pages, e));
	asked_in_order(tds, order);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_heap_whose_rows_cannot_be_told_apart_is_refused_by_name)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 RULE("temporal_type", "[\"n\", \"nvarchar\"], [\"d\", \"nvarchar\"], [\"o\", \"int\"]",
			      "[\"crm7.heap\", \"\", 0]")
			 RULE("SELECT c.name, CONCAT", "[\"n\", \"nvarchar\"], [\"t\", \"nvarchar\"], [\"c\", \"int\"], [\"k\", \"int\"]",
			      "[\"mail\", \"nvarchar(200)\", 0, 0]")
			 RULE("SELECT CASE WHEN COUNT", "[\"n\", \"int\"]", "[0]"));
	if (!tds)
		return;
	must_fail(x.sql->mask_next(x.sql, &x.fence, &(struct sql_filter){ hide_mail, NULL }, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "crm7.heap"));
	ck_assert_ptr_nonnull(strstr(failure.text, "give it one in the source"));
	ck_assert_uint_eq(tds_server_asked(tds, "UPDATE t SET"), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_scan_writes_nothing)
{
	int seen = 0;
	const struct sql_filter filter = { hide, &seen };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, TABLES);
	if (!tds)
		return;
	for (int i = 0; i < 20 && !pages.finished; i++)
		must(x.sql->scan_next(x.sql, &filter, &pages, e));
	ck_assert(pages.finished);
	ck_assert_int_eq(seen, 2);
	ck_assert_uint_eq(tds_server_asked(tds, "UPDATE t SET"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "TRIGGER [crm7]"), 0);
	world_close(&x, &tds);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_sqlserver_port");
	TCase *t = tcase_create("both drivers");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_generation_is_made_closed_to_others_before_it_is_stamped, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_newer_owner_is_obeyed, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, the_source_is_never_dropped, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_copy_is_a_backup_and_a_restore_in_quarantine, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_backup_that_fails_is_told_and_begun_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_backup_that_runs_is_ended_with_the_program, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, dropping_ends_a_backup_that_runs_and_removes_its_file, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_restore_that_was_broken_off_has_an_owner_and_can_be_dropped, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, masking_takes_triggers_away_writes_key_ranges_and_cleans_pages, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_key_of_several_columns_is_gone_over_by_bounds_in_the_session, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, the_key_is_looked_for_among_unique_indexes_too, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_heap_whose_rows_cannot_be_told_apart_is_refused_by_name, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_scan_writes_nothing, 0, TDS_DRIVERS);
	suite_add_tcase(s, t);
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
