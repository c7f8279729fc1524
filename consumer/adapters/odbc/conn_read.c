/* SPDX-License-Identifier: Apache-2.0
 * Rows out of an executed statement. */
#include "consumer/adapters/odbc/conn_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A driver that turns wide characters into UTF-8 does not split one, and may fill a little less than it could. */
enum { FIRST_BYTES = 64, UTF8_MAX = 4 };

struct result { /* one executed statement being read */
	SQLHSTMT stmt;
	SQLSMALLINT columns;
	bool is_number[COLUMNS_MAX];
};

static bool is_integer_type(SQLLEN type)
{
	return type == SQL_INTEGER || type == SQL_SMALLINT || type == SQL_TINYINT || type == SQL_BIGINT ||
	       type == SQL_BIT;
}

static bool describe(struct conn *c, struct result *r, struct err *e)
{
	if (!SQL_SUCCEEDED(SQLNumResultCols(r->stmt, &r->columns)))
		return conn_fail(c, SQL_HANDLE_STMT, r->stmt, NULL, e);
	if (r->columns < 1)
		return err_set(e, ERR_MISUSE, 0, "odbc", "the statement has no result");
	if (r->columns > COLUMNS_MAX)
		return err_set(e, ERR_MISUSE, 0, "odbc", "a result has more than %d columns", COLUMNS_MAX);
	for (SQLSMALLINT i = 0; i < r->columns; i++) {
		SQLLEN type = 0;

		if (!SQL_SUCCEEDED(
			SQLColAttribute(r->stmt, (SQLUSMALLINT)(i + 1), SQL_DESC_CONCISE_TYPE, NULL, 0, NULL, &type)))
			return conn_fail(c, SQL_HANDLE_STMT, r->stmt, NULL, e);
		r->is_number[i] = is_integer_type(type);
	}
	return true;
}

static bool grow_row(struct conn *c, size_t need, struct err *e)
{
	size_t size = c->row_size ? c->row_size : 1024;
	char *grown;

	if (need > CELL_MAX_BYTES)
		return err_set(e, ERR_REFUSED, 0, "odbc", "a row is larger than %zu MiB", CELL_MAX_BYTES >> 20);
	while (size < need)
		size *= 2;
	if (size == c->row_size)
		return true;
	grown = realloc(c->row, size);
	if (!grown)
		return err_set(e, ERR_TRANSIENT, 0, "odbc", "out of memory for a row of %zu bytes", need);
	c->row = grown;
	c->row_size = size;
	return true;
}

/* Appends one cell at *used, as often as the driver says that there is more (01004). The driver clears all of the
 * space it is given, so it is given only a little more than the last cell of this column took. */
static bool read_cell(struct conn *c, struct result *r, SQLSMALLINT i, size_t *used, struct cell *cell, struct err *e)
{
	size_t start = *used, space = c->usual[i] + FIRST_BYTES, filled;
	SQLLEN left = 0;
	SQLRETURN rc;

	for (;;) {
		if (!grow_row(c, *used + space, e))
			return false;
		rc = SQLGetData(r->stmt, (SQLUSMALLINT)(i + 1), SQL_C_CHAR, c->row + *used, (SQLLEN)space, &left);
		if (!SQL_SUCCEEDED(rc))
			return rc == SQL_NO_DATA || conn_fail(c, SQL_HANDLE_STMT, r->stmt, NULL, e);
		if (left == SQL_NULL_DATA) {
			cell->is_null = true;
			c->row[*used] = '\0';
			break;
		}
		if (left != SQL_NO_TOTAL && (size_t)left < space) {
			*used += (size_t)left;
			break;
		}
		filled = c->dialect->wide_texts ? strnlen(c->row + *used, space - 1) : space - 1;
		if (filled + UTF8_MAX <= space - 1)
			return err_set(e, ERR_REFUSED, 0, "odbc", "a long text holds a NUL");
		*used += filled;
		space = left == SQL_NO_TOTAL ? space * 2 : (size_t)left - (space - 1) + 1;
	}
	cell->len = *used - start;
	c->usual[i] = cell->len;
	*used += 1;
	return true;
}

static bool read_row(struct conn *c, struct result *r, struct cell *cells, struct err *e)
{
	size_t used = 0;
	char *p;

	memset(cells, 0, sizeof *cells * (size_t)r->columns);
	for (SQLSMALLINT i = 0; i < r->columns; i++)
		if (!read_cell(c, r, i, &used, &cells[i], e))
			return false;
	p = c->row;
	for (SQLSMALLINT i = 0; i < r->columns; i++) { /* only now the buffer stays where it is */
		char *end;

		cells[i].text = p;
		errno = 0;
		cells[i].number = strtoll(p, &end, 10);
		if (errno || *end || end == p)
			cells[i].number = 0;
		else
			cells[i].is_number = r->is_number[i];
		p += cells[i].len + 1;
	}
	return true;
}

static bool read_rows(struct conn *c, struct result *r, conn_row_fn *fn, void *arg, struct err *e)
{
	struct cell cells[COLUMNS_MAX];
	SQLRETURN rc;

	if (!describe(c, r, e))
		return false;
	while (SQL_SUCCEEDED(rc = SQLFetch(r->stmt))) {
		if (conn_is_stopped(c))
			return conn_fail_stopped(e);
		if (!read_row(c, r, cells, e))
			return false;
		if (!fn(arg, cells, (size_t)r->columns, e))
			return e->class == ERR_NONE;
	}
	if (rc != SQL_NO_DATA)
		return conn_fail(c, SQL_HANDLE_STMT, r->stmt, NULL, e);
	return conn_drain(c, r->stmt, e);
}

bool conn_query(struct conn *c, const char *sql, const struct bind *binds, size_t count, conn_row_fn *fn, void *arg,
		struct err *e)
{
	struct result r = { 0 };
	bool ok;

	if (!conn_run(c, sql, binds, count, &r.stmt, NULL, e))
		return false;
	ok = read_rows(c, &r, fn, arg, e);
	SQLFreeHandle(SQL_HANDLE_STMT, r.stmt);
	return ok;
}

struct first {
	bool found;
	int64_t number;
	struct buf *out;
};

static bool take_first(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct first *f = arg;

	(void)count;
	f->found = !cells[0].is_null;
	f->number = cells[0].number;
	if (f->found && f->out && !buf_add(f->out, cells[0].text, cells[0].len))
		err_set(e, ERR_REFUSED, 0, "odbc", "a value is larger than %zu bytes", f->out->max);
	return false;
}

bool conn_number(struct conn *c, const char *sql, const struct bind *binds, size_t count, int64_t *value_r,
		 bool *found_r, struct err *e)
{
	struct first f = { 0 };

	if (!conn_query(c, sql, binds, count, take_first, &f, e))
		return false;
	*found_r = f.found;
	*value_r = f.number;
	return true;
}

bool conn_text(struct conn *c, const char *sql, const struct bind *binds, size_t count, struct buf *out, bool *found_r,
	       struct err *e)
{
	struct first f = { .out = out };

	if (!conn_query(c, sql, binds, count, take_first, &f, e))
		return false;
	*found_r = f.found;
	return true;
}
