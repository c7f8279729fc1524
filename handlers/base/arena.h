/* SPDX-License-Identifier: Apache-2.0
 * Memory that lives as long as one step or one message and is freed at once. */
#ifndef SANDBOX_BASE_ARENA_H
#define SANDBOX_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* A new arena that will never hand out more than max_bytes in all; NULL when memory is short. */
struct arena *arena_new(size_t max_bytes);
/* Frees the arena and everything taken from it; *a becomes NULL; NULL-safe. */
void arena_free(struct arena **a);
/* Gives everything back but keeps the arena. */
void arena_clear(struct arena *a);

/* Zeroed memory, aligned for any type; NULL when the maximum is reached. */
void *arena_take(struct arena *a, size_t size_bytes);
/* A copy of len bytes with a closing NUL; NULL when the maximum is reached. */
char *arena_text(struct arena *a, const char *text, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
