/* SPDX-License-Identifier: Apache-2.0
 * Copying one table: page after page through the filter, then reading it back. Counts and checksums are of the masked
 * rows; the sum does not depend on the order in which rows are read. */
#include "consumer/adapters/odbc/copy.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <inttypes.h>
#include <string.h>

struct tally { /* of the page under way */
	struct copy *copy;
	bool filters;
	int64_t bytes, cells_changed;
	uint64_t checksum;
};

static bool tally_row(void *arg, int64_t key, const struct packed_cell *cells, struct err *e)
{
	struct tally *t = arg;
	struct pass *pass = t->copy->port->pass;
	uint64_t hash = 0;

	for (size_t i = 0; i < pass->shape.count; i++) {
		struct packed_cell cell = cells[i];
		bool changed = false;

		if (!pass->shape.columns[i].is_stored)
			continue; /* the database computes it from what was copied */
		if (t->filters && !pass_filter(pass, t->copy->filter, key, i, &cell, &changed, e))
			return false;
		hash = packed_hash_cell(hash, &cell);
		t->cells_changed += changed;
		t->bytes += (int64_t)(cell.type == PACKED_BLOB ? cell.len / 2 : cell.len);
	}
	t->checksum += packed_hash_end(hash);
	return true;
}

/* What is left of this call; the comparison of a source that moved goes on beyond it. */
static size_t page_rows(const struct copy *copy)
{
	return copy->rows_left > 0 ? (size_t)copy->rows_left : server_settings(copy->port->server)->page_rows;
}

static bool empty_table(struct copy *copy, struct copy_table *table, struct err *e)
{
	struct pass *pass = copy->port->pass;

	*table = (struct copy_table){ .found = true, .n = table->n };
	memcpy(table->name, pass->shape.name, strlen(pass->shape.name) + 1);
	buf_clear(&pass->sql);
	if (!buf_add_text(&pass->sql, "DELETE FROM ") || !sql_quote_name(&pass->sql, table->name))
		return err_set(e, ERR_REFUSED, 0, "sql", "the name of table %s cannot be quoted", table->name);
	return conn_exec(copy->conn, buf_text(&pass->sql), NULL, 0, NULL, e);
}

/* ---- reading the source ---- */

static bool copy_travelling(struct copy *copy, struct position *at, struct inside_tally *moved_r, struct err *e)
{
	struct odbc_port *p = copy->port;
	struct tally tally = { .copy = copy, .filters = true };
	struct page page;

	if (!pass_next(p, copy->conn, at, page_rows(copy), &page, e))
		return false;
	if (page.rows > 0 &&
	    (!pass_rows(p, copy->conn, &page, tally_row, &tally, e) || !pass_copy(p, copy->conn, &page, e) ||
	     !pass_advance(p, copy->conn, &page, at, e))) {
		pass_forget_changes(p->pass);
		return false;
	}
	*moved_r = (struct inside_tally){ page.rows, tally.bytes, tally.cells_changed, tally.checksum };
	return true;
}

static bool copy_page(struct copy *copy, struct copy_table *table, bool *more_r, struct err *e)
{
	struct odbc_port *p = copy->port;
	struct inside_tally moved;

	if (!(pass_is_inside(p) ?
	      pass_copy_inside(p, copy->conn, &table->at, page_rows(copy), copy->filter, &moved, e) :
	      copy_travelling(copy, &table->at, &moved, e)))
		return false;
	*more_r = moved.rows > 0;
	if (!*more_r)
		return true;
	table->bytes += moved.bytes;
	table->cells_changed += moved.cells_changed;
	table->checksum += moved.checksum;
	if (table->snapshot != p->pass->snapshot)
		table->snapshot = table->at.rows == moved.rows ? p->pass->snapshot : SNAPSHOT_MIXED;
	copy->rows_left -= moved.rows;
	return true;
}

static bool rows_page(struct copy *copy, struct copy_table *table, struct err *e)
{
	bool more;

	if (!pass_shape(copy->port, copy->conn, BESIDE_SOURCE, table->name, e))
		return false;
	if (!pass_can_resume(copy->port->pass, &table->at) && !empty_table(copy, table, e))
		return false;
	if (!copy_page(copy, table, &more, e))
		return false;
	if (!more) {
		table->phase = TABLE_READ_BACK;
		if (table->at.rows == 0)
			table->snapshot = copy->port->pass->snapshot;
	}
	return true;
}

/* ---- reading back ---- */

static bool read_inside(struct copy *copy, struct position *at, bool filters, uint64_t *checksum, bool *more_r,
			struct err *e)
{
	const struct inside_look look = { .filter = filters ? copy->filter : NULL, .adds_up = true };
	struct inside_tally seen;

	if (!pass_look_inside(copy->port, copy->conn, at, page_rows(copy), &look, &seen, e))
		return false;
	*more_r = seen.rows > 0;
	*checksum += seen.checksum;
	copy->rows_left -= seen.rows;
	return true;
}

static bool read_travelling(struct copy *copy, struct position *at, bool filters, uint64_t *checksum, bool *more_r,
			    struct err *e)
{
	struct odbc_port *p = copy->port;
	struct tally tally = { .copy = copy, .filters = filters };
	struct page page;
	bool ok = pass_next(p, copy->conn, at, page_rows(copy), &page, e);

	*more_r = ok && page.rows > 0;
	if (*more_r)
		ok = pass_rows(p, copy->conn, &page, tally_row, &tally, e) && pass_advance(p, copy->conn, &page, at, e);
	pass_forget_changes(p->pass);
	if (!ok)
		return false;
	*checksum += tally.checksum;
	copy->rows_left -= page.rows;
	return true;
}

static bool read_page(struct copy *copy, struct position *at, bool filters, uint64_t *checksum, bool *more_r,
		      struct err *e)
{
	if (pass_is_inside(copy->port))
		return read_inside(copy, at, filters, checksum, more_r, e);
	return read_travelling(copy, at, filters, checksum, more_r, e);
}
static bool check_counts(const struct copy_table *table, struct err *e)
{
	if (table->back_at.rows == table->at.rows && table->back_checksum == table->checksum)
		return true;
	return err_set(e, ERR_REFUSED, 0, "sql",
		       "table %s was read back different: %" PRId64 " rows written, %" PRId64 " read, checksum %s",
		       table->name, table->at.rows, table->back_at.rows,
		       table->back_checksum == table->checksum ? "equal" : "different");
}

static bool back_page(struct copy *copy, struct copy_table *table, struct err *e)
{
	bool more;

	if (!pass_shape(copy->port, copy->conn, BESIDE_MAIN, table->name, e))
		return false;
	if (!pass_can_resume(copy->port->pass, &table->back_at)) {
		table->back_at = (struct position){ 0 };
		table->back_checksum = 0;
	}
	if (!read_page(copy, &table->back_at, false, &table->back_checksum, &more, e))
		return false;
	if (more)
		return true;
	table->phase = TABLE_DONE;
	return check_counts(table, e);
}

bool copy_table_page(struct copy *copy, struct copy_table *table, struct err *e)
{
	return table->phase == TABLE_ROWS ? rows_page(copy, table, e) : back_page(copy, table, e);
}

/* ---- a source that moved ---- */

static bool is_as_source(struct copy *copy, const struct copy_table *table, bool *same_r, struct err *e)
{
	struct position at = { 0 };
	uint64_t checksum = 0;
	bool more = true;

	if (!pass_shape(copy->port, copy->conn, BESIDE_SOURCE, table->name, e))
		return false;
	while (more)
		if (!read_page(copy, &at, true, &checksum, &more, e))
			return false;
	*same_r = at.rows == table->at.rows && checksum == table->checksum;
	return true;
}

bool copy_table_again(struct copy *copy, struct copy_table *table, struct err *e)
{
	bool same;

	if (!is_as_source(copy, table, &same, e))
		return false;
	if (same) {
		table->snapshot = copy->port->pass->snapshot;
		return true;
	}
	if (!empty_table(copy, table, e))
		return false;
	while (table->phase != TABLE_DONE)
		if (!copy_table_page(copy, table, e))
			return false;
	return true;
}
