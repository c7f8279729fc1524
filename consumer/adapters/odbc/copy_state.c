/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/copy.h"

#include <string.h>

static bool take_run(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct copy_run *run = arg;

	(void)count;
	(void)e;
	*run = (struct copy_run){ .found = true,
				  .run = (int)cells[0].number,
				  .phase = (enum copy_phase)cells[1].number,
				  .source_schema = cells[2].number,
				  .starts = cells[3].number };
	return false;
}

bool copy_read_run(struct copy *copy, struct err *e)
{
	memset(&copy->run, 0, sizeof copy->run);
	return section_query(copy->port->server, copy->conn, "_copy_run", NULL, take_run, &copy->run, e);
}

bool copy_write_run(struct copy *copy, struct err *e)
{
	const struct copy_run *r = &copy->run;
	const struct sql_args args =
	    ARGS(arg_number("run", r->run), arg_number("phase", r->phase),
		 arg_number("source_schema", r->source_schema), arg_number("starts", r->starts));

	return section_exec(copy->port->server, copy->conn, "_copy_put_run", &args, NULL, e);
}

static struct position position(const struct cell *key, const struct cell *rows)
{
	return (struct position){ .begun = !key->is_null, .last_key = key->number, .rows = rows->number };
}

static bool take_table(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct copy_table *t = arg;

	(void)count;
	*t = (struct copy_table){ .found = true,
				  .n = cells[0].number,
				  .phase = (enum table_phase)cells[2].number,
				  .snapshot = cells[3].number,
				  .at = position(&cells[4], &cells[5]),
				  .bytes = cells[6].number,
				  .cells_changed = cells[7].number,
				  .checksum = (uint64_t)cells[8].number,
				  .back_at = position(&cells[9], &cells[10]),
				  .back_checksum = (uint64_t)cells[11].number };
	if (cells[1].len >= sizeof t->name)
		return pass_name_too_long(cells[1].text, e);
	memcpy(t->name, cells[1].text, cells[1].len + 1);
	return false;
}

bool copy_next_table(struct copy *copy, int64_t older_than, struct copy_table *table_r, struct err *e)
{
	const struct sql_args args = ARGS(arg_number("snapshot", older_than));

	memset(table_r, 0, sizeof *table_r);
	return section_query(copy->port->server, copy->conn, older_than ? "_copy_older" : "_copy_next", &args,
			     take_table, table_r, e);
}

static struct sql_arg arg_position(const char *name, const struct position *at)
{
	return at->begun ? arg_number(name, at->last_key) : (struct sql_arg){ name, { .kind = SQL_NULL } };
}

bool copy_write_table(struct copy *copy, const struct copy_table *t, struct err *e)
{
	const struct sql_args args =
	    ARGS(arg_number("n", t->n), arg_number("phase", t->phase), arg_number("snapshot", t->snapshot),
		 arg_position("last_key", &t->at), arg_number("rows", t->at.rows), arg_number("bytes", t->bytes),
		 arg_number("cells_changed", t->cells_changed), arg_number("checksum", (int64_t)t->checksum),
		 arg_position("back_key", &t->back_at), arg_number("back_rows", t->back_at.rows),
		 arg_number("back_checksum", (int64_t)t->back_checksum));

	return section_exec(copy->port->server, copy->conn, "_copy_put", &args, NULL, e);
}

static bool take_totals(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct sql_pages *pages = arg;

	(void)count;
	(void)e;
	pages->tables_total = cells[0].number;
	pages->tables_done = cells[1].number;
	pages->rows = cells[2].number;
	pages->bytes = cells[3].number;
	pages->cells_changed = cells[4].number;
	pages->rows_expected = cells[5].number;
	return false;
}

bool copy_totals(struct copy *copy, struct sql_pages *pages, struct err *e)
{
	return section_query(copy->port->server, copy->conn, "_copy_totals", NULL, take_totals, pages, e);
}
