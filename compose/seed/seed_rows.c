/* SPDX-License-Identifier: Apache-2.0
 * Rows: the values content.txt names, and for the other columns what the model demands at least. */
#include "compose/seed/seed_priv.h"

#include <string.h>

enum { CELL_MAX_BYTES = 16 * 1024 * 1024 };

/* A key is the number of its row; what may be NULL is. */
static void add_default(const struct seed_column *column, const struct seed_row *row, struct seed_cell *cell)
{
	cell->is_null = column->nullable;
	if (column->is_key)
		buf_printf(&cell->text, "%lld", (long long)row->n);
	else if (!column->nullable && column->type == SEED_NUMBER)
		buf_add_text(&cell->text, strstr(column->name, "associate_id") ? "1" : "0");
	else if (!column->nullable && column->type == SEED_TIME)
		buf_add_text(&cell->text, "2026-01-05 08:00:00");
}

static size_t characters(const struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < text->len; i++)
		count += (text->data[i] & 0xc0) != 0x80;
	return count;
}

/* "~" alone is NULL. */
static bool fill(const struct seed_block *block, const struct seed_column *column, const struct seed_value *value,
                 const struct seed_row *row, struct seed_cell *cell, struct err *e)
{
	buf_clear(&cell->text);
	cell->is_null = false;
	if (!value) {
		add_default(column, row, cell);
		return true;
	}
	if (!seed_expand(row, value->text, value->len, &cell->text, e))
		return false;
	cell->is_null = strcmp(buf_text(&cell->text), "~") == 0 && cell->text.len == 1;
	if (cell->is_null && !column->nullable)
		return err_set(e, ERR_BUG, 0, "seed", "%s.%s may not be NULL", block->table->name, column->name);
	if (column->width && characters(&cell->text) > (size_t)column->width)
		return err_set(e, ERR_BUG, 0, "seed", "a text for %s.%s is longer than %d", block->table->name, column->name,
		               column->width);
	return true;
}

static bool write_block(const struct seed_plan *plan, const struct seed_block *block, struct seed_db *db,
                        struct seed_cell *cells, struct err *e)
{
	const struct seed_value *values[SEED_COLUMNS_MAX];
	const struct seed_table *table = block->table;

	if (!seed_db_prepare(db, table, e))
		return false;
	for (size_t c = 0; c < table->column_count; c++)
		values[c] = seed_value_of(block, table->columns[c].name);
	for (int64_t i = 1; i <= block->count; i++) {
		const struct seed_row row = { plan, block->first + i - 1, i };

		for (size_t c = 0; c < table->column_count; c++) {
			if (!fill(block, &table->columns[c], values[c], &row, &cells[c], e))
				return false;
		}
		if (!seed_db_insert(db, table, cells, e))
			return false;
	}
	return true;
}

bool seed_write_rows(const struct seed_plan *plan, struct seed_db *db, struct seed_result *result, struct err *e)
{
	struct seed_cell cells[SEED_COLUMNS_MAX];
	bool ok = true;

	for (size_t i = 0; i < SEED_COLUMNS_MAX; i++)
		buf_init(&cells[i].text, CELL_MAX_BYTES);
	for (size_t i = 0; ok && i < plan->block_count; i++) {
		if (!plan->blocks[i]->table)
			continue;
		ok = write_block(plan, plan->blocks[i], db, cells, e);
		result->rows += plan->blocks[i]->count;
	}
	for (size_t i = 0; i < SEED_COLUMNS_MAX; i++)
		buf_done(&cells[i].text);
	return ok;
}
