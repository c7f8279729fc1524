/* SPDX-License-Identifier: Apache-2.0
 * mask_next and scan_next: over all tables of the generation, page by page. The cursor says how many tables are done
 * and where the pass is in the next one; a table without hidden key is begun again by whoever takes over. */
#include "consumer/adapters/odbc/pass.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX_BYTES ((size_t)16 << 20)
static const char finished_word[] = "finished";

struct sweep {
	struct odbc_port *port;
	struct conn *conn;
	const struct sql_filter *filter;
	struct sql_pages *pages;
	bool writes;
	bool listed;  /* the tables were read in this call */
	bool travels; /* the rest of the call, see page_inside */
	struct position at;
	int64_t rows_left;
	/* of the page under way */
	int64_t bytes, cells_changed;
};

/* ---- cursor ---- */

static bool read_cursor(struct sweep *s, struct err *e)
{
	struct sql_pages *p = s->pages;
	int begun = 0;

	p->finished = strncmp(p->cursor, finished_word, strlen(finished_word)) == 0;
	if (!p->cursor[0])
		return true;
	if (sscanf(p->cursor, "%*s %" SCNd64 " %d %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
		   &p->tables_done, &begun, &s->at.last_key, &s->at.rows, &p->rows, &p->bytes, &p->cells_changed) != 7)
		return err_set(e, ERR_MISUSE, 0, "sql", "the cursor of a pass is damaged");
	s->at.begun = begun != 0;
	return true;
}

static void write_cursor(struct sweep *s)
{
	struct sql_pages *p = s->pages;

	snprintf(p->cursor, sizeof p->cursor,
		 "%s %" PRId64 " %d %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64,
		 p->finished ? finished_word : "table", p->tables_done, s->at.begun, s->at.last_key, s->at.rows,
		 p->rows, p->bytes, p->cells_changed);
}

/* ---- the tables ---- */

static bool make_room(struct swept_tables *list, struct err *e)
{
	size_t size = list->size ? 2 * list->size : 512;
	struct swept_table *grown = realloc(list->items, size * sizeof *grown);

	if (!grown)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	list->items = grown;
	list->size = size;
	return true;
}

static bool take_table(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct swept_tables *list = arg;
	const char *name = arena_text(list->mem, cells[0].text, cells[0].len);

	(void)count;
	if (cells[0].len >= NAME_BYTES)
		return pass_name_too_long(cells[0].text, e);
	if (!name)
		return err_set(e, ERR_REFUSED, 0, "sql", "there are too many tables");
	if (list->count == list->size && !make_room(list, e))
		return false;
	list->items[list->count++] = (struct swept_table){ name, cells[2].number != 0 };
	return true;
}

static bool list_tables(struct sweep *s, struct err *e)
{
	const char *sql = server_dialect(s->port->server)->catalogue->tables[BESIDE_MAIN];
	struct swept_tables *list = &s->port->pass->tables;

	list->count = 0;
	if (!list->mem)
		list->mem = arena_new(LIST_MAX_BYTES);
	if (!list->mem)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	arena_clear(list->mem);
	if (!conn_query(s->conn, sql, NULL, 0, take_table, list, e)) {
		list->count = 0;
		return false;
	}
	s->listed = true;
	return true;
}

/* The table under way, NULL when all are done. Reading the list costs as much as a page of a small table: it is read when
 * a pass begins and once more at its end, so that no table is left out that came meanwhile. */
static bool find_table(struct sweep *s, const struct swept_table **table_r, struct err *e)
{
	const struct swept_tables *list = &s->port->pass->tables;
	size_t nth = (size_t)s->pages->tables_done;

	*table_r = NULL;
	if (nth >= list->count && !s->listed && !list_tables(s, e))
		return false;
	s->pages->tables_total = (int64_t)list->count;
	if (nth >= list->count)
		return true;
	*table_r = &list->items[nth];
	if ((*table_r)->is_odd) /* a pass that left it out would prove nothing */
		return err_set(e, ERR_REFUSED, 0, "sql", "table %s is a virtual one: its texts cannot be looked at",
			       (*table_r)->name);
	return true;
}

/* ---- triggers: a rewritten address must not land in a history table or send a mail ---- */

struct trigger {
	struct trigger *next;
	const char *name, *definition; /* the statement that makes it, or brings it back */
	const char *off;               /* the statement that takes it away; NULL: it is dropped */
};

struct triggers {
	struct arena *mem;
	struct trigger *first;
};

static bool take_trigger(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct triggers *list = arg;
	struct trigger *t = arena_take(list->mem, sizeof *t);

	if (t) {
		t->name = arena_text(list->mem, cells[0].text, cells[0].len);
		t->definition = arena_text(list->mem, cells[1].text, cells[1].len);
		t->off = count > 2 ? arena_text(list->mem, cells[2].text, cells[2].len) : NULL;
	}
	if (!t || !t->name || !t->definition || (count > 2 && !t->off))
		return err_set(e, ERR_REFUSED, 0, "sql", "a table has too many triggers");
	t->next = list->first;
	list->first = t;
	return true;
}

static bool drop_trigger(struct sweep *s, const struct trigger *t, struct err *e)
{
	struct buf *sql = &s->port->pass->sql;

	if (t->off)
		return conn_exec(s->conn, t->off, NULL, 0, NULL, e);
	buf_clear(sql);
	if (!buf_add_text(sql, "DROP TRIGGER ") || !sql_quote_name(sql, t->name))
		return err_set(e, ERR_REFUSED, 0, "sql", "the name of a trigger cannot be quoted");
	return conn_exec(s->conn, buf_text(sql), NULL, 0, NULL, e);
}

static bool rewrite_without(struct sweep *s, const struct page *page, const struct trigger *first, struct err *e)
{
	struct buf *sql = &s->port->pass->sql;

	for (const struct trigger *t = first; t; t = t->next)
		if (!drop_trigger(s, t, e))
			return false;
	if (!pass_rewrite(s->port, s->conn, page, e))
		return false;
	for (const struct trigger *t = first; t; t = t->next)
		if (!sql_plain_definition(t->definition, sql, e) ||
		    !conn_exec(s->conn, buf_text(sql), NULL, 0, NULL, e))
			return false;
	return true;
}

/* All in the transaction of the page: nobody ever sees the table without its triggers. */
static bool rewrite(struct sweep *s, const struct page *page, struct err *e)
{
	const char *sql = server_dialect(s->port->server)->catalogue->triggers;
	struct triggers list = { .mem = arena_new(LIST_MAX_BYTES) };
	bool ok = list.mem != NULL || err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");

	ok = ok && conn_query(s->conn, sql, &TEXT(s->port->pass->shape.name), 1, take_trigger, &list, e) &&
	     rewrite_without(s, page, list.first, e);
	arena_free(&list.mem);
	return ok;
}

/* ---- pages ---- */

static bool see_row(void *arg, int64_t key, const struct packed_cell *cells, struct err *e)
{
	struct sweep *s = arg;
	struct pass *pass = s->port->pass;

	for (size_t i = 0; i < pass->shape.count; i++) {
		const struct column_shape *c = &pass->shape.columns[i];
		struct packed_cell cell = cells[i];
		bool changed = false;

		s->bytes += (int64_t)(cell.type == PACKED_BLOB ? cell.len / 2 : cell.len);
		if (cell.type != PACKED_TEXT || (s->writes && !c->is_stored))
			continue;
		if (!s->writes) {
			buf_clear(&pass->text);
			s->filter->cell(s->filter->arg, pass->shape.shown, c->name, c->width, cell.text, cell.len,
					&pass->text);
		} else if (!pass_filter(pass, s->filter, key, i, &cell, &changed, e)) {
			return false;
		}
		s->cells_changed += changed;
	}
	return true;
}

static bool page_travelling(struct sweep *s, int64_t *rows_r, struct err *e)
{
	struct odbc_port *p = s->port;
	struct page page;

	if (!pass_next(p, s->conn, &s->at, (size_t)s->rows_left, &page, e))
		return false;
	*rows_r = page.rows;
	s->bytes = s->cells_changed = 0;
	if (page.rows > 0 &&
	    (!pass_rows(p, s->conn, &page, see_row, s, e) || (s->cells_changed && !rewrite(s, &page, e)) ||
	     !pass_advance(p, s->conn, &page, &s->at, e))) {
		pass_forget_changes(p->pass);
		return false;
	}
	return true;
}

/* A page in which something is to be changed has to travel, and so have those behind it in this call: where one text is
 * raw, others are. */
static bool page_inside(struct sweep *s, int64_t *rows_r, struct err *e)
{
	const struct inside_look look = { .filter = s->filter, .computed = !s->writes, .only_if_same = s->writes };
	struct inside_tally seen;

	if (!pass_look_inside(s->port, s->conn, &s->at, (size_t)s->rows_left, &look, &seen, e))
		return false;
	s->travels = s->writes && seen.cells_changed > 0;
	if (s->travels)
		return page_travelling(s, rows_r, e);
	*rows_r = seen.rows;
	s->bytes = seen.bytes;
	s->cells_changed = 0;
	return true;
}

static bool one_page(struct sweep *s, const char *table, struct err *e)
{
	struct odbc_port *p = s->port;
	int64_t rows;

	if (!pass_shape(p, s->conn, BESIDE_MAIN, table, e))
		return false;
	if (!pass_can_resume(p->pass, &s->at))
		s->at = (struct position){ 0 };
	if (!(pass_is_inside(p) && !s->travels ? page_inside(s, &rows, e) : page_travelling(s, &rows, e)))
		return false;
	if (rows == 0) {
		s->at = (struct position){ 0 };
		s->pages->tables_done++;
		return true;
	}
	s->pages->rows += rows;
	s->pages->bytes += s->bytes;
	s->pages->cells_changed += s->cells_changed;
	s->rows_left -= rows;
	return true;
}

static bool sweep_pages(struct sweep *s, struct err *e)
{
	const struct swept_table *table;

	while (!s->pages->finished && s->rows_left > 0) {
		if (!find_table(s, &table, e))
			return false;
		s->pages->finished = !table;
		if (table && !one_page(s, table->name, e))
			return false;
		snprintf(s->pages->table, sizeof s->pages->table, "%.*s", (int)sizeof s->pages->table - 1,
			 table ? table->name : "");
		s->pages->table_rows = s->at.rows;
	}
	write_cursor(s);
	return true;
}

static bool begin(struct sweep *s, struct sql_port *self, struct sql_pages *next, const struct sql_filter *filter,
		  bool writes, struct err *e)
{
	struct odbc_port *p = port_of(self);

	*s = (struct sweep){ .port = p, .filter = filter, .pages = next, .writes = writes };
	s->rows_left = (int64_t)server_settings(p->server)->page_rows;
	if (!filter || !filter->cell)
		return err_set(e, ERR_MISUSE, 0, "sql", "a pass over texts needs a filter");
	s->conn = pass_conn(p, e);
	if (!s->conn)
		return false;
	if (!next->cursor[0])
		p->pass->tables.count = 0; /* it may be long since they were read */
	return read_cursor(s, e);
}

/* Ends the transaction without a commit and forgets what was rolled back with it. */
static void end(struct sweep *s)
{
	conn_rollback(s->conn);
	pass_rolled_back(s->port->pass);
}

static bool mask_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct sql_pages next = *pages;
	struct sweep s;

	if (!begin(&s, self, &next, filter, true, e) || !fenced_begin(s.port, s.conn, f, e))
		return false;
	if (!sweep_pages(&s, e) || !ledger_set(s.port, s.conn, f, next.rows, next.cursor, e) ||
	    !conn_commit(s.conn, e)) {
		end(&s);
		return false;
	}
	/* Also the old pages in the log go. */
	if (next.finished && !pass_settle(s.port, s.conn, e))
		return false;
	*pages = next;
	return true;
}

static bool scan_next(struct sql_port *self, const struct sql_filter *filter, struct sql_pages *pages, struct err *e)
{
	struct sql_pages next = *pages;
	struct sweep s;

	if (!begin(&s, self, &next, filter, false, e) || !conn_begin_read(s.conn, e))
		return false;
	if (!sweep_pages(&s, e) || !conn_commit(s.conn, e)) {
		end(&s);
		return false;
	}
	*pages = next;
	return true;
}

void port_sweeps(struct sql_port *port)
{
	port->mask_next = mask_next;
	port->scan_next = scan_next;
}
