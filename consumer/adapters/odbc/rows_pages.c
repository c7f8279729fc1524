/* SPDX-License-Identifier: Apache-2.0
 * Pages of one table: read in the order of its key, shown to the filter, stored as one JSON text a statement. Counts and
 * checksums are of the masked rows; a sum of hashes does not depend on the order in which rows are read. */
#include "consumer/adapters/odbc/rows.h"

#include <inttypes.h>
#include <string.h>

enum { KEYS_MAX = 32 };
#define BATCH_BYTES ((size_t)2 << 20) /* of one statement, unless a row is larger */
#define PAGE_BYTES  ((int64_t)32 << 20)

struct page_pass { /* of the page under way */
	struct rows_copy *rows;
	const struct sql_filter *filter; /* NULL: rows are taken as they are */
	bool writes;
	struct buf *behind; /* becomes the key of the last row */
	int64_t count, bytes, cells_changed;
	uint64_t checksum;
};

static bool too_much(const struct page_pass *p, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "a row of table %s is too large", p->rows->shape.name);
}

/* ---- one row ---- */

/* Puts what the filter makes of it into *cell, borrowed until the next call. */
static bool filter_cell(struct page_pass *p, const struct rows_column *c, struct packed_cell *cell, struct err *e)
{
	struct buf *text = &p->rows->text;
	enum sql_cell wish;

	if (!p->filter || cell->type == PACKED_NULL || (c->kind != ROWS_TEXT && c->kind != ROWS_XML))
		return true;
	buf_clear(text);
	wish = p->filter->cell(p->filter->arg, p->rows->shape.name, c->name, c->width, cell->text, cell->len, text);
	if (wish == SQL_CELL_KEEP)
		return true;
	if (wish == SQL_CELL_REPLACE && text->failed)
		return too_much(p, e);
	if (wish == SQL_CELL_REPLACE && text->len == cell->len && memcmp(buf_text(text), cell->text, cell->len) == 0)
		return true;
	p->cells_changed++;
	*cell = wish == SQL_CELL_NULL ? (struct packed_cell){ .type = PACKED_NULL } :
					(struct packed_cell){ PACKED_TEXT, buf_text(text), text->len };
	return true;
}

static bool add_cell(struct page_pass *p, size_t i, const struct packed_cell *cell)
{
	struct buf *page = &p->rows->page;

	return buf_add_text(page, i ? "," : page->len ? ",[" : "[[") &&
	       (cell->type == PACKED_NULL ? buf_add_text(page, "null") : packed_add_text(page, cell->text, cell->len));
}

/* As it is in the source: a key that is masked is still the one to go on behind. As packed.h reads it. */
static bool note_key(struct page_pass *p, const struct cell *cells, struct err *e)
{
	const struct rows_shape *t = &p->rows->shape;
	bool ok;

	buf_clear(p->behind);
	ok = buf_add_text(p->behind, "[[0,[");
	for (int part = 1; ok && part <= (int)t->keys; part++) {
		const struct cell *c = &cells[rows_key_column(t, part)];

		ok = buf_add_text(p->behind, part > 1 ? "," : "") && packed_add_text(p->behind, c->text, c->len);
	}
	return (ok && buf_add_text(p->behind, "]]]")) || too_much(p, e);
}

/* ---- writing ---- */

static bool flush(struct page_pass *p, struct err *e)
{
	struct rows_copy *rows = p->rows;

	if (!rows->page.len)
		return true;
	buf_clear(&rows->sql);
	if (!buf_add_text(&rows->page, "]") || !rows_text_write(&rows->sql, &rows->shape))
		return too_much(p, e);
	if (!conn_exec(rows->copy.conn, buf_text(&rows->sql), &TEXT(buf_text(&rows->page)), 1, NULL, e)) {
		err_prepend(e, rows->shape.name);
		return false;
	}
	buf_clear(&rows->page);
	return true;
}

static bool take_row(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct page_pass *p = arg;
	uint64_t hash = 0;

	for (size_t i = 0; i < count; i++) {
		const struct rows_column *c = &p->rows->shape.columns[i];
		struct packed_cell cell = { cells[i].is_null ? PACKED_NULL : PACKED_TEXT, cells[i].text, cells[i].len };

		if (memchr(cell.text, '\0', cell.len))
			return err_set(e, ERR_REFUSED, 0, "sql", "a text of table %s, column %s, holds a NUL",
				       p->rows->shape.name, c->name);
		if (!filter_cell(p, c, &cell, e))
			return false;
		hash = packed_hash_cell(hash, &cell);
		p->bytes += (int64_t)cell.len;
		if (p->writes && !add_cell(p, i, &cell))
			return too_much(p, e);
	}
	p->checksum += packed_hash_end(hash);
	p->count++;
	if (p->writes && !buf_add_text(&p->rows->page, "]"))
		return too_much(p, e);
	return note_key(p, cells, e) && (p->rows->page.len < BATCH_BYTES || flush(p, e));
}

/* ---- a page ---- */

struct key_texts { /* of the row to go on behind */
	struct arena *mem;
	struct bind binds[KEYS_MAX];
	size_t count;
};

static bool take_key(void *arg, int64_t ignored, const struct packed_cell *cells, struct err *e)
{
	struct key_texts *k = arg;

	(void)ignored;
	for (size_t i = 0; i < k->count; i++) {
		const char *text = arena_text(k->mem, cells[i].text, cells[i].len);

		if (!text)
			return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		k->binds[i] = TEXT(text);
	}
	return true;
}

static bool read_key(struct page_pass *p, struct key_texts *k, struct err *e)
{
	struct packed_cell cells[KEYS_MAX];
	struct buf *text = &p->rows->text;

	if (k->count > KEYS_MAX)
		return err_set(e, ERR_REFUSED, 0, "sql", "the key of table %s has too many columns", p->rows->shape.name);
	buf_clear(text); /* reading writes over it */
	return (buf_add(text, buf_text(p->behind), p->behind->len) || too_much(p, e)) &&
	       packed_read(text->data, text->len, cells, k->count, take_key, k, e);
}

/* So many rows as the last ones let expect to be not too many bytes. */
static size_t page_rows(const struct rows_copy *rows, const struct copy_table *table)
{
	int64_t wanted = (int64_t)server_settings(rows->copy.port->server)->page_rows;
	int64_t row_bytes = table->at.rows > 0 ? table->bytes / table->at.rows : 0;

	if (row_bytes > 0 && wanted > PAGE_BYTES / row_bytes)
		wanted = PAGE_BYTES / row_bytes;
	return wanted > 0 ? (size_t)wanted : 1;
}

/* *more_r: there may be another one. */
static bool one_page(struct page_pass *p, struct conn *from, const struct position *at, size_t wanted, bool *more_r,
		     struct err *e)
{
	struct rows_copy *rows = p->rows;
	struct key_texts k = { .mem = arena_new(1 << 20), .count = at->begun ? rows->shape.keys : 0 };
	bool ok = (k.mem || err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory")) && (!k.count || read_key(p, &k, e));

	buf_clear(&rows->page);
	buf_clear(&rows->sql);
	ok = ok && (rows_text_read(&rows->sql, &rows->shape, wanted, !at->begun) || too_much(p, e)) &&
	     conn_query(from, buf_text(&rows->sql), k.binds, k.count, take_row, p, e) && flush(p, e);
	arena_free(&k.mem);
	rows->past_is_over = !ok && from == rows->past->conn; /* a cancelled statement ends the transaction, too */
	*more_r = p->count == (int64_t)wanted;
	rows->copy.rows_left -= p->count;
	return ok;
}

static void move(struct position *at, int64_t rows)
{
	at->begun = at->begun || rows > 0;
	at->rows += rows;
}

/* ---- what is done with a table ---- */

static bool copy_page(struct rows_copy *rows, struct copy_table *table, struct err *e)
{
	struct page_pass p = { .rows = rows, .filter = rows->copy.filter, .writes = true, .behind = &rows->at_text };
	int64_t snapshot = rows->past->snapshot;
	bool more;

	if (!one_page(&p, rows->past->conn, &table->at, page_rows(rows, table), &more, e))
		return false;
	if (table->snapshot != snapshot)
		table->snapshot = table->at.begun ? SNAPSHOT_MIXED : snapshot;
	move(&table->at, p.count);
	table->bytes += p.bytes;
	table->cells_changed += p.cells_changed;
	table->checksum += p.checksum;
	if (!more)
		table->phase = TABLE_READ_BACK;
	return true;
}

/* One page of the generation, or of the source as the filter wants it. */
static bool see_page(struct rows_copy *rows, struct copy_table *table, bool of_source, bool *more_r, struct err *e)
{
	struct page_pass p = { .rows = rows, .filter = of_source ? rows->copy.filter : NULL, .behind = &rows->back_text };

	if (!one_page(&p, of_source ? rows->past->conn : rows->copy.conn, &table->back_at, page_rows(rows, table), more_r, e))
		return false;
	move(&table->back_at, p.count);
	table->back_checksum += p.checksum;
	return true;
}

static bool is_equal(const struct copy_table *table)
{
	return table->back_at.rows == table->at.rows && table->back_checksum == table->checksum;
}

static bool back_page(struct rows_copy *rows, struct copy_table *table, struct err *e)
{
	bool more;

	if (!see_page(rows, table, false, &more, e))
		return false;
	if (more)
		return true;
	table->phase = TABLE_DONE;
	return is_equal(table) ||
	       err_set(e, ERR_REFUSED, 0, "sql",
		       "table %s was read back different: %" PRId64 " rows written, %" PRId64 " read, checksum %s", table->name,
		       table->at.rows, table->back_at.rows,
		       table->back_checksum == table->checksum ? "equal" : "different");
}

static void begin_back(struct rows_copy *rows, struct copy_table *table)
{
	buf_clear(&rows->back_text);
	table->back_at = (struct position){ 0 };
	table->back_checksum = 0;
}

static bool begin_again(struct rows_copy *rows, struct copy_table *table, struct err *e)
{
	struct copy_table fresh = { .found = true, .n = table->n };

	memcpy(fresh.name, table->name, sizeof fresh.name);
	*table = fresh;
	buf_clear(&rows->at_text);
	buf_clear(&rows->back_text);
	buf_clear(&rows->sql);
	return (rows_text_empty(&rows->sql, &rows->shape) ||
		err_set(e, ERR_REFUSED, 0, "sql", "the name of table %s cannot be quoted", table->name)) &&
	       conn_exec(rows->copy.conn, buf_text(&rows->sql), NULL, 0, NULL, e);
}

/* A table that was read before this snapshot began: is it still what the source holds? While that is being looked at, its
 * number is the negative one of the snapshot that is compared with. */
static bool compare_page(struct rows_copy *rows, struct copy_table *table, struct err *e)
{
	int64_t snapshot = rows->past->snapshot;
	bool more;

	if (table->phase != TABLE_COMPARE || table->snapshot != -snapshot)
		begin_back(rows, table);
	table->phase = TABLE_COMPARE;
	table->snapshot = -snapshot;
	if (!see_page(rows, table, true, &more, e))
		return false;
	if (more)
		return true;
	if (!is_equal(table))
		return begin_again(rows, table, e);
	table->phase = TABLE_DONE;
	table->snapshot = snapshot;
	return true;
}

bool rows_table_page(struct rows_copy *rows, struct copy_table *table, struct err *e)
{
	if (!rows_read_shape(rows, table->name, e))
		return false;
	switch (table->phase) {
	case TABLE_ROWS:
		return copy_page(rows, table, e);
	case TABLE_READ_BACK:
		return back_page(rows, table, e);
	default:
		return compare_page(rows, table, e);
	}
}
