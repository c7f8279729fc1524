/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/timers.h"

#include <stdlib.h>

void timers_done(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){ 0 };
}

static void swap(struct timer *a, struct timer *b)
{
	struct timer kept = *a;

	*a = *b;
	*b = kept;
}

bool timers_add(struct timers *t, int64_t at_ms, uint64_t ref)
{
	if (t->count == t->size) {
		size_t size = t->size ? 2 * t->size : 64;
		struct timer *grown = realloc(t->heap, size * sizeof *grown);

		if (!grown)
			return false;
		t->heap = grown;
		t->size = size;
	}
	size_t i = t->count++;

	t->heap[i] = (struct timer){ at_ms, ref };
	while (i && t->heap[i].at_ms < t->heap[(i - 1) / 2].at_ms) {
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	return true;
}

bool timers_take_due(struct timers *t, int64_t now_ms, uint64_t *ref_r)
{
	size_t i = 0;

	if (!t->count || t->heap[0].at_ms > now_ms)
		return false;
	*ref_r = t->heap[0].ref;
	t->heap[0] = t->heap[--t->count];
	for (;;) {
		size_t least = i, left = 2 * i + 1;

		if (left < t->count && t->heap[left].at_ms < t->heap[least].at_ms)
			least = left;
		if (left + 1 < t->count && t->heap[left + 1].at_ms < t->heap[least].at_ms)
			least = left + 1;
		if (least == i)
			return true;
		swap(&t->heap[i], &t->heap[least]);
		i = least;
	}
}

int64_t timers_next_ms(const struct timers *t)
{
	return t->count ? t->heap[0].at_ms : -1;
}
