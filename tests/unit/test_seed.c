/* SPDX-License-Identifier: Apache-2.0
 * The seed customer: the whole model is there, what each step needs is there, and the same options give the same
 * bytes. */
#include "compose/seed/seed.h"
#include "compose/seed/seed_priv.h"

#include <check.h>
#include <ftw.h>
#include <jansson.h>
#include <sql.h>
#include <sqlext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[256], folders[3][300], stubs[300];
static struct seed_options options;
static struct seed_result result;
static struct err err;

static void setup(void)
{
	static const char *const names[] = { "db", "objects", "archive" };

	snprintf(root, sizeof root, "%s/sandbox-seed-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (int i = 0; i < 3; i++) {
		snprintf(folders[i], sizeof folders[i], "%s/%s", root, names[i]);
		ck_assert_int_eq(mkdir(folders[i], 0750), 0);
	}
	snprintf(stubs, sizeof stubs, "%s/stubs.json", root);
	options = (struct seed_options){ .folder = folders[0], .objects = folders[1], .archive = folders[2],
		                         .stubs = stubs, .factor = 0, .seed = 42 };
	err_clear(&err);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void must_seed(void)
{
	ck_assert_msg(seed_customer(&options, &result, &err), "%s", err.text);
}

static const char *path_of(const char *below)
{
	static char path[1024];

	snprintf(path, sizeof path, "%s/%s", root, below);
	return path;
}

/* ---- asking the database ---- */

static SQLHENV env;
static SQLHDBC dbc;

static void open_database(void)
{
	char text[600];

	snprintf(text, sizeof text, "Driver=SQLite3;NoWCHAR=1;NoCreat=1;Database=%s/Cust70000.sqlite", folders[0]);
	SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
	SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0);
	SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc);
	ck_assert(SQL_SUCCEEDED(SQLDriverConnect(dbc, NULL, (SQLCHAR *)text, SQL_NTS, NULL, 0, NULL,
	                                         SQL_DRIVER_NOPROMPT)));
}

static void close_database(void)
{
	SQLDisconnect(dbc);
	SQLFreeHandle(SQL_HANDLE_DBC, dbc);
	SQLFreeHandle(SQL_HANDLE_ENV, env);
}

static const char *ask_text(const char *sql)
{
	static char text[4096];
	SQLLEN len = 0;
	SQLHSTMT stmt;

	SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt);
	ck_assert_msg(SQL_SUCCEEDED(SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS)), "%s", sql);
	ck_assert_msg(SQL_SUCCEEDED(SQLFetch(stmt)), "%s", sql);
	SQLGetData(stmt, 1, SQL_C_CHAR, text, sizeof text, &len);
	SQLFreeHandle(SQL_HANDLE_STMT, stmt);
	return len == SQL_NULL_DATA ? "" : text;
}

static long ask(const char *sql)
{
	return atol(ask_text(sql));
}

/* ---- tests ---- */

START_TEST(every_table_of_the_model_is_there_with_rows)
{
	struct seed_plan plan = { .options = &options, .mem = arena_new(64 << 20) };
	size_t platform = 0;
	char sql[256];

	must_seed();
	open_database();
	ck_assert(seed_read_schema(&plan, &err));
	for (size_t i = 0; i < plan.table_count; i++) {
		const struct seed_table *t = plan.tables[i];

		snprintf(sql, sizeof sql, "SELECT count(*) FROM \"%s\"", t->name);
		ck_assert_msg(ask(sql) > 0, "%s is empty", t->name);
		snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s')", t->name);
		ck_assert_msg((size_t)ask(sql) == t->column_count, "%s lacks columns", t->name);
		snprintf(sql, sizeof sql, "SELECT count(*) FROM pragma_table_info('%s') WHERE pk > 0", t->name);
		ck_assert_msg(ask(sql) > 0, "%s has no key", t->name);
		platform += strncmp(t->name, "y_", 2) != 0;
	}
	ck_assert_uint_ge(platform, 96);
	ck_assert_int_eq((int64_t)plan.table_count, result.tables);
	ck_assert_int_eq(ask("SELECT count(*) FROM sqlite_master WHERE type IN ('index', 'view') AND sql IS NOT NULL"), 6);
	ck_assert_str_eq(ask_text("PRAGMA integrity_check"), "ok");
	ck_assert_str_eq(ask_text("SELECT type FROM pragma_table_info('Email') WHERE name = 'email_address'"),
	                 "nvarchar(239)");
	ck_assert_int_eq(ask("SELECT \"notnull\" FROM pragma_table_info('Email') WHERE name = 'protocol'"), 0);
	arena_free(&plan.mem);
	close_database();
}
END_TEST

/* Each line is a thing that a step has to find work in. */
static const char *const work[] = {
	"SELECT count(*) FROM company WHERE serialNo <> '' AND encryptedCheck <> ''",
	"SELECT count(*) FROM associate WHERE type = 0 AND userName LIKE '%@north.example' AND deleted = 0",
	"SELECT count(*) FROM associate WHERE type = 7",
	"SELECT count(*) FROM associate WHERE type = 13 AND name LIKE 'app:%'",
	"SELECT count(*) FROM UserRoleLink WHERE associate_id = 17 AND role_id IN (SELECT Role_id FROM Role WHERE roleType = 3)",
	"SELECT count(*) FROM Email WHERE type = 1",
	"SELECT count(*) FROM Email WHERE type = 2",
	"SELECT count(*) FROM Email WHERE length(email_address) > 200",
	"SELECT count(*) FROM Email WHERE email_address LIKE '\"odd name%'",
	"SELECT count(*) FROM Email WHERE email_address = ''",
	"SELECT count(*) FROM ticket WHERE status = 1 AND alert_timeout IS NOT NULL",
	"SELECT count(*) FROM ticket WHERE status = 3",
	"SELECT count(*) FROM ej_message WHERE html_body LIKE '%mailto:%'",
	"SELECT count(*) FROM schedule WHERE disabled = 0",
	"SELECT count(*) FROM schedule WHERE lock_pid > 0",
	"SELECT count(*) FROM BatchTask WHERE state IN (4, 5)",
	"SELECT count(*) FROM mail_in_filter WHERE server_type = 8",
	"SELECT count(*) FROM mail_in_filter WHERE server_type = 2",
	"SELECT count(*) FROM ms_filter WHERE forward_to LIKE '%@%'",
	"SELECT count(*) FROM outbox",
	"SELECT count(*) FROM s_shipment WHERE status IN (3, 4, 6, 7, 9, 10)",
	"SELECT count(*) FROM Webhook WHERE state = 1",
	"SELECT count(*) FROM Credentials WHERE isActive = 0",
	"SELECT count(*) FROM Credentials WHERE isActive = 1",
	"SELECT count(*) FROM Credentials WHERE isActive = 2",
	"SELECT count(*) FROM login JOIN session_object ON login_id = login.id",
	"SELECT count(*) FROM BinaryObject JOIN BinaryObjectLink ON binaryObjectId = BinaryObject_id WHERE linkType = 11",
	"SELECT count(*) FROM BinaryObject WHERE typeof(binaryData) = 'blob' AND length(binaryData) = 500",
	"SELECT count(*) FROM registry WHERE value LIKE 'https://online3.example/Cust70000/%'",
	"SELECT count(*) FROM config WHERE smtp_host <> ''",
	"SELECT count(*) FROM ExtApp WHERE url1 LIKE '%/ticket.fcgi%'",
	"SELECT count(*) FROM ModuleLicense WHERE extraFlags = 1 AND extraInfo LIKE 'set=%'",
	"SELECT count(*) FROM workflow WHERE status = 3",
	"SELECT count(*) FROM ErpConnection WHERE Active = 1",
	"SELECT count(*) FROM ejpackage JOIN attachment ON attachment.id = ejpackage.attachment_id",
	"SELECT count(*) FROM udpersonSmall WHERE length(string02) = 39",
	"SELECT count(*) FROM ticket WHERE length(title) = 255",
	"SELECT count(*) FROM y_equipment WHERE x_keeper LIKE '%@%'",
	"SELECT count(*) FROM dbi_agent_schedule WHERE schedule_id > 0",
	"SELECT count(*) FROM sequence WHERE TableName = 'Email' AND next_id <= (SELECT max(email_id) FROM Email)",
};

START_TEST(every_step_finds_work)
{
	options.factor = 1;
	must_seed();
	open_database();
	for (size_t i = 0; i < sizeof work / sizeof work[0]; i++)
		ck_assert_msg(ask(work[i]) > 0, "%s", work[i]);
	/* NULL and '' are two things, side by side. */
	ck_assert_int_gt(ask("SELECT count(*) FROM person WHERE x_note IS NULL"), 100);
	ck_assert_int_gt(ask("SELECT count(*) FROM person WHERE x_note = ''"), 100);
	ck_assert_int_eq(ask("SELECT count(*) - count(DISTINCT email_address) FROM Email WHERE rank = 1"), 0);
	ck_assert_int_ge(result.rows, 18000);
	ck_assert_int_le(result.rows, 30000);
	ck_assert_int_ge(ask("SELECT count(*) FROM person"), 2000);
	close_database();
}
END_TEST

START_TEST(files_and_rows_agree)
{
	struct stat st;
	char path[600];
	long id;

	options.factor = 1;
	must_seed();
	open_database();
	for (id = 1; id <= 290; id += 17) {
		char sql[100];

		snprintf(path, sizeof path, "%s/Cust70000/Attachments/folder0/%ld", folders[id <= 150 ? 1 : 2], id);
		snprintf(sql, sizeof sql, "SELECT att_size FROM attachment WHERE id = %ld", id);
		ck_assert_msg(stat(path, &st) == 0, "%s", path);
		ck_assert_int_eq(st.st_size, ask(sql));
	}
	snprintf(path, sizeof path, "%s/Cust70000/Documents/%s/2026.1/%s", folders[1],
	         ask_text("SELECT a.name FROM associate AS a JOIN document AS d ON a.associate_id = d.registered_associate_id"
	                  " WHERE d.document_id = 1"), "Offer 1.docx");
	ck_assert_msg(stat(path, &st) == 0, "%s", path);
	snprintf(path, sizeof path, "%s/Cust70000/Template/%s", folders[1],
	         ask_text("SELECT filename FROM DocTmpl WHERE DocTmpl_id = 7"));
	ck_assert_msg(stat(path, &st) == 0, "%s", path);
	close_database();
}
END_TEST

static char *read_all(const char *below, size_t *len_r)
{
	FILE *f = fopen(path_of(below), "r");
	char *content = malloc(4 << 20);

	ck_assert_msg(f && content, "%s", below);
	*len_r = fread(content, 1, 4 << 20, f);
	ck_assert_uint_lt(*len_r, 4 << 20);
	fclose(f);
	return content;
}

START_TEST(the_same_seed_gives_the_same_bytes)
{
	static const char *const files[] = { "db/Cust70000.sqlite", "stubs.json", "objects/Cust70000/Template/template 1.dotx",
		                             "archive/Cust70000/Attachments/folder0/3" };
	char *first[4], *again;
	size_t len[4], n;

	must_seed();
	for (int i = 0; i < 4; i++)
		first[i] = read_all(files[i], &len[i]);
	teardown();
	setup();
	must_seed();
	for (int i = 0; i < 4; i++) {
		again = read_all(files[i], &n);
		ck_assert_msg(n == len[i] && memcmp(first[i], again, n) == 0, "%s", files[i]);
		free(again);
	}
	teardown();
	setup();
	options.seed = 43;
	must_seed();
	again = read_all(files[0], &n);
	ck_assert(n != len[0] || memcmp(first[0], again, n) != 0);
	free(again);
	for (int i = 0; i < 4; i++)
		free(first[i]);
}
END_TEST

static void expect_refused(const char *part)
{
	err_clear(&err);
	ck_assert(!seed_customer(&options, &result, &err));
	ck_assert_msg(strstr(err.text, part), "\"%s\" is not in \"%s\"", part, err.text);
}

START_TEST(what_cannot_be_is_refused)
{
	size_t len, again_len;
	char *before, *after;

	options.target = "Cust70000";
	expect_refused("two names of tenants");
	options.target = NULL;
	options.source = "../Cust1";
	expect_refused("two names of tenants");
	options.source = NULL;
	options.factor = -1;
	expect_refused("factor");
	options.factor = 0;
	options.folder = "/nonexistent/folder";
	expect_refused("cannot be written to");
	options.folder = folders[0];
	options.driver = "No Such Driver";
	expect_refused("cannot be opened");
	teardown();
	setup();
	options.driver = "SQLite3;LoadExt=evil.so";
	expect_refused("characters that may not be there");
	ck_assert_int_ne(access(path_of("db/Cust70000.sqlite.part"), F_OK), 0);
	ck_assert_int_ne(access(path_of("db/Cust70000.sqlite"), F_OK), 0);
	teardown();
	setup();
	must_seed();
	before = read_all("db/Cust70000.sqlite", &len);
	expect_refused("there is a database Cust70000 already");
	after = read_all("db/Cust70000.sqlite", &again_len);
	ck_assert(len == again_len && memcmp(before, after, len) == 0);
	free(before);
	free(after);
}
END_TEST

START_TEST(a_live_task_only_when_asked_for)
{
	static const char sql[] = "SELECT count(*) FROM BatchTask WHERE state IN (1, 2, 3) AND "
				  "datetime(updated) > datetime('now', '-5 minutes')";

	must_seed();
	open_database();
	ck_assert_int_eq(ask(sql), 0);
	close_database();
	teardown();
	setup();
	options.live_task = true;
	must_seed();
	open_database();
	ck_assert_int_eq(ask(sql), 1);
	close_database();
}
END_TEST

START_TEST(other_names_are_used_everywhere)
{
	json_t *world;

	options.source = "AcmeProd";
	options.target = "AcmeTest";
	must_seed();
	ck_assert_int_eq(access(path_of("db/AcmeProd.sqlite"), F_OK), 0);
	ck_assert_int_eq(access(path_of("objects/AcmeProd/Template/template 1.dotx"), F_OK), 0);
	world = json_load_file(stubs, 0, NULL);
	ck_assert_ptr_nonnull(world);
	json_t *tenant = json_array_get(json_object_get(world, "tenants"), 1);
	ck_assert_str_eq(json_string_value(json_object_get(tenant, "ctx")), "AcmeTest");
	ck_assert_str_eq(json_string_value(json_object_get(tenant, "linked_source")), "AcmeProd");
	ck_assert_str_eq(json_string_value(json_object_get(tenant, "kind")), "test");
	json_decref(world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seed");
	TCase *tc = tcase_create("seed");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, every_table_of_the_model_is_there_with_rows);
	tcase_add_test(tc, every_step_finds_work);
	tcase_add_test(tc, files_and_rows_agree);
	tcase_add_test(tc, the_same_seed_gives_the_same_bytes);
	tcase_add_test(tc, what_cannot_be_is_refused);
	tcase_add_test(tc, a_live_task_only_when_asked_for);
	tcase_add_test(tc, other_names_are_used_everywhere);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
