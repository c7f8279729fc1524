/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/packed.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	char *at, *end;
};

static bool broken(struct err *e)
{
	return err_set(e, ERR_BUG, 0, "packed", "the database gave a page that cannot be read");
}

static bool take(struct reader *r, char ch)
{
	if (r->at == r->end || *r->at != ch)
		return false;
	r->at++;
	return true;
}

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

/* The four digits behind \u; only characters below 128 are ever escaped this way. */
static bool escaped_code(struct reader *r, char *out)
{
	int code = 0;

	for (int i = 0; i < 4; i++) {
		int digit = r->at < r->end ? hex_digit(*r->at++) : -1;

		if (digit < 0)
			return false;
		code = code * 16 + digit;
	}
	*out = (char)code;
	return code < 128;
}

static bool escaped(struct reader *r, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (r->at == r->end)
		return false;
	if (*r->at == 'u') {
		r->at++;
		return escaped_code(r, out);
	}
	found = *r->at ? strchr(from, *r->at) : NULL;
	if (!found)
		return false;
	r->at++;
	*out = to[found - from];
	return true;
}

/* A text in quotes; what it means is written over it, which is never longer. */
static bool text(struct reader *r, struct packed_cell *cell)
{
	char *out, *quote, *back;

	if (!take(r, '"'))
		return false;
	cell->text = out = r->at;
	quote = memchr(r->at, '"', (size_t)(r->end - r->at));
	back = quote ? memchr(r->at, '\\', (size_t)(quote - r->at)) : NULL;
	if (quote && !back) { /* nearly always */
		cell->len = (size_t)(quote - r->at);
		r->at = quote + 1;
		return true;
	}
	while (r->at < r->end && *r->at != '"') {
		if (*r->at != '\\') {
			*out++ = *r->at++;
			continue;
		}
		r->at++;
		if (!escaped(r, out))
			return false;
		out++;
	}
	cell->len = (size_t)(out - cell->text);
	return take(r, '"');
}

static bool tagged(struct reader *r, struct packed_cell *cell)
{
	cell->type = PACKED_REAL;
	if (!take(r, '[') || !text(r, cell))
		return false;
	if (take(r, ',')) {
		cell->type = PACKED_BLOB;
		if (!text(r, cell))
			return false;
	}
	return take(r, ']');
}

static bool bare(struct reader *r, struct packed_cell *cell)
{
	cell->text = r->at;
	while (r->at < r->end && *r->at != ',' && *r->at != ']')
		r->at++;
	cell->len = (size_t)(r->at - cell->text);
	cell->type = PACKED_INTEGER;
	if (cell->len == 4 && memcmp(cell->text, "null", 4) == 0) {
		cell->type = PACKED_NULL;
		cell->len = 0;
		return true;
	}
	for (size_t i = cell->text[0] == '-'; i < cell->len; i++)
		if (cell->text[i] < '0' || cell->text[i] > '9')
			return false;
	return cell->len > (size_t)(cell->text[0] == '-');
}

static bool cell_of(struct reader *r, struct packed_cell *cell)
{
	if (r->at == r->end)
		return false;
	if (*r->at == '"') {
		cell->type = PACKED_TEXT;
		return text(r, cell);
	}
	return *r->at == '[' ? tagged(r, cell) : bare(r, cell);
}

static bool row(struct reader *r, int64_t *key_r, struct packed_cell *cells, size_t count)
{
	struct packed_cell key;
	size_t n = 0;

	if (!take(r, '[') || !bare(r, &key) || key.type != PACKED_INTEGER)
		return false;
	*key_r = strtoll(key.text, NULL, 10); /* ends at the ',' behind it */
	while (take(r, ',')) {
		if (!take(r, '['))
			return false;
		do {
			if (n == count || !cell_of(r, &cells[n++]))
				return false;
		} while (take(r, ','));
		if (!take(r, ']'))
			return false;
	}
	return take(r, ']') && n == count;
}

/* Behind the quote that ends the text that begins at p. */
static const char *skip_text(const char *p, const char *end)
{
	const char *start = p + 1;

	for (p = start; (p = memchr(p, '"', (size_t)(end - p))); p++) {
		size_t backs = 0;

		while (p - backs > start && p[-1 - (ptrdiff_t)backs] == '\\')
			backs++;
		if (backs % 2 == 0)
			return p + 1;
	}
	return end;
}

bool packed_is_odd(const char *page, size_t len)
{
	const char *p = page, *end = page + len;

	while (p < end) {
		if (*p == '"') {
			p = skip_text(p, end);
			continue;
		}
		if (*p == '.' || *p == 'e' || *p == 'E' || *p == 'I') /* also of "Inf" */
			return true;
		p++;
	}
	return false;
}

bool packed_read(char *page, size_t len, struct packed_cell *cells, size_t count, packed_row_fn *fn, void *arg,
		 struct err *e)
{
	struct reader r = { .at = page, .end = page + len };
	int64_t key;

	if (!take(&r, '['))
		return broken(e);
	if (take(&r, ']'))
		return true;
	do {
		if (!row(&r, &key, cells, count))
			return broken(e);
		if (!fn(arg, key, cells, e))
			return e->class == ERR_NONE;
	} while (take(&r, ','));
	return (take(&r, ']') && r.at == r.end) || broken(e);
}

/* ---- writing ---- */

bool packed_add_text(struct buf *json, const char *text, size_t len)
{
	const char *end = text + len, *plain = text;

	if (!buf_add(json, "\"", 1))
		return false;
	for (const char *p = text; p < end; p++) {
		if ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
			continue;
		if (!buf_add(json, plain, (size_t)(p - plain)) ||
		    !buf_printf(json, "\\u%04x", (unsigned)(unsigned char)*p))
			return false;
		plain = p + 1;
	}
	return buf_add(json, plain, (size_t)(end - plain)) && buf_add(json, "\"", 1);
}

/* ---- hash ---- */

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

static const uint64_t odd1 = 0x9e3779b97f4a7c15u, odd2 = 0xd1b54a32d192ed03u, odd3 = 0x8bb84b93962eacc9u;

uint64_t packed_hash_cell(uint64_t hash, const struct packed_cell *cell)
{
	const char *p = cell->text;
	size_t left = cell->len;
	char tail[16] = { 0 };

	hash = mix(hash ^ odd1, ((uint64_t)cell->len << 8 | (unsigned char)cell->type) ^ odd2);
	for (; left > sizeof tail; left -= sizeof tail, p += sizeof tail)
		hash = mix(word(p) ^ odd3, word(p + 8) ^ hash);
	if (left)
		memcpy(tail, p, left);
	return mix(word(tail) ^ odd2, word(tail + 8) ^ hash);
}

uint64_t packed_hash_end(uint64_t hash)
{
	return mix(hash ^ odd3, odd1);
}
