/* SPDX-License-Identifier: Apache-2.0
 * When to try again: exponential backoff with full jitter; and per outside system a circuit breaker and a rate. */
#ifndef SANDBOX_CORE_RETRY_H
#define SANDBOX_CORE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* A small deterministic generator (splitmix64): the engine's only source of chance, seeded by its maker. */
uint64_t chance_next(uint64_t *state);
/* Uniform in [0, below). */
int64_t chance_below(uint64_t *state, int64_t below);

/* Delay before try number attempt+1 (attempt counts from 1): uniform in [cap/8, cap] of min(cap_ms, first_ms * 2^n). */
int64_t retry_delay_ms(uint64_t *chance, int attempt, int64_t first_ms, int64_t cap_ms);

struct breaker {
	int failures;          /* in a row */
	int64_t open_until_ms; /* 0: closed */
	bool probing;          /* half open: one call is out to try */
};

/* May a call go out now? In the half-open state only one may. */
bool breaker_allows(const struct breaker *b, int64_t now_ms);
void breaker_started(struct breaker *b, int64_t now_ms);
void breaker_succeeded(struct breaker *b);
/* The call ended without telling anything of the system: neither a success nor a failure. */
void breaker_untold(struct breaker *b);
void breaker_failed(struct breaker *b, int64_t now_ms, int limit, int64_t open_ms);

/* A token bucket in virtual time: it holds what one second brings (at least one call) and fills evenly. */
struct bucket {
	int64_t empty_until_us; /* when it would hold one call if nothing had been saved up; 0: full */
};

/* When the next call may go out, not before now_ms. per_minute 0: any number may. */
int64_t bucket_free_ms(const struct bucket *b, int64_t now_ms, int per_minute);
void bucket_take(struct bucket *b, int64_t now_ms, int per_minute);

#endif
