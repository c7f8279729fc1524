/* SPDX-License-Identifier: Apache-2.0
 * Shared by the two halves of the deliveries port: changing and looking. */
#ifndef SANDBOX_REDIS_DELIVERIES_PRIV_H
#define SANDBOX_REDIS_DELIVERIES_PRIV_H

#include "consumer/adapters/redis/redis_ask.h"
#include "consumer/adapters/redis/redis_command.h"
#include "consumer/adapters/redis/redis_deliveries.h"
#include "consumer/adapters/redis/redis_keys.h"

enum { DELIVERY_LOG_LINES = DELIVERY_TRIES_KEPT, DELIVERY_NAMES_MAX = 512 };

struct redis_deliveries {
	struct deliveries_port port; /* first */
	struct redis_link *link;
	int64_t command_timeout_ms, keep_ms;
	char prefix[REDIS_PREFIX_MAX + 16]; /* "sandbox:{notifier}:" */
};

struct redis_deliveries *redis_deliveries_of(struct deliveries_port *port);

/* Connects (again) where that is needed; then commands are appended. */
bool deliveries_ready(struct redis_deliveries *d, struct err *e);
/* The answer to the oldest command, the caller's to free; NULL with *e. */
redisReply *deliveries_answer(struct redis_deliveries *d, struct err *e);
/* "<prefix><kind><name>" as an argument; kind ends with ':' when name is not "". */
void deliveries_arg_key(struct redis_deliveries *d, const char *kind, const char *name);
/* <command> <key>, and <argument> unless NULL. */
void deliveries_command(struct redis_deliveries *d, const char *command, const char *kind, const char *name,
			const char *argument);

/* ---- redis_delivery_text.c: what the values hold ---- */

/* Fills state, tries, ended, again, ack and the log of a delivery; the log lives in mem. False: malformed, or no memory
 * (then *no_memory_r). */
bool delivery_read(const char *text, struct arena *mem, struct delivery_record *record_r, int64_t *first_try_ms_r,
		   bool *no_memory_r);
char delivery_letter(enum delivery_state state);
/* A flat list of names and values as a notice; the texts live in mem. *left_r and *entered_r may be NULL. */
bool delivery_notice_read(const redisReply *fields, struct arena *mem, struct notice *notice_r, int64_t *entered_ms_r);
/* The value of that name in a flat list, "" when there is none. */
const char *delivery_field(const redisReply *fields, const char *name);

/* ---- redis_deliveries_look.c ---- */

void deliveries_look(struct deliveries_port *port); /* fills in the functions that only look */

#endif
