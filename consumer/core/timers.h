/* SPDX-License-Identifier: Apache-2.0
 * A heap of deadlines. Nothing is ever taken out early: what comes due is checked against the clone it belongs to. */
#ifndef SANDBOX_CORE_TIMERS_H
#define SANDBOX_CORE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t at_ms;
	uint64_t ref;
};

struct timers {
	struct timer *heap;
	size_t count, size;
};

void timers_done(struct timers *t);
bool timers_add(struct timers *t, int64_t at_ms, uint64_t ref);
/* Takes the earliest one when it is due. */
bool timers_take_due(struct timers *t, int64_t now_ms, uint64_t *ref_r);
/* When the earliest is due; -1 when there is none. */
int64_t timers_next_ms(const struct timers *t);

#endif
