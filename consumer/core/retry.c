/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/retry.h"

uint64_t chance_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

int64_t chance_below(uint64_t *state, int64_t below)
{
	return below > 0 ? (int64_t)(chance_next(state) % (uint64_t)below) : 0;
}

int64_t retry_delay_ms(uint64_t *chance, int attempt, int64_t first_ms, int64_t cap_ms)
{
	int64_t delay = first_ms;

	for (int i = 1; i < attempt && delay < cap_ms; i++)
		delay *= 2;
	if (delay > cap_ms)
		delay = cap_ms;
	return delay / 8 + chance_below(chance, delay - delay / 8 + 1);
}

bool breaker_allows(const struct breaker *b, int64_t now_ms)
{
	return b->open_until_ms == 0 || (now_ms >= b->open_until_ms && !b->probing);
}

void breaker_started(struct breaker *b, int64_t now_ms)
{
	if (b->open_until_ms && now_ms >= b->open_until_ms)
		b->probing = true;
}

void breaker_succeeded(struct breaker *b)
{
	*b = (struct breaker){ 0 };
}

void breaker_untold(struct breaker *b)
{
	b->probing = false;
}

void breaker_failed(struct breaker *b, int64_t now_ms, int limit, int64_t open_ms)
{
	b->probing = false;
	if (++b->failures >= limit)
		b->open_until_ms = now_ms + open_ms;
}

/* ---- rate ---- */

enum { SECOND_US = 1000000, MINUTE_US = 60 * SECOND_US };

/* What was saved up may go out at once: as much as comes in a second beyond the one call. */
static int64_t saved_up_us(int per_minute)
{
	int64_t interval_us = MINUTE_US / per_minute;

	return interval_us < SECOND_US ? SECOND_US - interval_us : 0;
}

int64_t bucket_free_ms(const struct bucket *b, int64_t now_ms, int per_minute)
{
	int64_t free_ms;

	if (per_minute <= 0)
		return now_ms;
	free_ms = (b->empty_until_us - saved_up_us(per_minute) + 999) / 1000;
	return free_ms > now_ms ? free_ms : now_ms;
}

void bucket_take(struct bucket *b, int64_t now_ms, int per_minute)
{
	int64_t from_us = b->empty_until_us > now_ms * 1000 ? b->empty_until_us : now_ms * 1000;

	if (per_minute > 0)
		b->empty_until_us = from_us + MINUTE_US / per_minute;
}
