/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_link.h"

#include "consumer/adapters/redis/redis_greeting.h"
#include "consumer/adapters/redis/redis_sentinel.h"
#include "consumer/adapters/redis/redis_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	OUT_MAX_BYTES = 256 * 1024 * 1024,
	HELLO_MAX_BYTES = 64 * 1024,
	PAUSE_FIRST_MS = 50,
	PAUSE_LONGEST_MS = 5000,
	PAUSE_FOR_SENTINELS_MS = 1000, /* a new master is there within seconds */
	SHA_TEXT = 41,
};

enum link_state { LINK_DOWN, LINK_ASKING /* a Sentinel */, LINK_GREETING, LINK_READY };

struct redis_link {
	char *socket_path, *host, *user, *password;
	int port, db;
	int64_t connect_timeout_ms;
	enum redis_link_use use;
	struct redis_sentinels *sentinels; /* NULL: the server is where the settings say */

	struct redis_wire wire; /* its context is NULL while down */
	const char *at;        /* the host it was opened to */
	struct redis_bounds bounds;
	int epoll_fd;
	bool asks_write;
	enum link_state state;
	int hello_at;   /* the greeting's answer that is due, enum redis_hello */
	int64_t due_ms; /* down: when to open; asking, greeting: when it has taken too long */
	int64_t pause_ms;
	struct buf hello, out;
	size_t hello_sent, out_sent;
	unsigned losses;
	struct err why;
	struct redis_facts facts;
	char scripts[REDIS_SCRIPT_END][SHA_TEXT];
};

int64_t redis_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *redis_link_script(const struct redis_link *link, enum redis_script script)
{
	return link->scripts[script];
}

/* ---- life ---- */

static char *copy(const char *text, const char *otherwise)
{
	return strdup(text && text[0] ? text : otherwise);
}

struct redis_link *redis_link_new(const struct redis_settings *settings, enum redis_link_use use, struct err *e)
{
	struct redis_link *link;

	if (!redis_settings_check(settings, e))
		return NULL;
	link = calloc(1, sizeof *link);
	if (!link) {
		err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
		return NULL;
	}
	link->socket_path = copy(settings->socket_path, "");
	link->host = copy(settings->host, "127.0.0.1");
	link->user = copy(settings->user, "");
	link->password = copy(settings->password, "");
	link->port = settings->port ? settings->port : 6379;
	link->db = settings->db;
	link->connect_timeout_ms = settings->connect_timeout_ms ? settings->connect_timeout_ms : 2000;
	link->use = use;
	link->pause_ms = PAUSE_FIRST_MS;
	buf_init(&link->hello, HELLO_MAX_BYTES);
	buf_init(&link->out, OUT_MAX_BYTES);
	link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!link->socket_path || !link->host || !link->user || !link->password || link->epoll_fd < 0) {
		err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory or of file descriptors");
		redis_link_free(&link);
	} else if (!redis_sentinels_new(settings, &link->sentinels, e) || !redis_wire_init(&link->wire, settings, e)) {
		redis_link_free(&link);
	}
	return link;
}

void redis_link_free(struct redis_link **link)
{
	struct redis_link *l = *link;

	if (!l)
		return;
	redis_wire_done(&l->wire);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	if (l->password)
		explicit_bzero(l->password, strlen(l->password));
	if (l->hello.data)
		explicit_bzero(l->hello.data, l->hello.size);
	redis_sentinels_free(&l->sentinels);
	buf_done(&l->hello);
	buf_done(&l->out);
	free(l->socket_path);
	free(l->host);
	free(l->user);
	free(l->password);
	free(l);
	*link = NULL;
}

int redis_link_fd(const struct redis_link *link)
{
	return link->epoll_fd;
}

struct buf *redis_link_out(struct redis_link *link)
{
	return &link->out;
}

bool redis_link_is_idle(const struct redis_link *link)
{
	return link->out_sent == link->out.len;
}

unsigned redis_link_losses(const struct redis_link *link)
{
	return link->losses;
}

const char *redis_link_why(const struct redis_link *link)
{
	return link->why.text;
}

const struct redis_facts *redis_link_facts(const struct redis_link *link)
{
	return &link->facts;
}

int64_t redis_link_timeout_ms(const struct redis_link *link)
{
	int64_t left;

	if (link->state == LINK_READY)
		return -1;
	left = link->due_ms - redis_now_ms();
	return left > 0 ? left : 0;
}

/* ---- down and up ---- */

/* Half of the pause is by chance, so that many consumers do not come back all at once. */
static int64_t next_pause(struct redis_link *link)
{
	struct timespec now;
	int64_t pause = link->pause_ms, longest = link->sentinels ? PAUSE_FOR_SENTINELS_MS : PAUSE_LONGEST_MS;

	clock_gettime(CLOCK_MONOTONIC, &now);
	link->pause_ms = pause * 2 < longest ? pause * 2 : longest;
	return pause / 2 + (int64_t)((unsigned long)now.tv_nsec / 64 % (unsigned long)(pause / 2 + 1));
}

static void go_down(struct redis_link *link, const struct err *why)
{
	redis_wire_disconnect(&link->wire);
	if (link->state == LINK_READY) {
		/* What was sent in part may have happened; what was not sent yet goes the same way, so order is kept.
		 */
		buf_clear(&link->out);
		link->out_sent = 0;
		link->losses++;
	}
	link->state = LINK_DOWN;
	link->due_ms = redis_now_ms() + next_pause(link);
	link->why = *why;
}

static void go_down_because(struct redis_link *link, const char *why)
{
	struct err e = { 0 };

	err_set(&e, ERR_TRANSIENT, 0, "redis", "%s", why);
	go_down(link, &e);
}

void redis_link_drop(struct redis_link *link, const char *why)
{
	if (link->state == LINK_READY) {
		go_down_because(link, why);
		return;
	}
	buf_clear(&link->out);
	link->out_sent = 0;
	link->losses++;
}

/* The server or the way to it went away, or it is not to be spoken to. */
static void lose(struct redis_link *link, const struct err *why)
{
	struct err e = { 0 };

	if (link->state == LINK_READY)
		err_set(&e, why->class, 0, "redis", "the connection to Redis ended: %s", why->text);
	else
		err_set(&e, why->class, 0, "redis", "cannot connect to %s at %s: %s",
			link->state == LINK_ASKING ? "the Redis Sentinel" : "Redis",
			link->socket_path[0] ? link->socket_path : link->at, why->text);
	go_down(link, &e);
}

static void ask_write(struct redis_link *link, bool wanted)
{
	struct epoll_event event = { .events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0u) };

	if (wanted == link->asks_write)
		return;
	link->asks_write = wanted;
	epoll_ctl(link->epoll_fd, EPOLL_CTL_MOD, link->wire.context->fd, &event);
}

static void write_hello(struct redis_link *link)
{
	buf_clear(&link->hello);
	link->hello_sent = 0;
	link->hello_at = (int)redis_greeting_write(&link->hello, link->user, link->password, link->db,
						   link->use == REDIS_LINK_STORE);
}

static void connect_to(struct redis_link *link, enum link_state state, const char *host, int port)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	struct err e = { 0 };

	link->at = host;
	link->state = state;
	if (!redis_wire_connect(&link->wire, link->socket_path, host, port, &e)) {
		lose(link, &e);
		return;
	}
	redis_bounds_set(&link->bounds, link->wire.context->reader);
	link->asks_write = true;
	link->due_ms = redis_now_ms() + link->connect_timeout_ms;
	if (epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, link->wire.context->fd, &event) != 0)
		go_down_because(link, "cannot watch the connection to Redis");
}

/* After any trouble a Sentinel is asked anew: the master may be another one by now. */
static void open_link(struct redis_link *link)
{
	const char *host = link->host;
	int port = link->port;

	if (link->sentinels)
		host = redis_sentinels_next(link->sentinels, &port);
	connect_to(link, link->sentinels ? LINK_ASKING : LINK_GREETING, host, port);
	if (link->state == LINK_GREETING)
		write_hello(link);
	if (link->state != LINK_ASKING)
		return;
	buf_clear(&link->hello);
	link->hello_sent = 0;
	redis_sentinels_ask(link->sentinels, &link->hello);
}

static void on_sentinel(struct redis_link *link, const redisReply *reply)
{
	enum redis_heard heard;
	struct err e = { 0 };
	const char *host;
	int port;

	heard = redis_sentinels_heard(link->sentinels, reply, &e);
	if (heard == REDIS_HEARD_NOTHING)
		go_down(link, &e);
	if (heard != REDIS_HEARD_MASTER)
		return;
	redis_wire_disconnect(&link->wire);
	host = redis_sentinels_master(link->sentinels, &port);
	connect_to(link, LINK_GREETING, host, port);
	if (link->state == LINK_GREETING)
		write_hello(link);
}

/* ---- the greeting's answers ---- */

static void greeted(struct redis_link *link)
{
	link->state = LINK_READY;
	link->pause_ms = PAUSE_FIRST_MS;
	explicit_bzero(link->hello.data, link->hello.size);
	buf_clear(&link->hello);
	link->hello_sent = 0;
}

static bool take_hello(struct redis_link *link, const redisReply *reply, struct err *e)
{
	const int script = link->hello_at - REDIS_HELLO_SCRIPTS;

	if (reply->type == REDIS_REPLY_ERROR)
		return redis_greeting_refused(link->hello_at, reply, e);
	if (link->hello_at == REDIS_HELLO_INFO) {
		if (reply->type != REDIS_REPLY_STRING)
			return err_set(e, ERR_REFUSED, 0, "redis", "what answers there is not a Redis server");
		redis_facts_read(reply->str, reply->len, &link->facts);
		if (link->use == REDIS_LINK_STORE && !redis_facts_fit(&link->facts, e)) {
			if (link->sentinels && strcmp(link->facts.role, "master") != 0)
				e->class = ERR_TRANSIENT; /* it is about to become one, or is one no longer */
			return false;
		}
	}
	if (script >= 0) {
		if (reply->type != REDIS_REPLY_STRING || reply->len != SHA_TEXT - 1)
			return err_set(e, ERR_REFUSED, 0, "redis", "what answers there is not a Redis server");
		memcpy(link->scripts[script], reply->str, SHA_TEXT);
	}
	link->hello_at++;
	return true;
}

static void on_hello(struct redis_link *link, const redisReply *reply)
{
	const int last = link->use == REDIS_LINK_STORE ? REDIS_HELLO_SCRIPTS + REDIS_SCRIPT_END : REDIS_HELLO_SCRIPTS;
	struct err e = { 0 };

	if (!take_hello(link, reply, &e))
		go_down(link, &e);
	else if (link->hello_at == last)
		greeted(link);
}

/* ---- bytes ---- */

static void send_all(struct redis_link *link)
{
	struct buf *out = &link->out;
	bool waits = false;
	struct err e = { 0 };

	if (!redis_wire_send(&link->wire, &link->hello, &link->hello_sent, &waits, &e) ||
	    (link->state == LINK_READY && !redis_wire_send(&link->wire, out, &link->out_sent, &waits, &e))) {
		lose(link, &e);
		return;
	}
	if (link->out_sent == out->len) {
		buf_clear(out);
		link->out_sent = 0;
	} else if (link->out_sent > out->len / 2) {
		out->len -= link->out_sent;
		memmove(out->data, out->data + link->out_sent, out->len + 1);
		link->out_sent = 0;
	}
	ask_write(link, !waits && (link->hello_sent < link->hello.len || (link->state == LINK_READY && out->len > 0)));
}

/* True when bytes came. */
static bool receive(struct redis_link *link)
{
	redisContext *context = link->wire.context;
	const size_t before = context->reader->len;
	struct err e = { 0 };

	if (!redis_wire_read(&link->wire, &e)) {
		lose(link, &e);
		return false;
	}
	if (context->reader->len > REDIS_REPLY_MAX) {
		go_down_because(link, "an answer of Redis was larger than any answer we ask for");
		return false;
	}
	return context->reader->len > before;
}

static redisReply *next_reply(struct redis_link *link)
{
	while (link->state != LINK_DOWN) {
		void *reply = NULL;

		if (redisGetReplyFromReader(link->wire.context, &reply) != REDIS_OK) {
			go_down_because(link, "Redis sent something that is no answer; the connection was closed");
			return NULL;
		}
		if (reply)
			return reply;
		if (!receive(link))
			return NULL;
	}
	return NULL;
}

redisReply *redis_link_take(struct redis_link *link)
{
	return link->state == LINK_READY ? next_reply(link) : NULL;
}

static bool is_opening(const struct redis_link *link)
{
	return link->state == LINK_ASKING || link->state == LINK_GREETING;
}

static void greet(struct redis_link *link)
{
	redisReply *reply;

	while (is_opening(link) && (reply = next_reply(link))) {
		if (link->state == LINK_ASKING)
			on_sentinel(link, reply);
		else
			on_hello(link, reply);
		freeReplyObject(reply);
	}
}

void redis_link_drive(struct redis_link *link)
{
	if (link->state == LINK_DOWN && redis_now_ms() >= link->due_ms)
		open_link(link);
	greet(link);
	if (is_opening(link) && redis_now_ms() >= link->due_ms)
		go_down_because(link, redis_wire_shakes_hands(&link->wire)
			? "Redis does not answer the TLS handshake; is it a port without TLS, or is it stopped?"
			: "Redis does not answer; is it stopped or overloaded?");
	if (link->state != LINK_DOWN)
		send_all(link);
}

bool redis_link_wait(struct redis_link *link, struct err *e)
{
	const int64_t tries = 1 + (int64_t)redis_sentinels_count(link->sentinels);
	const int64_t until_ms = redis_now_ms() + tries * link->connect_timeout_ms;

	for (;;) {
		struct pollfd watched = { .fd = link->epoll_fd, .events = POLLIN };
		int64_t left_ms;

		redis_link_drive(link);
		if (link->state == LINK_READY)
			return true;
		left_ms = until_ms - redis_now_ms();
		if (link->state == LINK_DOWN && (link->why.class == ERR_REFUSED || left_ms <= 0))
			return err_set(e, link->why.class, link->why.code, "redis", "%s", link->why.text);
		if (is_opening(link) && left_ms > link->due_ms - redis_now_ms())
			left_ms = link->due_ms - redis_now_ms();
		poll(&watched, 1, left_ms > 20 ? 20 : left_ms > 0 ? (int)left_ms : 0);
	}
}
