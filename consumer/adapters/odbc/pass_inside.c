/* SPDX-License-Identifier: Apache-2.0
 * Pages whose rows never leave the library of their database: it shows each value to us by a function of ours
 * (ports/row_views.h) while it copies or reads the page with one statement. Nothing of a page is held in memory, so it is
 * bounded by its rows alone. What is shown does not depend on the order: a page's checksum is a sum over its cells, each
 * hashed with its row's key and its column. */
#include "consumer/adapters/odbc/pass.h"

#include <inttypes.h>
#include <string.h>

struct watching { /* of one statement */
	struct pass *pass;
	const struct sql_filter *filter; /* NULL: what is read counts as it is */
	bool copies;                     /* what the filter wants changed has to be changed */
	bool adds_up;                    /* the checksum is wanted */
	bool is_odd;                     /* a text where none can be changed */
	struct inside_tally tally;
	struct err err;
};

static const struct sql_inside *inside_of(const struct odbc_port *p)
{
	return server_dialect(p->server)->paging->inside;
}

bool pass_is_inside(const struct odbc_port *p)
{
	return inside_of(p) && server_settings(p->server)->views && p->pass->shape.row_key;
}

/* ---- what is shown ---- */

static bool too_large(struct watching *w)
{
	return err_set(&w->err, ERR_REFUSED, 0, "sql", "a changed text of table %s is too large", w->pass->shape.name);
}

static bool ask(struct watching *w, const struct column_shape *c, struct row_value *value)
{
	struct buf *out = &w->pass->text;

	buf_clear(out);
	switch (w->filter->cell(w->filter->arg, w->pass->shape.shown, c->name, c->width, value->bytes, value->len, out)) {
	case SQL_CELL_KEEP:
		return true;
	case SQL_CELL_NULL:
		*value = (struct row_value){ .kind = ROW_NULL };
		break;
	case SQL_CELL_REPLACE:
		if (out->failed)
			return too_large(w);
		if (out->len == value->len && memcmp(buf_text(out), value->bytes, out->len) == 0)
			return true;
		value->bytes = buf_text(out);
		value->len = out->len;
	}
	w->tally.cells_changed++;
	return true;
}

static uint64_t hash(int64_t key, size_t column, const struct row_value *value)
{
	struct packed_cell cell = { .type = PACKED_NULL };
	int64_t number = value->number;
	double real = value->real == 0 ? 0 : value->real; /* -0.0 may come back without its sign */

	if (value->kind == ROW_INTEGER)
		cell = (struct packed_cell){ PACKED_INTEGER, (const char *)&number, sizeof number };
	else if (value->kind == ROW_REAL)
		cell = (struct packed_cell){ PACKED_REAL, (const char *)&real, sizeof real };
	else if (value->kind != ROW_NULL)
		cell = (struct packed_cell){ value->kind == ROW_TEXT ? PACKED_TEXT : PACKED_BLOB, value->bytes, value->len };
	return packed_hash_end(packed_hash_cell((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) + column, &cell));
}

static bool see(void *arg, int64_t key, size_t column, struct row_value *value, bool can_change)
{
	struct watching *w = arg;

	if (column >= w->pass->shape.count)
		return err_set(&w->err, ERR_BUG, 0, "sql", "a column that is none was shown");
	if (w->filter && value->kind == ROW_TEXT) {
		w->is_odd = w->is_odd || (w->copies && !can_change);
		if (w->is_odd || !ask(w, &w->pass->shape.columns[column], value))
			return false;
	}
	w->tally.bytes += (int64_t)(value->kind == ROW_INTEGER || value->kind == ROW_REAL ? sizeof value->number : value->len);
	if (w->adds_up)
		w->tally.checksum += hash(key, column, value);
	return true;
}

/* ---- statements ---- */

static bool too_long(const struct pass *pass, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", pass->shape.name);
}

static bool take_reach(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct page *page = arg;

	(void)count;
	(void)e;
	page->rows = cells[0].number;
	page->last = cells[1].number;
	return false;
}

static bool reach(struct odbc_port *p, struct conn *c, const struct position *at, size_t max_rows, struct page *page_r,
		  struct err *e)
{
	const struct bind binds[] = { NUMBER(at->begun ? at->last_key : INT64_MIN), NUMBER((int64_t)max_rows) };
	struct pass *pass = p->pass;

	*page_r = (struct page){ .is_first = !at->begun, .first = INT64_MIN };
	if (at->begun && at->last_key < INT64_MAX)
		page_r->first = at->last_key + 1;
	buf_clear(&pass->sql);
	return (inside_of(p)->reach(&pass->sql, &pass->shape, pass->where, page_r->is_first) || too_long(pass, e)) &&
	       conn_query(c, buf_text(&pass->sql), binds, 2, take_reach, page_r, e);
}

/* Executes the statement in pass->sql, which shows the page's rows to *w and says how many they were. */
static bool run(struct odbc_port *p, struct conn *c, const struct page *page, struct watching *w, struct err *e)
{
	const struct bind binds[] = { NUMBER(page->first), NUMBER(page->last) };
	struct row_views *views = server_settings(p->server)->views;
	const struct row_viewer viewer = { see, w };
	const char *sql = buf_text(&p->pass->sql);
	int64_t rows = 0;
	bool found, ok;

	views->show_to(views, &viewer);
	ok = w->copies ? conn_exec(c, sql, binds, 2, &rows, e) : conn_number(c, sql, binds, 2, &rows, &found, e);
	views->show_to(views, NULL);
	if (!ok && w->err.class != ERR_NONE)
		*e = w->err;
	if (ok && rows != page->rows)
		ok = err_set(e, ERR_BUG, 0, "sql", "%" PRId64 " rows were gone over instead of %" PRId64, rows, page->rows);
	if (!ok)
		err_prepend(e, p->pass->shape.name);
	return ok;
}

static void advance(const struct page *page, struct position *at)
{
	at->begun = true;
	at->rows += page->rows;
	at->last_key = page->last;
}

bool pass_look_inside(struct odbc_port *p, struct conn *c, struct position *at, size_t max_rows,
		      const struct inside_look *look, struct inside_tally *tally_r, struct err *e)
{
	struct watching w = { .pass = p->pass, .filter = look->filter, .adds_up = look->adds_up };
	struct page page;

	*tally_r = w.tally;
	if (!reach(p, c, at, max_rows, &page, e))
		return false;
	if (page.rows == 0)
		return true;
	buf_clear(&p->pass->sql);
	if (!inside_of(p)->look(&p->pass->sql, &p->pass->shape, p->pass->where, look->computed))
		return too_long(p->pass, e);
	if (!run(p, c, &page, &w, e))
		return false;
	*tally_r = w.tally;
	tally_r->rows = page.rows;
	if (!look->only_if_same || !w.tally.cells_changed)
		advance(&page, at);
	return true;
}

static bool copy_once(struct odbc_port *p, struct conn *c, const struct page *page, struct watching *w, struct err *e)
{
	buf_clear(&p->pass->sql);
	return (inside_of(p)->copy(&p->pass->sql, &p->pass->shape) || too_long(p->pass, e)) && run(p, c, page, w, e);
}

/* Declared types are only a guess: where a text stands among whole numbers the page is taken back, and every column gets
 * a call of its own. */
static bool copy(struct odbc_port *p, struct conn *c, const struct page *page, struct watching *w, struct err *e)
{
	const struct sql_inside *inside = inside_of(p);
	const struct watching fresh = *w;
	struct err first = { .class = ERR_NONE };

	if (p->pass->shape.all_tagged)
		return copy_once(p, c, page, w, e);
	if (!conn_exec(c, inside->save, NULL, 0, NULL, e))
		return false;
	if (!copy_once(p, c, page, w, &first)) {
		if (!w->is_odd) {
			*e = first;
			return false;
		}
		*w = fresh;
		p->pass->shape.all_tagged = true;
		if (!conn_exec(c, inside->take_back, NULL, 0, NULL, e) || !copy_once(p, c, page, w, e))
			return false;
	}
	return conn_exec(c, inside->let_go, NULL, 0, NULL, e);
}

bool pass_copy_inside(struct odbc_port *p, struct conn *c, struct position *at, size_t max_rows,
		      const struct sql_filter *filter, struct inside_tally *tally_r, struct err *e)
{
	struct watching w = { .pass = p->pass, .filter = filter, .copies = true, .adds_up = true };
	struct page page;

	*tally_r = w.tally;
	if (!reach(p, c, at, max_rows, &page, e))
		return false;
	if (page.rows == 0)
		return true;
	if (!copy(p, c, &page, &w, e))
		return false;
	*tally_r = w.tally;
	tally_r->rows = page.rows;
	advance(&page, at);
	return true;
}
