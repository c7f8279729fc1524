/* SPDX-License-Identifier: Apache-2.0
 * The small server, spoken to byte by byte: routes, methods, token, bounds. */
#include "consumer/adapters/httpd/httpd.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct httpd *server;
static struct err err;
static char answer[65536];
static int calls;

static void metrics(void *arg, const char *accept, struct httpd_answer *a)
{
	calls++;
	a->content_type = "text/plain; version=0.0.4";
	buf_printf(&a->body, "%s accept=%s\n", (const char *)arg, accept);
}

static void not_ready(void *arg, const char *accept, struct httpd_answer *a)
{
	(void)arg;
	(void)accept;
	a->status = 503;
	buf_add_text(&a->body, "redis does not answer\n");
}

static void too_long(void *arg, const char *accept, struct httpd_answer *a)
{
	static const char block[4096];

	(void)arg;
	(void)accept;
	while (buf_add(&a->body, block, sizeof block))
		;
}

static const struct httpd_route routes[] = {
	{ "/metrics", true, metrics, "m" },
	{ "/healthz", false, metrics, "h" },
	{ "/readyz", false, not_ready, NULL },
	{ "/long", false, too_long, NULL },
};

static void thing(void *arg, const struct httpd_request *request, struct httpd_answer *a)
{
	if (strcmp(httpd_rest(request), "bad") == 0) {
		httpd_answer_problem(a, 400, "that is no thing");
		return;
	}
	a->content_type = "application/json";
	buf_printf(&a->body, "%s rest=%s q=%s match=%s\n", (const char *)arg, httpd_rest(request),
		httpd_parameter(request, "q"), httpd_header(request, "If-None-Match"));
	httpd_answer_header(a, "ETag", "W/\"%d\"", 7);
	httpd_answer_header(a, "Cache-Control", "public, max-age=%d", 5);
	for (int i = 0; i < 10; i++)
		httpd_answer_header(a, "X-More", "%0*d", i ? 1 : 500, i); /* the first is too long, the last too many */
	if (*httpd_header(request, "If-None-Match"))
		a->status = 304;
}

static const struct httpd_resource resources[] = {
	{ "/things", true, false, thing, "one" },
	{ "/things", false, true, thing, "all" },
};

static unsigned threads;

static bool start(const char *listen_on, const char *token)
{
	const struct httpd_settings settings = { .listen = listen_on, .token = token, .routes = routes,
		.route_count = sizeof routes / sizeof routes[0], .resources = resources,
		.resource_count = sizeof resources / sizeof resources[0], .threads = threads };

	err_clear(&err);
	calls = 0;
	server = httpd_start(&settings, &err);
	return server;
}

static void teardown(void)
{
	httpd_stop(&server);
}

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)httpd_port(server)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

static const char *ask(const char *request)
{
	int fd = dial();
	size_t len = 0;
	ssize_t n;

	ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
	while (len < sizeof answer - 1 && (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(fd);
	return answer;
}

static void expect(const char *part)
{
	ck_assert_msg(strstr(answer, part), "\"%s\" is not in \"%.400s\"", part, answer);
}

START_TEST(routes_and_methods)
{
	ck_assert_msg(start("127.0.0.1:0", NULL), "%s", err.text);
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 200 ");
	expect("Content-Type: text/plain; version=0.0.4");
	expect("\r\n\r\nm accept=text/plain\n");
	ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 200 ");
	ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	ask("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 503 ");
	ask("GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 404 ");
	ask("GET /metrics/../healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 404 ");
	ask("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 405 ");
	expect("Allow: GET, HEAD");
	ask("GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 500 ");
	ck_assert_int_eq(calls, 2);
}
END_TEST

START_TEST(answers_of_resources)
{
	threads = (unsigned)_i;
	ck_assert_msg(start("127.0.0.1:0", "s3cret"), "%s", err.text);
	ask("GET /things/a%2Fb?q=x%20y&q=z HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 200 ");
	expect("ETag: W/\"7\"");
	expect("Cache-Control: public, max-age=5\r\n");
	expect("X-More: 4\r\n");
	ck_assert(!strstr(answer, "X-More: 5") && !strstr(answer, "no-store"));
	expect("\r\n\r\none rest=a/b q=x y match=\n");
	ask("GET /things/c HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"7\"\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 304 ");
	ck_assert_str_eq(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	ck_assert(!strstr(answer, "\r\nContent-Type"));
	ask("GET /things/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("one rest= q= match=\n");
	ask("GET /things/bad HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 400 ");
	expect("Content-Type: application/problem+json");
	expect("{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"that is no thing\"}");
	ask("GET /things HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 401 ");
	expect("application/problem+json");
	ask("GET /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n");
	expect("all rest= q=");
	ask("GET /thingsx HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 404 ");
	ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("h accept=");
}
END_TEST

START_TEST(a_connection_is_kept)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd;

	ck_assert(start("127.0.0.1:0", NULL));
	fd = dial();
	for (int i = 0; i < 3; i++) {
		size_t len = 0;
		ssize_t n;

		ck_assert_int_gt(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), 0);
		answer[0] = '\0';
		while (!strstr(answer, "h accept=\n") && (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
			answer[len += (size_t)n] = '\0';
		expect("HTTP/1.1 200 ");
		expect("h accept=\n");
	}
	close(fd);
}
END_TEST

START_TEST(a_token_guards_what_needs_it)
{
	ck_assert(start("127.0.0.1:0", "s3cret"));
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 401 ");
	expect("WWW-Authenticate: Bearer");
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3creT\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 401 ");
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3crets3cret\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 401 ");
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 401 ");
	ck_assert_int_eq(calls, 0);
	ask("GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 200 ");
	ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	expect("HTTP/1.1 200 ");
}
END_TEST

START_TEST(addresses)
{
	static const char *const wrong[] = { "9109", "localhost", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "[::1",
		                             "host.example:80", "1.2.3:80", "[]:1", ":80", "" };
	char taken[32];
	struct httpd *first;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ck_assert_msg(!start(wrong[i], NULL), "%s", wrong[i]);
		ck_assert_int_eq(err.class, ERR_REFUSED);
	}
	ck_assert(!start("0.0.0.0:0", NULL));
	ck_assert_ptr_nonnull(strstr(err.text, "needs a token"));
	ck_assert(start("0.0.0.0:0", "token"));
	httpd_stop(&server);
	ck_assert(start("127.0.0.1:0", NULL));
	snprintf(taken, sizeof taken, "127.0.0.1:%d", httpd_port(server));
	first = server;
	ck_assert(!start(taken, NULL));
	ck_assert_msg(strstr(err.text, "is taken"), "%s", err.text);
	server = first;
}
END_TEST

static bool is_answered(int fd, int within_ms)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char c;

	return poll(&p, 1, within_ms) == 1 && recv(fd, &c, 1, 0) == 1;
}

START_TEST(the_number_of_connections_is_bounded)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	int fds[HTTPD_CONNECTIONS], late;

	ck_assert(start("127.0.0.1:0", NULL));
	for (int i = 0; i < HTTPD_CONNECTIONS; i++)
		fds[i] = dial();
	usleep(100000);
	late = dial();
	ck_assert_int_gt(send(late, request, sizeof request - 1, MSG_NOSIGNAL), 0);
	ck_assert(!is_answered(late, 300));
	for (int i = 0; i < HTTPD_CONNECTIONS; i++)
		close(fds[i]);
	ck_assert(is_answered(late, 5000));
	close(late);
}
END_TEST

START_TEST(slow_and_broken_requests_end)
{
	char big[40000];
	int fd;

	ck_assert(start("127.0.0.1:0", NULL));
	fd = dial();
	ck_assert_int_gt(send(fd, "GET /healthz HT", 15, MSG_NOSIGNAL), 0);
	memset(big, 'a', sizeof big);
	memcpy(big, "GET /", 5);
	big[sizeof big - 1] = '\0';
	ask(big);
	expect("HTTP/1.1 414");
	ask("\r\n\r\nNONSENSE\r\n\r\n");
	ask("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); /* while the slow one hangs */
	expect("HTTP/1.1 200 ");
	struct pollfd p = { fd, POLLIN, 0 };
	ck_assert_int_eq(poll(&p, 1, (HTTPD_TIMEOUT_S + 5) * 1000), 1); /* the server hangs up */
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("httpd");
	TCase *tc = tcase_create("httpd");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, routes_and_methods);
	tcase_add_loop_test(tc, answers_of_resources, 1, 4);
	tcase_add_test(tc, a_connection_is_kept);
	tcase_add_test(tc, a_token_guards_what_needs_it);
	tcase_add_test(tc, addresses);
	tcase_add_test(tc, the_number_of_connections_is_bounded);
	tcase_add_test(tc, slow_and_broken_requests_end);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
