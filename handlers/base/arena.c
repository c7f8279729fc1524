/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small at first, because ten thousand messages may be kept, each in an arena of its own; then twice as much each time. */
#define BLOCK_LEAST_BYTES ((size_t)480)
#define BLOCK_MOST_BYTES  ((size_t)16 * 1024)

struct block {
	struct block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

struct arena {
	struct block *blocks;
	size_t taken_bytes, max_bytes;
	bool is_short;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = calloc(1, sizeof *a);

	if (a)
		a->max_bytes = max_bytes;
	return a;
}

static void free_blocks(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_clear(struct arena *a)
{
	if (a->blocks) {
		free_blocks(a->blocks->next); /* one block stays, so that a loop does not allocate on each turn */
		a->blocks->next = NULL;
		a->blocks->used = 0;
	}
	a->taken_bytes = 0;
	a->is_short = false;
}

bool arena_is_short(const struct arena *a)
{
	return a && a->is_short;
}

void arena_free(struct arena **a)
{
	if (!a || !*a)
		return;
	free_blocks((*a)->blocks);
	free(*a);
	*a = NULL;
}

static size_t next_size(const struct arena *a, size_t need)
{
	size_t size = a->blocks ? 2 * a->blocks->size : BLOCK_LEAST_BYTES;

	if (size > BLOCK_MOST_BYTES)
		size = BLOCK_MOST_BYTES;
	return size < need ? need : size;
}

void *arena_take(struct arena *a, size_t size_bytes)
{
	const size_t align = alignof(max_align_t);
	size_t need;

	if (size_bytes > a->max_bytes)
		return NULL;
	need = (size_bytes + align - 1) / align * align;
	if (need > a->max_bytes - a->taken_bytes)
		return NULL;
	if (!a->blocks || a->blocks->size - a->blocks->used < need) {
		size_t size = next_size(a, need);
		struct block *b = malloc(sizeof *b + size);

		if (!b) {
			a->is_short = true;
			return NULL;
		}
		*b = (struct block){ .next = a->blocks, .size = size };
		a->blocks = b;
	}
	void *p = a->blocks->data + a->blocks->used;

	a->blocks->used += need;
	a->taken_bytes += need;
	return memset(p, 0, need);
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_take(a, len + 1) : NULL;

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

/* Most texts are short: formatted once, on the stack. */
char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char near[256], *text = NULL;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(near, sizeof near, fmt, ap);
	va_end(ap);
	if (len >= 0)
		text = arena_take(a, (size_t)len + 1);
	if (text && (size_t)len < sizeof near)
		memcpy(text, near, (size_t)len + 1);
	else if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	return text;
}
