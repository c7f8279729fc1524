/* SPDX-License-Identifier: Apache-2.0
 * The connections: each reads a request, asks how to behave, waits, writes, and begins again. */
#include "tests/support/partner_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 256, TICK_MS = 10, DRIP_MS = 1000, PORT_TRIES = 50, READ_BYTES = 16 * 1024, BACKLOG = 4096 };

enum stage { READING, WAITING, WRITING, SILENT };

struct connection {
	struct connection *next, *prev; /* of all */
	int fd;
	SSL *tls;
	enum partner_door door;
	enum stage stage;
	struct buf in;
	struct partner_answer answer;
	size_t sent, endless_sent;
	int64_t due_ms; /* of WAITING, and of the next drop */
};

struct loop {
	struct partner_server *server;
	struct connection all; /* a ring */
};

/* ---- listening ---- */

static int bind_to(int family, int port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port),
		                   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr *address = family == AF_INET ? (const void *)&v4 : (const void *)&v6;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int));
	if (fd >= 0 && bind(fd, address, family == AF_INET ? sizeof v4 : sizeof v6) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t len = sizeof address;

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 ? ntohs(address.sin_port) : 0;
}

static bool has_v6(void)
{
	int fd = bind_to(AF_INET6, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* One port for both families; without IPv6 on this machine IPv4 is enough. */
static bool open_door(struct partner_server *server, enum partner_door door, bool with_v6)
{
	int *v4 = &server->listeners[2 * door], *v6 = v4 + 1;

	for (int i = 0; i < PORT_TRIES; i++) {
		*v4 = bind_to(AF_INET, 0);
		if (*v4 < 0)
			return false;
		server->ports[door] = port_of(*v4);
		*v6 = with_v6 ? bind_to(AF_INET6, server->ports[door]) : -1;
		if (*v6 >= 0 || !with_v6)
			return true;
		close(*v4);
		*v4 = -1;
	}
	return false;
}

static bool listen_to(struct partner_server *server, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	return fd < 0 || epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool partner_loop_open(struct partner_server *server, struct err *e)
{
	const bool with_v6 = has_v6();
	bool ok;

	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ok = server->epoll >= 0 && server->wake >= 0 && listen_to(server, server->wake, NULL);
	for (enum partner_door door = 0; ok && door < PARTNER_DOOR_END; door++)
		ok = open_door(server, door, with_v6) &&
		     listen_to(server, server->listeners[2 * door], &server->listeners[2 * door]) &&
		     listen_to(server, server->listeners[2 * door + 1], &server->listeners[2 * door + 1]);
	return ok || err_set(e, ERR_TRANSIENT, errno, "partner_server", "no free ports");
}

void partner_loop_close(struct partner_server *server)
{
	for (int i = 0; i < PARTNER_LISTENERS; i++)
		if (server->listeners[i] >= 0)
			close(server->listeners[i]);
	if (server->wake >= 0)
		close(server->wake);
	if (server->epoll >= 0)
		close(server->epoll);
}

/* ---- one connection ---- */

static void connection_new(struct loop *loop, int fd, enum partner_door door)
{
	struct connection *c = calloc(1, sizeof *c);
	SSL_CTX *tls = loop->server->tls[door];

	if (!c)
		abort();
	c->fd = fd;
	c->door = door;
	c->stage = door == PARTNER_MUTE ? SILENT : READING;
	buf_init(&c->in, PARTNER_REQUEST_MAX);
	if (tls) {
		c->tls = SSL_new(tls);
		SSL_set_fd(c->tls, fd);
		SSL_set_accept_state(c->tls);
	}
	c->prev = loop->all.prev;
	c->next = &loop->all;
	c->prev->next = c->next->prev = c;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	epoll_ctl(loop->server->epoll, EPOLL_CTL_ADD, fd,
	          &(struct epoll_event){ .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c });
	pthread_mutex_lock(&loop->server->lock);
	loop->server->connections[door]++;
	pthread_mutex_unlock(&loop->server->lock);
}

static void connection_free(struct loop *loop, struct connection *c, bool with_reset)
{
	if (with_reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
	else if (c->tls)
		SSL_shutdown(c->tls);
	ERR_clear_error();
	SSL_free(c->tls);
	/* A child between fork and exec has it open too, and closing alone would leave it with the epoll instance. */
	epoll_ctl(loop->server->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	close(c->fd);
	buf_done(&c->in);
	buf_done(&c->answer.bytes);
	c->prev->next = c->next;
	c->next->prev = c->prev;
	free(c);
}

/* As read() and write(): -1 later, 0 the end (or broken). */
static ssize_t tls_result(struct connection *c, int result)
{
	int why;

	if (result > 0)
		return result;
	why = SSL_get_error(c->tls, result);
	ERR_clear_error();
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

static ssize_t receive(struct connection *c, char *data, size_t size)
{
	ssize_t len;

	if (c->tls)
		return tls_result(c, SSL_read(c->tls, data, (int)size));
	len = recv(c->fd, data, size, 0);
	return len < 0 && errno != EAGAIN ? 0 : len;
}

static ssize_t transmit(struct connection *c, const char *data, size_t len)
{
	ssize_t sent;

	if (c->tls)
		return tls_result(c, SSL_write(c->tls, data, (int)len));
	sent = send(c->fd, data, len, MSG_NOSIGNAL);
	return sent < 0 && errno != EAGAIN ? 0 : sent;
}

/* ---- requests ---- */

static size_t body_length(const char *head)
{
	for (const char *line = head; *line; line += strcspn(line, "\n") + (strchr(line, '\n') != NULL))
		if (strncasecmp(line, "content-length:", 15) == 0)
			return (size_t)strtoul(line + 15, NULL, 10);
	return 0;
}

/* The request with all its texts in one piece of memory: the raw bytes behind it, cut by NULs. */
static struct partner_request *request_new(const char *bytes, size_t head_len, size_t body_len, enum partner_door door)
{
	const size_t method_len = strcspn(bytes, " \r"), path_len = strcspn(bytes + method_len + 1, " \r");
	struct partner_request *r = calloc(1, sizeof *r + head_len + body_len + 3);
	char *text, *head;

	if (!r)
		abort();
	text = memcpy((char *)(r + 1), bytes, head_len);
	text[method_len] = text[method_len + 1 + path_len] = '\0';
	head = memmem(bytes, head_len, "\r\n", 2);
	*r = (struct partner_request){ .at_ms = partner_now_ms(), .door = door, .method = text,
		                       .path = text + method_len + 1, .head = text + (head - bytes) + 2,
		                       .body_len = body_len };
	text[head_len] = '\0';
	r->body = memcpy(text + head_len + 1, bytes + head_len + 4, body_len);
	return r;
}

static void choose_answer(struct loop *loop, struct connection *c, struct partner_request *request)
{
	char word[PARTNER_WORD_MAX + 1];

	buf_done(&c->answer.bytes);
	if (c->door == PARTNER_HTTP && strncmp(request->path, "/-/", 3) == 0) {
		partner_control(loop->server, request, &c->answer);
		free(request);
	} else {
		partner_remember(loop->server, request, word);
		partner_answer_make(&c->answer, word);
	}
	c->sent = c->endless_sent = 0;
	c->stage = c->answer.delay_ms < 0 ? SILENT : c->answer.delay_ms > 0 ? WAITING : WRITING;
	c->due_ms = partner_now_ms() + c->answer.delay_ms;
}

/* False when it is not whole yet. *is_bad_r: it never will be. */
static bool take_request(struct loop *loop, struct connection *c, bool *is_bad_r)
{
	const char *bytes = buf_text(&c->in), *end = c->in.len ? memmem(bytes, c->in.len, "\r\n\r\n", 4) : NULL;
	size_t head_len = end ? (size_t)(end - bytes) : 0, body_len, whole;
	struct partner_request *request;

	*is_bad_r = end ? !memchr(bytes, ' ', head_len) : c->in.len > PARTNER_HEAD_MAX;
	if (!end || *is_bad_r)
		return false;
	body_len = body_length(bytes);
	*is_bad_r = body_len > PARTNER_REQUEST_MAX - PARTNER_HEAD_MAX;
	whole = head_len + 4 + body_len;
	if (*is_bad_r || c->in.len < whole)
		return false;
	request = request_new(bytes, head_len, body_len, c->door);
	memmove(c->in.data, c->in.data + whole, c->in.len - whole);
	c->in.len -= whole;
	c->in.data[c->in.len] = '\0';
	choose_answer(loop, c, request);
	return true;
}

/* ---- going on ---- */

/* False: the connection is at its end. */
static bool go_on_reading(struct loop *loop, struct connection *c)
{
	char data[READ_BYTES];
	bool is_bad = false;
	ssize_t len;

	while (c->stage == READING && !take_request(loop, c, &is_bad) && !is_bad) {
		len = receive(c, data, sizeof data);
		if (len <= 0)
			return len < 0;
		if (!buf_add(&c->in, data, (size_t)len))
			return false;
	}
	return !is_bad;
}

static size_t may_send(struct connection *c)
{
	const size_t left = c->answer.bytes.len - c->sent;

	if (c->sent < c->answer.drip_from)
		return left < c->answer.drip_from - c->sent ? left : c->answer.drip_from - c->sent;
	return partner_now_ms() >= c->due_ms ? 1 : 0;
}

static bool go_on_writing(struct connection *c)
{
	while (c->sent < c->answer.bytes.len) {
		size_t most = may_send(c);
		ssize_t len = most ? transmit(c, c->answer.bytes.data + c->sent, most) : -1;

		if (len <= 0)
			return len < 0;
		if (c->sent >= c->answer.drip_from)
			c->due_ms = partner_now_ms() + DRIP_MS;
		c->sent += (size_t)len;
	}
	while (c->answer.endless) {
		size_t at = c->endless_sent % strlen(c->answer.endless);
		ssize_t len = transmit(c, c->answer.endless + at, strlen(c->answer.endless + at));

		if (len <= 0)
			return len < 0;
		c->endless_sent += (size_t)len;
	}
	c->stage = READING;
	return c->answer.end == PARTNER_KEEP;
}

/* Somebody who hangs still hears that the other side left. */
static bool is_left(struct connection *c)
{
	char data[256];
	ssize_t len;

	if (c->door == PARTNER_MUTE)
		while ((len = recv(c->fd, data, sizeof data, 0)) > 0)
			;
	else
		while ((len = receive(c, data, sizeof data)) > 0)
			;
	return len == 0;
}

static void go_on(struct loop *loop, struct connection *c)
{
	enum stage before;
	bool ok = true;

	do {
		before = c->stage;
		if (c->stage == READING)
			ok = go_on_reading(loop, c);
		else if (c->stage == WRITING)
			ok = go_on_writing(c);
		else
			ok = !is_left(c);
		if (c->stage == WAITING && partner_now_ms() >= c->due_ms)
			c->stage = WRITING;
	} while (ok && c->stage != before);
	if (!ok)
		connection_free(loop, c, c->stage == READING && c->answer.end == PARTNER_RESET);
}

static void take_connections(struct loop *loop, const int *listener)
{
	const enum partner_door door = (enum partner_door)((listener - loop->server->listeners) / 2);
	int fd;

	while ((fd = accept4(*listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		connection_new(loop, fd, door);
}

/* Those that wait for a time. Edge-triggered events tell of all the rest. */
static void look_at_clock(struct loop *loop)
{
	const int64_t now_ms = partner_now_ms();

	for (struct connection *c = loop->all.next, *next; c != &loop->all; c = next) {
		next = c->next;
		if ((c->stage == WAITING || (c->stage == WRITING && c->answer.drip_from != SIZE_MAX)) && c->due_ms <= now_ms)
			go_on(loop, c);
	}
}

void *partner_loop_run(void *arg)
{
	struct partner_server *server = arg;
	struct loop loop = { .server = server };
	struct epoll_event events[EVENTS_AT_ONCE];
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL); /* OpenSSL writes to connections that were closed */
	loop.all.next = loop.all.prev = &loop.all;
	while (!atomic_load(&server->stop)) {
		int count = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, TICK_MS);

		for (int i = 0; i < count; i++) {
			const int *listener = events[i].data.ptr;

			if (listener >= server->listeners && listener < server->listeners + PARTNER_LISTENERS)
				take_connections(&loop, listener);
			else if (listener)
				go_on(&loop, events[i].data.ptr);
		}
		look_at_clock(&loop);
	}
	while (loop.all.next != &loop.all)
		connection_free(&loop, loop.all.next, false);
	return NULL;
}
