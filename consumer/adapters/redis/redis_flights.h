/* SPDX-License-Identifier: Apache-2.0
 * The store's operations under way. Redis answers in the order it was asked, so one ring of awaited answers is all
 * that matches them to operations. No I/O. */
#ifndef SANDBOX_REDIS_FLIGHTS_H
#define SANDBOX_REDIS_FLIGHTS_H

#include "consumer/adapters/redis/redis_ops.h"

#define REDIS_NOBODY UINT32_MAX /* no operation; the answer is thrown away */

struct redis_flight { /* an operation under way */
	uint64_t tag;
	enum store_op_kind kind;
	enum store_status status; /* the gravest so far */
	int64_t retry_ms;
	uint32_t next;                            /* in the list of the free or of the answered */
	unsigned awaited;                         /* answers still to come */
	bool has_lease;                           /* ACQUIRE: the lease was granted */
	bool has_reader;                          /* ACQUIRE: the readers took us in */
	char *source_ctx, *target_ctx, *clone_id; /* ACQUIRE: to give back half of it; one block at target_ctx */
	redisReply *found;                        /* ACQUIRE: what the lease answered */
};

struct redis_awaited { /* one answer that will come */
	uint32_t flight;
	enum redis_part part;
	int64_t since_ms;
};

struct redis_flights {
	struct redis_flight *all;
	size_t count, under_way;
	uint32_t free, answered_first, answered_last;
	struct redis_awaited *ring; /* of ring_size, a power of two */
	size_t ring_size, ring_first, ring_count;
};

void redis_flights_init(struct redis_flights *f);
void redis_flights_done(struct redis_flights *f);

/* Room for one more operation, or for loading the scripts again; false when memory is short. */
bool redis_flights_reserve(struct redis_flights *f);
/* A new flight for op, after reserve(); REDIS_NOBODY when memory is short. Its answers are then awaited in order. */
uint32_t redis_flights_begin(struct redis_flights *f, const struct store_op *op);
/* One more answer will come; REDIS_NOBODY throws it away. After reserve(). */
void redis_flights_await(struct redis_flights *f, uint32_t flight, enum redis_part part);

/* The answer that is due next; only while ring_count > 0. */
struct redis_awaited redis_flights_due(const struct redis_flights *f);
void redis_flights_came(struct redis_flights *f);

/* Puts a flight behind those answered; takes the first of them, REDIS_NOBODY when none; ends one taken. */
void redis_flights_answer(struct redis_flights *f, uint32_t flight);
uint32_t redis_flights_take(struct redis_flights *f);
void redis_flights_end(struct redis_flights *f, uint32_t flight);

#endif
