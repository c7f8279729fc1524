/* SPDX-License-Identifier: Apache-2.0
 * Databases that come and go through the SQL port, and the source, which nothing may touch. */
#include "tests/unit/odbc_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct fixture x;

static void setup(void)
{
	fixture_schedule(&x);
}

static void teardown(void)
{
	fixture_remove(&x);
}

static struct sql_port *sql(void)
{
	return x.sql;
}

static void path_of(char out[256], const char *database, const char *tail)
{
	snprintf(out, 256, "%s/%s.sqlite%s", x.folder, database, tail);
}

/* ---- the source is safe ---- */

START_TEST(test_source_cannot_be_written)
{
	struct odbc_env *env;
	struct buf text;
	struct conn *c;

	buf_init(&text, 4096);
	must((env = odbc_env_new(e)));
	ck_assert(dialect_sqlite.connection(&x.settings, SOURCE, ACCESS_READ, &text));
	must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_READ, &x.settings, e)));
	must_fail(conn_exec(c, "UPDATE schedule SET disabled = 1", NULL, 0, NULL, e), ERR_REFUSED);
	/* Also when the session's own switch is turned off again: the file was opened read only. */
	must(conn_exec(c, "PRAGMA query_only=OFF", NULL, 0, NULL, e));
	must_fail(conn_exec(c, "UPDATE schedule SET disabled = 1", NULL, 0, NULL, e), ERR_REFUSED);
	must_fail(conn_exec(c, "DROP TABLE schedule", NULL, 0, NULL, e), ERR_REFUSED);
	conn_close(&c);
	/* And beside the generation, where the copy reads it. */
	fixture_copied(&x);
	buf_clear(&text);
	ck_assert(dialect_sqlite.connection(&x.settings, GENERATION, ACCESS_PAGES, &text));
	must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_PAGES, &x.settings, e)));
	buf_clear(&text);
	ck_assert(dialect_sqlite_paging.attach_source(&x.settings, SOURCE, &text));
	must(conn_exec(c, buf_text(&text), NULL, 0, NULL, e));
	must_fail(conn_exec(c, "UPDATE source.schedule SET disabled = 1", NULL, 0, NULL, e), ERR_REFUSED);
	must(conn_exec(c, "UPDATE main.schedule SET disabled = 1", NULL, 0, NULL, e));
	conn_close(&c);
	odbc_env_free(&env);
	buf_done(&text);
	ck_ask(&x, SOURCE, "SELECT sum(disabled) FROM schedule", "1");
}
END_TEST

/* A writer that dies while it makes a file one with a log leaves a journal which the next to open it must roll back. */
static void leave_hot_journal(const char *database)
{
	static const char *const statements[] = { "PRAGMA journal_mode=DELETE", "PRAGMA cache_size=1", "BEGIN IMMEDIATE",
		"CREATE TABLE half (text)",
		"INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
		" SELECT hex(randomblob(200)) FROM n", NULL };
	const pid_t pid = fork();
	struct odbc_env *env;
	struct buf text;
	struct conn *c;

	if (pid == 0) {
		buf_init(&text, 4096);
		must((env = odbc_env_new(e)));
		ck_assert(dialect_sqlite.connection(&x.settings, database, ACCESS_WRITE, &text));
		must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_WRITE, &x.settings, e)));
		for (const char *const *statement = statements; *statement; statement++)
			must(conn_exec(c, *statement, NULL, 0, NULL, e));
		raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_half_written_generation_is_read)
{
	struct sql_stamp stamp;
	char path[256];
	bool there;

	make_generation(&x);
	fixture_close(&x);
	leave_hot_journal(GENERATION);
	path_of(path, GENERATION, "-journal");
	ck_assert_int_eq(access(path, F_OK), 0);
	fixture_open(&x);
	must(x.sql->exists(x.sql, GENERATION, &there, e));
	ck_assert(there);
	must(x.sql->stamp(x.sql, GENERATION, &stamp, e));
	ck_assert(stamp.found);
	ck_assert_str_eq(stamp.clone_id, CLONE);
	make_generation(&x);
	ck_ask(&x, GENERATION, "SELECT count(*) FROM sqlite_master WHERE name = 'half'", "0");
}
END_TEST

/* A program that is frozen while it makes a file holds the folder's lock. */
START_TEST(test_a_held_folder_is_waited_for_and_told)
{
	int folder = open(x.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	x.settings.busy_timeout_ms = 200;
	fixture_close(&x);
	fixture_open(&x);
	ck_assert_int_eq(flock(folder, LOCK_EX), 0);
	must_fail(sql()->create_database(sql(), &x.fence, SOURCE, e), ERR_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(failure.text, "lock"));
	close(folder);
	make_generation(&x);
}
END_TEST

/* Even to roll back would be writing: that is for the source's own program to do. */
START_TEST(test_half_written_source_is_left_alone)
{
	struct sql_stamp stamp;
	char path[256];

	fixture_close(&x);
	leave_hot_journal(SOURCE);
	fixture_open(&x);
	must_fail(x.sql->stamp(x.sql, SOURCE, &stamp, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "roll back"));
	path_of(path, SOURCE, "-journal");
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_source_is_never_dropped_or_closed)
{
	char from[256], to[256];

	make_generation(&x);
	must_fail(sql()->drop_database(sql(), &x.fence, SOURCE, e), ERR_REFUSED);
	must_fail(sql()->quarantine(sql(), &x.fence, SOURCE, true, e), ERR_REFUSED);
	path_of(from, SOURCE, "");
	path_of(to, TARGET, "");
	ck_assert_int_eq(link(from, to), 0); /* the source under the target's name */
	must_fail(sql()->drop_database(sql(), &x.fence, TARGET, e), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "under another name"));
	must_fail(sql()->quarantine(sql(), &x.fence, TARGET, true, e), ERR_REFUSED);
	unlink(to);
	ck_assert_int_eq(symlink(from, to), 0);
	must_fail(sql()->drop_database(sql(), &x.fence, TARGET, e), ERR_REFUSED);
	ck_ask(&x, SOURCE, "SELECT count(*) FROM schedule", "3");
}
END_TEST

START_TEST(test_identity_sees_through_aliases)
{
	struct sql_identity a, b, c;
	char from[256], to[256];

	path_of(from, SOURCE, "");
	path_of(to, "alias", "");
	ck_assert_int_eq(symlink(from, to), 0);
	make_generation(&x);
	must(sql()->identity(sql(), SOURCE, &a, e));
	must(sql()->identity(sql(), "alias", &b, e));
	must(sql()->identity(sql(), GENERATION, &c, e));
	ck_assert_str_eq(a.server_id, b.server_id);
	ck_assert_str_eq(a.database_id, b.database_id);
	ck_assert_str_ne(a.database_id, c.database_id);
	must_fail(sql()->identity(sql(), "gone", &a, e), ERR_REFUSED);
	/* The server stays itself when it is opened again. */
	fixture_close(&x);
	fixture_open(&x);
	must(x.sql->identity(x.sql, SOURCE, &a, e));
	ck_assert_str_eq(a.server_id, b.server_id);
}
END_TEST

START_TEST(test_nothing_of_a_name_reaches_a_connection_string)
{
	static const char *const bad[] = { "x;LoadExt=/tmp/x.so", ("../" SOURCE), "a/b",    "{x}", "x'",
					   "x?mode=rwc",          "x\n",          "_server" };
	struct odbc_settings settings = x.settings;
	struct odbc_server *server;
	struct sql_stamp stamp;
	struct sql_port *port;
	bool exists;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const struct odbc_databases databases = { bad[i], "", GENERATION };

		must_fail((port = odbc_sql_open(x.server, &databases, e)), ERR_REFUSED);
		if (strcmp(bad[i], "_server") == 0)
			continue;
		must_fail(sql()->exists(sql(), bad[i], &exists, e), ERR_REFUSED);
		must_fail(sql()->stamp(sql(), bad[i], &stamp, e), ERR_REFUSED);
		must_fail(sql()->drop_database(sql(), &x.fence, bad[i], e), ERR_REFUSED);
	}
	settings.folder = "/tmp;LoadExt=/tmp/x.so";
	must_fail((server = odbc_server_open(&settings, e)), ERR_REFUSED);
	settings = x.settings;
	settings.driver = "SQLite3;LoadExt=/tmp/x.so";
	must_fail((server = odbc_server_open(&settings, e)), ERR_REFUSED);
	settings.driver = "NoSuchDriver";
	must_fail((server = odbc_server_open(&settings, e)), ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(failure.text, "driver could not be loaded"));
	ck_assert_ptr_null(strstr(failure.text, x.folder));
	settings = x.settings;
	settings.dialect = "oracle";
	must_fail((server = odbc_server_open(&settings, e)), ERR_MISUSE);
}
END_TEST

/* ---- a generation's life ---- */

START_TEST(test_create_is_closed_stamped_and_repeatable)
{
	struct sql_stamp stamp;
	struct stat st;
	char path[256];
	bool exists;

	must(sql()->exists(sql(), GENERATION, &exists, e));
	ck_assert(!exists);
	make_generation(&x);
	make_generation(&x);
	path_of(path, GENERATION, "");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	must(sql()->stamp(sql(), GENERATION, &stamp, e));
	ck_assert(stamp.found && stamp.token == 1000 && stamp.run == 1);
	ck_assert_str_eq(stamp.clone_id, CLONE);
	ck_assert_str_eq(stamp.source_ctx, SOURCE);
	ck_assert_str_eq(stamp.target_ctx, TARGET);
	ck_assert_str_eq(stamp.masked_at, "");
	ck_ask(&x, "_server", "SELECT quarantined || owner FROM database_entry WHERE name = '" GENERATION "'",
	       "1" CLONE);
	must(sql()->quarantine(sql(), &x.fence, GENERATION, false, e));
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0660);
	ck_ask(&x, "_server", "SELECT quarantined FROM database_entry WHERE name = '" GENERATION "'", "0");
	must(sql()->stamp(sql(), SOURCE, &stamp, e));
	ck_assert(!stamp.found);
}
END_TEST

START_TEST(test_create_goes_on_where_it_was_broken_off)
{
	char path[256];
	FILE *f;

	/* The file is there and the catalogue knows whose it is; a log of an older one lies beside. */
	SCRIPT(&x, "_server",
	       "INSERT INTO database_entry (name, owner, quarantined) VALUES ('" GENERATION "', '" CLONE "', 1)");
	path_of(path, GENERATION, "");
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	make_generation(&x);
	must(sql()->drop_database(sql(), &x.fence, GENERATION, e));
	path_of(path, GENERATION, "-wal");
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs("rubbish", f);
	fclose(f);
	make_generation(&x);
	ck_ask(&x, GENERATION, "SELECT count(*) FROM sandbox_stamp", "1");
}
END_TEST

/* Otherwise what a crash leaves would be nobody's, and the clone could never go on. */
START_TEST(test_the_owner_is_known_before_the_database_is_there)
{
	char path[256];

	path_of(path, GENERATION, "");
	ck_assert_int_eq(symlink("nowhere", path), 0); /* the file cannot be made */
	must_fail(sql()->create_database(sql(), &x.fence, SOURCE, e), ERR_REFUSED);
	ck_ask(&x, "_server", "SELECT owner FROM database_entry WHERE name = '" GENERATION "'", CLONE);
	ck_assert_int_eq(unlink(path), 0);
	make_generation(&x);
}
END_TEST

START_TEST(test_a_new_owner_takes_over_what_has_no_stamp_yet)
{
	struct fence newer = x.fence;
	char path[256];
	FILE *f;

	SCRIPT(&x, "_server",
	       "INSERT INTO database_entry (name, owner, quarantined) VALUES ('" GENERATION "', '" CLONE "', 1)");
	path_of(path, GENERATION, "");
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	newer.token++;
	must(sql()->raise_token(sql(), &newer, e));
	must_fail(sql()->create_database(sql(), &x.fence, SOURCE, e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, ERR_CODE_FENCED);
	must(sql()->create_database(sql(), &newer, SOURCE, e));
	ck_ask(&x, GENERATION, "SELECT count(*) FROM sandbox_stamp", "1");
}
END_TEST

START_TEST(test_a_foreign_database_is_not_taken)
{
	struct fence f = x.fence;

	make_generation(&x);
	f.clone_id = "another-clone";
	f.token = 5000;
	must_fail(sql()->create_database(sql(), &f, SOURCE, e), ERR_REFUSED);
	must_fail(sql()->apply(sql(), &f, NULL, 0, NULL, e), ERR_REFUSED);
	must_fail(sql()->drop_database(sql(), &f, GENERATION, e), ERR_REFUSED);
	SCRIPT(&x, "Foreign", "CREATE TABLE t (a)");
	must_fail(sql()->drop_database(sql(), &x.fence, "Foreign", e), ERR_REFUSED);
	must_fail(sql()->quarantine(sql(), &x.fence, "Foreign", true, e), ERR_REFUSED);
	ck_ask(&x, "Foreign", "SELECT count(*) FROM t", "0");
}
END_TEST

START_TEST(test_drop_removes_everything_and_may_be_repeated)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char path[256];
	bool exists;

	fixture_copied(&x);
	must(sql()->apply_server(sql(), &x.fence,
				 &(struct sql_change){ "s18_grant_read",
						       { 2,
							 { { "database", { .kind = SQL_TEXT, .text = GENERATION } },
							   { "principal", { .kind = SQL_TEXT, .text = "query" } } } } },
				 e));
	must(sql()->drop_database(sql(), &x.fence, GENERATION, e));
	must(sql()->drop_database(sql(), &x.fence, GENERATION, e));
	for (size_t i = 0; i < 3; i++) {
		path_of(path, GENERATION, tails[i]);
		ck_assert_int_ne(access(path, F_OK), 0);
	}
	must(sql()->exists(sql(), GENERATION, &exists, e));
	ck_assert(!exists);
	ck_ask(&x, "_server", "SELECT (SELECT count(*) FROM permission) + (SELECT count(*) FROM database_entry)", "0");
	fixture_copied(&x); /* connections to the old file are not used for the new one */
	ck_ask(&x, GENERATION, "SELECT count(*) FROM schedule", "3");
}
END_TEST

START_TEST(test_previous_sandbox_of_the_target)
{
	struct fence old;
	struct sql_port *port = fixture_other_port(&x, &old, TARGET "__g0old", 500);

	must(port->create_database(port, &old, SOURCE, e));
	odbc_sql_close(&port);
	make_generation(&x);
	must(sql()->quarantine(sql(), &x.fence, TARGET "__g0old", true, e));
	must(sql()->drop_database(sql(), &x.fence, TARGET "__g0old", e));
	/* but not one with a newer token */
	port = fixture_other_port(&x, &old, TARGET "__g2new", 2000);
	must(port->create_database(port, &old, SOURCE, e));
	odbc_sql_close(&port);
	must_fail(sql()->drop_database(sql(), &x.fence, TARGET "__g2new", e), ERR_REFUSED);
	ck_assert_int_eq(failure.code, ERR_CODE_FENCED);
}
END_TEST

static _Noreturn void open_in_child(const char *folder)
{
	struct odbc_settings settings = x.settings;
	struct err err = { 0 };
	struct odbc_server *server;

	settings.folder = folder;
	settings.busy_timeout_ms = 10000;
	server = odbc_server_open(&settings, &err);
	if (!server)
		fprintf(stderr, "%s\n", err.text);
	_exit(server == NULL);
}

START_TEST(test_several_programs_make_the_catalogue_at_once)
{
	enum { ROUNDS = 10, PROGRAMS = 6 };

	fixture_close(&x); /* it has a thread: who forks beside one may inherit a lock that nobody opens */
	for (int round = 0; round < ROUNDS; round++) {
		char folder[300], path[320];
		pid_t children[PROGRAMS];

		snprintf(folder, sizeof folder, "%s/at-once", x.folder);
		ck_assert_int_eq(mkdir(folder, 0755), 0);
		for (int i = 0; i < PROGRAMS; i++) {
			children[i] = fork();
			if (children[i] == 0)
				open_in_child(folder);
		}
		for (int i = 0; i < PROGRAMS; i++) {
			int status = -1;

			ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
			ck_assert_int_eq(status, 0);
		}
		for (int i = 0; i < 3; i++) {
			snprintf(path, sizeof path, "%s/_server.sqlite%s", folder, (const char *[]){ "", "-wal", "-shm" }[i]);
			unlink(path);
		}
		ck_assert_int_eq(rmdir(folder), 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("odbc_databases");
	TCase *tc = tcase_create("databases");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_source_cannot_be_written);
	tcase_add_test(tc, test_half_written_generation_is_read);
	tcase_add_test(tc, test_half_written_source_is_left_alone);
	tcase_add_test(tc, test_a_held_folder_is_waited_for_and_told);
	tcase_add_test(tc, test_source_is_never_dropped_or_closed);
	tcase_add_test(tc, test_identity_sees_through_aliases);
	tcase_add_test(tc, test_nothing_of_a_name_reaches_a_connection_string);
	tcase_add_test(tc, test_several_programs_make_the_catalogue_at_once);
	tcase_add_test(tc, test_create_is_closed_stamped_and_repeatable);
	tcase_add_test(tc, test_create_goes_on_where_it_was_broken_off);
	tcase_add_test(tc, test_the_owner_is_known_before_the_database_is_there);
	tcase_add_test(tc, test_a_new_owner_takes_over_what_has_no_stamp_yet);
	tcase_add_test(tc, test_a_foreign_database_is_not_taken);
	tcase_add_test(tc, test_drop_removes_everything_and_may_be_repeated);
	tcase_add_test(tc, test_previous_sandbox_of_the_target);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
