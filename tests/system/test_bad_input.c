/* SPDX-License-Identifier: Apache-2.0
 * Records that ask for what must not be, or are no records at all: each is answered with a clear sentence, the partition
 * goes on, and neither the source nor the sandbox in service is touched. */
#include "tests/support/installation.h"

#include "consumer/adapters/odbc/conn.h"
#include "tests/support/world_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLONE_WITHIN_MS = 30000, TOLD_WITHIN_MS = 15000 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002",
		  last[] = "0198f0c2-0009-7c5b-9a54-000000000009";

static struct installation *i;
static struct buf source, sandbox, now;
static size_t letters;

static void setup(void)
{
	setenv("SANDBOX_ENGINE__RETRY_BUDGET", "500ms", 1);
	i = installation_new(&(struct installation_options){ .targets = 3, .own_sources = true });
	buf_init(&source, WORLD_TEXT_MAX);
	buf_init(&sandbox, WORLD_TEXT_MAX);
	buf_init(&now, WORLD_TEXT_MAX);
	consumer_start(i, 0);
	send_request(i, first, TARGET);
	await(i, first, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_source(i, &source);
	snapshot_target(i, TARGET, &sandbox);
	letters = 0;
}

/* Whatever was tried: nothing is harmed, nothing is left, and the next sound request is served. */
static void teardown(void)
{
	snapshot_source(i, &now);
	check_same(&source, &now, "the source");
	snapshot_target(i, TARGET, &now);
	check_same(&sandbox, &now, "the sandbox in service");
	ck_assert_str_eq(left_over_databases(i), "");
	send_request(i, last, TARGET);
	await(i, last, CLONE_COMPLETED, CLONE_WITHIN_MS);
	await_committed(i, TOLD_WITHIN_MS);
	ck_assert(consumer_runs(i, 0));
	buf_done(&source);
	buf_done(&sandbox);
	buf_done(&now);
	installation_free(&i);
}

/* ---- records ---- */

static void check_letter(const char *code, const char *words, const void *value, size_t len)
{
	struct message *m = await_dead_letter(i, letters++, TOLD_WITHIN_MS);
	const struct dead_letter *d = &m->dead_letter;

	ck_assert_msg(strcmp(d->reason_code, code) == 0 && strstr(d->reason, words), "%s (%s) instead of %s (%s)",
		d->reason_code, d->reason, code, words);
	ck_assert_str_eq(d->origin_topic, "sandbox.clone.requested");
	ck_assert_int_ge(d->origin_offset, 0);
	ck_assert_int_eq(d->value_size, (int64_t)len);
	ck_assert_uint_eq(d->value_len, len < 60 * 1024 ? len : 60 * 1024);
	if (value && d->value_len)
		ck_assert_mem_eq(d->value, value, d->value_len);
	ck_assert_uint_eq(d->key_len, strlen(TARGET));
	message_free(&m);
}

static void try_bytes(const void *value, size_t len, const char *code)
{
	send_bytes(i, TOPIC_REQUESTED, TARGET, value, len);
	check_letter(code, "", value, len);
}

START_TEST(bytes_that_are_no_request)
{
	const struct message good = good_request(i, second, TARGET);
	static const unsigned char huge_count[] = { 0, 0, 0, 3, 0xe9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01 };
	static const unsigned char unknown[] = { 0, 0, 0, 0x7f, 0xff, 2, 'x' };
	char *large = calloc(1, 100 * 1024), *bad;
	struct buf value;

	ck_assert_ptr_nonnull(large);
	encode_message(i, &good, &value);
	for (size_t cut = 0; cut < value.len; cut += 1 + value.len / 8)
		try_bytes(value.data, cut, cut == 0 ? "empty" : cut < 5 ? "bad-magic" : "malformed");
	try_bytes("GET / HTTP/1.1\r\n\r\n", 18, "bad-magic");
	try_bytes(unknown, sizeof unknown, "unknown-schema");
	try_bytes(huge_count, sizeof huge_count, "too-large");
	memcpy(large, value.data, value.len);
	try_bytes(large, 100 * 1024, "too-large");
	bad = strstr(memchr(value.data + 5, 'C', value.len - 5), TARGET);
	ck_assert_ptr_nonnull(bad);
	bad[4] = '\0'; /* a NUL in the target's name */
	try_bytes(value.data, value.len, "malformed");
	bad[4] = (char)0xff; /* no UTF-8 */
	try_bytes(value.data, value.len, "malformed");
	value.data[4] = (char)0xe8; /* the id of no schema of ours */
	try_bytes(value.data, value.len, "unknown-schema");
	buf_done(&value);
	free(large);
}
END_TEST

START_TEST(random_bytes)
{
	const struct message good = good_request(i, second, TARGET);
	struct buf value;
	int tried = 0;

	srandom(7);
	encode_message(i, &good, &value);
	for (int n = 0; n < 300; n++) {
		struct buf mutant;

		buf_init(&mutant, RECORD_MAX_BYTES);
		buf_add(&mutant, value.data, value.len);
		mutant.data[5] = 'X'; /* never the good one: the id does not match */
		for (int k = 0; k < 4; k++)
			mutant.data[6 + random() % ((long)value.len - 6)] = (char)random();
		send_bytes(i, TOPIC_REQUESTED, TARGET, mutant.data, mutant.len);
		buf_done(&mutant);
		tried++;
	}
	buf_done(&value);
	await_committed(i, CLONE_WITHIN_MS);
	ck_assert_int_eq(tried, 300);
}
END_TEST

/* ---- requests ---- */

static void try_request(const struct message *m, const char *words)
{
	struct buf value;

	encode_message(i, m, &value);
	send_bytes(i, TOPIC_REQUESTED, TARGET, value.data, value.len);
	check_letter("invalid", words, value.data, value.len);
	buf_done(&value);
}

START_TEST(requests_that_break_a_rule)
{
	static const char *const bad_names[] = { "", "x'; DROP TABLE contact; --", "a\"b", "Cust[70001]", "../../etc", "-rf",
						 "a b", "$(id)", "Cust70001;DSN=x", "Gr\xc3\xbc\xc3\x9f" };
	static const char *const bad_domains[] = { "", "evil.com>", "a@b.com", "-x.example", "com", "x..example", "a b.example",
						   "localhost" };
	struct user_plan no_admin[] = { { "tester@north.example", 0, "ten-salesservicemarketing", false } };
	struct user_plan no_plan[] = { { "admin@north.example", 0, "", true } };
	char long_name[201];
	struct message m;

	memset(long_name, 'x', 200);
	long_name[200] = '\0';
	m = good_request(i, second, TARGET);
	m.request.job.source_ctx = TARGET;
	try_request(&m, "same tenant");
	m.request.job.source_ctx = "cust70001";
	try_request(&m, "same tenant");
	for (size_t n = 0; n < sizeof bad_names / sizeof *bad_names; n++) {
		m = good_request(i, second, bad_names[n]);
		m.request.job.source_ctx = SOURCE;
		try_request(&m, "target_ctx");
	}
	m = good_request(i, second, TARGET);
	m.request.job.source_ctx = long_name;
	try_request(&m, "source_ctx");
	m = good_request(i, "no-uuid-at-all!", TARGET);
	try_request(&m, "clone_id");
	m = good_request(i, long_name, TARGET);
	try_request(&m, "clone_id");
	for (size_t n = 0; n < sizeof bad_domains / sizeof *bad_domains; n++) {
		m = good_request(i, second, TARGET);
		m.request.job.mask_domain = bad_domains[n];
		try_request(&m, "domain");
	}
	m = good_request(i, second, TARGET);
	m.request.job.users = no_admin;
	m.request.job.user_count = 1;
	try_request(&m, "no administrator");
	m.request.job.users = no_plan;
	try_request(&m, "no administrator");
	m = good_request(i, second, TARGET);
	m.request.confirmed = false;
	try_request(&m, "confirmed");
	m = good_request(i, second, TARGET);
	m.request.job.mask_enabled = false;
	try_request(&m, "mask.enabled");
}
END_TEST

/* ---- what only the world can tell ---- */

static void try_world(const struct message *m, enum clone_status status, const char *words)
{
	const char *id = m->request.job.clone_id;
	struct seen s;

	send_message(i, m);
	s = await(i, id, status, CLONE_WITHIN_MS);
	ck_assert_msg(strstr(s.cause, words), "\"%s\" does not say \"%s\"", s.cause, words);
	ck_assert_msg(!strchr(s.cause, '@'), "%s", s.cause);
}

/* There is nothing to clean up, and it can be told that nothing is left. */
static void try_world_and_cancel(const struct message *m, const char *words)
{
	const char *id = m->request.job.clone_id;

	try_world(m, CLONE_FAILED, words);
	send_control(i, id, m->request.job.target_ctx, CONTROL_CANCEL);
	await_from_rest(i, id, CLONE_CANCELLED, CLONE_WITHIN_MS);
}

START_TEST(tenants_that_are_none_or_must_not)
{
	struct message m = good_request(i, "0198f0c2-0003-0001", "Cust79999");

	m.request.job.source_ctx = "Cust71002";
	try_world_and_cancel(&m, "Cust79999");
	m = good_request(i, "0198f0c2-0003-0002", "Cust71002"); /* a production tenant */
	m.request.job.source_ctx = "Cust71001";
	try_world_and_cancel(&m, "test tenant");
	m = good_request(i, "0198f0c2-0003-0003", "Cust70002");
	m.request.job.source_ctx = "Cust71003"; /* not its source */
	try_world_and_cancel(&m, "link");
	m = good_request(i, "0198f0c2-0003-0004", "Cust70002");
	m.request.job.source_ctx = "Cust78888";
	try_world_and_cancel(&m, "Cust78888");
}
END_TEST

START_TEST(more_users_than_licences)
{
	static struct user_plan users[] = { { "admin@north.example", 0, "ten-salesservicemarketing", true },
					    { "", 3, "ten-sales", false },
					    { "", 4, "ten-sales", false },
					    { "", 5, "ten-sales", false } };
	struct message m = good_request(i, second, TARGET);
	struct seen s;

	m.request.job.users = users;
	m.request.job.user_count = 4;
	send_message(i, &m);
	s = await(i, second, CLONE_FAILED, CLONE_WITHIN_MS);
	ck_assert_str_eq(s.failed_step, "assign_user_plans");
	ck_assert_msg(strstr(s.cause, "ten-sales"), "%s", s.cause);
	send_control(i, second, TARGET, CONTROL_CANCEL);
	await_from_rest(i, second, CLONE_CANCELLED, CLONE_WITHIN_MS);
}
END_TEST

/* ---- what the source may hold ---- */

static void change_source(const char *const *statements, size_t count)
{
	struct err e = { 0 };
	char path[256];
	struct conn *c;

	snprintf(path, sizeof path, "%s/db/" SOURCE ".sqlite", i->folder);
	c = world_connect(path, true);
	for (size_t n = 0; n < count; n++)
		ck_assert_msg(conn_exec(c, statements[n], NULL, 0, NULL, &e), "%s: %s", statements[n], e.text);
	conn_close(&c);
}

#define HOSTILE  "\"y_o'brien; \"\"DROP] TABLE [contact\""
#define NAME_50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NAME_200 "y_" NAME_50 NAME_50 NAME_50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Each is true of the clone. */
static const char *const hostile_facts[] = {
	"SELECT count(*) = 3 FROM " HOSTILE,
	"SELECT \"x_a'b;c\" = 'it''s o''brien_north.example@sandbox.example; --' FROM " HOSTILE " WHERE id = 1",
	"SELECT \"x]d[\" GLOB 'so*~????????@sandbox.example' AND length(\"x]d[\") <= 30 FROM " HOSTILE " WHERE id = 1",
	"SELECT x_short = '' FROM " HOSTILE " WHERE id = 1",
	"SELECT \"x_a'b;c\" = '''); DROP TABLE contact; --' AND \"x]d[\" = 'a]; [b' AND x_short = 'no address' FROM "
	HOSTILE " WHERE id = 2",
	"SELECT instr(CAST(\"x_a'b;c\" AS BLOB), CAST('c@d' AS BLOB)) = 0 FROM " HOSTILE " WHERE id = 3",
	"SELECT " NAME_200 " = 'x_north.example@sandbox.example' FROM " NAME_200,
	"SELECT count(*) > 0 FROM contact",
};

/* Names that end a statement wherever they are not quoted, texts that do, columns that no masked address fits. */
START_TEST(hostile_names_and_narrow_columns)
{
	static const char *const statements[] = {
		"CREATE TABLE " HOSTILE " (id INTEGER PRIMARY KEY, \"x_a'b;c\" TEXT, \"x]d[\" nvarchar(30), x_short nvarchar(16))",
		"INSERT INTO " HOSTILE " VALUES (1, 'it''s o''brien@north.example; --', 'somebody.long@name.example',"
		" 'a@north.example')",
		"INSERT INTO " HOSTILE " VALUES (2, '''); DROP TABLE contact; --', 'a]; [b', 'no address')",
		"INSERT INTO " HOSTILE " VALUES (3, CAST(x'6100623c6340642e6578616d706c653e' AS TEXT), NULL, '')",
		"CREATE TABLE " NAME_200 " (id INTEGER PRIMARY KEY, " NAME_200 " TEXT)",
		"INSERT INTO " NAME_200 " VALUES (1, 'x@north.example')",
	};
	char database[DATABASE_MAX + 1];

	change_source(statements, sizeof statements / sizeof *statements);
	snapshot_source(i, &source);
	send_request(i, second, "Cust70002");
	await(i, second, CLONE_COMPLETED, CLONE_WITHIN_MS);
	hosting_text(i, "Cust70002", "database", database, sizeof database);
	for (size_t n = 0; n < sizeof hostile_facts / sizeof *hostile_facts; n++)
		ck_assert_msg(database_number(i, database, hostile_facts[n]) == 1, "%s", hostile_facts[n]);
}
END_TEST

START_TEST(a_name_that_is_too_long)
{
	static const char *const make[] = { "CREATE TABLE " NAME_200 NAME_200 NAME_200 " (id INTEGER PRIMARY KEY)" };
	static const char *const drop[] = { "DROP TABLE " NAME_200 NAME_200 NAME_200 };
	struct seen s;

	change_source(make, 1);
	send_request(i, second, TARGET);
	s = await(i, second, CLONE_FAILED, CLONE_WITHIN_MS);
	ck_assert_msg(strstr(s.cause, "y_xxx") && strstr(s.cause, "longer than 512 bytes"), "%s", s.cause);
	send_control(i, second, TARGET, CONTROL_CANCEL);
	await_from_rest(i, second, CLONE_CANCELLED, CLONE_WITHIN_MS);
	change_source(drop, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bad_input");
	TCase *tc = tcase_create("bad_input");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, bytes_that_are_no_request);
	tcase_add_test(tc, random_bytes);
	tcase_add_test(tc, requests_that_break_a_rule);
	tcase_add_test(tc, tenants_that_are_none_or_must_not);
	tcase_add_test(tc, more_users_than_licences);
	tcase_add_test(tc, hostile_names_and_narrow_columns);
	tcase_add_test(tc, a_name_that_is_too_long);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
