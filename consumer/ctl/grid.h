/* SPDX-License-Identifier: Apache-2.0
 * A table for people: columns as wide as their widest cell. */
#ifndef SANDBOX_CTL_GRID_H
#define SANDBOX_CTL_GRID_H

#include "handlers/base/arena.h"
#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { GRID_COLUMNS_MAX = 12, GRID_CELL_MAX = 4096 };

struct grid {
	struct arena *mem;
	const char *const *titles;
	size_t columns;
	unsigned right; /* bit i: column i holds figures and is aligned to the right */
	const char **cells;
	size_t count, size; /* of cells */
	bool failed;        /* memory was short */
};

/* Cells live in mem. titles stay the caller's. */
struct grid grid_of(struct arena *mem, const char *const *titles, size_t columns, unsigned right);

/* The next cell, row by row from left to right; made safe for a terminal. */
void grid_text(struct grid *g, const char *text);
/* The same from a buffer, which is emptied. */
void grid_take(struct grid *g, struct buf *cell);

/* False when memory was short. */
bool grid_print(const struct grid *g, bool titles, struct buf *out);

#endif
