/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/blob_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 64 * 1024, BODY_MAX = 64 * 1024 * 1024 };

struct connection {
	struct blob_proxy *proxy;
	int fd;
};

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

int64_t blob_proxy_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* The head with its empty line into head; what came behind it is the beginning of the body. */
static char *read_request(int fd, char head[HEAD_MAX], size_t *body_len_r)
{
	size_t len = 0, got, want = 0;
	char *end = NULL, *body, *length;

	while (!end) {
		ssize_t n = recv(fd, head + len, HEAD_MAX - 1 - len, 0);

		if (n <= 0)
			return NULL;
		len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
	}
	end += 4;
	got = len - (size_t)(end - head);
	length = strcasestr(head, "\r\nContent-Length:");
	if (length && length < end)
		want = strtoul(length + 17, NULL, 10);
	body = want <= BODY_MAX ? malloc(want + 1) : NULL;
	if (!body || got > want)
		abort();
	memcpy(body, end, got);
	*end = '\0';
	while (got < want) {
		ssize_t n = recv(fd, body + got, want - got, 0);

		if (n <= 0) {
			free(body);
			return NULL;
		}
		got += (size_t)n;
	}
	*body_len_r = want;
	return body;
}

/* Sends the request on, asking for an answer that ends with the connection; the whole answer. */
static char *forward(const struct blob_proxy *p, const char *head, const char *body, size_t body_len, size_t *len_r)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)p->upstream_port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t line = strcspn(head, "\n") + 1, size = 1 << 16, len = 0;
	char *answer = malloc(size);
	ssize_t n = 0;

	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send_all(fd, head, line) &&
	    send_all(fd, "Connection: close\r\n", 19) && send_all(fd, head + line, strlen(head + line)) &&
	    send_all(fd, body, body_len))
		while ((n = recv(fd, answer + len, size - len, 0)) > 0) {
			len += (size_t)n;
			if (len == size)
				answer = realloc(answer, size *= 2);
		}
	close(fd);
	*len_r = len;
	return answer;
}

static void reset(int fd)
{
	const struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static void say(int fd, const char *status, const char *line)
{
	char text[512];
	int len = snprintf(text, sizeof text, "HTTP/1.1 %s\r\n%s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status,
	                   line);

	send_all(fd, text, (size_t)len);
}

static void say_busy(const struct blob_proxy *p, int fd, int wait_s, const char *status, const char *code)
{
	time_t then = time(NULL) + wait_s;
	char line[256], when[64];
	struct tm tm;

	snprintf(when, sizeof when, "%d", wait_s);
	if (p->is_retry_date && gmtime_r(&then, &tm))
		strftime(when, sizeof when, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	snprintf(line, sizeof line, "x-ms-error-code: %s%s%s", code, wait_s ? "\r\nRetry-After: " : "",
	         wait_s ? when : "");
	say(fd, status, line);
}

/* Nothing is done, and an answer says why. */
static void refuse(const struct blob_proxy *p, enum blob_fault fault, int fd, int wait_s)
{
	char line[128];

	if (fault == BLOB_BUSY)
		say_busy(p, fd, wait_s, "503 Busy", "ServerBusy");
	else if (fault == BLOB_TOO_MANY)
		say_busy(p, fd, wait_s, "429 Too Many Requests", "TooManyRequests");
	else if (fault == BLOB_ERROR)
		say(fd, "500 Error", "x-ms-error-code: InternalError");
	else if (fault == BLOB_CLOSED)
		say(fd, "403 Forbidden", "x-ms-error-code: AuthenticationFailed");
	else if (fault == BLOB_ODD)
		say(fd, "400 Bad Request", "x-ms-error-code: OutOfRangeQueryParameterValue");
	else if (fault == BLOB_STILL_COPIES)
		say(fd, "409 Conflict", "x-ms-error-code: PendingCopyOperation");
	if (fault != BLOB_COPIES)
		return;
	snprintf(line, sizeof line, "x-ms-copy-id: 1\r\nx-ms-copy-status: %s", p->copy_status);
	say(fd, "202 Accepted", line);
}

/* Before it is answered: whoever has the answer may send the next one at once. */
static void leave(struct blob_proxy *p)
{
	pthread_mutex_lock(&one_at_a_time);
	p->now--;
	pthread_mutex_unlock(&one_at_a_time);
}

static void do_to_it(struct blob_proxy *p, enum blob_fault fault, int fd, int wait_s, const char *head, const char *body,
		     size_t body_len)
{
	bool is_done = fault == BLOB_PASS || fault == BLOB_LOST || fault == BLOB_HALF || fault == BLOB_FLIPPED;
	size_t len = 0;
	char *text = is_done ? forward(p, head, body, body_len, &len) : NULL;

	leave(p);
	refuse(p, fault, fd, wait_s);
	if (fault == BLOB_RESET || fault == BLOB_LOST)
		reset(fd);
	if (fault == BLOB_FLIPPED && len)
		text[len - 1] ^= 1;
	if (is_done && fault != BLOB_LOST)
		send_all(fd, text, fault == BLOB_HALF ? len / 2 : len);
	free(text);
}

static void answer(struct blob_proxy *p, int fd, const char *head, const char *body, size_t body_len)
{
	enum blob_fault fault = BLOB_PASS;
	int wait_s;

	pthread_mutex_lock(&one_at_a_time);
	p->now++;
	if (p->requests < (int)(sizeof p->came_ms / sizeof *p->came_ms)) {
		p->came_ms[p->requests] = blob_proxy_now_ms();
		p->under_way[p->requests] = p->now;
	}
	p->requests++;
	if (p->on_request)
		fault = p->on_request(p->arg, head, p->requests);
	wait_s = p->retry_after_s;
	pthread_mutex_unlock(&one_at_a_time);
	usleep((useconds_t)p->delay_ms * 1000);
	do_to_it(p, fault, fd, wait_s, head, body, body_len);
}

static void *serve(void *arg)
{
	struct connection c = *(struct connection *)arg;
	char *head = malloc(HEAD_MAX), *body;
	size_t body_len = 0;

	free(arg);
	body = read_request(c.fd, head, &body_len);
	if (body)
		answer(c.proxy, c.fd, head, body, body_len);
	free(body);
	free(head);
	close(c.fd);
	return NULL;
}

static void *listen_on(void *arg)
{
	struct blob_proxy *p = arg;

	for (;;) {
		struct connection *c = malloc(sizeof *c);
		pthread_t thread;

		*c = (struct connection){ p, accept4(p->listener, NULL, NULL, SOCK_CLOEXEC) };
		if (c->fd < 0) {
			free(c);
			return NULL;
		}
		if (pthread_create(&thread, NULL, serve, c) != 0)
			abort();
		pthread_detach(thread);
	}
}

bool blob_proxy_start(struct blob_proxy *p, const char *account_url)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const char *colon = strrchr(account_url, ':'), *path = colon ? strchr(colon, '/') : NULL;
	socklen_t len = sizeof at;
	pthread_t thread;

	*p = (struct blob_proxy){ .listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	if (!path || bind(p->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(p->listener, 64) != 0 ||
	    getsockname(p->listener, (struct sockaddr *)&at, &len) != 0)
		return false;
	p->upstream_port = atoi(colon + 1);
	p->port = ntohs(at.sin_port);
	snprintf(p->url, sizeof p->url, "http://127.0.0.1:%d%s", p->port, path);
	if (pthread_create(&thread, NULL, listen_on, p) != 0)
		return false;
	pthread_detach(thread);
	return true;
}
