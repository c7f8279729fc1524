/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_sentinel.h"

#include "consumer/adapters/redis/redis_command.h"
#include "consumer/adapters/redis/redis_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_SIZE = 256, PORT_MAX = 65535 };

struct place {
	char host[HOST_SIZE];
	int port;
};

struct redis_sentinels {
	struct place *all, master;
	size_t count, at;
	char *name, *password;
	bool awaits_auth;
};

/* "host:port", "[::1]:port" */
static bool place_read(const char *text, struct place *place_r)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (len > 1 && text[0] == '[' && colon[-1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len >= HOST_SIZE)
		return false;
	memcpy(place_r->host, text, len);
	place_r->host[len] = '\0';
	place_r->port = atoi(colon + 1);
	return place_r->port > 0 && place_r->port <= PORT_MAX;
}

bool redis_sentinels_new(const struct redis_settings *settings, struct redis_sentinels **sentinels_r, struct err *e)
{
	struct redis_sentinels *s;

	*sentinels_r = NULL;
	if (settings->sentinel_count == 0)
		return true;
	s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
	s->all = calloc(settings->sentinel_count, sizeof *s->all);
	s->name = strdup(settings->sentinel_master);
	s->password = strdup(settings->sentinel_password ? settings->sentinel_password : "");
	if (!s->all || !s->name || !s->password) {
		redis_sentinels_free(&s);
		return err_set(e, ERR_TRANSIENT, 0, "redis", "out of memory");
	}
	for (; s->count < settings->sentinel_count; s->count++)
		if (!place_read(settings->sentinels[s->count], &s->all[s->count])) {
			redis_sentinels_free(&s);
			return err_set(e, ERR_REFUSED, 0, "redis", "[redis] sentinels must be written host:port");
		}
	*sentinels_r = s;
	return true;
}

void redis_sentinels_free(struct redis_sentinels **sentinels)
{
	struct redis_sentinels *s = *sentinels;

	if (!s)
		return;
	if (s->password)
		explicit_bzero(s->password, strlen(s->password));
	free(s->password);
	free(s->name);
	free(s->all);
	free(s);
	*sentinels = NULL;
}

size_t redis_sentinels_count(const struct redis_sentinels *sentinels)
{
	return sentinels ? sentinels->count : 0;
}

const char *redis_sentinels_next(struct redis_sentinels *sentinels, int *port_r)
{
	const struct place *place = &sentinels->all[sentinels->at];

	sentinels->at = (sentinels->at + 1) % sentinels->count;
	*port_r = place->port;
	return place->host;
}

void redis_sentinels_ask(struct redis_sentinels *sentinels, struct buf *out)
{
	sentinels->awaits_auth = sentinels->password[0];
	if (sentinels->awaits_auth) {
		redis_command(out, 2);
		redis_arg_text(out, "AUTH");
		redis_arg_text(out, sentinels->password);
	}
	redis_command(out, 3);
	redis_arg_text(out, "SENTINEL");
	redis_arg_text(out, "GET-MASTER-ADDR-BY-NAME");
	redis_arg_text(out, sentinels->name);
}

/* What comes from outside is looked at before it is used. */
static bool take_master(struct redis_sentinels *s, const redisReply *reply)
{
	const redisReply *host = reply->elements == 2 ? reply->element[0] : NULL;
	uint64_t port;

	if (!host || host->type != REDIS_REPLY_STRING || host->len == 0 || host->len >= HOST_SIZE ||
	    memchr(host->str, '\0', host->len) || !redis_reply_number(reply->element[1], &port) || port == 0 || port > PORT_MAX)
		return false;
	memcpy(s->master.host, host->str, host->len);
	s->master.host[host->len] = '\0';
	s->master.port = (int)port;
	return true;
}

enum redis_heard redis_sentinels_heard(struct redis_sentinels *sentinels, const redisReply *reply, struct err *e)
{
	const char *sentence;

	if (reply->type == REDIS_REPLY_ERROR) {
		redis_remedy(reply, &sentence);
		err_set(e, ERR_TRANSIENT, 0, "redis", "a Redis Sentinel refuses to say where the master is: %s", sentence);
		return REDIS_HEARD_NOTHING;
	}
	if (sentinels->awaits_auth) {
		sentinels->awaits_auth = false;
		return REDIS_HEARD_PART;
	}
	if (reply->type == REDIS_REPLY_ARRAY && take_master(sentinels, reply))
		return REDIS_HEARD_MASTER;
	err_set(e, ERR_TRANSIENT, 0, "redis", "a Redis Sentinel knows no master of the name in [redis] sentinel_master");
	return REDIS_HEARD_NOTHING;
}

const char *redis_sentinels_master(const struct redis_sentinels *sentinels, int *port_r)
{
	*port_r = sentinels->master.port;
	return sentinels->master.host;
}
