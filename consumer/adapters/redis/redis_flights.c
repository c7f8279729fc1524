/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_flights.h"

#include <stdlib.h>
#include <string.h>

enum { SPARE_ANSWERS = REDIS_PARTS_MAX + REDIS_SCRIPT_END, FIRST_SIZE = 256 };

void redis_flights_init(struct redis_flights *f)
{
	*f = (struct redis_flights){ .free = REDIS_NOBODY,
				     .answered_first = REDIS_NOBODY,
				     .answered_last = REDIS_NOBODY };
}

static void forget(struct redis_flight *flight)
{
	free(flight->target_ctx);
	if (flight->found)
		freeReplyObject(flight->found);
	flight->target_ctx = NULL;
	flight->found = NULL;
}

void redis_flights_done(struct redis_flights *f)
{
	for (size_t i = 0; i < f->count; i++)
		forget(&f->all[i]);
	free(f->all);
	free(f->ring);
	redis_flights_init(f);
}

static bool reserve_ring(struct redis_flights *f)
{
	struct redis_awaited *grown;
	size_t size = f->ring_size ? f->ring_size : FIRST_SIZE;

	while (size < f->ring_count + SPARE_ANSWERS)
		size *= 2;
	if (size == f->ring_size)
		return true;
	grown = malloc(size * sizeof *grown);
	if (!grown)
		return false;
	for (size_t i = 0; i < f->ring_count; i++)
		grown[i] = f->ring[(f->ring_first + i) & (f->ring_size - 1)];
	free(f->ring);
	f->ring = grown;
	f->ring_size = size;
	f->ring_first = 0;
	return true;
}

bool redis_flights_reserve(struct redis_flights *f)
{
	size_t count = f->count ? 2 * f->count : FIRST_SIZE;
	struct redis_flight *grown;

	if (!reserve_ring(f))
		return false;
	if (f->free != REDIS_NOBODY)
		return true;
	grown = realloc(f->all, count * sizeof *grown);
	if (!grown)
		return false;
	f->all = grown;
	for (size_t i = f->count; i < count; i++) {
		grown[i] = (struct redis_flight){ .next = f->free };
		f->free = (uint32_t)i;
	}
	f->count = count;
	return true;
}

static bool keep_names(struct redis_flight *flight, const struct store_op *op)
{
	const char *source = op->source_ctx ? op->source_ctx : "";
	size_t target_size = strlen(op->target_ctx) + 1, clone_size = strlen(op->clone_id) + 1;

	flight->target_ctx = malloc(target_size + clone_size + strlen(source) + 1);
	if (!flight->target_ctx)
		return false;
	flight->clone_id = flight->target_ctx + target_size;
	flight->source_ctx = flight->clone_id + clone_size;
	memcpy(flight->target_ctx, op->target_ctx, target_size);
	memcpy(flight->clone_id, op->clone_id, clone_size);
	strcpy(flight->source_ctx, source);
	return true;
}

uint32_t redis_flights_begin(struct redis_flights *f, const struct store_op *op)
{
	const uint32_t id = f->free;
	struct redis_flight *flight = &f->all[id];
	const uint32_t next = flight->next;

	*flight = (struct redis_flight){ .tag = op->tag, .kind = op->kind, .next = next };
	if (op->kind == STORE_ACQUIRE && !keep_names(flight, op))
		return REDIS_NOBODY;
	f->free = next;
	f->under_way++;
	return id;
}

void redis_flights_await(struct redis_flights *f, uint32_t flight, enum redis_part part)
{
	size_t at = (f->ring_first + f->ring_count++) & (f->ring_size - 1);

	f->ring[at] = (struct redis_awaited){ .flight = flight, .part = part, .since_ms = redis_now_ms() };
	if (flight != REDIS_NOBODY)
		f->all[flight].awaited++;
}

struct redis_awaited redis_flights_due(const struct redis_flights *f)
{
	return f->ring[f->ring_first & (f->ring_size - 1)];
}

void redis_flights_came(struct redis_flights *f)
{
	f->ring_first++;
	f->ring_count--;
}

void redis_flights_answer(struct redis_flights *f, uint32_t flight)
{
	f->all[flight].next = REDIS_NOBODY;
	if (f->answered_last == REDIS_NOBODY)
		f->answered_first = flight;
	else
		f->all[f->answered_last].next = flight;
	f->answered_last = flight;
}

uint32_t redis_flights_take(struct redis_flights *f)
{
	const uint32_t flight = f->answered_first;

	if (flight == REDIS_NOBODY)
		return flight;
	f->answered_first = f->all[flight].next;
	if (f->answered_first == REDIS_NOBODY)
		f->answered_last = REDIS_NOBODY;
	return flight;
}

void redis_flights_end(struct redis_flights *f, uint32_t flight)
{
	forget(&f->all[flight]);
	f->all[flight].next = f->free;
	f->free = flight;
	f->under_way--;
}
