/* SPDX-License-Identifier: Apache-2.0
 * Azure SQL Managed Instance, through both real drivers, against a scripted server: a backup into a container of blobs, a
 * restore from there without options, which outlives its connection, and databases that are closed and dropped without
 * SINGLE_USER. */
#include "tests/unit/odbc_azure_world.h"

#define CONTAINER "https://acct.blob.core.windows.net/backups"
#define BLOB      GENERATION "_1000.bak"
#define RESTORES  "\"text\": \"RESTORE DATABASE \\\"" GENERATION "\\\" FROM URL = @P1\", \"values\": [\"" CONTAINER "/" BLOB "\"]"
#define MADE_BY(answer) DOES(THEN("db", "made"), "^RESTORE DATABASE", answer)
#define PROGRESS        RULE("r.percent_complete", ONE("bigint"), "[60]")

static struct tds_server *instance_start(struct fixture *x, int which, const char *rules)
{
	struct tds_server *tds = world_start(x, which, rules);

	x->settings.folder = CONTAINER;
	return tds;
}

static struct tds_server *instance_open(struct fixture *x, int which, const char *rules)
{
	struct tds_server *tds = instance_start(x, which, rules);

	if (tds)
		fixture_open(x);
	return tds;
}

START_TEST(a_backup_goes_to_a_blob_and_the_restore_takes_no_options)
{
	static const char *const order[] = {
		"\"text\": \"BACKUP DATABASE \\\"" SOURCE "\\\" TO URL = @P1",
		"WITH COPY_ONLY, FORMAT, CHECKSUM",
		"\"values\": [\"" CONTAINER "/" BLOB "\"]",
		"KILL 55",
		"\"text\": \"DROP DATABASE \\\"" GENERATION "\\\"\", \"values\": []",
		RESTORES,
		"DENY CONNECT TO public\", \"values\": [], \"database\": \"" GENERATION,
		"grantee_principal_id = 0",
		"INSERT INTO dbo.sandbox_stamp",
		NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;
	bool moved = false;

	tds = instance_open(&x, _i,
			    MADE_BY("{\"sleep\": 1}") SAYS(WHEN("db", "made") THEN("db", "there"), STATE_OF, ONE("nvarchar"), "[\"ONLINE\"]")
			    PROGRESS AZURE("8"));
	if (!tds)
		return;
	for (int i = 0; i < 1000 && !pages.finished; i++) {
		must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
		moved = moved || (pages.bytes == 600000 && strcmp(pages.cursor, "restore 60%") == 0);
	}
	ck_assert(pages.finished);
	ck_assert_msg(moved, "nobody was told how far it is");
	ck_assert_int_eq(pages.rows, 123);
	ck_assert_str_eq(pages.left_behind, BLOB); /* somebody has to delete it */
	asked_in_order(tds, order);
	pages = (struct sql_pages){ 0 };
	must(copy_on(&x, &pages, e)); /* again: nothing to do, but to say so */
	ck_assert_str_eq(pages.left_behind, BLOB);
	ck_assert_uint_eq(tds_server_asked(tds, RESTORES), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"BACKUP"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "_USER WITH"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "SET RECOVERY"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "xp_delete_file"), 0);
	world_close(&x, &tds);
}
END_TEST

static bool take_name(void *arg, const char *name, const atomic_bool *stop, struct err *e)
{
	(void)stop;
	(void)e;
	snprintf(arg, 128, "%s", name);
	return true;
}

START_TEST(who_can_remove_blobs_removes_the_backups)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	char removed[128] = "";
	struct fixture x;

	tds = instance_start(&x, _i, MADE_BY("") MADE_AFTER_A_LOOK("RESTORING") PROGRESS AZURE("8"));
	if (!tds)
		return;
	x.settings.remove_blob = take_name;
	x.settings.remove_arg = removed;
	fixture_open(&x);
	must(copy_on(&x, &pages, e));
	ck_assert_str_eq(removed, BLOB);
	ck_assert_str_eq(pages.left_behind, "");
	world_close(&x, &tds);
}
END_TEST

static bool has_no_right(void *arg, const char *name, const atomic_bool *stop, struct err *e)
{
	(void)stop;
	ck_assert_str_eq(name, BLOB);
	return *(bool *)arg || err_set(e, ERR_TRANSIENT, ERR_CODE_AUTH, "blobs", "the SAS has run out");
}

START_TEST(a_copy_whose_backup_cannot_be_removed_is_not_finished)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;
	bool may = false;

	tds = instance_start(&x, _i, MADE_BY("") MADE_AFTER_A_LOOK("RESTORING") PROGRESS AZURE("8"));
	if (!tds)
		return;
	x.settings.remove_blob = has_no_right;
	x.settings.remove_arg = &may;
	fixture_open(&x);
	must_fail(copy_on(&x, &pages, e), ERR_TRANSIENT);
	ck_assert_int_eq(failure.code, ERR_CODE_AUTH);
	may = true;
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, RESTORES), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_restore_outlives_its_connection)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_open(&x, _i, MADE_BY("{\"close\": true}") MADE_AFTER_A_LOOK("RESTORING") PROGRESS AZURE("8"));
	if (!tds)
		return;
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, RESTORES), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_restore_that_was_never_taken_on_is_asked_for_again)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_open(&x, _i,
			    DOES(TIMES(1), "^RESTORE DATABASE", "{\"close\": true}") MADE_BY("")
				MADE_AFTER_A_LOOK("RESTORING") PROGRESS AZURE("8"));
	if (!tds)
		return;
	must_fail(copy_on(&x, &pages, e), ERR_TRANSIENT);
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, RESTORES), 2);
	world_close(&x, &tds);
}
END_TEST

START_TEST(who_comes_after_a_crash_waits_for_the_restore)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_start(&x, _i, MADE_BY("{\"sleep\": 60}") MADE_AFTER_A_LOOK("RESTORING") PROGRESS AZURE("8"));
	if (!tds)
		return;
	die_after(&x, tds, RESTORES);
	x.fence.token = 2000;
	fixture_open(&x);
	must(x.sql->raise_token(x.sql, &x.fence, e)); /* though nobody can look into the generation */
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"BACKUP"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, RESTORES), 1);
	ck_assert_str_eq(pages.left_behind, BLOB); /* by the token it was made under */
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_source_under_the_services_key_is_refused_with_words)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_open(&x, _i, DOES("", "^BACKUP", "{\"error\": [41922, 16, \"not supported\"]}") PROGRESS AZURE("8"));
	if (!tds)
		return;
	must_fail(copy_on(&x, &pages, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, 41922);
	ck_assert_ptr_nonnull(strstr(failure.text, "key of your own"));
	ck_assert_uint_eq(tds_server_asked(tds, "DROP DATABASE"), 0); /* nothing was begun */
	world_close(&x, &tds);
}
END_TEST

START_TEST(cancelling_ends_a_backup_that_runs_and_removes_its_blob)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	char removed[128] = "";
	struct fixture x;

	tds = instance_start(&x, _i,
			     DOES("", "^BACKUP", "{\"sleep\": 2}") DOES(THEN("noted", "yes"), "SET copy_run", "{\"count\": 1}")
				 SAYS(WHEN("noted", "yes"), "SELECT copy_token FROM", ONE("bigint"), "[1000]") PROGRESS AZURE("8"));
	if (!tds)
		return;
	x.settings.remove_blob = take_name;
	x.settings.remove_arg = removed;
	fixture_open(&x);
	must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
	for (int i = 0; i < 1000 && tds_server_asked(tds, "\"text\": \"BACKUP") == 0; i++)
		usleep(10000);
	must(x.sql->drop_database(x.sql, &x.fence, GENERATION, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DROP DATABASE"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, RESTORES), 0);
	ck_assert_str_eq(removed, BLOB);
	world_close(&x, &tds);
}
END_TEST

START_TEST(dropping_puts_everybody_out_and_tries_again)
{
	static const char *const order[] = { "SELECT N'KILL '", "KILL 55", "DROP DATABASE", "SELECT N'KILL '", "KILL 56",
					     "DROP DATABASE", NULL };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_open(&x, _i,
			    DOES(TIMES(1) THEN("in", "again"), "^DROP DATABASE", "{\"error\": [3702, 16, \"in use\"]}")
				SAYS(TIMES(1) WHEN("in", "again"), "SELECT N'KILL '", ONE("nvarchar"), "[\"KILL 56\"]")
				    AZURE("8"));
	if (!tds)
		return;
	must(x.sql->drop_database(x.sql, &x.fence, GENERATION, e));
	asked_in_order(tds, order);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DROP DATABASE"), 2);
	world_close(&x, &tds);
}
END_TEST

START_TEST(users_are_mapped_by_the_statements_of_a_server_of_ones_own)
{
	const struct sql_args args = { 2, { { "database", { .kind = SQL_TEXT, .text = GENERATION } },
					    { "login", { .kind = SQL_TEXT, .text = TARGET "_app" } } } };
	const struct sql_change user = { "s10_map_user", args };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_open(&x, _i, AZURE("8"));
	if (!tds)
		return;
	must(x.sql->apply_server(x.sql, &x.fence, &user, e));
	ck_assert_uint_eq(tds_server_asked(tds, "EXEC \\\"" GENERATION "\\\".sys.sp_executesql @sql"), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(the_container_is_an_address_of_blobs_and_nothing_else)
{
	static const char *const bad[] = { "/backups", "", "http://acct.blob.core.windows.net/backups", "https://acct.net",
					   "https://acct.net/", "https:///backups", "https://acct.net/b?sv=1&sig=x",
					   "https://me@acct.net/b", "https://acct.net//b", "https://acct.net/../b",
					   "https://acct.net/b'; DROP" };
	struct tds_server *tds;
	struct fixture x;

	tds = instance_start(&x, _i, AZURE("8"));
	if (!tds)
		return;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		x.settings.folder = bad[i];
		must_fail(x.server = odbc_server_open(&x.settings, e), ERR_MISUSE);
		ck_assert_ptr_nonnull(strstr(failure.text, "sql.folder must be the container"));
	}
	x.settings.folder = CONTAINER "/sandbox/";
	fixture_open(&x);
	world_close(&x, &tds);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_managed");
	TCase *t = tcase_create("both drivers");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_backup_goes_to_a_blob_and_the_restore_takes_no_options, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_restore_outlives_its_connection, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_restore_that_was_never_taken_on_is_asked_for_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, who_comes_after_a_crash_waits_for_the_restore, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_source_under_the_services_key_is_refused_with_words, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, cancelling_ends_a_backup_that_runs_and_removes_its_blob, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, who_can_remove_blobs_removes_the_backups, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(t, a_copy_whose_backup_cannot_be_removed_is_not_finished, TDS_FREETDS, TDS_MICROSOFT);
	tcase_add_loop_test(t, dropping_puts_everybody_out_and_tries_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, users_are_mapped_by_the_statements_of_a_server_of_ones_own, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, the_container_is_an_address_of_blobs_and_nothing_else, TDS_FREETDS, TDS_MICROSOFT);
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
