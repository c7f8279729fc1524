/* SPDX-License-Identifier: Apache-2.0
 * Everything of a copy by rows but the rows: schemas, tables and the indexes that put their rows in order before them; other
 * indexes, code, rules and triggers after them. Statements are what the source's catalogue gives; the generation is asked
 * the same questions, and what it lacks is made. */
#include "consumer/adapters/odbc/rows.h"

#include <stdio.h>
#include <string.h>

enum { OBJECTS_MAX = 100000, LATER_MS = 500, OLDEST = 14 };
#define LIST_MAX_BYTES ((size_t)64 << 20)

static const char where[] = "sql";

struct object {
	struct object *next;
	char *kind, *name, *definition;
	int64_t expected;
	bool is_made; /* in this call */
};

struct list { /* read whole before anything is executed */
	struct arena *mem;
	struct object *first, **end;
	size_t count;
};

static bool take_object(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct list *list = arg;
	struct object *o = arena_take(list->mem, sizeof *o);

	if (o) {
		o->kind = arena_text(list->mem, cells[0].text, cells[0].len);
		o->name = arena_text(list->mem, cells[1].text, cells[1].len);
		o->definition = arena_text(list->mem, cells[2].text, cells[2].len);
		o->expected = count > 3 ? cells[3].number : 0;
		o->is_made = false;
	}
	if (!o || !o->kind || !o->name || !o->definition || ++list->count > OBJECTS_MAX)
		return err_set(e, ERR_REFUSED, 0, where, "the schema of the source is too large");
	if (cells[2].is_null)
		return err_set(e, ERR_REFUSED, 0, where, "the catalogue does not tell how %s %s is made", o->kind, o->name);
	o->next = NULL;
	*list->end = o;
	list->end = &o->next;
	return true;
}

static bool list_new(struct list *list, struct err *e)
{
	*list = (struct list){ .mem = arena_new(LIST_MAX_BYTES) };
	list->end = &list->first;
	return list->mem || err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
}

static bool list_add(struct rows_copy *rows, struct conn *from, const char *section, struct list *list, struct err *e)
{
	return section_query(rows->copy.port->server, from, section, NULL, take_object, list, e);
}

static bool list_indexes(struct rows_copy *rows, struct conn *from, bool first, struct list *list, struct err *e)
{
	const struct sql_args args = ARGS(arg_number("first", first));

	return section_query(rows->copy.port->server, from, "_rows_indexes", &args, take_object, list, e);
}

static bool make(struct rows_copy *rows, const struct object *o, struct err *e)
{
	if (sql_plain_definition(o->definition, &rows->sql, e) &&
	    conn_exec(rows->copy.conn, buf_text(&rows->sql), NULL, 0, NULL, e))
		return true;
	err_prepend(e, o->name);
	return false;
}

/* ---- the source ---- */

static bool take_state(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	int64_t *state = arg;

	(void)count;
	(void)e;
	state[0] = cells[0].number;
	state[1] = cells[1].number;
	state[2] = cells[2].number;
	return true;
}

static bool take_refusal(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)arg;
	(void)count;
	return err_set(e, ERR_REFUSED, 0, where, "the source cannot be copied by rows: %.200s", cells[0].text);
}

bool rows_check_source(struct rows_copy *rows, struct err *e)
{
	const struct odbc_server *server = rows->copy.port->server;
	int64_t state[3] = { 0 };

	if (!section_query(server, rows->source, "_rows_source_state", NULL, take_state, state, e))
		return false;
	if (state[1] < OLDEST)
		return err_set(e, ERR_REFUSED, 0, where, "the source's server is older than SQL Server 2017");
	if (state[0] != 1)
		return err_set(e, ERR_REFUSED, 0, where,
			       "the source allows no snapshots, so a copy would not be of one moment: "
			       "ALTER DATABASE %s SET ALLOW_SNAPSHOT_ISOLATION ON", rows->copy.port->source);
	if (state[2] != 2)
		return err_set(e, ERR_REFUSED, 0, where,
			       "sql.source_user may not see all of the source: it wants db_datareader and VIEW DEFINITION");
	return section_query(server, rows->source, "_rows_source_refused", NULL, take_refusal, NULL, e) &&
	       e->class == ERR_NONE;
}

static bool source_tables(struct rows_copy *rows, struct list *list, struct err *e)
{
	return list_new(list, e) && list_add(rows, rows->source, "_rows_source_tables", list, e) &&
	       list_indexes(rows, rows->source, true, list, e);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return packed_hash_cell(hash, &(struct packed_cell){ PACKED_TEXT, text, strlen(text) });
}

bool rows_schema_number(struct rows_copy *rows, int64_t *number_r, struct err *e)
{
	struct list list;
	uint64_t hash = 0;
	bool ok = source_tables(rows, &list, e);

	for (const struct object *o = list.first; ok && o; o = o->next)
		hash = hash_text(hash_text(hash, o->name), o->definition);
	*number_r = (int64_t)(packed_hash_end(hash) & INT64_MAX);
	arena_free(&list.mem);
	return ok;
}

/* ---- tables ---- */

static bool note_table(struct rows_copy *rows, const struct object *o, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", o->name), arg_number("expected", o->expected));

	return strcmp(o->kind, "table") != 0 ||
	       section_exec(rows->copy.port->server, rows->copy.conn, "_copy_add", &args, NULL, e);
}

bool rows_make_tables(struct rows_copy *rows, struct err *e)
{
	const struct odbc_server *server = rows->copy.port->server;
	struct list list;
	bool ok = source_tables(rows, &list, e) && section_exec(server, rows->copy.conn, "_rows_drop", NULL, NULL, e) &&
		  section_exec(server, rows->copy.conn, "_copy_clear", NULL, NULL, e);

	for (const struct object *o = list.first; ok && o; o = o->next)
		ok = make(rows, o, e) && note_table(rows, o, e);
	arena_free(&list.mem);
	return ok;
}

/* ---- what comes behind the rows ---- */

static bool is_in(const struct list *list, const struct object *wanted)
{
	for (const struct object *o = list->first; o; o = o->next)
		if (strcmp(o->name, wanted->name) == 0 && strcmp(o->kind, wanted->kind) == 0)
			return true;
	return false;
}

static bool read_later(struct rows_copy *rows, struct conn *from, struct list *list, struct err *e)
{
	return list_new(list, e) && list_indexes(rows, from, false, list, e) && list_add(rows, from, "_rows_later", list, e);
}

static bool make_alone(struct rows_copy *rows, const struct fence *f, const struct object *o, struct err *e)
{
	if (!fenced_begin(rows->copy.port, rows->copy.conn, f, e))
		return false;
	if (make(rows, o, e) && conn_commit(rows->copy.conn, e))
		return true;
	conn_rollback(rows->copy.conn);
	return false;
}

/* One that is refused may need another that comes behind it: it is tried again as long as others are made. */
static bool make_missing(struct rows_copy *rows, const struct fence *f, const struct list *wanted, const struct list *there,
			 int *made_r, struct err *e)
{
	int64_t end_ms = conn_clock_ms() + LATER_MS;
	struct err failed = { 0 };
	int made = 0;

	for (struct object *o = wanted->first; o; o = o->next) {
		struct err inner = { 0 };

		if (is_in(there, o))
			continue;
		if (made > 0 && conn_clock_ms() > end_ms)
			break;
		o->is_made = make_alone(rows, f, o, &inner);
		if (o->is_made)
			made++;
		else if (inner.class != ERR_REFUSED || inner.code == ERR_CODE_FENCED)
			return err_set(e, inner.class, inner.code, inner.where, "%s", inner.text);
		else if (failed.class == ERR_NONE)
			failed = inner;
	}
	*made_r = made;
	return made > 0 || failed.class == ERR_NONE || err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
}

/* The text of one that was renamed still says its old name, and would be made for ever. */
static bool are_there(struct rows_copy *rows, const struct list *wanted, struct err *e)
{
	struct list there;
	bool ok = read_later(rows, rows->copy.conn, &there, e);

	for (const struct object *o = wanted->first; ok && o; o = o->next)
		if (o->is_made && !is_in(&there, o))
			ok = err_set(e, ERR_REFUSED, 0, where, "the definition of %s makes something else: was it renamed?", o->name);
	arena_free(&there.mem);
	return ok;
}

bool rows_make_later(struct rows_copy *rows, const struct fence *f, bool *more_r, struct err *e)
{
	struct list wanted, there = { 0 };
	bool ok = read_later(rows, rows->source, &wanted, e) && read_later(rows, rows->copy.conn, &there, e);
	int made = 0;

	if (ok) {
		conn_limit(rows->copy.conn, 0); /* an index may take its time */
		ok = make_missing(rows, f, &wanted, &there, &made, e);
		conn_limit(rows->copy.conn, server_settings(rows->copy.port->server)->query_timeout_ms);
	}
	*more_r = made > 0;
	ok = ok && (!made || are_there(rows, &wanted, e));
	arena_free(&wanted.mem);
	arena_free(&there.mem);
	return ok;
}

bool rows_set_counters(struct rows_copy *rows, struct err *e)
{
	struct list list;
	bool ok = list_new(&list, e) && list_add(rows, rows->source, "_rows_source_counters", &list, e);

	for (const struct object *o = list.first; ok && o; o = o->next)
		ok = make(rows, o, e);
	arena_free(&list.mem);
	return ok;
}
