/* SPDX-License-Identifier: Apache-2.0
 * Azure SQL Database, through both real drivers, against a scripted server: the copy is the service's, is waited for and
 * closed from inside, and no connection names another database. */
#include "consumer/adapters/odbc/statements.h"
#include "handlers/sql/statements.h"
#include "tests/unit/odbc_azure_world.h"

#define MAKES "CREATE DATABASE \\\"" GENERATION "\\\" AS COPY OF \\\"" SOURCE "\\\""
#define COPIES(answer) DOES(THEN("db", "made"), "AS COPY OF", answer)
#define PROGRESS RULE("dm_database_copies", ONE("bigint"), "[60]")

START_TEST(a_copy_is_waited_for_closed_and_stamped)
{
	static const char *const order[] = {
		"DROP DATABASE \\\"" GENERATION "\\\"\", \"values\": [], \"database\": \"master\"",
		MAKES "\", \"values\": [], \"database\": \"master\"",
		"dm_database_copies",
		"DENY CONNECT TO public\", \"values\": [], \"database\": \"" GENERATION "\"",
		"KILL 55",
		"grantee_principal_id = 0",
		"DELETE FROM dbo.sandbox_stamp WHERE clone_id <>",
		"INSERT INTO dbo.sandbox_stamp",
		NULL };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 COPIES("") SAYS(TIMES(1) WHEN("db", "made"), "SELECT state_desc", ONE("nvarchar"), "[\"COPYING\"]")
			     MADE_AFTER_A_LOOK("COPYING") PROGRESS AZURE("5"));
	if (!tds)
		return;
	must(copy_on(&x, &pages, e));
	ck_assert_int_eq(pages.rows, 123);
	ck_assert_int_eq(pages.tables_done, 4);
	ck_assert_str_eq(pages.left_behind, "");
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"" MAKES), 1);
	asked_in_order(tds, order);
	must(copy_on(&x, &(struct sql_pages){ 0 }, e)); /* again: nothing to do */
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"" MAKES), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "RESTRICTED_USER"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "SINGLE_USER"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"USE "), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_statement_that_lasts_as_long_as_the_copy_tells_how_far_it_is)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;
	bool moved = false;

	tds = world_open(&x, _i, COPIES("{\"sleep\": 2}") SAYS(WHEN("db", "made") THEN("db", "there"), STATE_OF, ONE("nvarchar"), "[\"ONLINE\"]")
			 PROGRESS AZURE("5"));
	if (!tds)
		return;
	for (int i = 0; i < 1000 && !pages.finished; i++) {
		must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
		moved = moved || (pages.bytes == 600000 && strcmp(pages.cursor, "copy 60%") == 0);
	}
	ck_assert(pages.finished);
	ck_assert_msg(moved, "nobody was told how far it is");
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"" MAKES), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(progress_may_begin_again)
{
	static const int64_t wanted[] = { 400000, 800000, 50000, 600000 };
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;
	size_t seen = 0;

	tds = world_open(&x, _i,
			 COPIES("") SAYS(TIMES(5) WHEN("db", "made"), STATE_OF, ONE("nvarchar"), "[\"COPYING\"]")
			     SAYS(WHEN("db", "made") THEN("db", "there"), STATE_OF, ONE("nvarchar"), "[\"ONLINE\"]")
				 ONCE("dm_database_copies", ONE("bigint"), "[40]") ONCE("dm_database_copies.", ONE("bigint"), "[80]")
				     ONCE("dm_database_copies..", ONE("bigint"), "[5]") PROGRESS AZURE("5"));
	if (!tds)
		return;
	for (int i = 0; i < 1000 && !pages.finished; i++) {
		must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
		seen += seen < 4 && pages.bytes == wanted[seen];
	}
	ck_assert(pages.finished);
	ck_assert_uint_eq(seen, 4);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_copy_that_failed_is_dropped_and_begun_again)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 DOES(TIMES(1) THEN("db", "broken"), "AS COPY OF", "{\"error\": [40566, 16, \"the copy failed\"]}")
			     COPIES("") MADE_AFTER_A_LOOK("COPYING") PROGRESS AZURE("5"));
	if (!tds)
		return;
	must_fail(copy_on(&x, &pages, e), ERR_TRANSIENT);
	ck_assert_int_eq(failure.code, 40564);
	ck_assert_ptr_nonnull(strstr(failure.text, "SUSPECT"));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DROP DATABASE"), 2); /* the empty one, and the failed one */
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"" MAKES), 2);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_copy_that_is_refused_is_told)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, DOES("", "AS COPY OF", "{\"error\": [262, 14, \"permission denied\"]}") PROGRESS AZURE("5"));
	if (!tds)
		return;
	must_fail(copy_on(&x, &pages, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, 262);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_lost_connection_does_not_end_the_copy)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, COPIES("{\"close\": true}") MADE_AFTER_A_LOOK("COPYING") PROGRESS AZURE("5"));
	if (!tds)
		return;
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"" MAKES), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(who_comes_after_a_crash_waits_for_the_copy_that_is_under_way)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_start(&x, _i, COPIES("{\"sleep\": 60}") MADE_AFTER_A_LOOK("COPYING") PROGRESS AZURE("5"));
	if (!tds)
		return;
	die_after(&x, tds, "\"text\": \"" MAKES);
	x.fence.token = 2000;
	fixture_open(&x);
	must(x.sql->raise_token(x.sql, &x.fence, e)); /* though nobody can look into the generation */
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"" MAKES), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DROP DATABASE"), 1);
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DENY CONNECT"), 2); /* at once, and again before the stamp */
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_copy_that_the_service_has_taken_on_is_not_asked_for_again)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 ONCE("operation NOT LIKE", ONE("int"), "[1]")
			     SAYS(TIMES(1) THEN("db", "there"), "operation NOT LIKE.", ONE("int"), "[1]") SAYS(
				 WHEN("phase", ""), "SELECT copy_phase, ", PHASE, "[2, 1000, \"" SOURCE "\"]")
				 SAYS(TIMES(2) WHEN("db", ""), STATE_OF, ONE("nvarchar"), "") PROGRESS AZURE("5"));
	if (!tds)
		return;
	must(copy_on(&x, &pages, e));
	ck_assert_uint_eq(tds_server_asked(tds, MAKES), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(cancelling_drops_the_copy)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct sql_stamp stamp;
	struct fixture x;

	tds = world_open(&x, _i, COPIES("") SAYS(WHEN("db", "made"), STATE_OF, ONE("nvarchar"), "[\"COPYING\"]") PROGRESS AZURE("5"));
	if (!tds)
		return;
	for (int i = 0; i < 1000 && pages.bytes == 0; i++)
		must(x.sql->copy_next(x.sql, &x.fence, NULL, &pages, e));
	must(x.sql->stamp(x.sql, GENERATION, &stamp, e)); /* which nobody can connect to */
	ck_assert(stamp.found);
	ck_assert_str_eq(stamp.target_ctx, TARGET);
	ck_assert_str_eq(stamp.clone_id, CLONE);
	must(x.sql->drop_database(x.sql, &x.fence, GENERATION, e));
	ck_assert_uint_eq(tds_server_asked(tds, "\"text\": \"DROP DATABASE"), 2);
	ck_assert_uint_eq(tds_server_asked(tds, "DELETE FROM dbo.sandbox_database"), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(who_does_not_own_the_copy_is_told_before_locking_himself_out)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, COPIES("") RULE("USER_NAME", ONE("int"), "[0]") MADE_AFTER_A_LOOK("COPYING") PROGRESS AZURE("5"));
	if (!tds)
		return;
	must_fail(copy_on(&x, &pages, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "ALTER AUTHORIZATION"));
	ck_assert_uint_eq(tds_server_asked(tds, "DENY CONNECT"), 0);
	ck_assert_uint_eq(tds_server_asked(tds, "INSERT INTO dbo.sandbox_stamp"), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(the_catalogue_and_an_empty_generation_are_made_small)
{
	static const char *const order[] = {
		"\"text\": \"CREATE DATABASE \\\"sandbox_server\\\" (EDITION = 'Standard', SERVICE_OBJECTIVE = 'S0')\", \"values\": []",
		"CREATE TABLE dbo.sandbox_identity",
		"\"text\": \"CREATE DATABASE \\\"" GENERATION "\\\" (EDITION",
		"DENY CONNECT TO public\", \"values\": [], \"database\": \"" GENERATION,
		"CREATE TABLE dbo.sandbox_stamp",
		NULL };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 DOES(THEN("db", "there"), "^CREATE DATABASE .*" GENERATION, "")
			     SAYS(WHEN("db", ""), "SELECT COUNT.* FROM sys.databases WHERE name.*(sandbox_server|" GENERATION ")",
				  ONE("int"), "[0]") AZURE("5"));
	if (!tds)
		return;
	must(x.sql->create_database(x.sql, &x.fence, SOURCE, e));
	asked_in_order(tds, order);
	world_close(&x, &tds);
}
END_TEST

START_TEST(opening_takes_the_lock_away_and_nothing_else)
{
	const struct sql_args args = { 1, { { "database", { .kind = SQL_TEXT, .text = GENERATION } } } };
	struct tds_server *tds;
	struct fixture x;
	int64_t open = 0;

	tds = world_open(&x, _i, AZURE("5"));
	if (!tds)
		return;
	must(x.sql->quarantine(x.sql, &x.fence, GENERATION, true, e));
	must(x.sql->scalar(x.sql, SQL_SERVER, "database_is_open", &args, &open, e));
	ck_assert_int_eq(open, 0);
	must(x.sql->quarantine(x.sql, &x.fence, GENERATION, false, e));
	must(x.sql->scalar(x.sql, SQL_SERVER, "database_is_open", &args, &open, e));
	ck_assert_int_eq(open, 1);
	ck_assert_uint_eq(tds_server_asked(tds, "REVOKE CONNECT FROM public\", \"values\": [], \"database\": \"" GENERATION), 1);
	world_close(&x, &tds);
}
END_TEST

START_TEST(who_may_not_ask_for_progress_still_gets_the_copy)
{
	struct sql_pages pages = { 0 };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i,
			 COPIES("{\"sleep\": 1}") MADE_AFTER_A_LOOK("COPYING")
			     DOES("", "dm_database_copies|dm_operation_status", "{\"error\": [300, 14, \"VIEW SERVER STATE\"]}")
				 AZURE("5"));
	if (!tds)
		return;
	must(copy_on(&x, &pages, e));
	ck_assert_uint_gt(tds_server_asked(tds, "dm_database_copies"), 0);
	world_close(&x, &tds);
}
END_TEST

#define LOGIN TARGET "_app"

START_TEST(logins_are_masters_and_users_are_the_generations)
{
	static const char *const order[] = {
		"sys.sql_logins WHERE name",
		"\"text\": \"CREATE LOGIN [x]\", \"values\": [], \"database\": \"master\"",
		"\"text\": \"CREATE USER [x] FOR LOGIN [x]\", \"values\": [], \"database\": \"" GENERATION "\"",
		"\"text\": \"ALTER ROLE db_datareader ADD MEMBER [x]\", \"values\": [], \"database\": \"" GENERATION "\"",
		NULL };
	const struct sql_args args = { 4, { { "database", { .kind = SQL_TEXT, .text = GENERATION } },
					    { "login", { .kind = SQL_TEXT, .text = LOGIN } },
					    { "sid", { .kind = SQL_TEXT, .text = "sealed" } },
					    { "secret_hash", { .kind = SQL_TEXT, .text = "hidden" } } } };
	const struct sql_change login = { "s07_create_login", args }, user = { "s10_map_user", args };
	struct tds_server *tds;
	struct fixture x;
	int64_t right = 0;

	tds = world_open(&x, _i,
			 RULE("THEN N'ALTER LOGIN", ONE("nvarchar"), "[\"CREATE LOGIN [x]\"]")
			     RULE("SELECT w.say", ONE("nvarchar"),
				  "[\"CREATE USER [x] FOR LOGIN [x]\"], [\"ALTER ROLE db_datareader ADD MEMBER [x]\"]")
				 RULE("u.sid = ", ONE("int"), "[1]") AZURE("5"));
	if (!tds)
		return;
	must(x.sql->apply_server(x.sql, &x.fence, &login, e));
	must(x.sql->apply_server(x.sql, &x.fence, &user, e));
	must(x.sql->scalar(x.sql, SQL_SERVER, "s10_right_users", &args, &right, e));
	ck_assert_int_eq(right, 1);
	asked_in_order(tds, order);
	ck_assert_uint_eq(tds_server_asked(tds, "\"sealed\"], \"database\": \"sandbox_server\""), 0);
	world_close(&x, &tds);
}
END_TEST

START_TEST(a_name_that_is_too_long_makes_no_statement)
{
	const struct sql_args args = { 2, { { "database", { .kind = SQL_TEXT, .text = GENERATION } },
					    { "login", { .kind = SQL_TEXT, .text = LOGIN } } } };
	const struct sql_change user = { "s10_map_user", args };
	struct tds_server *tds;
	struct fixture x;

	tds = world_open(&x, _i, RULE("SELECT w.say", ONE("nvarchar"), "[null]") AZURE("5"));
	if (!tds)
		return;
	must_fail(x.sql->apply_server(x.sql, &x.fence, &user, e), ERR_REFUSED);
	world_close(&x, &tds);
}
END_TEST

START_TEST(another_engine_is_refused_by_its_number)
{
	struct tds_server *tds;
	struct fixture x;

	tds = world_start(&x, _i, RULE("EngineEdition", ONE("int"), "[6]"));
	if (!tds)
		return;
	must_fail(x.server = odbc_server_open(&x.settings, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "EngineEdition is 6"));
	world_close(&x, &tds);
}
END_TEST

/* ---- the statements themselves ---- */

static bool next_name(const char **at, char name[64])
{
	*at = strstr(*at, "-- name:");
	if (!*at)
		return false;
	*at += strlen("-- name:");
	return sscanf(*at, " %63s", name) == 1;
}

static bool is_said_on_azure(const char *file)
{
	return strncmp(file, "sql/azure/", 10) == 0 || strncmp(file, "sql/azuresql/", 13) == 0 ||
	       strncmp(file, "sql/sqlserver/", 14) == 0;
}

/* A connection sees its own database; master has the logins. */
static void is_at_home(const struct section *s)
{
	if (strstr(s->sql, "{database}."))
		ck_assert_msg(s->home == HOME_DATABASE, "%s names another database", s->name);
	if (strstr(s->sql, "sys.sql_logins"))
		ck_assert_msg(s->home == HOME_MASTER, "%s looks for logins outside master", s->name);
	ck_assert_msg(!strstr(s->sql, "CREATE USER") || s->says_rows, "%s: not alone in its batch", s->name);
	ck_assert_msg(!strstr(s->sql, "CREATE LOGIN") || s->says_rows, "%s: not alone in its batch", s->name);
}

static size_t for_all_sections(const struct sql_dialect *d, void (*look)(const struct section *))
{
	struct statements *all;
	size_t count = 0;
	char name[64];

	must((all = statements_new(d->name, d->shared_statements, false, sql_files, sql_files_count, e)));
	for (size_t i = 0; i < sql_files_count; i++) {
		const char *at = sql_files[i].text;

		for (; is_said_on_azure(sql_files[i].name) && next_name(&at, name); count++) {
			const struct section *s;

			must((s = statements_find(all, name, e)));
			look(s);
		}
	}
	statements_free(&all);
	return count;
}

START_TEST(no_section_names_another_database)
{
	ck_assert_uint_gt(for_all_sections(&dialect_azuresql, is_at_home), 150);
}
END_TEST

/* _database_prepare and _backup_forget are a server's of one's own: nobody asks for them here. */
static void has_what_services_have(const struct section *s)
{
	static const char *const words[] = { "RESTRICTED_USER", "SINGLE_USER", "MULTI_USER", "sp_clean_db_free_space @",
					     "CHECKPOINT", "SHRINKFILE" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		ck_assert_msg(!strstr(s->sql, words[i]), "%s says %s", s->name, words[i]);
}

START_TEST(what_the_services_lack_is_not_said)
{
	for_all_sections(&dialect_azuresql, has_what_services_have);
	for_all_sections(&dialect_sqlmanaged, has_what_services_have);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("odbc_azure");
	TCase *t = tcase_create("both drivers"), *pure = tcase_create("statements");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_copy_is_waited_for_closed_and_stamped, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_statement_that_lasts_as_long_as_the_copy_tells_how_far_it_is, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, progress_may_begin_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_copy_that_failed_is_dropped_and_begun_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_copy_that_is_refused_is_told, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_lost_connection_does_not_end_the_copy, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, who_comes_after_a_crash_waits_for_the_copy_that_is_under_way, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_copy_that_the_service_has_taken_on_is_not_asked_for_again, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, cancelling_drops_the_copy, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, who_does_not_own_the_copy_is_told_before_locking_himself_out, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, the_catalogue_and_an_empty_generation_are_made_small, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, opening_takes_the_lock_away_and_nothing_else, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, who_may_not_ask_for_progress_still_gets_the_copy, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, logins_are_masters_and_users_are_the_generations, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, a_name_that_is_too_long_makes_no_statement, 0, TDS_DRIVERS);
	tcase_add_loop_test(t, another_engine_is_refused_by_its_number, 0, TDS_DRIVERS);
	suite_add_tcase(s, t);
	tcase_add_test(pure, no_section_names_another_database);
	tcase_add_test(pure, what_the_services_lack_is_not_said);
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
