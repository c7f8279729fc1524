/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/libpq/copy_text.h"

#include <string.h>

static const char plain_of[256] = { ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['v'] = '\v' };
static const char letter_of[256] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
				     ['\t'] = 't', ['\v'] = 'v', ['\\'] = '\\' };

static bool unescape(struct buf *out, const char *p, const char *end)
{
	buf_clear(out);
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		const char *stop = slash ? slash : end;
		char letter;

		if (!buf_add(out, p, (size_t)(stop - p)))
			return false;
		p = stop;
		if (!slash || p + 1 == end)
			return p == end;
		letter = plain_of[(unsigned char)p[1]] ? plain_of[(unsigned char)p[1]] : p[1];
		if (!buf_add(out, &letter, 1))
			return false;
		p += 2;
	}
	return true;
}

static bool escape(struct buf *out, const char *p, size_t len)
{
	const char *end = p + len, *plain = p;

	for (; p < end; p++) {
		char pair[2] = { '\\', letter_of[(unsigned char)*p] };

		if (!pair[1])
			continue;
		if (!buf_add(out, plain, (size_t)(p - plain)) || !buf_add(out, pair, 2))
			return false;
		plain = p + 1;
	}
	return buf_add(out, plain, (size_t)(end - plain));
}

uint64_t pg_mix(uint64_t hash, const char *p, size_t len)
{
	uint64_t word;

	for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
		memcpy(&word, p, sizeof word);
		hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
		hash ^= hash >> 32;
	}
	word = len;
	memcpy(&word, p, len); /* at most 7 bytes */
	hash = (hash ^ word ^ (uint64_t)len << 56) * 0xD6E8FEB86659FD93u;
	return hash ^ hash >> 29;
}

struct cell_text { /* as it stands in a line */
	const char *p;
	size_t len;
};

static bool is_null(const struct cell_text *cell)
{
	return cell->len == 2 && cell->p[0] == '\\' && cell->p[1] == 'N';
}

/* Shows the cell to the filter; what is to be written instead is in w->changed. */
static bool filtered(struct pg_line_work *w, const struct pg_column *column, struct cell_text *cell)
{
	const char *text = cell->p;
	size_t len = cell->len;

	if (memchr(text, '\\', len)) {
		if (!unescape(&w->plain, text, text + len))
			return false;
		text = buf_text(&w->plain);
		len = w->plain.len;
	}
	buf_clear(&w->changed);
	switch (w->filter->cell(w->filter->arg, w->table, column->name, column->width, text, len, &w->changed)) {
	case SQL_CELL_KEEP:
		return true;
	case SQL_CELL_NULL:
		*cell = (struct cell_text){ "\\N", 2 };
		w->lines.cells_changed++;
		return true;
	case SQL_CELL_REPLACE:
		break;
	}
	if (w->changed.failed)
		return false;
	if (w->changed.len == len && memcmp(buf_text(&w->changed), text, len) == 0)
		return true;
	buf_clear(&w->plain);
	w->lines.cells_changed++;
	if (!escape(&w->plain, buf_text(&w->changed), w->changed.len))
		return false;
	*cell = (struct cell_text){ buf_text(&w->plain), w->plain.len };
	return true;
}

/* Of a value that the server writes in its own way only whether there is one counts. */
static uint64_t hash_cell(uint64_t hash, const struct pg_column *column, const struct cell_text *cell)
{
	if (column->is_exact || is_null(cell))
		return pg_mix(hash, cell->p, cell->len);
	return pg_mix(hash, "\t", 1);
}

static bool one_cell(struct pg_line_work *w, size_t i, struct cell_text cell, uint64_t *hash, struct err *e)
{
	const struct pg_column *column = w->columns[i];
	bool ok = true;

	w->lines.bytes += (int64_t)cell.len;
	if (w->filter && column->is_text && !is_null(&cell))
		ok = filtered(w, column, &cell);
	*hash = hash_cell(*hash, column, &cell);
	if (ok && w->out)
		ok = (i == 0 || buf_add(w->out, "\t", 1)) && buf_add(w->out, cell.p, cell.len);
	return ok || err_set(e, ERR_REFUSED, 0, "sql", "a value of table %s, column %s, is too large", w->table,
			     column->name);
}

bool pg_line(struct pg_line_work *w, const char *line, size_t len, struct err *e)
{
	const char *p = line, *end = line + len;
	uint64_t hash = 0;
	size_t i = 0;

	if (w->is_binary)
		return pg_binary_row(w, line, len, e);
	if (end > p && end[-1] == '\n')
		end--;
	for (; i < w->count; i++) {
		const char *tab = memchr(p, '\t', (size_t)(end - p)), *stop = tab ? tab : end;

		if (!one_cell(w, i, (struct cell_text){ p, (size_t)(stop - p) }, &hash, e))
			return false;
		if (!tab)
			break;
		p = tab + 1;
	}
	if (w->count && i + 1 != w->count)
		return err_set(e, ERR_BUG, 0, "sql", "a row of table %s has another number of values", w->table);
	w->lines.rows++;
	w->lines.checksum += pg_mix(hash, "\n", 1);
	return !w->out || buf_add(w->out, "\n", 1) || err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
}
