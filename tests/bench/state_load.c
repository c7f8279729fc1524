/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/state_load.h"

#include "consumer/core/retry.h"
#include "tests/bench/measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 4096, EVENTS_A_TURN = 256, TURN_NS = 200000, GRACE_MS = 2000 };

struct line { /* one connection; one request at a time */
	int fd;
	int64_t due_ns;
	size_t got;
	char answer[ANSWER_MAX];
};

struct client {
	const struct state_load *load;
	struct line *lines, **idle;
	int idle_count, epoll;
	uint64_t chance;
	size_t asked, answered, wrong, size;
	int64_t *times;
	bool broken;
};

static bool open_line(struct client *c, struct line *l)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = l };
	int one = 1;

	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || connect(l->fd, (struct sockaddr *)&to, sizeof to) != 0)
		return false;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
	c->idle[c->idle_count++] = l;
	return epoll_ctl(c->epoll, EPOLL_CTL_ADD, l->fd, &event) == 0;
}

static bool ask(struct client *c, int64_t due_ns)
{
	struct line *l = c->idle[--c->idle_count];
	char request[128];
	int len = snprintf(request, sizeof request, "GET /api/state/Cust%d HTTP/1.1\r\nHost: x\r\n\r\n",
		1 + (int)chance_below(&c->chance, c->load->tenants));

	l->due_ns = due_ns;
	l->got = 0;
	c->asked++;
	return send(l->fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

/* The whole answer is there. */
static bool is_whole(struct line *l)
{
	const char *end, *length;

	l->answer[l->got] = '\0';
	end = strstr(l->answer, "\r\n\r\n");
	length = end ? strstr(l->answer, "Content-Length: ") : NULL;
	return length && l->got >= (size_t)(end - l->answer) + 4 + strtoul(length + 16, NULL, 10);
}

static bool hear(struct client *c, struct line *l)
{
	ssize_t n = recv(l->fd, l->answer + l->got, ANSWER_MAX - 1 - l->got, 0);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	l->got += (size_t)n;
	if (!is_whole(l))
		return l->got < ANSWER_MAX - 1;
	c->wrong += strncmp(l->answer, "HTTP/1.1 200 ", 13) != 0;
	if (c->answered < c->size)
		c->times[c->answered] = measure_now_ns() - l->due_ns;
	c->answered++;
	c->idle[c->idle_count++] = l;
	return true;
}

static bool listen_once(struct client *c, int64_t wait_ns)
{
	struct epoll_event events[EVENTS_A_TURN];
	const struct timespec wait = { .tv_nsec = (long)wait_ns };
	int count = epoll_pwait2(c->epoll, events, EVENTS_A_TURN, &wait, NULL);

	for (int i = 0; i < count; i++)
		if (!hear(c, events[i].data.ptr))
			return false;
	return count >= 0 || errno == EINTR;
}

static bool drive(struct client *c)
{
	const struct state_load *load = c->load;
	int64_t start = measure_now_ns(), end = start + (int64_t)(load->seconds * 1e9), now;

	while ((now = measure_now_ns()) < end) {
		while (c->idle_count > 0 && load->rate <= 0)
			if (!ask(c, measure_now_ns()))
				return false;
		while (c->idle_count > 0 && load->rate > 0) {
			int64_t due = start + (int64_t)((double)c->asked / load->rate * 1e9);

			if (due > now)
				break;
			if (!ask(c, due))
				return false;
		}
		if (!listen_once(c, TURN_NS))
			return false;
	}
	for (end = measure_now_ns() + GRACE_MS * INT64_C(1000000); c->answered < c->asked && measure_now_ns() < end;)
		if (!listen_once(c, TURN_NS))
			return false;
	return c->answered == c->asked;
}

bool state_load_run(const struct state_load *load, struct state_load_result *r)
{
	size_t lines = (size_t)load->connections;
	struct client c = { .load = load, .lines = calloc(lines, sizeof *c.lines), .idle = calloc(lines, sizeof *c.idle),
		.epoll = epoll_create1(EPOLL_CLOEXEC), .chance = 7, .size = (size_t)(load->seconds * 200000) };
	bool ok = true;

	c.times = calloc(c.size, sizeof *c.times);
	if (!c.lines || !c.idle || !c.times || c.epoll < 0)
		abort();
	for (size_t i = 0; i < lines; i++)
		ok = ok && open_line(&c, &c.lines[i]);
	ok = ok && drive(&c);
	if (!ok)
		fprintf(stderr, "bench: a connection to sandbox-tenant broke, or it did not answer: %zu of %zu\n", c.answered,
			c.asked);
	if (c.answered > c.size)
		c.answered = c.size;
	*r = (struct state_load_result){ .answered = c.answered, .wrong = c.wrong,
		.per_second = (double)c.answered / load->seconds, .p50_ns = percentile(c.times, c.answered, 0.5),
		.p99_ns = percentile(c.times, c.answered, 0.99), .p999_ns = percentile(c.times, c.answered, 0.999),
		.most_ns = percentile(c.times, c.answered, 1) };
	for (size_t i = 0; i < lines; i++)
		close(c.lines[i].fd);
	close(c.epoll);
	free(c.lines);
	free(c.idle);
	free(c.times);
	return ok;
}
