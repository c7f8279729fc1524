/* SPDX-License-Identifier: Apache-2.0
 * When to try again: exponential backoff with full jitter, and a circuit breaker per outside system. */
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

#endif
