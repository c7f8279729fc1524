/* SPDX-License-Identifier: Apache-2.0
 * Operations of the store as commands, and the answers back. No I/O. */
#ifndef SANDBOX_REDIS_OPS_H
#define SANDBOX_REDIS_OPS_H

#include "consumer/adapters/redis/redis_keys.h"
#include "consumer/adapters/redis/redis_link.h"
#include "consumer/ports/store.h"
#include "handlers/base/arena.h"

struct redis_writer {
	struct buf *out;
	const struct redis_link *link; /* knows the scripts' names */
	const char *prefix, *owner;
	bool asks_for_mark;
	int64_t keep_ms;
};

enum redis_part {                     /* what one of the answers to an operation is about */
		  REDIS_PART_NOTHING, /* thrown away */
		  REDIS_PART_LEASE,   /* what ACQUIRE found */
		  REDIS_PART_READERS,
		  REDIS_PART_RESULT,
		  REDIS_PART_MARK, /* whether the store knows what it has to know */
};

enum { REDIS_PARTS_MAX = 4 };

/* MISUSE when a name is missing or too long or a number is out of range. */
bool redis_op_check(const struct store_op *op, struct err *e);
/* Appends the commands; parts_r has one entry for each answer that will come. w->out->failed when it did not fit. */
size_t redis_op_write(const struct redis_writer *w, const struct store_op *op,
		      enum redis_part parts_r[REDIS_PARTS_MAX]);

/* Undo the halves of an ACQUIRE that were granted when another part was refused; one answer each, to be thrown away. */
void redis_return_lease(const struct redis_writer *w, const char *target_ctx, const char *clone_id, uint64_t token);
void redis_return_reader(const struct redis_writer *w, const char *source_ctx, const char *clone_id);

/* What an answer that is no error says; retry_ms_r is set for HELD. UNAVAILABLE when it is not an answer of ours. */
enum store_status redis_part_status(enum store_op_kind kind, enum redis_part part, const redisReply *reply,
				    int64_t *retry_ms_r);
/* The token of an ACQUIRE answer whose status was OK. */
uint64_t redis_acquired_token(const redisReply *reply);
/* Fills what an ACQUIRE with that status (OK or HELD) tells from what the lease answered: found, pairs, and token and
 * entries or held_by. They point into reply and mem. False when it is malformed or too much. */
bool redis_acquired(const redisReply *reply, struct arena *mem, struct store_answer *answer_r);

struct redis_clone { /* what a clone's hash holds; all of it points into the reply and mem */
	struct store_pair *fields;
	size_t field_count;
	struct store_entry *entries; /* undelivered, by rising sequence */
	size_t entry_count;
};

bool redis_clone_read(const redisReply *reply, struct arena *mem, struct redis_clone *clone_r);
/* A flat list of names and values as pairs; they point into reply and mem. */
bool redis_pairs(const redisReply *reply, struct arena *mem, const struct store_pair **pairs_r, size_t *count_r);

#endif
