/* SPDX-License-Identifier: Apache-2.0
 * The state API to the byte: the documented fields and formats, what may be cached, what is not an error. */
#include "consumer/tenant/state_api.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1785579285004) /* 2026-08-01T10:14:45.004Z */

static struct state_api api;
static struct buf body;

static void setup(void)
{
	api = (struct state_api){ .board = board_new(), .valid_running_ms = 300000, .valid_offline_ms = 15000 };
	buf_init(&body, 1 << 20);
}

static void teardown(void)
{
	board_free(&api.board);
	buf_done(&body);
}

static struct tenant_row row(const char *ctx, enum tenant_state state, const char *host)
{
	struct tenant_row r = { .state = state, .superid = IDENTITY_NORMAL, .since_ms = 1785578400000, .status = CLONE_FAILED,
		.clone_id = "c1", .run = 2, .step_no = 8, .total_steps = 31, .sequence = 17, .step = "copy_database",
		.version_name = "Release_11.12_2026.07.20-01", .file_version = "11.12.675.0",
		.cause = "a \"quote\" and\na line", .next_command = "sandboxctl clone replay c1 --reason '...'" };

	snprintf(r.ctx, sizeof r.ctx, "%s", ctx);
	snprintf(r.host, sizeof r.host, "%s", host);
	return r;
}

static void put(const struct tenant_row *r, int64_t changed)
{
	board_begin(api.board);
	ck_assert(board_put(api.board, r, changed));
	board_end(api.board);
}

static struct state_answer get(const char *ctx, const char *if_none_match)
{
	buf_clear(&body);
	return state_api_get(&api, ctx, if_none_match, NOW, &body);
}

START_TEST(the_documented_fields)
{
	struct tenant_row r = row("Cust70001", TENANT_OFFLINE_MAINTENANCE, "online4.superoffice.com");
	struct state_answer a;

	put(&r, 1);
	a = get("Cust70001", "");
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(buf_text(&body),
		"{\"ContextIdentifier\":\"Cust70001\",\"Endpoint\":\"https://online4.superoffice.com/Cust70001\","
		"\"State\":\"OfflineMaintenance\",\"IsRunning\":false,\"ValidUntil\":\"2026-08-01T10:15:00.0040000Z\","
		"\"Api\":\"https://online4.superoffice.com/Cust70001/api\",\"Version\":\"Release_11.12_2026.07.20-01\"}\n");
	ck_assert_int_eq(a.max_age_s, 15);
	ck_assert_int_eq(a.retry_after_s, 15);
	r.state = TENANT_RUNNING;
	put(&r, 2);
	a = get("Cust70001", "");
	ck_assert_ptr_nonnull(strstr(buf_text(&body), "\"State\":\"Running\",\"IsRunning\":true,\"ValidUntil\":"
		"\"2026-08-01T10:19:45.0040000Z\""));
	ck_assert_int_eq(a.max_age_s, 300);
	ck_assert_int_eq(a.retry_after_s, 0);
}
END_TEST

START_TEST(every_state_by_its_name)
{
	static const struct {
		enum tenant_state state;
		const char *name;
		bool runs;
	} states[] = {
		{ TENANT_UNKNOWN, "Unknown", false }, { TENANT_PROVISIONING, "Provisioning", false },
		{ TENANT_RUNNING, "Running", true }, { TENANT_DELETED, "Deleted", false }, { TENANT_SUSPENDED, "Suspended", false },
		{ TENANT_ONLINE_MAINTENANCE, "OnlineMaintenance", true },
		{ TENANT_OFFLINE_MAINTENANCE, "OfflineMaintenance", false },
		{ TENANT_PROVISIONING_FAILED, "ProvisioningFailed", false }, { TENANT_DELETING, "Deleting", false },
		{ TENANT_DELETE_FAILED, "DeleteFailed", false }, { TENANT_MIGRATION_PENDING, "MigrationPending", false },
		{ (enum tenant_state)7, "Unknown", false },
	};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		struct tenant_row r = row("T", states[i].state, "h");
		char wanted[80];

		put(&r, (int64_t)i);
		get("T", "");
		snprintf(wanted, sizeof wanted, "\"State\":\"%s\",\"IsRunning\":%s,", states[i].name,
			states[i].runs ? "true" : "false");
		ck_assert_msg(strstr(buf_text(&body), wanted), "%s", buf_text(&body));
	}
}
END_TEST

START_TEST(an_unknown_tenant_is_no_error)
{
	struct state_answer a = get("Cust99999", "");

	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(buf_text(&body),
		"{\"ContextIdentifier\":\"Cust99999\",\"Endpoint\":\"\",\"State\":\"Unknown\",\"IsRunning\":false,"
		"\"ValidUntil\":\"2026-08-01T10:15:00.0040000Z\",\"Api\":\"\",\"Version\":\"\"}\n");
	ck_assert_int_eq(a.retry_after_s, 15);
}
END_TEST

START_TEST(what_cannot_be_a_tenant_is)
{
	static const char *const bad[] = { "", "a/b", "..", "Cust 1", "Cust1\n", "<script>", "\xff", "Cust%31",
		"12345678901234567890123456789012345678901" };
	char huge[100000];

	memset(huge, 'a', sizeof huge);
	huge[sizeof huge - 1] = '\0';
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct state_answer a = get(bad[i], "");

		ck_assert_int_eq(a.status, 400);
		ck_assert_ptr_nonnull(a.problem);
		ck_assert_uint_eq(body.len, 0);
	}
	ck_assert_int_eq(get(huge, "").status, 400);
}
END_TEST

START_TEST(what_was_seen_is_not_sent_again)
{
	struct tenant_row r = row("T", TENANT_RUNNING, "h");
	struct state_answer first, other;
	char list[100];

	put(&r, 1);
	first = get("T", "");
	ck_assert_int_eq(strncmp(first.etag, "W/\"", 3), 0);
	ck_assert_int_eq(get("T", first.etag).status, 304);
	ck_assert_uint_eq(body.len, 0);
	ck_assert_int_eq(get("T", first.etag).max_age_s, 300);
	ck_assert_int_eq(get("T", first.etag + 2).status, 304);
	ck_assert_int_eq(get("T", "*").status, 304);
	snprintf(list, sizeof list, "\"x\", %s, \"y\"", first.etag);
	ck_assert_int_eq(get("T", list).status, 304);
	ck_assert_int_eq(get("T", "\"x\", \"y\"").status, 200);
	snprintf(list, sizeof list, "%sx", first.etag);
	ck_assert_int_eq(get("T", list).status, 200);
	r.cause[0] = 'x'; /* not told here */
	put(&r, 2);
	ck_assert_str_eq(get("T", "").etag, first.etag);
	r.state = TENANT_OFFLINE_MAINTENANCE;
	put(&r, 3);
	other = get("T", first.etag);
	ck_assert_int_eq(other.status, 200);
	ck_assert_str_ne(other.etag, first.etag);
	ck_assert_str_ne(get("U", "").etag, get("V", "").etag);
}
END_TEST

static int list(struct state_list_query q)
{
	struct state_answer a;

	if (!q.context)
		q.context = "";
	if (!q.after)
		q.after = "";
	if (!q.changed_after)
		q.changed_after = "";
	if (!q.stuck)
		q.stuck = "";
	if (!q.limit)
		q.limit = "";
	buf_clear(&body);
	a = state_api_list(&api, &q, &body);
	return a.status;
}

static void ck_has(const char *part)
{
	ck_assert_msg(strstr(buf_text(&body), part), "%s is not in %s", part, buf_text(&body));
}

START_TEST(a_list_for_operators)
{
	struct tenant_row r;

	ck_assert_int_eq(list((struct state_list_query){ 0 }), 200);
	ck_assert_str_eq(buf_text(&body), "{\"tenants\":[],\"total\":0,\"changed\":0,\"next_after\":\"\"}\n");
	r = row("B", TENANT_OFFLINE_MAINTENANCE, "h");
	put(&r, 1);
	r = row("A", TENANT_RUNNING, "h");
	put(&r, 2);
	r = row("C", TENANT_RUNNING, "h");
	r.superid = IDENTITY_IN_MIGRATION;
	put(&r, 3);
	ck_assert_int_eq(list((struct state_list_query){ .limit = "2" }), 200);
	ck_assert(strstr(buf_text(&body), "\"context\":\"A\"") < strstr(buf_text(&body), "\"context\":\"B\""));
	ck_has("],\"total\":3,\"changed\":2,\"next_after\":\"B\"}");
	ck_has("\"cause\":\"a \\\"quote\\\" and\\na line\"");
	ck_has("\"next_command\":\"sandboxctl clone replay c1 --reason '...'\"");
	ck_has("\"since\":\"2026-08-01T10:00:00.000Z\",\"since_ms\":1785578400000,\"state_number\":6,\"run\":2,\"step_no\":8,\"total_steps\":31,"
		"\"sequence\":17,\"stuck\":true,\"changed\":1}");
	ck_assert_int_eq(list((struct state_list_query){ .after = "B" }), 200);
	ck_has("\"context\":\"C\",\"state\":\"Running\",\"superid\":\"In migration\"");
	ck_has("],\"total\":1,\"changed\":3,\"next_after\":\"\"}");
	ck_assert_int_eq(list((struct state_list_query){ .stuck = "true" }), 200);
	ck_has("\"total\":2,");
	ck_assert_int_eq(list((struct state_list_query){ .changed_after = "2" }), 200);
	ck_has("\"total\":1,\"changed\":3,");
	ck_assert_int_eq(list((struct state_list_query){ .context = "A" }), 200);
	ck_has("\"total\":1,\"changed\":2,");
	ck_assert_int_eq(list((struct state_list_query){ .context = "Z" }), 200);
	ck_has("\"total\":0,");
	ck_assert_uint_eq(board_stuck(api.board), 2);
	r.superid = IDENTITY_NORMAL;
	put(&r, 4);
	ck_assert_uint_eq(board_stuck(api.board), 1);
	ck_assert_uint_eq(board_count(api.board), 3);
}
END_TEST

START_TEST(wrong_parameters)
{
	ck_assert_int_eq(list((struct state_list_query){ .limit = "0" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .limit = "1001" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .limit = "-1" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .limit = "9999999999999999999" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .changed_after = "x" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .stuck = "yes" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .context = "a/b" }), 400);
	ck_assert_int_eq(list((struct state_list_query){ .after = "\n" }), 400);
}
END_TEST

/* Many names, so that the index grows and moves. */
START_TEST(ten_thousand_tenants)
{
	struct board_state s;
	char ctx[CTX_MAX + 1];

	for (int i = 0; i < 10000; i++) {
		struct tenant_row r;

		snprintf(ctx, sizeof ctx, "Cust%d", i);
		r = row(ctx, i % 2 ? TENANT_RUNNING : TENANT_SUSPENDED, "h");
		put(&r, i);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(ctx, sizeof ctx, "Cust%d", i);
		ck_assert(board_state(api.board, ctx, &s));
		ck_assert_int_eq(s.state, i % 2 ? TENANT_RUNNING : TENANT_SUSPENDED);
	}
	ck_assert(!board_state(api.board, "Cust10000", &s));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state_api");
	TCase *t = tcase_create("state_api");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_documented_fields);
	tcase_add_test(t, every_state_by_its_name);
	tcase_add_test(t, an_unknown_tenant_is_no_error);
	tcase_add_test(t, what_cannot_be_a_tenant_is);
	tcase_add_test(t, what_was_seen_is_not_sent_again);
	tcase_add_test(t, a_list_for_operators);
	tcase_add_test(t, wrong_parameters);
	tcase_add_test(t, ten_thousand_tenants);
	suite_add_tcase(suite, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
