/* SPDX-License-Identifier: Apache-2.0
 * Where the master is, by asking Redis Sentinels. No I/O: the link (redis_link.h) connects, sends and receives. */
#ifndef SANDBOX_REDIS_SENTINEL_H
#define SANDBOX_REDIS_SENTINEL_H

#include "consumer/adapters/redis/redis_settings.h"
#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <hiredis/hiredis.h>

enum redis_heard {
	REDIS_HEARD_PART,   /* another answer comes */
	REDIS_HEARD_MASTER, /* redis_sentinels_master says where it is */
	REDIS_HEARD_NOTHING /* this one does not know or does not want to tell; *e says why */
};

struct redis_sentinels;

/* *sentinels_r is NULL when the settings name none. False when memory is short. */
bool redis_sentinels_new(const struct redis_settings *settings, struct redis_sentinels **sentinels_r, struct err *e);
void redis_sentinels_free(struct redis_sentinels **sentinels); /* NULL-safe */
size_t redis_sentinels_count(const struct redis_sentinels *sentinels);

/* Whom to ask now, another one each time, and the question. The host is borrowed. */
const char *redis_sentinels_next(struct redis_sentinels *sentinels, int *port_r);
void redis_sentinels_ask(struct redis_sentinels *sentinels, struct buf *out);
enum redis_heard redis_sentinels_heard(struct redis_sentinels *sentinels, const redisReply *reply, struct err *e);
/* The host is borrowed until the next answer. */
const char *redis_sentinels_master(const struct redis_sentinels *sentinels, int *port_r);

#endif
