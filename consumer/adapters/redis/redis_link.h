/* SPDX-License-Identifier: Apache-2.0
 * One connection to Redis that never blocks, greets the server, and opens itself again with a growing pause.
 *
 * After any time-out, protocol error or end of the stream the connection is closed, so an answer that comes late can
 * never be taken for the answer to a later command. */
#ifndef SANDBOX_REDIS_LINK_H
#define SANDBOX_REDIS_LINK_H

#include "consumer/adapters/redis/redis_reply.h"
#include "consumer/adapters/redis/redis_scripts.h"
#include "consumer/adapters/redis/redis_settings.h"
#include "handlers/base/buf.h"
#include "handlers/base/err.h"

enum redis_link_use {
	REDIS_LINK_STORE, /* loads the scripts; refuses a server that is not fit for leases */
	REDIS_LINK_READ,  /* only looks: any server will do */
};

struct redis_link;

/* A connection that is not open yet; NULL with *e when memory is short or the settings are wrong. */
struct redis_link *redis_link_new(const struct redis_settings *settings, enum redis_link_use use, struct err *e);
void redis_link_free(struct redis_link **link);

/* Stays the same for the life of the link; readable when drive() or take() has something to do. */
int redis_link_fd(const struct redis_link *link);

/* Where commands are appended (redis_command.h); whole ones only. They are sent once the server is greeted. */
struct buf *redis_link_out(struct redis_link *link);
bool redis_link_is_idle(const struct redis_link *link); /* nothing left to send */

/* Opens when it is time, sends what can be sent, ends what takes too long. Never blocks. */
void redis_link_drive(struct redis_link *link);
/* The answer to the oldest command without one, the caller's to free; NULL when there is none now. */
redisReply *redis_link_take(struct redis_link *link);
/* Closes the connection and forgets what was to be sent. */
void redis_link_drop(struct redis_link *link, const char *why);
/* Drives until the server is greeted. False with the reason when it cannot be reached in time or is not fit. */
bool redis_link_wait(struct redis_link *link, struct err *e);

/* How often commands were forgotten, by drop() or by a connection that ended: none of them gets an answer. */
unsigned redis_link_losses(const struct redis_link *link);
/* Why there is no connection, or why there was none last; "" when there always was one. */
const char *redis_link_why(const struct redis_link *link);
/* Milliseconds until drive() has to be called although nothing became readable; -1 none. */
int64_t redis_link_timeout_ms(const struct redis_link *link);
const struct redis_facts *redis_link_facts(const struct redis_link *link);
/* The name EVALSHA wants, known once the server was greeted. */
const char *redis_link_script(const struct redis_link *link, enum redis_script script);

int64_t redis_now_ms(void); /* of a clock that only goes forward */

#endif
