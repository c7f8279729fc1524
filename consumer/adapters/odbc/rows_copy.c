/* SPDX-License-Identifier: Apache-2.0
 * copy_next for a source on another SQL Server, which no backup of can be restored here: one page of rows, in one
 * transaction with what is remembered of it.
 *
 * Rows are read in one transaction of SNAPSHOT isolation, on a connection that lives from one call to the next: the copy is
 * the source as it was at one moment. When that connection is lost a new moment begins: what is half copied goes on behind
 * its greatest key, and what was read at an earlier moment is compared with the source, page by page, and copied again if
 * it differs. The source is only ever read. */
#include "consumer/adapters/odbc/rows.h"

#include "consumer/adapters/odbc/source.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { STARTS_MAX = 5 };
#define TEXT_MAX_BYTES ((size_t)256 << 20)
#define KEY_MAX_BYTES  ((size_t)64 << 10)

static const char where[] = "sql";

/* ---- connections ---- */

static bool take_nothing(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)arg;
	(void)cells;
	(void)count;
	(void)e;
	return true;
}

/* The source may be copied and is not the generation. First the moment, then how tables are made: one that is altered from
 * then on cannot be read any more at that moment (3961). */
static bool begin_past(struct rows_copy *rows, const struct fence *f, struct err *e)
{
	struct link *past = rows->past;
	int64_t random;

	if (!port_may_touch(rows->copy.port, f, f->generation, e) || !rows_check_source(rows, e) ||
	    !conn_begin_read(past->conn, e) ||
	    !section_query(rows->copy.port->server, past->conn, "_rows_source_pin", NULL, take_nothing, NULL, e) ||
	    !rows_schema_number(rows, &past->source_schema, e))
		return false;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_set(e, ERR_TRANSIENT, 0, where, "the system gave no random bytes");
	past->snapshot = (random & INT64_MAX) | 2; /* above 1: 0 and -1 mean something else */
	return true;
}

static bool open_all(struct rows_copy *rows, const struct fence *f, struct err *e)
{
	struct odbc_port *p = rows->copy.port;

	rows->mem = arena_new(1 << 20);
	if (!rows->mem)
		return err_set(e, ERR_TRANSIENT, 0, where, "out of memory");
	rows->source = port_conn(p, SQL_SOURCE, e);
	rows->copy.conn = rows->source ? port_conn(p, SQL_TARGET, e) : NULL;
	if (!rows->copy.conn)
		return false;
	rows->past = server_take_snapshot(p->server, p->source, f->generation, &p->stop, e);
	return rows->past && (rows->past->snapshot || begin_past(rows, f, e));
}

static void close_all(struct rows_copy *rows)
{
	struct odbc_server *server = rows->copy.port->server;

	if (rows->past && (rows->past_is_over || !rows->past->snapshot))
		server_close(server, &rows->past);
	server_give(server, &rows->past);
	arena_free(&rows->mem);
	buf_done(&rows->sql);
	buf_done(&rows->page);
	buf_done(&rows->text);
	buf_done(&rows->at_text);
	buf_done(&rows->back_text);
}

/* ---- the next table ---- */

static bool take_keys(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct rows_copy *rows = arg;

	(void)count;
	return (buf_add(&rows->at_text, cells[0].text, cells[0].len) && buf_add(&rows->back_text, cells[1].text, cells[1].len)) ||
	       err_set(e, ERR_BUG, 0, where, "a key of the copy is too long");
}

static bool read_keys(struct rows_copy *rows, const struct copy_table *table, struct err *e)
{
	const struct sql_args args = ARGS(arg_number("n", table->n));

	buf_clear(&rows->at_text);
	buf_clear(&rows->back_text);
	return section_query(rows->copy.port->server, rows->copy.conn, "_rows_keys", &args, take_keys, rows, e) &&
	       e->class == ERR_NONE;
}

static bool write_table(struct rows_copy *rows, const struct copy_table *table, struct err *e)
{
	const struct sql_args args = ARGS(arg_number("n", table->n), arg_text("at_text", buf_text(&rows->at_text)),
					  arg_text("back_text", buf_text(&rows->back_text)));

	return copy_write_table(&rows->copy, table, e) &&
	       section_exec(rows->copy.port->server, rows->copy.conn, "_rows_put_keys", &args, NULL, e);
}

/* One to be copied or read back; else one that was read at another moment. */
static bool next_table(struct rows_copy *rows, struct copy_table *table, struct err *e)
{
	return copy_next_table(&rows->copy, SNAPSHOT_NONE, table, e) &&
	       (table->found || copy_next_table(&rows->copy, rows->past->snapshot, table, e)) &&
	       (!table->found || read_keys(rows, table, e));
}

static bool move_rows(struct rows_copy *rows, struct err *e)
{
	struct copy_table table;

	do {
		if (!next_table(rows, &table, e))
			return false;
		if (!table.found) {
			rows->copy.run.phase = COPY_LATER;
			return true;
		}
		if (!rows_table_page(rows, &table, e) || !write_table(rows, &table, e))
			return false;
		rows->copy.last = table;
	} while (rows->copy.rows_left > 0);
	return true;
}

/* ---- transactions ---- */

/* A run makes its own copy: what an earlier run of the clone made was changed by its later steps. */
static bool begin_if_needed(struct rows_copy *rows, const struct fence *f, struct err *e)
{
	struct copy_run *run = &rows->copy.run;
	int64_t schema = rows->past->source_schema;
	bool ours = run->found && run->run == f->run;
	bool moved = ours && run->phase < COPY_FINISHED && run->source_schema != schema;

	if (ours && !moved)
		return true;
	if (moved && run->starts >= STARTS_MAX)
		return err_set(e, ERR_TRANSIENT, 0, where, "the tables of the source were changed %d times during the copy",
			       STARTS_MAX);
	*run = (struct copy_run){ .found = true, .run = f->run, .source_schema = schema, .starts = moved ? run->starts + 1 : 0 };
	return rows_make_tables(rows, e);
}

typedef bool work_fn(struct rows_copy *rows, const struct fence *f, struct err *e);

static bool do_rows(struct rows_copy *rows, const struct fence *f, struct err *e)
{
	return copy_read_run(&rows->copy, e) && begin_if_needed(rows, f, e) &&
	       (rows->copy.run.phase != COPY_ROWS || move_rows(rows, e));
}

static bool do_end(struct rows_copy *rows, const struct fence *f, struct err *e)
{
	(void)f;
	rows->copy.run.phase = COPY_FINISHED;
	return rows_set_counters(rows, e);
}

static bool remember(struct rows_copy *rows, const struct fence *f, struct sql_pages *pages, struct err *e)
{
	struct copy *copy = &rows->copy;

	*pages = (struct sql_pages){ 0 };
	if (!copy_write_run(copy, e) || !copy_totals(copy, pages, e))
		return false;
	pages->table_rows = copy->last.at.rows;
	pages->table_bytes = copy->last.bytes;
	snprintf(pages->table, sizeof pages->table, "%.*s", (int)sizeof pages->table - 1, copy->last.name);
	snprintf(pages->cursor, sizeof pages->cursor, "run %d phase %d", copy->run.run, (int)copy->run.phase);
	return ledger_set(copy->port, copy->conn, f, pages->rows, pages->cursor, e);
}

static bool in_transaction(struct rows_copy *rows, const struct fence *f, work_fn *work, struct sql_pages *pages, struct err *e)
{
	if (!fenced_begin(rows->copy.port, rows->copy.conn, f, e))
		return false;
	if (work(rows, f, e) && remember(rows, f, pages, e) && conn_commit(rows->copy.conn, e))
		return true;
	conn_rollback(rows->copy.conn);
	return false;
}

/* What comes behind the rows is asked of the source as it is now. */
static bool make_later(struct rows_copy *rows, const struct fence *f, bool *more_r, struct err *e)
{
	int64_t schema;

	if (!rows_schema_number(rows, &schema, e))
		return false;
	rows->past_is_over = schema != rows->copy.run.source_schema;
	if (rows->past_is_over)
		return err_set(e, ERR_TRANSIENT, 0, where, "the tables of the source were changed during the copy");
	return rows_make_later(rows, f, more_r, e);
}

static bool advance(struct rows_copy *rows, const struct fence *f, struct sql_pages *pages, struct err *e)
{
	bool more = true;

	if (!in_transaction(rows, f, do_rows, pages, e))
		return false;
	if (rows->copy.run.phase == COPY_LATER &&
	    (!make_later(rows, f, &more, e) || (!more && !in_transaction(rows, f, do_end, pages, e))))
		return false;
	pages->finished = rows->copy.run.phase == COPY_FINISHED;
	rows->past_is_over = pages->finished;
	return true;
}

static bool copy_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct rows_copy rows = { .copy = { .port = p, .filter = filter } };
	struct sql_pages next;
	bool ok;

	if (strcmp(f->generation, p->target) != 0 || !p->source[0])
		return err_set(e, ERR_MISUSE, 0, where, "this step has no source, or another generation");
	rows.copy.rows_left = (int64_t)server_settings(p->server)->page_rows;
	buf_init(&rows.sql, STATEMENT_MAX);
	buf_init(&rows.page, CELL_MAX_BYTES);
	buf_init(&rows.text, TEXT_MAX_BYTES);
	buf_init(&rows.at_text, KEY_MAX_BYTES);
	buf_init(&rows.back_text, KEY_MAX_BYTES);
	ok = open_all(&rows, f, e) && advance(&rows, f, &next, e);
	close_all(&rows);
	if (ok)
		*pages = next;
	return ok;
}

void port_row_copy(struct sql_port *port)
{
	port->copy_next = copy_next;
}
