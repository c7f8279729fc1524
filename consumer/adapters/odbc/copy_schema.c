/* SPDX-License-Identifier: Apache-2.0
 * Everything of a copy but the rows: tables before them; indexes, views, triggers and key counters after them, so that
 * no index is kept up row by row and no trigger fires. Definitions are the source's own words. */
#include "consumer/adapters/odbc/copy.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <stdio.h>
#include <string.h>

enum { OBJECTS_MAX = 100000, LATER_MS = 500 };
#define LIST_MAX_BYTES ((size_t)64 << 20)

struct object {
	struct object *next;
	char *kind, *name, *definition; /* "" when the list has none */
	bool is_odd;
};

struct list { /* read whole before anything is executed: one connection does one thing at a time */
	struct arena *mem;
	struct object *first, **end;
	bool tables; /* name, definition, odd; else kind, name, definition */
	size_t count;
};

static bool take_object(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct list *list = arg;
	struct object *o = arena_take(list->mem, sizeof *o);
	const struct cell none = { .text = "" };
	const struct cell *kind = list->tables ? &none : &cells[0];
	const struct cell *name = &cells[list->tables ? 0 : 1];
	const struct cell *definition = list->tables ? &cells[1] : (count > 2 ? &cells[2] : &none);

	if (o) {
		o->kind = arena_text(list->mem, kind->text, kind->len);
		o->name = arena_text(list->mem, name->text, name->len);
		o->definition = arena_text(list->mem, definition->text, definition->len);
		o->is_odd = list->tables && cells[2].number != 0;
	}
	if (!o || !o->kind || !o->name || !o->definition || ++list->count > OBJECTS_MAX)
		return err_set(e, ERR_REFUSED, 0, "sql", "the schema of the source is too large");
	*list->end = o;
	list->end = &o->next;
	return true;
}

static bool read_list(struct copy *copy, const char *sql, bool tables, struct list *list, struct err *e)
{
	*list = (struct list){ .mem = arena_new(LIST_MAX_BYTES), .tables = tables };
	list->end = &list->first;
	if (!list->mem)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	return conn_query(copy->conn, sql, NULL, 0, take_object, list, e);
}

static const struct sql_catalogue *catalogue_of(const struct copy *copy)
{
	return server_dialect(copy->port->server)->catalogue;
}

static bool drop_object(struct copy *copy, const struct object *o, struct err *e)
{
	const char *kind = strcmp(o->kind, "table") == 0 ? "TABLE" : strcmp(o->kind, "view") == 0 ? "VIEW" : "TRIGGER";
	struct buf *sql = &copy->port->pass->sql;

	buf_clear(sql);
	if (!buf_printf(sql, "DROP %s IF EXISTS ", kind) || !sql_quote_name(sql, o->name))
		return err_set(e, ERR_REFUSED, 0, "sql", "the name of %s %s cannot be quoted", o->kind, o->name);
	return conn_exec(copy->conn, buf_text(sql), NULL, 0, NULL, e);
}

static bool drop_all(struct copy *copy, struct err *e)
{
	struct list list;
	bool ok = read_list(copy, catalogue_of(copy)->own, false, &list, e);

	for (const struct object *o = list.first; ok && o; o = o->next)
		ok = drop_object(copy, o, e);
	arena_free(&list.mem);
	return ok;
}

static bool make(struct copy *copy, const struct object *o, struct err *e)
{
	struct buf *sql = &copy->port->pass->sql;

	if (sql_plain_definition(o->definition, sql, e) && conn_exec(copy->conn, buf_text(sql), NULL, 0, NULL, e))
		return true;
	err_prepend(e, o->name);
	return false;
}

static bool estimate(struct copy *copy, const char *table, int64_t *rows_r, struct err *e)
{
	struct pass *pass = copy->port->pass;
	bool found;

	*rows_r = 0;
	if (!pass_shape(copy->port, copy->conn, BESIDE_SOURCE, table, e))
		return false;
	buf_clear(&pass->sql);
	if (!server_dialect(copy->port->server)->paging->last_key(&pass->sql, &pass->shape, BESIDE_SOURCE))
		return err_set(e, ERR_REFUSED, 0, "sql", "the name of table %s cannot be quoted", table);
	return conn_number(copy->conn, buf_text(&pass->sql), NULL, 0, rows_r, &found, e);
}

static bool make_table(struct copy *copy, const struct object *o, struct err *e)
{
	int64_t expected;

	if (o->is_odd)
		return err_set(e, ERR_REFUSED, 0, "sql",
			       "table %s of the source is a virtual one or the storage of one: it cannot be copied",
			       o->name);
	if (!make(copy, o, e) || !estimate(copy, o->name, &expected, e))
		return false;
	const struct sql_args args =
	    ARGS(arg_text("name", o->name), arg_number("expected", expected > 0 ? expected : 0));

	return section_exec(copy->port->server, copy->conn, "_copy_add", &args, NULL, e);
}

bool copy_tables(struct copy *copy, struct err *e)
{
	struct list list = { 0 };
	bool ok = drop_all(copy, e) && section_exec(copy->port->server, copy->conn, "_copy_clear", NULL, NULL, e) &&
		  read_list(copy, catalogue_of(copy)->tables[BESIDE_SOURCE], true, &list, e);

	for (const struct object *o = list.first; ok && o; o = o->next)
		ok = make_table(copy, o, e);
	arena_free(&list.mem);
	return ok;
}

bool copy_later_objects(struct copy *copy, bool *more_r, struct err *e)
{
	int64_t until_ms = conn_clock_ms() + LATER_MS;
	struct list list;
	bool ok = read_list(copy, catalogue_of(copy)->later, false, &list, e);
	const struct object *o = list.first;

	for (; ok && o && conn_clock_ms() < until_ms; o = o->next)
		ok = make(copy, o, e);
	*more_r = o != NULL;
	arena_free(&list.mem);
	return ok;
}

bool copy_sequences(struct copy *copy, struct err *e)
{
	int64_t count = 0;
	bool found;

	if (!conn_number(copy->conn, catalogue_of(copy)->has_sequences, NULL, 0, &count, &found, e))
		return false;
	for (const char *const *sql = catalogue_of(copy)->copy_sequences; count == 2 && *sql; sql++)
		if (!conn_exec(copy->conn, *sql, NULL, 0, NULL, e))
			return false;
	return true;
}
