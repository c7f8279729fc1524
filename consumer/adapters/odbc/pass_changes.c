/* SPDX-License-Identifier: Apache-2.0
 * What a filter wants changed in a page, and writing the page with it. Changed texts travel as one JSON object per
 * column into a table of the session, from where the statement that writes the page takes them. */
#include "consumer/adapters/odbc/pass.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool too_much(struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the changed texts of one page are too large");
}

/* ---- remembering ---- */

static bool add_key(struct new_column *column, int64_t key)
{
	return buf_printf(&column->json, "%s\"%" PRId64 "\":", column->count++ ? "," : "{", key);
}

static bool remember_odd(struct pass *pass, int64_t key, size_t column, const char *text, size_t len, struct err *e)
{
	struct odd_text *odd;

	if (!pass->shape.row_key)
		return err_set(e, ERR_REFUSED, 0, "sql", "a changed text of table %s, column %s, holds a NUL",
			       pass->shape.name, pass->shape.columns[column].name);
	odd = malloc(sizeof *odd + len + 1);
	if (!odd)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	*odd = (struct odd_text){ .next = pass->odd, .key = key, .column = column, .len = len };
	memcpy(odd->text, text, len);
	odd->text[len] = '\0';
	pass->odd = odd;
	return true;
}

static bool remember_text(struct pass *pass, int64_t key, size_t column, const char *text, size_t len, struct err *e)
{
	struct new_column *c = &pass->columns[column];
	bool odd = memchr(text, '\0', len) != NULL;

	if (!add_key(c, key) || !packed_add_text(&c->json, odd ? "" : text, odd ? 0 : len))
		return too_much(e);
	if (pass->changes[column] == CHANGE_NONE)
		pass->changes[column] = CHANGE_TEXT;
	return !odd || remember_odd(pass, key, column, text, len, e);
}

static bool remember_null(struct pass *pass, int64_t key, size_t column, struct err *e)
{
	struct new_column *c = &pass->columns[column];

	if (!add_key(c, key) || !buf_add_text(&c->json, "null"))
		return too_much(e);
	pass->changes[column] = CHANGE_MAYBE_NULL;
	return true;
}

bool pass_filter(struct pass *pass, const struct sql_filter *filter, int64_t key, size_t column,
		 struct packed_cell *cell, bool *changed_r, struct err *e)
{
	const struct column_shape *c = &pass->shape.columns[column];

	*changed_r = false;
	if (!filter || cell->type != PACKED_TEXT)
		return true;
	buf_clear(&pass->text);
	switch (filter->cell(filter->arg, pass->shape.shown, c->name, c->width, cell->text, cell->len, &pass->text)) {
	case SQL_CELL_KEEP:
		return true;
	case SQL_CELL_NULL:
		*changed_r = true;
		*cell = (struct packed_cell){ .type = PACKED_NULL };
		return remember_null(pass, key, column, e);
	case SQL_CELL_REPLACE:
		break;
	}
	if (pass->text.failed)
		return too_much(e);
	if (pass->text.len == cell->len && memcmp(buf_text(&pass->text), cell->text, cell->len) == 0)
		return true;
	*changed_r = true;
	cell->text = buf_text(&pass->text);
	cell->len = pass->text.len;
	return remember_text(pass, key, column, cell->text, cell->len, e);
}

void pass_forget_changes(struct pass *pass)
{
	for (size_t i = 0; pass->columns && i < pass->shape.count; i++) {
		if (!pass->columns[i].count)
			continue;
		pass->columns[i].count = 0;
		pass->changes[i] = CHANGE_NONE;
		buf_clear(&pass->columns[i].json);
	}
	while (pass->odd) {
		struct odd_text *next = pass->odd->next;

		free(pass->odd);
		pass->odd = next;
	}
}

/* ---- writing ---- */

/* Brings the changed texts into the session. */
static bool put_changes(struct odbc_port *p, struct conn *c, struct err *e)
{
	const struct sql_paging *paging = server_dialect(p->server)->paging;
	struct pass *pass = p->pass;

	for (size_t i = 0; i < pass->shape.count; i++) {
		struct buf *json = &pass->columns[i].json;

		if (!pass->columns[i].count)
			continue;
		if (!buf_add(json, "}", 1))
			return too_much(e);
		const struct bind binds[] = { NUMBER((int64_t)i), TEXT(json->data) };

		if (!conn_exec(c, paging->put_changes, binds, 2, NULL, e))
			return false;
	}
	return true;
}

static bool put_odd(struct odbc_port *p, struct conn *c, struct err *e)
{
	struct pass *pass = p->pass;

	for (const struct odd_text *odd = pass->odd; odd; odd = odd->next) {
		const struct bind binds[] = { { .kind = BIND_BYTES, .text = odd->text, .len = odd->len },
					      NUMBER(odd->key) };

		buf_clear(&pass->sql);
		if (!server_dialect(p->server)->paging->set_column(&pass->sql, &pass->shape, odd->column))
			return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long",
				       pass->shape.name);
		if (!conn_exec(c, buf_text(&pass->sql), binds, 2, NULL, e))
			return false;
	}
	return true;
}

static bool write_page(struct odbc_port *p, struct conn *c, const struct page *page, bool copy, int64_t *rows_r,
		       struct err *e)
{
	const struct bind binds[] = { NUMBER(page->first), NUMBER(page->last) };
	const struct sql_paging *paging = server_dialect(p->server)->paging;
	struct pass *pass = p->pass;

	if (!put_changes(p, c, e))
		return false;
	buf_clear(&pass->sql);
	if (!(copy ? paging->copy : paging->rewrite)(&pass->sql, &pass->shape, pass->changes, page->is_first))
		return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", pass->shape.name);
	return conn_exec(c, buf_text(&pass->sql), binds, pass->shape.row_key ? 2 : 0, rows_r, e) && put_odd(p, c, e) &&
	       conn_exec(c, paging->clear_changes, NULL, 0, NULL, e);
}

static bool named(const struct pass *pass, bool ok, struct err *e)
{
	if (!ok)
		err_prepend(e, pass->shape.name);
	return ok;
}

bool pass_copy(struct odbc_port *p, struct conn *c, const struct page *page, struct err *e)
{
	int64_t rows = 0;
	bool ok = write_page(p, c, page, true, &rows, e);

	if (ok && rows != page->rows)
		ok = err_set(e, ERR_BUG, 0, "sql", "%" PRId64 " rows were written instead of %" PRId64, rows,
			     page->rows);
	pass_forget_changes(p->pass);
	return named(p->pass, ok, e);
}

bool pass_rewrite(struct odbc_port *p, struct conn *c, const struct page *page, struct err *e)
{
	bool ok = write_page(p, c, page, false, NULL, e);

	pass_forget_changes(p->pass);
	return named(p->pass, ok, e);
}
