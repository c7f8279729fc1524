/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/schema_registry.h"

#include "consumer/adapters/avro/shipped.h"

#include <arpa/inet.h>
#include <check.h>
#include <jansson.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES = 64 * 1024, CONNECTIONS_MAX = 256, LOOK_EVERY_US = 2000 };

struct schema_registry {
	int listener;
	char url[64];
	_Atomic enum registry_mood mood;
	atomic_bool closing;
	atomic_int asked, asked_own;
	pthread_t thread, connections[CONNECTIONS_MAX];
	int connection_count; /* the listening thread's */
};

struct connection {
	struct schema_registry *registry;
	int fd;
};

/* ---- what is known ---- */

enum { GUID_TEXT = 37 };

/* The way people write it. */
static void guid_text(enum message_kind kind, char text_r[GUID_TEXT])
{
	unsigned char guid[SCHEMA_GUID_BYTES];
	size_t at = 0;

	shipped_guid(SHIPPED_ID_FIRST + (uint32_t)kind, guid);
	for (size_t i = 0; i < sizeof guid; i++)
		at += (size_t)snprintf(text_r + at, GUID_TEXT - at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				       guid[i]);
}

/* The schema is in it for clients that want to see what they found. */
static char *say_own(enum message_kind kind, const char *subject)
{
	const struct embedded_file *file = shipped_file(kind, SHIPPED_NOW);
	char guid[GUID_TEXT], *text;
	json_t *json;

	guid_text(kind, guid);
	json = json_pack("{s:s,s:i,s:i,s:s,s:s%}", "subject", subject, "id", SHIPPED_ID_FIRST + (int)kind, "version", 1, "guid",
		guid, "schema", file->text, file->len);
	text = json_dumps(json, JSON_COMPACT);
	ck_assert_ptr_nonnull(text);
	json_decref(json);
	return text;
}

static char *say_schema(enum message_kind kind)
{
	const struct embedded_file *file = shipped_file(kind, SHIPPED_NOW);
	json_t *json = json_pack("{s:s%}", "schema", file->text, file->len);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

/* The body for a path, the caller's; NULL: nothing is known by it. */
static char *look_up(const char *path)
{
	const char *id = path + strlen("/schemas/ids/");
	long number;

	for (int kind = MESSAGE_UNSET + 1; kind < MESSAGE_END; kind++) {
		const char *topic = topic_name(shipped_topic((enum message_kind)kind));
		char subject[128], by_guid[64], guid[GUID_TEXT];

		snprintf(subject, sizeof subject, "/subjects/%s-value", topic);
		if (strncmp(path, subject, strlen(subject)) == 0)
			return say_own((enum message_kind)kind, subject + strlen("/subjects/"));
		guid_text((enum message_kind)kind, guid);
		snprintf(by_guid, sizeof by_guid, "/schemas/guids/%s", guid);
		if (strncmp(path, by_guid, strlen(by_guid)) == 0)
			return say_schema((enum message_kind)kind);
	}
	if (strncmp(path, "/schemas/ids/", strlen("/schemas/ids/")) != 0)
		return NULL;
	number = strtol(id, NULL, 10);
	if (number == STRANGE_ID)
		return say_schema(MESSAGE_REQUEST);
	if (number > SHIPPED_ID_FIRST && number < SHIPPED_ID_FIRST + MESSAGE_END)
		return say_schema((enum message_kind)(number - SHIPPED_ID_FIRST));
	return NULL;
}

/* ---- one connection, one question ---- */

static bool send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static void answer(int fd, int status, const char *body)
{
	char head[256];

	snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", status, strlen(body));
	if (send_all(fd, head, strlen(head)))
		send_all(fd, body, strlen(body));
}

/* The path of a whole request, its body read too. */
static bool read_request(int fd, char path[256])
{
	static _Thread_local char text[REQUEST_BYTES];
	size_t len = 0, wanted = 0;
	const char *end, *length;

	do {
		ssize_t n = recv(fd, text + len, sizeof text - 1 - len, 0);

		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		end = strstr(text, "\r\n\r\n");
		length = strcasestr(text, "\r\nContent-Length:");
		if (end)
			wanted = (size_t)(end + 4 - text) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
	} while (!end || len < wanted);
	return sscanf(text, "%*s %255s", path) == 1;
}

static bool lasts(struct schema_registry *r, enum registry_mood mood)
{
	return atomic_load(&r->mood) == mood && !atomic_load(&r->closing);
}

static void babble_for_ever(struct schema_registry *r, int fd)
{
	static const char head[] = "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n";
	char spaces[4096];

	memset(spaces, ' ', sizeof spaces);
	send_all(fd, head, sizeof head - 1);
	while (lasts(r, REGISTRY_ENDLESS) && send_all(fd, spaces, sizeof spaces))
		usleep(LOOK_EVERY_US);
}

static void answer_in_mood(struct schema_registry *r, int fd, const char *path)
{
	char *body;

	while (lasts(r, REGISTRY_HANGS))
		usleep(LOOK_EVERY_US);
	switch (atomic_load(&r->mood)) {
	case REGISTRY_ENDLESS:
		babble_for_ever(r, fd);
		return;
	case REGISTRY_BABBLES:
		answer(fd, 200, "<html><body>Welcome to our guest network</body></html>");
		return;
	case REGISTRY_HANGS:
	case REGISTRY_DROPS:
		return;
	default:
		break;
	}
	body = atomic_load(&r->mood) == REGISTRY_ANSWERS ? look_up(path) : NULL;
	answer(fd, body ? 200 : 404, body ? body : "{\"error_code\":40403,\"message\":\"Schema not found\"}");
	free(body);
}

static void *converse(void *arg)
{
	struct connection *c = arg;
	char path[256];

	if (read_request(c->fd, path)) {
		atomic_fetch_add(strncmp(path, "/subjects/", 10) == 0 ? &c->registry->asked_own : &c->registry->asked, 1);
		answer_in_mood(c->registry, c->fd, path);
	}
	close(c->fd);
	free(c);
	return NULL;
}

static void *listen_for_ever(void *arg)
{
	struct schema_registry *r = arg;
	int fd;

	while (r->connection_count < CONNECTIONS_MAX && (fd = accept(r->listener, NULL, NULL)) >= 0) {
		struct connection *c = calloc(1, sizeof *c);

		if (!c || atomic_load(&r->closing))
			abort();
		c->registry = r;
		c->fd = fd;
		if (pthread_create(&r->connections[r->connection_count++], NULL, converse, c) != 0)
			abort();
	}
	return NULL;
}

/* ---- its life ---- */

struct schema_registry *schema_registry_new(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct schema_registry *r = calloc(1, sizeof *r);
	socklen_t len = sizeof at;

	ck_assert_ptr_nonnull(r);
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(bind(r->listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(r->listener, 64) == 0);
	ck_assert_int_eq(getsockname(r->listener, (struct sockaddr *)&at, &len), 0);
	snprintf(r->url, sizeof r->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
	ck_assert_int_eq(pthread_create(&r->thread, NULL, listen_for_ever, r), 0);
	return r;
}

void schema_registry_free(struct schema_registry **r)
{
	if (!*r)
		return;
	shutdown((*r)->listener, SHUT_RDWR);
	pthread_join((*r)->thread, NULL);
	atomic_store(&(*r)->closing, true);
	for (int i = 0; i < (*r)->connection_count; i++)
		pthread_join((*r)->connections[i], NULL);
	close((*r)->listener);
	free(*r);
	*r = NULL;
}

const char *schema_registry_url(const struct schema_registry *r)
{
	return r->url;
}

void schema_registry_is(struct schema_registry *r, enum registry_mood mood)
{
	atomic_store(&r->mood, mood);
}

int schema_registry_asked(const struct schema_registry *r)
{
	return atomic_load(&r->asked);
}

int schema_registry_asked_own(const struct schema_registry *r)
{
	return atomic_load(&r->asked_own);
}
