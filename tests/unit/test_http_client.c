/* SPDX-License-Identifier: Apache-2.0
 * The HTTP client against what a hostile or dead server can do: every call ends in time, takes a bounded amount of
 * memory, and says whether the request may have arrived. */
#include "consumer/adapters/http/http_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- a server that plays one script for every connection ---- */

struct peer {
	int listener, port;
	pthread_t thread;
	bool reads_request; /* before it says anything */
	const char *said;   /* once */
	const char *endless; /* then this until the other side goes away */
	bool hangs;         /* then nothing */
	bool resets;
	char heard[8192];
	atomic_int connections;
};

static struct peer peer;
static struct err err;
static atomic_bool stop;

static void hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	peer.heard[0] = '\0';
	while (len < sizeof peer.heard - 1 && !strstr(peer.heard, "\r\n\r\n") &&
	       (n = recv(fd, peer.heard + len, sizeof peer.heard - 1 - len, 0)) > 0) {
		len += (size_t)n;
		peer.heard[len] = '\0';
	}
}

static void play(int fd)
{
	char byte;

	if (peer.reads_request)
		hear(fd);
	if (peer.resets)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
	if (peer.said)
		send(fd, peer.said, strlen(peer.said), MSG_NOSIGNAL);
	while (peer.endless && send(fd, peer.endless, strlen(peer.endless), MSG_NOSIGNAL) > 0)
		;
	while (peer.hangs && recv(fd, &byte, 1, 0) > 0)
		;
	close(fd);
}

static void *serve(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(peer.listener, NULL, NULL)) >= 0) {
		atomic_fetch_add(&peer.connections, 1);
		play(fd);
	}
	return NULL;
}

static void setup(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	memset(&peer, 0, sizeof peer);
	err_clear(&err);
	atomic_store(&stop, false);
	peer.reads_request = true;
	peer.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(bind(peer.listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(peer.listener, 8) == 0);
	getsockname(peer.listener, (struct sockaddr *)&at, &len);
	peer.port = ntohs(at.sin_port);
}

static void start_peer(void)
{
	ck_assert_int_eq(pthread_create(&peer.thread, NULL, serve, NULL), 0);
}

static void teardown(void)
{
	shutdown(peer.listener, SHUT_RDWR);
	if (peer.thread)
		pthread_join(peer.thread, NULL);
	close(peer.listener);
}

/* ---- one call ---- */

static struct http_client *client_for(const char *host)
{
	static char url[128];
	struct http_settings s = { .base_url = url, .bearer = "s3cret", .connect_timeout_ms = 300,
		                   .total_timeout_ms = 300, .max_body_bytes = 100 * 1000 };

	snprintf(url, sizeof url, "http://%s:%d/hosting", host, peer.port);
	return http_client_new(&s, "hosting", &stop, &err);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int call(const char *method, bool *ok_r)
{
	struct http_client *c = client_for("127.0.0.1");
	struct http_request request = { .method = method, .path = "/tenants/Cust1" };
	struct http_answer answer = { 0 };
	int64_t began = now_ms();

	ck_assert_ptr_nonnull(c);
	if (strcmp(method, "PUT") == 0) {
		request.body = "{}";
		request.body_len = 2;
	}
	*ok_r = http_client_send(c, &request, &answer, &err);
	ck_assert_int_lt(now_ms() - began, 2000);
	http_client_free(&c);
	return answer.status;
}

static void check_fails(const char *method, enum err_class class)
{
	bool ok;

	err_clear(&err);
	call(method, &ok);
	ck_assert(!ok);
	ck_assert_msg(err.class == class, "%s: %s: %s", method, err_class_name(err.class), err.text);
	ck_assert_str_eq(err.where, "hosting");
	ck_assert_ptr_null(strstr(err.text, "s3cret"));
}

/* A read that fails may be tried again; a write that may have arrived must be looked for first. */
static void check_read_and_write_fail(void)
{
	start_peer();
	check_fails("GET", ERR_TRANSIENT);
	check_fails("PUT", ERR_UNSURE);
}

START_TEST(test_answer)
{
	struct http_client *c = client_for("127.0.0.1");
	const struct http_header key = { "Idempotency-Key", "a/1/b/c" };
	struct http_request request = { "PUT", "/tenants/Cust1", &key, 1, "{\"a\":1}", 7 };
	struct http_answer answer;

	peer.said = "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}";
	start_peer();
	ck_assert_msg(http_client_send(c, &request, &answer, &err), "%s", err.text);
	ck_assert_int_eq(answer.status, 429);
	ck_assert_int_eq(answer.retry_after_ms, 7000);
	ck_assert_str_eq(buf_text(answer.body), "{}");
	ck_assert_ptr_nonnull(strstr(peer.heard, "PUT /hosting/tenants/Cust1 HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.heard, "Idempotency-Key: a/1/b/c\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.heard, "Authorization: Bearer s3cret\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.heard, "Content-Length: 7\r\n"));
	ck_assert_ptr_null(strcasestr(peer.heard, "Accept-Encoding"));
	http_client_free(&c);
}
END_TEST

START_TEST(test_retry_after_is_bounded)
{
	static const struct { const char *said; int64_t ms; } table[] = {
		{ "HTTP/1.1 503 x\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n", 3600 * 1000 },
		{ "HTTP/1.1 503 x\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", 0 },
		{ "HTTP/1.1 503 x\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 0 },
		{ "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", 0 },
	};
	struct http_client *c = client_for("127.0.0.1");
	const struct http_request request = { .method = "GET", .path = "/x" };
	struct http_answer answer;

	peer.said = table[_i].said;
	start_peer();
	ck_assert(http_client_send(c, &request, &answer, &err));
	ck_assert_int_eq(answer.retry_after_ms, table[_i].ms);
	http_client_free(&c);
}
END_TEST

START_TEST(test_nobody_listens)
{
	close(peer.listener);
	peer.listener = -1;
	check_fails("GET", ERR_TRANSIENT);
	check_fails("PUT", ERR_TRANSIENT);
}
END_TEST

START_TEST(test_hangs)
{
	peer.hangs = true;
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_drips)
{
	peer.said = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
	peer.hangs = true;
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_closes_at_once)
{
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_resets)
{
	peer.resets = true;
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_closes_in_the_middle)
{
	peer.said = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{";
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_is_no_http)
{
	peer.said = "-ERR unknown command\r\n";
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_endless_body)
{
	peer.said = "HTTP/1.1 200 OK\r\n\r\n";
	peer.endless = "                                                                                ";
	check_read_and_write_fail();
	ck_assert_ptr_nonnull(strstr(err.text, "larger than allowed"));
}
END_TEST

START_TEST(test_endless_headers)
{
	peer.said = "HTTP/1.1 200 OK\r\n";
	peer.endless = "X-More: and more and more and more\r\n";
	check_read_and_write_fail();
}
END_TEST

START_TEST(test_compressed_is_not_unpacked)
{
	struct http_client *c = client_for("127.0.0.1");
	const struct http_request request = { .method = "GET", .path = "/x" };
	struct http_answer answer;

	peer.said = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd";
	start_peer();
	ck_assert_msg(http_client_send(c, &request, &answer, &err), "%s", err.text);
	ck_assert_str_eq(buf_text(answer.body), "abcd");
	http_client_free(&c);
}
END_TEST

START_TEST(test_redirect_is_not_followed)
{
	char said[200];
	bool ok;

	snprintf(said, sizeof said,
	         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/hosting/inner\r\nContent-Length: 0\r\n"
	         "Connection: close\r\n\r\n", peer.port);
	peer.said = said;
	start_peer();
	ck_assert_int_eq(call("GET", &ok), 302);
	ck_assert(ok);
	ck_assert_int_eq(atomic_load(&peer.connections), 1);
}
END_TEST

START_TEST(test_proxy_of_the_environment_is_not_used)
{
	bool ok;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	peer.said = "HTTP/1.1 204 No Content\r\n\r\n";
	start_peer();
	ck_assert_int_eq(call("GET", &ok), 204);
}
END_TEST

static void *set_stop(void *arg)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	atomic_store(&stop, true);
	return arg;
}

START_TEST(test_stops)
{
	static const char *const methods[] = { "GET", "PUT" };
	static const enum err_class classes[] = { ERR_TRANSIENT, ERR_UNSURE };
	struct http_settings s = { .total_timeout_ms = 20000 };
	struct http_request request = { .method = methods[_i], .path = "/x" };
	struct http_answer answer;
	struct http_client *c;
	int64_t began = now_ms();
	pthread_t stopper;
	char url[64];

	snprintf(url, sizeof url, "http://127.0.0.1:%d", peer.port);
	s.base_url = url;
	c = http_client_new(&s, "hosting", &stop, &err);
	peer.hangs = true;
	start_peer();
	pthread_create(&stopper, NULL, set_stop, NULL);
	ck_assert(!http_client_send(c, &request, &answer, &err));
	pthread_join(stopper, NULL);
	ck_assert_int_lt(now_ms() - began, 1000);
	ck_assert_int_eq(err.code, ERR_CODE_ABORTED);
	ck_assert_int_eq(err.class, classes[_i]);
	http_client_free(&c);
}
END_TEST

START_TEST(test_stopped_before_it_began)
{
	bool ok;

	atomic_store(&stop, true);
	peer.said = "HTTP/1.1 204 No Content\r\n\r\n";
	start_peer();
	call("PUT", &ok);
	ck_assert(!ok);
	ck_assert_int_eq(err.code, ERR_CODE_ABORTED);
	ck_assert_int_eq(err.class, ERR_TRANSIENT);
	ck_assert_str_eq(peer.heard, "");
}
END_TEST

START_TEST(test_base_url)
{
	static const char *const refused[] = { "", "ftp://h/", "file:///etc/passwd", "http://", "http://u:p@h/",
		                               "http://u@h", "http://h/?a=b", "http://h/#f", "gopher://h", "//h/x" };
	struct http_settings s = { .base_url = refused[_i] };

	ck_assert_ptr_null(http_client_new(&s, "hosting", NULL, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

START_TEST(test_header_is_one_line)
{
	struct http_client *c = client_for("127.0.0.1");
	const struct http_header key = { "Idempotency-Key", "a\r\nX-Evil: 1" };
	const struct http_request request = { .method = "PUT", .path = "/x", .headers = &key, .header_count = 1 };
	struct http_answer answer;

	ck_assert(!http_client_send(c, &request, &answer, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	http_client_free(&c);
}
END_TEST

START_TEST(test_path)
{
	static const struct { const char *segment, *wanted; } table[] = {
		{ "Cust70001", "/Cust70001" },
		{ "a/../b", "/a%2F..%2Fb" },
		{ "a?b#c", "/a%3Fb%23c" },
		{ "a b%2f", "/a%20b%252f" },
		{ "\r\nHost: x", "/%0D%0AHost%3A%20x" },
		{ "\xc3\xa6@x", "/%C3%A6%40x" },
		{ "...", "/..." },
	};
	static const char *const refused[] = { "", ".", ".." };
	struct buf path;

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		buf_init(&path, 100);
		ck_assert(http_path_add(&path, table[i].segment));
		ck_assert_str_eq(buf_text(&path), table[i].wanted);
		buf_done(&path);
	}
	buf_init(&path, 8);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		ck_assert(!http_path_add(&path, refused[i]));
	ck_assert(!http_path_add(&path, "longer than eight"));
	buf_done(&path);
}
END_TEST

static Suite *http_client_suite(void)
{
	Suite *s = suite_create("http_client");
	TCase *t = tcase_create("peer");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_answer);
	tcase_add_loop_test(t, test_retry_after_is_bounded, 0, 4);
	tcase_add_test(t, test_nobody_listens);
	tcase_add_test(t, test_hangs);
	tcase_add_test(t, test_drips);
	tcase_add_test(t, test_closes_at_once);
	tcase_add_test(t, test_resets);
	tcase_add_test(t, test_closes_in_the_middle);
	tcase_add_test(t, test_is_no_http);
	tcase_add_test(t, test_endless_body);
	tcase_add_test(t, test_endless_headers);
	tcase_add_test(t, test_compressed_is_not_unpacked);
	tcase_add_test(t, test_redirect_is_not_followed);
	tcase_add_test(t, test_proxy_of_the_environment_is_not_used);
	tcase_add_loop_test(t, test_stops, 0, 2);
	tcase_add_test(t, test_stopped_before_it_began);
	tcase_add_loop_test(t, test_base_url, 0, 10);
	tcase_add_test(t, test_header_is_one_line);
	tcase_add_test(t, test_path);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *sr = srunner_create(http_client_suite());
	int failures;

	srunner_run_all(sr, CK_NORMAL);
	failures = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failures != 0;
}
