/* SPDX-License-Identifier: Apache-2.0
 * Rows of COPY's binary format, which the server reads in half the time: a number of values, then each with its length
 * before it, -1 for NULL; all numbers big-endian. A header goes before the first row, the number -1 ends the last. */
#include "consumer/adapters/libpq/copy_text.h"

#include <string.h>

enum { HEADER_LEN = 19, COUNT_LEN = 2, LENGTH_LEN = 4 };

static const char header[HEADER_LEN] = "PGCOPY\n\377\r\n"; /* then two numbers that are 0 */

static bool is_header(const char *row, size_t len)
{
	return len >= HEADER_LEN && memcmp(row, header, HEADER_LEN) == 0;
}

static int32_t number_at(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

static bool put_number(struct buf *out, int32_t number)
{
	const char bytes[LENGTH_LEN] = { (char)(number >> 24), (char)(number >> 16), (char)(number >> 8), (char)number };

	return buf_add(out, bytes, sizeof bytes);
}

struct value {
	const char *p;
	int32_t len; /* -1: NULL */
};

/* What is to be written instead is in w->changed. */
static bool filtered(struct pg_line_work *w, const struct pg_column *column, struct value *v)
{
	size_t len = (size_t)v->len;

	buf_clear(&w->changed);
	switch (w->filter->cell(w->filter->arg, w->table, column->name, column->width, v->p, len, &w->changed)) {
	case SQL_CELL_KEEP:
		return true;
	case SQL_CELL_NULL:
		*v = (struct value){ NULL, -1 };
		break;
	case SQL_CELL_REPLACE:
		if (w->changed.failed || w->changed.len > INT32_MAX)
			return false;
		if (w->changed.len == len && memcmp(buf_text(&w->changed), v->p, len) == 0)
			return true;
		*v = (struct value){ buf_text(&w->changed), (int32_t)w->changed.len };
		break;
	}
	w->lines.cells_changed++;
	return true;
}

static uint64_t hash_value(uint64_t hash, const struct pg_column *column, const struct value *v)
{
	if (v->len < 0)
		return pg_mix(hash, "\\N", 2);
	return column->is_exact ? pg_mix(hash, v->p, (size_t)v->len) : pg_mix(hash, "\t", 1);
}

static bool one_value(struct pg_line_work *w, size_t i, struct value v, uint64_t *hash, struct err *e)
{
	const struct pg_column *column = w->columns[i];
	bool ok = true;

	w->lines.bytes += v.len > 0 ? v.len : 0;
	if (w->filter && column->is_text && v.len >= 0)
		ok = filtered(w, column, &v);
	*hash = hash_value(*hash, column, &v);
	if (ok && w->out)
		ok = put_number(w->out, v.len) && (v.len <= 0 || buf_add(w->out, v.p, (size_t)v.len));
	return ok || err_set(e, ERR_REFUSED, 0, "sql", "a value of table %s, column %s, is too large", w->table,
			     column->name);
}

static bool broken(const struct pg_line_work *w, struct err *e)
{
	return err_set(e, ERR_BUG, 0, "sql", "a row of table %s has another number of values", w->table);
}

bool pg_binary_row(struct pg_line_work *w, const char *row, size_t len, struct err *e)
{
	const char *p = row, *end = row + len;
	uint64_t hash = 0;

	if (is_header(p, len)) {
		if (w->out && !buf_add(w->out, p, HEADER_LEN))
			return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		p += HEADER_LEN;
	}
	if (p == end)
		return true;
	if (end - p < COUNT_LEN)
		return broken(w, e);
	if (w->out && !buf_add(w->out, p, COUNT_LEN))
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	if (p[0] == '\377' && p[1] == '\377')
		return true;
	if ((size_t)((unsigned char)p[0] << 8 | (unsigned char)p[1]) != w->count)
		return broken(w, e);
	p += COUNT_LEN;
	for (size_t i = 0; i < w->count; i++) {
		struct value v;

		if (end - p < LENGTH_LEN)
			return broken(w, e);
		v = (struct value){ p + LENGTH_LEN, number_at(p) };
		p += LENGTH_LEN;
		if (v.len > end - p)
			return broken(w, e);
		if (!one_value(w, i, v, &hash, e))
			return false;
		p += v.len > 0 ? v.len : 0;
	}
	w->lines.rows++;
	w->lines.checksum += pg_mix(hash, "\n", 1);
	return true;
}
