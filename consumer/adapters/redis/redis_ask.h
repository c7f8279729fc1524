/* SPDX-License-Identifier: Apache-2.0
 * Asking Redis and waiting for the answer, for those who may block. Commands are appended to redis_link_out(); each gets
 * one answer, in order, so several can be under way at once. */
#ifndef SANDBOX_REDIS_ASK_H
#define SANDBOX_REDIS_ASK_H

#include "consumer/adapters/redis/redis_link.h"

enum { REDIS_ASK_TIMEOUT_MS = 3000 }; /* unless the settings say otherwise */

/* The next answer, the caller's to free. NULL with *e, TRANSIENT: it did not come in time, the connection ended, or it
 * was an error; then the connection was dropped and no other answer follows. */
redisReply *redis_ask_answer(struct redis_link *link, int64_t within_ms, struct err *e);

/* What Redis holds is not what we put there: drops the connection, REFUSED. Always false. */
bool redis_ask_malformed(struct redis_link *link, struct err *e);
/* Drops the connection, TRANSIENT. Always false. */
bool redis_ask_no_memory(struct redis_link *link, struct err *e);

void redis_ask_free(redisReply **reply);
#define SCOPED_REPLY __attribute__((cleanup(redis_ask_free))) redisReply

#endif
