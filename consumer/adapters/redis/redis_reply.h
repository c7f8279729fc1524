/* SPDX-License-Identifier: Apache-2.0
 * What the server's answers mean. */
#ifndef SANDBOX_REDIS_REPLY_H
#define SANDBOX_REDIS_REPLY_H

#include "handlers/base/err.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REDIS_ARRAY_MAX = 64 * 1024,        /* elements of one array of an answer */
	REDIS_REPLY_MAX = 64 * 1024 * 1024, /* bytes of one answer */
};

/* No error answer ever means that a lease is free; all of them leave the operation undone or unknown. */
enum redis_remedy {
	REDIS_TRY_LATER, /* this connection is good, the server is not, just now */
	REDIS_RELOAD,    /* the server forgot our scripts */
	REDIS_RECONNECT, /* it may not be the right server any more: greet it again */
};

/* What to do about an error answer; *sentence_r is constant text for the operator. */
enum redis_remedy redis_remedy(const redisReply *reply, const char **sentence_r);

struct redis_facts { /* of INFO */
	char version[32], role[16], maxmemory_policy[32];
	bool loading, aof_enabled, is_cluster;
};

void redis_facts_read(const char *info, size_t len, struct redis_facts *facts_r);
/* May this server hold leases and markers? REFUSED or TRANSIENT with the reason when not. */
bool redis_facts_fit(const struct redis_facts *facts, struct err *e);
/* What an operator should know of a server that is fit; "" nothing. Constant text. */
const char *redis_facts_warning(const struct redis_facts *facts);

struct redis_bounds {
	redisReplyObjectFunctions bounded, *plain;
};

/* Makes a reader refuse arrays above REDIS_ARRAY_MAX: hiredis 0.14 takes their memory on the word of the header.
 * *bounds lives as long as the reader. */
void redis_bounds_set(struct redis_bounds *bounds, redisReader *reader);

/* The whole-number text of a reply, up to 2^64 - 1; false when it is none. */
bool redis_reply_number(const redisReply *reply, uint64_t *number_r);

#endif
