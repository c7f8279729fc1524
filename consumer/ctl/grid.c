/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/grid.h"

#include "consumer/ctl/human.h"

#include <string.h>

enum { GAP = 2 };

struct grid grid_of(struct arena *mem, const char *const *titles, size_t columns, unsigned right)
{
	return (struct grid){ .mem = mem, .titles = titles, .columns = columns, .right = right,
		.failed = columns > GRID_COLUMNS_MAX };
}

static bool grow(struct grid *g)
{
	size_t size = g->size ? g->size * 2 : 16 * g->columns;
	const char **cells = arena_take(g->mem, size * sizeof *cells);

	if (!cells)
		return false;
	if (g->count)
		memcpy(cells, g->cells, g->count * sizeof *cells);
	g->cells = cells;
	g->size = size;
	return true;
}

void grid_text(struct grid *g, const char *text)
{
	struct buf safe;

	buf_init(&safe, GRID_CELL_MAX);
	human_text(&safe, text, strnlen(text, GRID_CELL_MAX));
	if (!g->failed && (g->count < g->size || grow(g)))
		g->cells[g->count] = arena_text(g->mem, buf_text(&safe), safe.len);
	else
		g->failed = true;
	if (!g->failed && !g->cells[g->count++])
		g->failed = true;
	buf_done(&safe);
}

void grid_take(struct grid *g, struct buf *cell)
{
	grid_text(g, buf_text(cell));
	buf_clear(cell);
}

static void pad(struct buf *out, size_t places)
{
	while (places--)
		buf_add_text(out, " ");
}

static void print_row(const struct grid *g, const char *const *cells, const size_t *widths, struct buf *out)
{
	for (size_t i = 0; i < g->columns; i++) {
		size_t gap = widths[i] - human_width(cells[i], strlen(cells[i]));
		bool right = g->right & (1U << i);

		if (i)
			pad(out, GAP);
		if (right)
			pad(out, gap);
		buf_add_text(out, cells[i]);
		if (!right && i + 1 < g->columns)
			pad(out, gap);
	}
	while (out->len && out->data[out->len - 1] == ' ') /* an empty last cell */
		out->data[--out->len] = '\0';
	buf_add_text(out, "\n");
}

static void widen(size_t *width, const char *text)
{
	size_t wanted = human_width(text, strlen(text));

	if (wanted > *width)
		*width = wanted;
}

bool grid_print(const struct grid *g, bool titles, struct buf *out)
{
	size_t widths[GRID_COLUMNS_MAX] = { 0 };

	if (g->failed || g->count % g->columns)
		return false;
	for (size_t i = 0; titles && i < g->columns; i++)
		widen(&widths[i], g->titles[i]);
	for (size_t i = 0; i < g->count; i++)
		widen(&widths[i % g->columns], g->cells[i]);
	if (titles)
		print_row(g, g->titles, widths, out);
	for (size_t i = 0; i < g->count; i += g->columns)
		print_row(g, g->cells + i, widths, out);
	return !out->failed;
}
