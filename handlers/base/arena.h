/* SPDX-License-Identifier: Apache-2.0
 * Memory that lives as long as one step or one message and is freed at once. */
#ifndef SANDBOX_BASE_ARENA_H
#define SANDBOX_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new arena that will never hand out more than max_bytes in all; NULL when memory is short. */
struct arena *arena_new(size_t max_bytes);
/* Frees the arena and everything taken from it; *a becomes NULL; NULL-safe. */
void arena_free(struct arena **a);
/* Gives everything back but keeps the arena. */
void arena_clear(struct arena *a);

/* Zeroed memory, aligned for any type; NULL when the maximum is reached or memory is short. */
void *arena_take(struct arena *a, size_t size_bytes);
/* Was there a NULL because memory was short, so that the same may succeed another time? Until arena_clear. NULL-safe. */
bool arena_is_short(const struct arena *a);
/* A copy of len bytes with a closing NUL; NULL as above. */
char *arena_text(struct arena *a, const char *text, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
