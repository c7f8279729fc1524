/* SPDX-License-Identifier: Apache-2.0
 * Rows of a COPY, in its text format (cells between tabs, \N for NULL, a backslash before what would be mistaken) or in
 * its binary one (copy_binary.c). Pure functions. */
#ifndef SANDBOX_LIBPQ_COPY_TEXT_H
#define SANDBOX_LIBPQ_COPY_TEXT_H

#include "handlers/base/buf.h"
#include "handlers/ports/sql.h"

struct pg_column {
	const char *name, *quoted;
	size_t width;      /* declared characters, 0 when none */
	bool is_text;      /* a filter looks at it */
	bool is_exact;     /* the server gives back the very bytes that it was given */
	bool is_binary;    /* its binary form is that of its text, or nothing a filter looks at */
	bool is_generated; /* computed from others: read by scans only */
};

struct pg_lines { /* what went by */
	int64_t rows, bytes, cells_changed;
	uint64_t checksum; /* does not depend on the order of rows */
};

struct pg_line_work {
	const char *table;
	const struct pg_column *const *columns; /* in the line's order */
	size_t count;
	bool is_binary; /* rows, in the binary format; else lines */
	const struct sql_filter *filter; /* NULL: nothing is looked at */
	struct buf *out;                 /* gets the line as it is to be written, NULL: not wanted */
	struct buf plain, changed;       /* room for one cell */
	struct pg_lines lines;
};

/* Takes in one row as the server sends it, the newline of a line included. REFUSED when it has another number of cells, or is larger than memory allows. */
bool pg_line(struct pg_line_work *w, const char *line, size_t len, struct err *e);
bool pg_binary_row(struct pg_line_work *w, const char *row, size_t len, struct err *e); /* by pg_line */
uint64_t pg_mix(uint64_t hash, const char *p, size_t len);

#endif
