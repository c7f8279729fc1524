/* SPDX-License-Identifier: Apache-2.0
 * The functions of the port that only look. */
#include "consumer/adapters/odbc/port.h"
#include "consumer/adapters/odbc/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1000000, RESULT_COLUMNS_MAX = 64 };

/* The connection, and whether the section has what it needs there. place_give ends it in any case. */
static bool look_at(struct odbc_port *p, enum sql_place place, const char *statement, const struct sql_args *args,
		    struct place *at, bool *needed_r, struct err *e)
{
	return place_take(p, place, statement, args, at, e) && section_is_needed(p->server, at->conn, statement, needed_r, e);
}

struct one { /* the first cell of the first row */
	bool found, is_null;
	int64_t number;
	struct arena *mem;
	const char *text;
};

static bool take_one(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct one *one = arg;

	(void)count;
	one->found = true;
	one->is_null = cells[0].is_null;
	one->number = cells[0].number;
	if (one->mem && !one->is_null) {
		one->text = arena_text(one->mem, cells[0].text, cells[0].len);
		if (!one->text)
			err_set(e, ERR_REFUSED, 0, "sql", "the text is too long for the step's memory");
	}
	return false;
}

static bool look_one(struct odbc_port *p, enum sql_place place, const char *statement, const struct sql_args *args,
		     struct one *one, bool *needed_r, struct err *e)
{
	struct place at;
	bool ok = look_at(p, place, statement, args, &at, needed_r, e) &&
		  (!*needed_r || section_query(p->server, at.conn, statement, args, take_one, one, e));

	place_give(p, &at);
	return ok;
}

static bool scalar(struct sql_port *self, enum sql_place place, const char *statement, const struct sql_args *args,
		   int64_t *value_r, struct err *e)
{
	struct one one = { 0 };
	bool needed;

	if (!look_one(port_of(self), place, statement, args, &one, &needed, e))
		return false;
	if (needed && !one.found)
		return err_set(e, ERR_REFUSED, 0, "sql", "%s found no row", statement);
	*value_r = one.number;
	return true;
}

static bool text(struct sql_port *self, enum sql_place place, const char *statement, const struct sql_args *args,
		 struct arena *mem, const char **value_r, struct err *e)
{
	struct one one = { .mem = mem };
	bool needed;

	if (!look_one(port_of(self), place, statement, args, &one, &needed, e))
		return false;
	*value_r = one.text;
	return true;
}

struct reading {
	sql_row_fn *fn;
	void *arg;
	int64_t rows;
};

static bool pass_row(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct sql_value values[RESULT_COLUMNS_MAX];
	struct reading *r = arg;

	if (++r->rows > ROWS_MAX)
		return err_set(e, ERR_REFUSED, 0, "sql", "there are more than %d rows", ROWS_MAX);
	if (count > RESULT_COLUMNS_MAX)
		return err_set(e, ERR_MISUSE, 0, "sql", "a result has more than %d columns", RESULT_COLUMNS_MAX);
	for (size_t i = 0; i < count; i++) {
		enum sql_kind kind = cells[i].is_number ? SQL_NUMBER : SQL_TEXT;

		values[i] = (struct sql_value){ .kind = cells[i].is_null ? SQL_NULL : kind,
						.number = cells[i].number,
						.text = cells[i].is_null ? NULL : cells[i].text };
	}
	return r->fn(r->arg, &(struct sql_row){ count, values }, e);
}

static bool rows(struct sql_port *self, enum sql_place place, const char *statement, const struct sql_args *args,
		 sql_row_fn *fn, void *arg, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct reading reading = { .fn = fn, .arg = arg };
	struct place at;
	bool needed;
	bool ok = look_at(p, place, statement, args, &at, &needed, e) &&
		  (!needed || section_query(p->server, at.conn, statement, args, pass_row, &reading, e));

	place_give(p, &at);
	return ok;
}

static bool has(struct sql_port *self, enum sql_place place, const char *table, const char *column, bool *has_r,
		struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct conn *c = port_conn(p, place, e);

	return c && server_has(p->server, c, table, column, has_r, e);
}

static bool take_ledger(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct sql_ledger *l = arg;

	(void)count;
	l->found = true;
	l->token = (uint64_t)cells[0].number;
	l->rows = cells[1].number;
	if (cells[2].len >= sizeof l->cursor)
		return err_set(e, ERR_BUG, 0, "sql", "a cursor in the ledger is too long");
	memcpy(l->cursor, cells[2].text, cells[2].len + 1);
	return false;
}

/* A generation that is being restored has no ledger; the server's catalogue knows how far that is. */
static bool is_reachable(struct odbc_port *p, bool *so_r, struct err *e)
{
	const struct sql_files *files = server_dialect(p->server)->files;

	*so_r = true;
	return !files->is_reachable || files->is_reachable(server_settings(p->server), p->target, so_r, e);
}

static bool ledger(struct sql_port *self, const struct fence *f, struct sql_ledger *ledger_r, struct err *e)
{
	const struct sql_args args =
	    ARGS(arg_text("clone_id", f->clone_id), arg_number("run", f->run), arg_text("step", f->step));
	struct odbc_port *p = port_of(self);
	bool needed, reachable = true, ok;
	struct place at;

	memset(ledger_r, 0, sizeof *ledger_r);
	if (!is_reachable(p, &reachable, e) || !reachable)
		return e->class == ERR_NONE;
	ok = look_at(p, SQL_TARGET, "_ledger_get", &args, &at, &needed, e) &&
	     (!needed || section_query(p->server, at.conn, "_ledger_get", &args, take_ledger, ledger_r, e));
	place_give(p, &at);
	return ok;
}

static bool exists(struct sql_port *self, const char *database, bool *exists_r, struct err *e)
{
	struct odbc_port *p = port_of(self);
	const struct odbc_server *s = p->server;

	if (source_is_named(p, database))
		return source_exists(p, exists_r, e);
	return server_dialect(s)->files->exists(server_settings(s), database, exists_r, e);
}

static bool identity(struct sql_port *self, const char *database, struct sql_identity *identity_r, struct err *e)
{
	struct odbc_port *p = port_of(self);
	const struct odbc_server *s = p->server;

	memset(identity_r, 0, sizeof *identity_r);
	snprintf(identity_r->server_id, sizeof identity_r->server_id, "%s", server_id(s));
	if (source_is_named(p, database))
		return source_identity(p, identity_r->database_id, sizeof identity_r->database_id, e);
	return server_dialect(s)->files->identity(server_settings(s), database, identity_r->database_id,
						  sizeof identity_r->database_id, e);
}

static bool copy_cell(char *out, size_t size, const struct cell *cell, struct err *e)
{
	if (cell->len >= size)
		return err_set(e, ERR_REFUSED, 0, "sql", "the stamp of the database is damaged");
	memcpy(out, cell->text, cell->len + 1);
	return true;
}

static bool take_stamp(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct sql_stamp *s = arg;

	(void)count;
	s->found = true;
	s->run = (int)cells[3].number;
	s->token = (uint64_t)cells[4].number;
	return copy_cell(s->source_ctx, sizeof s->source_ctx, &cells[0], e) &&
	       copy_cell(s->target_ctx, sizeof s->target_ctx, &cells[1], e) &&
	       copy_cell(s->clone_id, sizeof s->clone_id, &cells[2], e) &&
	       copy_cell(s->masked_at, sizeof s->masked_at, &cells[5], e) &&
	       copy_cell(s->proof, sizeof s->proof, &cells[6], e);
}

bool stamp_read(struct odbc_port *p, struct conn *c, struct sql_stamp *stamp_r, struct err *e)
{
	bool needed;

	memset(stamp_r, 0, sizeof *stamp_r);
	return section_is_needed(p->server, c, "_stamp_get", &needed, e) &&
	       (!needed || section_query(p->server, c, "_stamp_get", NULL, take_stamp, stamp_r, e));
}

static bool take_copy_stamp(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct sql_stamp *s = arg;

	(void)count;
	s->found = true;
	s->run = (int)cells[2].number;
	s->token = (uint64_t)cells[3].number;
	return copy_cell(s->source_ctx, sizeof s->source_ctx, &cells[0], e) &&
	       copy_cell(s->clone_id, sizeof s->clone_id, &cells[1], e);
}

bool stamp_of_copy(struct odbc_port *p, const char *database, struct sql_stamp *stamp_r, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", database));
	const char *end = NULL;
	struct conn *c;

	memset(stamp_r, 0, sizeof *stamp_r);
	for (const char *at = database; (at = strstr(at, "__g")); at++)
		end = at;
	if (!server_dialect(p->server)->copy_next || !end || end == database)
		return true;
	c = port_conn(p, SQL_SERVER, e);
	if (!c || !section_query(p->server, c, "_copy_stamp", &args, take_copy_stamp, stamp_r, e))
		return false;
	if (stamp_r->found)
		snprintf(stamp_r->target_ctx, sizeof stamp_r->target_ctx, "%.*s", (int)(end - database), database);
	return e->class == ERR_NONE;
}

static bool stamp(struct sql_port *self, const char *database, struct sql_stamp *stamp_r, struct err *e)
{
	struct odbc_port *p = port_of(self);
	/* Who made the clone's own database may have died in the middle: what it left is rolled back by opening it. */
	const enum access access = strcmp(database, p->target) == 0 ? ACCESS_WRITE : ACCESS_READ;
	struct link *l;
	bool ok;

	if (!stamp_of_copy(p, database, stamp_r, e))
		return false;
	if (stamp_r->found)
		return true;
	l = server_take(p->server, database, access, &p->stop, e);
	ok = l && stamp_read(p, l->conn, stamp_r, e);
	server_give(p->server, &l);
	return ok;
}

void port_looks(struct sql_port *port)
{
	port->scalar = scalar;
	port->text = text;
	port->rows = rows;
	port->has = has;
	port->ledger = ledger;
	port->exists = exists;
	port->identity = identity;
	port->stamp = stamp;
}
