/* SPDX-License-Identifier: Apache-2.0
 * The poster before a partner who does everything wrong that can be done wrong, over http and over TLS. */
#include "tests/system/poster_fixture.h"

#include <pthread.h>
#include <stdlib.h>

enum { SHORT_MS = 1500 };

static void setup(void)
{
	struct poster_settings s;

	open_server();
	s = lenient();
	open_poster(&s);
}

/* ---- behaviours ---- */

static const struct behaviour {
	const char *script;
	enum post_end end;
	int status;
	const char *text;
} behaviours[] = {
	{ "200", POST_ANSWERED, 200, "status 200" },
	{ "201", POST_ANSWERED, 201, "status 201" },
	{ "202", POST_ANSWERED, 202, "status 202" },
	{ "204", POST_ANSWERED, 204, "status 204" },
	{ "slow:700", POST_ANSWERED, 200, "status 200" },
	{ "error-body", POST_ANSWERED, 200, "status 200" },
	{ "gzip", POST_ANSWERED, 200, "status 200" },
	{ "cookie", POST_ANSWERED, 200, "status 200" },
	{ "large:65536", POST_ANSWERED, 200, "status 200" },
	{ "300", POST_ANSWERED, 300, "redirects are not followed" },
	{ "301:http://127.0.0.1:1/", POST_ANSWERED, 301, "redirects are not followed" },
	{ "302:/canary", POST_ANSWERED, 302, "redirects are not followed" },
	{ "303:/canary", POST_ANSWERED, 303, "redirects are not followed" },
	{ "307:/canary", POST_ANSWERED, 307, "redirects are not followed" },
	{ "308:/canary", POST_ANSWERED, 308, "redirects are not followed" },
	{ "304", POST_ANSWERED, 304, "status 304" },
	{ "400", POST_ANSWERED, 400, "status 400" },
	{ "401", POST_ANSWERED, 401, "status 401" },
	{ "404", POST_ANSWERED, 404, "status 404" },
	{ "407", POST_ANSWERED, 407, "status 407" },
	{ "410", POST_ANSWERED, 410, "status 410" },
	{ "417", POST_ANSWERED, 417, "status 417" },
	{ "429:5", POST_ANSWERED, 429, "status 429" },
	{ "500", POST_ANSWERED, 500, "status 500" },
	{ "503", POST_ANSWERED, 503, "status 503" },
	{ "599", POST_ANSWERED, 599, "status 599" },
	{ "large:65537", POST_TOO_LARGE, 0, "larger than allowed" },
	{ "endless-body", POST_TOO_LARGE, 0, "larger than allowed" },
	{ "endless-head", POST_TOO_LARGE, 0, "larger than allowed" },
	{ "endless-line", POST_TOO_LARGE, 0, "larger than allowed" },
	{ "flood", POST_TOO_LARGE, 0, "larger than allowed" },
	{ "endless-status", POST_TOO_LARGE, 0, "larger than allowed" },
	{ "reset", POST_FAILED, 0, "broke off" },
	{ "close", POST_FAILED, 0, "without an answer" },
	{ "cut", POST_FAILED, 0, "broke off" },
	{ "nonsense", POST_FAILED, 0, "not HTTP" },
	{ "bare", POST_FAILED, 0, "not HTTP" },
};

static void check_behaviour(const struct behaviour *b, enum partner_door door)
{
	struct post_result result;

	ck_assert(partner_server_script(server, "/app/1", b->script));
	result = post_to_door(door, "/app/1");
	expect_end(&result, b->end, b->script);
	ck_assert_int_eq(result.status, b->status);
	ck_assert_msg(strstr(result.text, b->text), "%s: %s", b->script, result.text);
	ck_assert_uint_ge(partner_server_count(server, "/app/1"), 1);
	ck_assert_uint_eq(partner_server_count(server, "/canary"), 0);
	ck_assert_int_lt(result.took_ms, PATIENT_MS);
	/* And nothing of it stays behind: the next post goes well. */
	ck_assert(partner_server_script(server, "/app/1", "204"));
	result = post_to_door(door, "/app/1");
	expect_end(&result, POST_ANSWERED, b->script);
	ck_assert_int_eq(result.status, 204);
}

START_TEST(test_behaviour)
{
	check_behaviour(&behaviours[_i], PARTNER_HTTP);
}
END_TEST

START_TEST(test_behaviour_over_tls)
{
	check_behaviour(&behaviours[_i], PARTNER_HTTPS);
}
END_TEST

static const struct {
	const char *script;
	enum partner_door door;
	const char *text;
} silences[] = {
	{ "hang", PARTNER_HTTP, "did not come within 1500 ms" },
	{ "hang", PARTNER_HTTPS, "did not come within 1500 ms" },
	{ "drip", PARTNER_HTTP, "did not come within 1500 ms" },
	{ "drip-body", PARTNER_HTTPS, "did not come within 1500 ms" },
	{ "slow:20000", PARTNER_HTTPS, "did not come within 1500 ms" },
	{ "200", PARTNER_MUTE, "no connection to it was made within 1500 ms" },
};

START_TEST(test_silence_is_bounded)
{
	struct poster_settings s = lenient();
	struct post_result result;
	int64_t began_ms;

	s.total_timeout_ms = s.connect_timeout_ms = SHORT_MS;
	open_poster(&s);
	ck_assert(partner_server_script(server, "/app/1", silences[_i].script));
	began_ms = steady_ms();
	result = post_to_door(silences[_i].door, "/app/1");
	expect_end(&result, POST_TIMED_OUT, silences[_i].script);
	ck_assert_msg(strstr(result.text, silences[_i].text), "%s", result.text);
	ck_assert_int_ge(result.took_ms, SHORT_MS - 1);
	ck_assert_int_le(result.took_ms, steady_ms() - began_ms + 1);
	ck_assert_int_lt(steady_ms() - began_ms, 10 * SHORT_MS);
}
END_TEST

static const struct {
	enum partner_door door;
	const char *text;
} certificates[] = {
	{ PARTNER_EXPIRED, "has expired" },
	{ PARTNER_OTHER_HOST, "for another host" },
	{ PARTNER_SELF_SIGNED, "signed by itself" },
	{ PARTNER_OLD_TLS, "no TLS connection" },
};

/* Nothing of a post may reach somebody who cannot prove who he is. */
START_TEST(test_certificate)
{
	struct post_result result = post_to_door(certificates[_i].door, "/app/1");

	expect_end(&result, POST_FAILED, certificates[_i].text);
	ck_assert_msg(strstr(result.text, certificates[_i].text), "%s", result.text);
	ck_assert_uint_eq(partner_server_connections(server, certificates[_i].door), 1);
	ck_assert_uint_eq(partner_server_count(server, NULL), 0);
}
END_TEST

/* Without our authority the same server is nobody. */
START_TEST(test_system_authorities)
{
	struct poster_settings s = lenient();
	struct post_result result;

	s.ca_file = NULL;
	open_poster(&s);
	result = post_to_door(PARTNER_HTTPS, "/app/1");
	expect_end(&result, POST_FAILED, "unknown authority");
	ck_assert_uint_eq(partner_server_count(server, NULL), 0);
}
END_TEST

START_TEST(test_nobody_there)
{
	int port = partner_server_port(server, PARTNER_HTTPS);
	struct post_result result;
	char url[64];

	partner_server_free(&server);
	snprintf(url, sizeof url, "https://127.0.0.1:%d/", port);
	result = post_to(url);
	expect_end(&result, POST_FAILED, "closed port");
	ck_assert_msg(strstr(result.text, "no connection"), "%s", result.text);
}
END_TEST

/* ---- Retry-After ---- */

static const int64_t week_ms = INT64_C(7) * 24 * 3600 * 1000;

static const struct {
	const char *value; /* "_" is a space */
	int64_t ms;
} waits[] = {
	{ "0", 0 }, { "1", 1000 }, { "7", 7000 }, { "120", 120000 }, { "007", 7000 }, { "3600", 3600000 },
	{ "604800", INT64_C(604800000) }, { "604801", INT64_C(604800000) }, { "999999999", INT64_C(604800000) },
	{ "9223372036854775807", INT64_C(604800000) }, { "99999999999999999999999999", INT64_C(604800000) },
	{ "-1", 0 }, { "-99999999999999999999", 0 }, { "+5", 0 }, { "5.5", 0 }, { "1e3", 0 }, { "0x10", 0 }, { "5_5", 0 },
	{ "soon", 0 }, { "_", 0 }, { "5s", 0 }, { "Fri,_31_Dec_1999_23:59:59_GMT", 0 },
	{ "Thu,_01_Jan_1970_00:00:00_GMT", 0 }, { "Wed,_21_Oct_2099_07:28:00_GMT", INT64_C(604800000) },
	{ "Wednesday,_21-Oct-99_07:28:00_GMT", 0 }, { "Fri,_99_Foo_2099_99:99:99_GMT", 0 },
	{ "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000001", 0 },
};

START_TEST(test_retry_after)
{
	char script[192];
	struct post_result result;

	snprintf(script, sizeof script, "%d:%s", _i % 2 ? 429 : 503, waits[_i].value);
	ck_assert(partner_server_script(server, "/app/1", script));
	result = post_to_door(PARTNER_HTTP, "/app/1");
	expect_end(&result, POST_ANSWERED, script);
	ck_assert_msg(result.retry_after_ms == waits[_i].ms, "%s: %lld", script, (long long)result.retry_after_ms);
	ck_assert_int_le(result.retry_after_ms, week_ms);
}
END_TEST

START_TEST(test_retry_after_a_date)
{
	const time_t then = time(NULL) + 500;
	char date[64], script[96];
	struct tm parts;
	struct post_result result;

	strftime(date, sizeof date, "%a,_%d_%b_%Y_%H:%M:%S_GMT", gmtime_r(&then, &parts));
	snprintf(script, sizeof script, "429:%s", date);
	ck_assert(partner_server_script(server, "/app/1", script));
	result = post_to_door(PARTNER_HTTP, "/app/1");
	ck_assert_int_gt(result.retry_after_ms, 300 * 1000);
	ck_assert_int_le(result.retry_after_ms, 500 * 1000);
}
END_TEST

/* ---- what is sent ---- */

static void expect_header(const char *name, const char *value)
{
	char got[256];

	partner_request_header(partner_server_request(server, NULL, 0), name, got, sizeof got);
	ck_assert_msg(strcmp(got, value) == 0, "%s: \"%s\", expected \"%s\"", name, got, value);
}

START_TEST(test_request_is_exact)
{
	static const char body[] = "{\"a\":\"\xc3\xbc\"}\r\n\0x";
	const struct partner_request *request;
	struct post_result result;
	char url[128], host[32];
	struct post post;

	partner_server_url(server, PARTNER_HTTP, "/app/1?x=%20y&z#fragment", url, sizeof url);
	post = (struct post){ .url = url, .headers = { { "webhook-id", "msg_1" }, { "webhook-signature", "v1,a v1,b" },
	                                               { "traceparent", "" } },
		              .header_count = 3, .body = body, .body_len = sizeof body };
	ck_assert(poster->post(poster, &post, &err));
	result = next_result();
	expect_end(&result, POST_ANSWERED, url);
	request = partner_server_request(server, "/app/1", 0);
	ck_assert_ptr_nonnull(request);
	ck_assert_str_eq(request->method, "POST");
	ck_assert_str_eq(request->path, "/app/1?x=%20y&z");
	ck_assert_uint_eq(request->body_len, sizeof body);
	ck_assert_mem_eq(request->body, body, sizeof body);
	expect_header("webhook-id", "msg_1");
	expect_header("webhook-signature", "v1,a v1,b");
	expect_header("content-type", "application/json");
	expect_header("user-agent", "sandbox-notifier/" SANDBOX_VERSION);
	snprintf(host, sizeof host, "127.0.0.1:%d", partner_server_port(server, PARTNER_HTTP));
	expect_header("host", host);
	expect_header("expect", "");
	expect_header("accept-encoding", "");
	expect_header("authorization", "");
	expect_header("cookie", "");
	expect_header("referer", "");
}
END_TEST

START_TEST(test_empty_body)
{
	struct post post = { .header_count = 0 };
	struct post_result result;
	char url[128];

	post.url = partner_server_url(server, PARTNER_HTTP, "/app/1", url, sizeof url);
	ck_assert(poster->post(poster, &post, &err));
	result = next_result();
	expect_end(&result, POST_ANSWERED, url);
	expect_header("content-length", "0");
}
END_TEST

START_TEST(test_no_cookie_comes_back)
{
	char got[64];

	ck_assert(partner_server_script(server, "/app/1", "cookie"));
	post_to_door(PARTNER_HTTP, "/app/1");
	post_to_door(PARTNER_HTTP, "/app/1");
	partner_request_header(partner_server_request(server, "/app/1", 1), "cookie", got, sizeof got);
	ck_assert_str_eq(got, "");
}
END_TEST

START_TEST(test_connections_are_kept)
{
	for (int i = 0; i < 5; i++)
		post_to_door(PARTNER_HTTPS, "/app/1");
	ck_assert_uint_eq(partner_server_connections(server, PARTNER_HTTPS), 1);
	ck_assert_uint_eq(partner_server_count(server, "/app/1"), 5);
}
END_TEST

static void post_many(const char *path, int count)
{
	char url[128];

	partner_server_url(server, PARTNER_HTTP, path, url, sizeof url);
	for (int i = 0; i < count; i++) {
		struct post post = plain_post(url, (uint64_t)i);

		ck_assert_msg(poster->post(poster, &post, &err), "%s", err.text);
	}
	for (int i = 0; i < count; i++) {
		struct post_result result = next_result();

		expect_end(&result, POST_ANSWERED, path);
	}
}

START_TEST(test_few_connections_are_kept)
{
	struct poster_settings s = lenient();

	s.max_idle = 3;
	open_poster(&s);
	ck_assert(partner_server_script(server, "/app/*", "slow:300"));
	post_many("/app/1", 20);
	ck_assert_uint_eq(partner_server_connections(server, PARTNER_HTTP), 20);
	post_many("/app/1", 20);
	ck_assert_uint_ge(partner_server_connections(server, PARTNER_HTTP), 20 + 20 - 4);
}
END_TEST

/* ---- the port's own rules ---- */

static const struct post misuses[] = {
	{ .url = NULL },
	{ .url = "https://x.example/", .header_count = POST_HEADERS_MAX + 1 },
	{ .url = "https://x.example/", .body = "x", .body_len = POST_BODY_MAX + 1 },
	{ .url = "https://x.example/", .body = NULL, .body_len = 1 },
	{ .url = "https://x.example/", .headers = { { "a b", "c" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "", "c" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "a:", "c" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "a\r\nb", "c" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "a", "c\r\nd: e" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "a", "c\nd" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "Host", "internal" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "content-length", "1" } }, .header_count = 1 },
	{ .url = "https://x.example/", .headers = { { "Transfer-Encoding", "chunked" } }, .header_count = 1 },
};

START_TEST(test_misuse)
{
	err_clear(&err);
	ck_assert(!poster->post(poster, &misuses[_i], &err));
	ck_assert_int_eq(err.class, ERR_MISUSE);
	ck_assert_uint_eq(poster->under_way(poster), 0);
}
END_TEST

START_TEST(test_room_is_bounded)
{
	struct poster_settings s = lenient();
	struct post_result result;
	struct post post;
	char url[128];

	s.max_under_way = 3;
	s.total_timeout_ms = SHORT_MS;
	open_poster(&s);
	ck_assert(partner_server_script(server, "/app/*", "hang"));
	post = plain_post(partner_server_url(server, PARTNER_HTTP, "/app/1", url, sizeof url), 1);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(poster->room(poster), 3 - i);
		ck_assert(poster->post(poster, &post, &err));
	}
	ck_assert(!poster->post(poster, &post, &err));
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	for (int i = 0; i < 3; i++) {
		result = next_result();
		expect_end(&result, POST_TIMED_OUT, "hang");
	}
	ck_assert_uint_eq(poster->room(poster), 3);
	ck_assert(!poster->next(poster, &result));
}
END_TEST

/* With all of it in the middle of something: libcurl, a look-up, results that nobody fetched. */
START_TEST(test_close_cuts_off)
{
	static const char *const urls[] = { "http://127.0.0.1:%d/hang", "https://127.0.0.1:%d/x", "https://nobody.invalid:%d/",
		                            "ftp://x:%d/" };
	char url[128];

	ck_assert(partner_server_script(server, "/hang", "hang"));
	for (size_t i = 0; i < 40; i++) {
		struct post post;

		snprintf(url, sizeof url, urls[i % 4], partner_server_port(server, i % 4 ? PARTNER_MUTE : PARTNER_HTTP));
		post = plain_post(url, i);
		ck_assert(poster->post(poster, &post, &err));
		poster->wait(poster, 0);
	}
	ck_assert(partner_server_await(server, NULL, 0, 1000));
	ck_assert_uint_eq(poster->under_way(poster), 40);
}
END_TEST

static void *wake_soon(void *arg)
{
	(void)arg;
	nanosleep(&(struct timespec){ .tv_nsec = 200 * 1000000 }, NULL);
	poster->wake(poster);
	return NULL;
}

START_TEST(test_wake)
{
	int64_t began_ms = steady_ms();
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wake_soon, NULL), 0);
	poster->wait(poster, PATIENT_MS);
	ck_assert_int_lt(steady_ms() - began_ms, PATIENT_MS / 2);
	ck_assert_int_ge(steady_ms() - began_ms, 100);
	pthread_join(thread, NULL);
}
END_TEST

static const struct {
	struct poster_settings settings;
	const char *text;
} bad_settings[] = {
	{ { .allow_nets = "10.0.0.0/8 everything" }, "everything" },
	{ { .deny_nets = "0.0.0.0/0" }, "too wide" },
	{ { .ca_file = "/nowhere/ca.pem" }, "cannot be read" },
	{ { .proxy = "socks5://127.0.0.1:1080" }, "proxy cannot be used" },
	{ { .proxy = "http://user:secret@127.0.0.1:3128" }, "names a user" },
	{ { .max_under_way = 1000000 }, "at most" },
	{ { .lookup_threads = 100000 }, "at most" },
};

START_TEST(test_bad_settings)
{
	err_clear(&err);
	ck_assert_ptr_null(poster_curl_new(&bad_settings[_i].settings, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, bad_settings[_i].text), "%s", err.text);
	ck_assert_ptr_null(strstr(err.text, "secret"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("poster");
	TCase *t = tcase_create("posts");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, close_all);
	tcase_set_timeout(t, 240);
	tcase_add_loop_test(t, test_behaviour, 0, sizeof behaviours / sizeof *behaviours);
	tcase_add_loop_test(t, test_behaviour_over_tls, 0, sizeof behaviours / sizeof *behaviours);
	tcase_add_loop_test(t, test_silence_is_bounded, 0, sizeof silences / sizeof *silences);
	tcase_add_loop_test(t, test_certificate, 0, sizeof certificates / sizeof *certificates);
	tcase_add_test(t, test_system_authorities);
	tcase_add_test(t, test_nobody_there);
	tcase_add_loop_test(t, test_retry_after, 0, sizeof waits / sizeof *waits);
	tcase_add_test(t, test_retry_after_a_date);
	tcase_add_test(t, test_request_is_exact);
	tcase_add_test(t, test_empty_body);
	tcase_add_test(t, test_no_cookie_comes_back);
	tcase_add_test(t, test_connections_are_kept);
	tcase_add_test(t, test_few_connections_are_kept);
	tcase_add_loop_test(t, test_misuse, 0, sizeof misuses / sizeof *misuses);
	tcase_add_test(t, test_room_is_bounded);
	tcase_add_test(t, test_close_cuts_off);
	tcase_add_test(t, test_wake);
	tcase_add_loop_test(t, test_bad_settings, 0, sizeof bad_settings / sizeof *bad_settings);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
