/* SPDX-License-Identifier: Apache-2.0
 * The partner's server of the tests does what it is told, and remembers; else other tests would prove nothing. */
#include "consumer/adapters/http/http_client.h"
#include "tests/system/poster_fixture.h"

#include <jansson.h>

static void setup(void)
{
	struct poster_settings s;

	open_server();
	s = lenient();
	open_poster(&s);
}

static int status_of(const char *path)
{
	return post_to_door(PARTNER_HTTP, path).status;
}

START_TEST(test_scripts_in_turn)
{
	ck_assert_int_eq(status_of("/app/1"), 200);
	ck_assert(partner_server_script(server, "/app/1", " 500  429:7 204 "));
	ck_assert_int_eq(status_of("/app/1"), 500);
	ck_assert_int_eq(status_of("/app/1?query"), 429);
	ck_assert_int_eq(status_of("/app/2"), 200);
	ck_assert_int_eq(status_of("/app/1"), 204);
	ck_assert_int_eq(status_of("/app/1"), 204);
	ck_assert(partner_server_script(server, "/app/1", "410"));
	ck_assert_int_eq(status_of("/app/1"), 410);
}
END_TEST

START_TEST(test_prefixes)
{
	ck_assert(partner_server_script(server, "/app/*", "500 201"));
	ck_assert(partner_server_script(server, "/app/slow/*", "503"));
	ck_assert(partner_server_script(server, "/app/slow/but/not/me", "202"));
	ck_assert_int_eq(status_of("/app/1"), 500);
	ck_assert_int_eq(status_of("/app/2"), 500); /* a place of its own */
	ck_assert_int_eq(status_of("/app/1"), 201);
	ck_assert_int_eq(status_of("/app/slow/1"), 503);
	ck_assert_int_eq(status_of("/app/slow/but/not/me"), 202);
	ck_assert_int_eq(status_of("/other"), 200);
}
END_TEST

static const char *const bad_scripts[] = { "", " ", "99", "600", "2000", "ok", "slow", "slow:", "slow:x", "200,500", "hang 200 x" };

START_TEST(test_bad_script)
{
	ck_assert(!partner_server_script(server, "/app/1", bad_scripts[_i]));
	ck_assert(!partner_server_script(server, "app/1", "200"));
	ck_assert_int_eq(status_of("/app/1"), 200);
}
END_TEST

START_TEST(test_what_is_remembered)
{
	const struct partner_request *request;
	int64_t before_ms = steady_ms();
	char value[64];

	post_to_door(PARTNER_HTTPS, "/app/1?a");
	post_to_door(PARTNER_HTTP, "/app/2");
	post_to_door(PARTNER_HTTP, "/app/1");
	ck_assert(partner_server_await(server, "/app/1", 2, PATIENT_MS));
	ck_assert(!partner_server_await(server, "/app/1", 3, 50));
	ck_assert_uint_eq(partner_server_count(server, NULL), 3);
	request = partner_server_request(server, "/app/1", 1);
	ck_assert_uint_eq(request->number, 2);
	ck_assert_int_eq(request->door, PARTNER_HTTP);
	request = partner_server_request(server, "/app/1", 0);
	ck_assert_int_eq(request->door, PARTNER_HTTPS);
	ck_assert_str_eq(request->path, "/app/1?a");
	ck_assert_str_eq(request->body, "{\"ChangeType\":1}");
	ck_assert_int_ge(request->at_ms, before_ms);
	ck_assert_int_le(request->at_ms, steady_ms());
	ck_assert_str_eq(partner_request_header(request, "WEBHOOK-ID", value, sizeof value), "msg_1");
	ck_assert_str_eq(partner_request_header(request, "webhook", value, sizeof value), "");
	ck_assert_ptr_null(partner_server_request(server, "/app/1", 2));
	ck_assert_ptr_null(partner_server_request(server, "/app/3", 0));
	partner_server_forget(server);
	ck_assert_uint_eq(partner_server_count(server, NULL), 0);
	ck_assert_uint_eq(partner_server_count(server, "/app/1"), 0);
}
END_TEST

/* ---- over HTTP, as other processes steer it ---- */

static int call(const char *method, const char *path, const char *body, json_t **lines_r)
{
	char base[64];
	struct http_settings s = { .base_url = base, .total_timeout_ms = PATIENT_MS };
	struct http_client *client;
	struct http_answer answer;

	snprintf(base, sizeof base, "http://127.0.0.1:%d", partner_server_port(server, PARTNER_HTTP));
	client = http_client_new(&s, "partner", NULL, &err);
	ck_assert_ptr_nonnull(client);
	ck_assert_msg(http_client_send(client, &(struct http_request){ .method = method, .path = path, .body = body,
	                                                               .body_len = body ? strlen(body) : 0 },
	                               &answer, &err),
	              "%s", err.text);
	if (lines_r)
		*lines_r = json_loads(buf_text(answer.body), JSON_DISABLE_EOF_CHECK, NULL);
	http_client_free(&client);
	return answer.status;
}

START_TEST(test_steering)
{
	json_t *said;

	ck_assert_int_eq(call("PUT", "/-/script?/app/1", "418 200", NULL), 204);
	ck_assert_int_eq(call("PUT", "/-/script?/app/1", "nonsense-that-is-unknown", NULL), 400);
	ck_assert_int_eq(call("GET", "/-/nothing", NULL, NULL), 404);
	ck_assert_int_eq(status_of("/app/1"), 418);
	ck_assert_int_eq(status_of("/app/1"), 200);
	ck_assert_int_eq(call("GET", "/-/counts", NULL, &said), 200);
	ck_assert_int_eq(json_integer_value(json_object_get(said, "/app/1")), 2);
	ck_assert_uint_eq(json_object_size(said), 1); /* steering is no request */
	json_decref(said);
	ck_assert_int_eq(call("GET", "/-/requests?1", NULL, &said), 200);
	ck_assert_int_eq(json_integer_value(json_object_get(said, "number")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(said, "body")), "{\"ChangeType\":1}");
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(said, "headers"), "webhook-id")), "msg_1");
	json_decref(said);
	ck_assert_int_eq(call("DELETE", "/-/requests", NULL, NULL), 204);
	ck_assert_uint_eq(partner_server_count(server, NULL), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partner_server");
	TCase *t = tcase_create("partner");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, close_all);
	tcase_set_timeout(t, 240);
	tcase_add_test(t, test_scripts_in_turn);
	tcase_add_test(t, test_prefixes);
	tcase_add_loop_test(t, test_bad_script, 0, sizeof bad_scripts / sizeof *bad_scripts);
	tcase_add_test(t, test_what_is_remembered);
	tcase_add_test(t, test_steering);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
