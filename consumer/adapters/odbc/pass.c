/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/pass.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 2000, FIRST_ROWS = 200 };
#define SHAPE_MAX_BYTES ((size_t)4 << 20)
#define PAGE_BYTES      ((int64_t)2 << 20) /* a BLOB travels as hex: 4 MiB at most, unless one row is larger */
#define TEXT_MAX_BYTES  ((size_t)256 << 20)

static const struct sql_paging *paging_of(const struct odbc_port *p)
{
	return server_dialect(p->server)->paging;
}

bool pass_name_too_long(const char *table, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the name of table %.60s... is longer than %d bytes", table,
		       NAME_BYTES - 1);
}

/* ---- life ---- */

static struct pass *pass_new(struct err *e)
{
	struct pass *pass = calloc(1, sizeof *pass);

	if (pass)
		pass->mem = arena_new(SHAPE_MAX_BYTES);
	if (!pass || !pass->mem) {
		free(pass);
		err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		return NULL;
	}
	buf_init(&pass->sql, STATEMENT_MAX);
	buf_init(&pass->page, CELL_MAX_BYTES);
	buf_init(&pass->text, TEXT_MAX_BYTES);
	return pass;
}

static void forget_shape(struct pass *pass)
{
	pass_forget_changes(pass);
	for (size_t i = 0; pass->columns && i < pass->shape.count; i++)
		buf_done(&pass->columns[i].json);
	pass->columns = NULL;
	pass->has_shape = false;
	memset(&pass->shape, 0, sizeof pass->shape);
	arena_clear(pass->mem);
}

void pass_free(struct pass **pp)
{
	struct pass *pass = *pp;

	if (!pass)
		return;
	forget_shape(pass);
	free(pass->tables.items);
	arena_free(&pass->tables.mem);
	arena_free(&pass->mem);
	buf_done(&pass->sql);
	buf_done(&pass->page);
	buf_done(&pass->text);
	free(pass);
	*pp = NULL;
}

bool pass_session(const struct odbc_port *p, struct conn *c, struct err *e)
{
	for (const char *const *sql = paging_of(p)->session; *sql; sql++)
		if (!conn_exec(c, *sql, NULL, 0, NULL, e))
			return false;
	return true;
}

struct conn *pass_conn(struct odbc_port *p, struct err *e)
{
	struct link *l = port_pages_link(p, e);

	if (!l || p->pass)
		return l ? l->conn : NULL;
	if (!pass_session(p, l->conn, e))
		return NULL;
	if (!l->pass)
		l->pass = pass_new(e);
	if (!l->pass)
		return NULL;
	forget_shape(l->pass); /* tables may have changed since another port read it */
	l->pass->tables.count = 0;
	p->pass = l->pass;
	return l->conn;
}

bool pass_settle(struct odbc_port *p, struct conn *c, struct err *e)
{
	const struct sql_paging *paging = paging_of(p);

	if (paging->settle_section)
		return section_exec(p->server, c, paging->settle_section, NULL, NULL, e);
	return conn_exec(c, paging->settle, NULL, 0, NULL, e);
}

void pass_rolled_back(struct pass *pass)
{
	pass->bounds_of[0] = '\0';
	pass_forget_changes(pass);
}

/* ---- shape ---- */

struct shaping {
	const struct odbc_port *port;
	struct pass *pass;
	size_t keys;
	const char *key_type;
};

static bool take_column(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct shaping *s = arg;
	struct table_shape *t = &s->pass->shape;
	struct column_shape *c = &t->columns[t->count];

	(void)count;
	if (t->count == COLUMNS_MAX)
		return err_set(e, ERR_REFUSED, 0, "sql", "table %s has more than %d columns", t->name, COLUMNS_MAX);
	c->name = arena_text(s->pass->mem, cells[0].text, cells[0].len);
	c->is_stored = cells[2].number == 0;
	c->key_part = (int)cells[3].number;
	paging_of(s->port)->shape_column(c, cells[1].text);
	if (c->key_part) {
		s->keys++;
		s->key_type = arena_text(s->pass->mem, cells[1].text, cells[1].len);
	}
	t->count++;
	return (c->name && (!c->key_part || s->key_type)) || err_set(e, ERR_REFUSED, 0, "sql", "a table is too wide");
}

static bool make_room(struct pass *pass, struct err *e)
{
	size_t count = pass->shape.count;

	pass->cells = arena_take(pass->mem, count * sizeof *pass->cells);
	pass->changes = arena_take(pass->mem, count * sizeof *pass->changes);
	pass->columns = arena_take(pass->mem, count * sizeof *pass->columns);
	if (!pass->cells || !pass->changes || !pass->columns) {
		pass->columns = NULL;
		return err_set(e, ERR_REFUSED, 0, "sql", "table %s is too wide", pass->shape.name);
	}
	for (size_t i = 0; i < count; i++)
		buf_init(&pass->columns[i].json, TEXT_MAX_BYTES);
	return true;
}

static bool load_shape(struct odbc_port *p, struct conn *c, enum beside where, const char *table, struct err *e)
{
	const struct sql_catalogue *catalogue = server_dialect(p->server)->catalogue;
	struct shaping s = { .port = p, .pass = p->pass, .key_type = "" };
	struct table_shape *t = &p->pass->shape;
	int64_t has_key = 0;
	bool found;

	if (strlen(table) >= NAME_BYTES)
		return pass_name_too_long(table, e);
	t->name = arena_text(p->pass->mem, table, strlen(table));
	t->shown = t->name && paging_of(p)->names_schema && strchr(t->name, '.') ? strchr(t->name, '.') + 1 : t->name;
	t->columns = arena_take(p->pass->mem, COLUMNS_MAX * sizeof *t->columns);
	if (!t->name || !t->columns)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	if (!conn_query(c, catalogue->columns[where], &TEXT(table), 1, take_column, &s, e) ||
	    !conn_number(c, catalogue->hidden_key[where], &TEXT(table), 1, &has_key, &found, e))
		return false;
	if (t->count == 0)
		return err_set(e, ERR_REFUSED, 0, "sql", "there is no table %s", table);
	if (has_key && !paging_of(p)->shape_key(t, s.keys == 1 ? s.key_type : ""))
		return err_set(e, ERR_REFUSED, 0, "sql", "table %s hides the key that its pages would go by", table);
	if (!has_key && s.keys == 0)
		return err_set(e, ERR_REFUSED, 0, "sql",
			       "table %s has no primary key and no unique index of columns that are never NULL, so its rows"
			       " cannot be told apart: give it one in the source", table);
	return make_room(p->pass, e);
}

bool pass_shape(struct odbc_port *p, struct conn *c, enum beside where, const char *table, struct err *e)
{
	struct pass *pass = p->pass;

	if (pass->has_shape && pass->where == where && strcmp(pass->shape.name, table) == 0)
		return true;
	forget_shape(pass);
	pass->where = where;
	pass->has_shape = load_shape(p, c, where, table, e);
	pass->guess = FIRST_ROWS;
	if (!pass->has_shape)
		forget_shape(pass);
	return pass->has_shape;
}

/* ---- pages ---- */

static bool too_long(const struct pass *pass, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", pass->shape.name);
}

static bool set_bounds(struct odbc_port *p, struct conn *c, const enum bound *ops, size_t count, bool first,
		       size_t rows, struct err *e)
{
	struct pass *pass = p->pass;

	for (size_t i = 0; i < count; i++) {
		buf_clear(&pass->sql);
		if (!paging_of(p)->bound(&pass->sql, &pass->shape, pass->where, ops[i], first, rows))
			return too_long(pass, e);
		if (!conn_exec(c, buf_text(&pass->sql), NULL, 0, NULL, e))
			return false;
	}
	return true;
}

bool pass_can_resume(const struct pass *pass, const struct position *at)
{
	return !at->begun || pass->shape.row_key ||
	       (pass->bounds_where == pass->where && pass->bounds_rows == at->rows &&
		strcmp(pass->bounds_of, pass->shape.name) == 0);
}

static bool begin_bounds(struct odbc_port *p, struct conn *c, struct err *e)
{
	static const enum bound ops[] = { BOUND_DROP_LOW, BOUND_DROP_HIGH, BOUND_MAKE_LOW, BOUND_MAKE_HIGH };

	p->pass->bounds_of[0] = '\0';
	if (!set_bounds(p, c, ops, sizeof ops / sizeof ops[0], true, 0, e))
		return false;
	strcpy(p->pass->bounds_of, p->pass->shape.name); /* load_shape has checked its length */
	p->pass->bounds_where = p->pass->where;
	p->pass->bounds_rows = 0;
	return true;
}

struct size {
	struct page *page;
	int64_t bytes;
};

static bool take_size(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct size *size = arg;

	(void)count;
	(void)e;
	size->page->rows = cells[0].number;
	size->page->last = cells[1].number;
	size->bytes = cells[2].number;
	return false;
}

static bool measure(struct odbc_port *p, struct conn *c, const struct position *at, struct page *page, size_t rows,
		    int64_t *bytes_r, struct err *e)
{
	static const enum bound ops[] = { BOUND_CLEAR_HIGH, BOUND_REACH };
	const struct bind binds[] = { NUMBER(page->is_first ? INT64_MIN : at->last_key), NUMBER((int64_t)rows) };
	struct size size = { .page = page };
	struct pass *pass = p->pass;
	bool keyed = pass->shape.row_key != NULL;

	if (!keyed && !set_bounds(p, c, ops, 2, page->is_first, rows, e))
		return false;
	buf_clear(&pass->sql);
	if (!paging_of(p)->measure(&pass->sql, &pass->shape, pass->where, page->is_first))
		return too_long(pass, e);
	if (!conn_query(c, buf_text(&pass->sql), binds, keyed ? 2 : 0, take_size, &size, e))
		return false;
	*bytes_r = size.bytes;
	return true;
}

bool pass_next(struct odbc_port *p, struct conn *c, const struct position *at, size_t max_rows, struct page *page_r,
	       struct err *e)
{
	struct pass *pass = p->pass;
	size_t rows = pass->guess < max_rows ? pass->guess : max_rows;

	*page_r = (struct page){ .is_first = !at->begun, .first = INT64_MIN };
	if (at->begun && at->last_key < INT64_MAX)
		page_r->first = at->last_key + 1;
	if (!pass->shape.row_key && !at->begun && !begin_bounds(p, c, e))
		return false;
	for (;;) {
		int64_t bytes = 0;

		if (!measure(p, c, at, page_r, rows, &bytes, e))
			return false;
		if (bytes <= PAGE_BYTES || page_r->rows <= 1) {
			pass->guess = bytes <= PAGE_BYTES / 2 ? rows * 2 : rows;
			return true;
		}
		rows = (size_t)(page_r->rows * PAGE_BYTES / bytes / 2);
		if (rows == 0)
			rows = 1;
	}
}

static size_t page_binds(const struct pass *pass, const struct page *page, struct bind binds[2])
{
	binds[0] = NUMBER(page->first);
	binds[1] = NUMBER(page->last);
	return pass->shape.row_key ? 2 : 0;
}

static bool fetch(struct odbc_port *p, struct conn *c, const struct page *page, struct err *e)
{
	struct pass *pass = p->pass;
	struct bind binds[2];
	size_t count = page_binds(pass, page, binds);
	bool found;

	buf_clear(&pass->sql);
	buf_clear(&pass->page);
	if (!paging_of(p)->read(&pass->sql, &pass->shape, pass->where, page->is_first))
		return too_long(pass, e);
	if (!conn_text(c, buf_text(&pass->sql), binds, count, &pass->page, &found, e))
		return false;
	return found || err_set(e, ERR_BUG, 0, "sql", "a page of table %s is not there", pass->shape.name);
}

/* Declared types are only a guess. A wrong one makes the database refuse (a BLOB) or shows (a real). */
static bool fetch_tagged_if_needed(struct odbc_port *p, struct conn *c, const struct page *page, struct err *e)
{
	struct pass *pass = p->pass;
	struct err first = { 0 };
	bool ok = fetch(p, c, page, pass->shape.all_tagged ? e : &first);

	if (pass->shape.all_tagged)
		return ok;
	if (ok && !packed_is_odd(pass->page.data, pass->page.len))
		return true;
	if (!ok && first.class != ERR_REFUSED)
		return err_set(e, first.class, first.code, first.where, "%s", first.text);
	pass->shape.all_tagged = true;
	return fetch(p, c, page, e);
}

bool pass_rows(struct odbc_port *p, struct conn *c, const struct page *page, packed_row_fn *fn, void *arg,
	       struct err *e)
{
	struct pass *pass = p->pass;

	if (fetch_tagged_if_needed(p, c, page, e) &&
	    packed_read(pass->page.data, pass->page.len, pass->cells, pass->shape.count, fn, arg, e))
		return true;
	err_prepend(e, pass->shape.name);
	return false;
}

bool pass_advance(struct odbc_port *p, struct conn *c, const struct page *page, struct position *at, struct err *e)
{
	static const enum bound ops[] = { BOUND_CLEAR_LOW, BOUND_ADVANCE };

	at->begun = true;
	at->rows += page->rows;
	at->last_key = page->last;
	if (p->pass->shape.row_key)
		return true;
	p->pass->bounds_rows = at->rows;
	return set_bounds(p, c, ops, 2, false, 0, e);
}
