/* SPDX-License-Identifier: Apache-2.0
 * A request out of a file: the example of the manual, and every way to get a member wrong. */
#include "consumer/adapters/http/json_request.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *mem;
static struct clone_request request;
static struct err err;

static void setup(void)
{
	mem = arena_new(1 << 24);
	memset(&request, 0, sizeof request);
	request.job.mask_domain = "before.example";
	request.job.mask_mode = MASK_KEEP_NAMES;
	request.job.set_running = true;
	err_clear(&err);
}

static void teardown(void)
{
	arena_free(&mem);
}

static bool read_text(const char *text)
{
	struct buf b;
	bool ok;

	err_clear(&err);
	buf_init(&b, 1 << 22);
	buf_add_text(&b, text);
	ok = json_request_read(&b, mem, &request, &err);
	buf_done(&b);
	return ok;
}

static void refused(const char *text, const char *sentence)
{
	ck_assert_msg(!read_text(text), "'%s' was taken", text);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, sentence) != NULL, "'%s' gives \"%s\", not \"%s\"", text, err.text, sentence);
	ck_assert_ptr_null(strstr(err.text, "secret"));
}

START_TEST(the_example_is_read)
{
	const struct step_job *job = &request.job;

	ck_assert_msg(
	    read_text(
		"{\"clone_id\":\"0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10\",\"kind\":\"REPLACE\","
		"\"source_ctx\":\"Cust70000\",\"target_ctx\":\"Cust70001\",\"requested_by\":\"admin@company.example\","
		"\"mask\":{\"enabled\":true,\"domain\":\"sandbox.example\",\"mode\":\"HASH\",\"keep\":[\"tester@company.example\"]},"
		"\"user_plan_map\":[{\"login\":\"tester@company.example\",\"plan\":\"ten-sales\",\"admin\":true},"
		"{\"associate_id\":12}],\"documents\":\"NONE\",\"attachments\":\"NO_REQUESTS\",\"enable_schedules\":[7,"
		"9],"
		"\"set_running\":false,\"confirmed\":true,\"approved_target\":\"Cust70001\","
		"\"expected_generation\":\"Cust70001__gx1\"}"),
	    "%s", err.text);
	ck_assert_str_eq(job->clone_id, "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10");
	ck_assert_int_eq(job->kind, CLONE_REPLACE);
	ck_assert_str_eq(job->mask_domain, "sandbox.example");
	ck_assert_int_eq(job->mask_mode, MASK_HASH);
	ck_assert_uint_eq(job->mask_keep_count, 1);
	ck_assert_uint_eq(job->user_count, 2);
	ck_assert(job->users[0].is_admin && !job->users[1].is_admin);
	ck_assert_int_eq(job->users[1].associate_id, 12);
	ck_assert_str_eq(job->users[1].login, "");
	ck_assert_int_eq(job->documents, DOCUMENTS_NONE);
	ck_assert_int_eq(job->attachments, ATTACHMENTS_NO_REQUESTS);
	ck_assert_int_eq(job->enable_schedules[1], 9);
	ck_assert(!job->set_running && request.confirmed);
	ck_assert_str_eq(request.expected_generation, "Cust70001__gx1");
}
END_TEST

START_TEST(what_is_not_there_stays)
{
	ck_assert(read_text("{\"mask\":{\"enabled\":true}}"));
	ck_assert_str_eq(request.job.mask_domain, "before.example");
	ck_assert_int_eq(request.job.mask_mode, MASK_KEEP_NAMES);
	ck_assert(request.job.set_running);
}
END_TEST

START_TEST(wrong_members_are_named)
{
	refused("{\"kid\":\"REPLACE\"}", "no member \"kid\"; did you mean \"kind\"?");
	refused("{\"mask\":{\"domian\":\"secret\"}}", "\"mask\" of the request has no member \"domian\"");
	refused("{\"user_plan_map\":[{\"logn\":\"secret\"}]}", "user_plan_map");
	refused("{\"user_plan_map\":[7]}", "user_plan_map");
	refused("{\"user_plan_map\":{}}", "user_plan_map");
	refused("{\"source_ctx\":7}", "\"source_ctx\"");
	refused("{\"source_ctx\":\"sec\\u0000ret\"}", "request file");
	refused("{\"kind\":\"DELETE\"}", "\"kind\"");
	refused("{\"kind\":null}", "\"kind\"");
	refused("{\"documents\":\"secret\"}", "\"documents\"");
	refused("{\"attachments\":3}", "\"attachments\"");
	refused("{\"confirmed\":\"true\"}", "\"confirmed\"");
	refused("{\"enable_schedules\":[1.5]}", "\"enable_schedules\"");
	refused("{\"enable_schedules\":7}", "\"enable_schedules\"");
	refused("{\"mask\":[]}", "\"mask\"");
	refused("{\"mask\":{\"mode\":\"hash\"}}", "\"mode\"");
	refused("{\"mask\":{\"mode\":\"UNKNOWN\"}}", "\"mode\"");
	refused("{\"mask\":{\"keep\":[1]}}", "\"keep\"");
}
END_TEST

START_TEST(what_is_no_object_is_refused)
{
	refused("", "no JSON object");
	refused("[]", "no JSON object");
	refused("{\"kind\":\"CREATE\"", "no JSON object");
	refused("{\"kind\":\"CREATE\",\"kind\":\"REPLACE\"}", "names a member twice");
}
END_TEST

START_TEST(lists_are_bounded)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_add_text(&b, "{\"mask\":{\"keep\":[");
	for (int i = 0; i <= 1000; i++)
		buf_printf(&b, "%s\"a\"", i ? "," : "");
	buf_add_text(&b, "]}}");
	refused(buf_text(&b), "more than 1000 items");
	buf_done(&b);
}
END_TEST

START_TEST(memory_is_bounded)
{
	arena_free(&mem);
	mem = arena_new(16);
	ck_assert(!read_text("{\"requested_by\":\"somebody with a name that is longer than all there is\"}"));
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("json_request");
	TCase *t = tcase_create("request");
	SRunner *sr = srunner_create(s);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_example_is_read);
	tcase_add_test(t, what_is_not_there_stays);
	tcase_add_test(t, wrong_members_are_named);
	tcase_add_test(t, what_is_no_object_is_refused);
	tcase_add_test(t, lists_are_bounded);
	tcase_add_test(t, memory_is_bounded);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
