/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/rows.h"

#include <string.h>

enum { COLUMNS_MAX = 1024 };

static bool take_column(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct rows_copy *rows = arg;
	struct rows_shape *t = &rows->shape;
	struct rows_column *c = &t->columns[t->count];

	(void)count;
	if (t->count == COLUMNS_MAX)
		return err_set(e, ERR_REFUSED, 0, "sql", "table %s is too wide", t->name);
	c->name = arena_text(rows->mem, cells[0].text, cells[0].len);
	c->declared = arena_text(rows->mem, cells[2].text, cells[2].len);
	c->collation = arena_text(rows->mem, cells[5].text, cells[5].len);
	c->kind = rows_kind_of(cells[1].text);
	c->width = (size_t)cells[3].number;
	c->key_part = (int)cells[4].number;
	t->keys += c->key_part > 0;
	t->has_identity = t->has_identity || cells[6].number != 0;
	t->count++;
	return (c->name && c->declared && c->collation) || err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
}

bool rows_read_shape(struct rows_copy *rows, const char *table, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("table", table));
	const char *dot = strchr(table, '.');
	struct rows_shape *t = &rows->shape;

	if (strcmp(rows->shape_of, table) == 0)
		return true;
	rows->shape_of[0] = '\0';
	arena_clear(rows->mem);
	*t = (struct rows_shape){ 0 };
	if (!dot || strlen(table) >= sizeof rows->shape_of)
		return pass_name_too_long(table, e);
	t->schema = arena_text(rows->mem, table, (size_t)(dot - table));
	t->name = arena_text(rows->mem, dot + 1, strlen(dot + 1));
	t->columns = arena_take(rows->mem, COLUMNS_MAX * sizeof *t->columns);
	if (!t->schema || !t->name || !t->columns)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	if (!section_query(rows->copy.port->server, rows->source, "_rows_source_columns", &args, take_column, rows, e))
		return false;
	if (t->keys == 0)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "table %s of the source lost its key or went", table);
	memcpy(rows->shape_of, table, strlen(table) + 1);
	return true;
}
