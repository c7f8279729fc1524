/* SPDX-License-Identifier: Apache-2.0
 * A page of rows as one text: [[key,[cell,...],...],...], the cells of a row in groups. A cell is a whole number, a
 * text, null, ["a real with 17 digits"] or ["b","hex of a BLOB"]. Pure functions. */
#ifndef SANDBOX_ODBC_PACKED_H
#define SANDBOX_ODBC_PACKED_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packed_type { PACKED_NULL = 'n', PACKED_INTEGER = 'i', PACKED_REAL = 'r', PACKED_TEXT = 't', PACKED_BLOB = 'b' };

struct packed_cell {
	enum packed_type type;
	const char *text; /* not terminated; a BLOB's is hex */
	size_t len;
};

/* False ends the reading, with *e filled when it failed. The cells are borrowed until it returns. */
typedef bool packed_row_fn(void *arg, int64_t key, const struct packed_cell *cells, struct err *e);

/* Is there a real in it that does not say that it is one? Then the page has to be read again with types tagged. */
bool packed_is_odd(const char *text, size_t len);

/* Reads a page of rows with `count` cells each; `cells` has room for one row. Unescapes inside text. ERR_BUG when the
 * text is no page. */
bool packed_read(char *text, size_t len, struct packed_cell *cells, size_t count, packed_row_fn *fn, void *arg,
		 struct err *e);

/* Appends a text as JSON has it, in quotes. False when the buffer is full. */
bool packed_add_text(struct buf *json, const char *text, size_t len);

/* Hash of a row, cell after cell: types, lengths and bytes. Sums of it do not depend on the order of rows. */
uint64_t packed_hash_cell(uint64_t hash, const struct packed_cell *cell);
uint64_t packed_hash_end(uint64_t hash);

#endif
