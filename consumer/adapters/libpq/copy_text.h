/* SPDX-License-Identifier: Apache-2.0
 * Lines of COPY's text format: cells between tabs, \N for NULL, a backslash before what would be mistaken. Pure
 * functions. */
#ifndef SANDBOX_LIBPQ_COPY_TEXT_H
#define SANDBOX_LIBPQ_COPY_TEXT_H

#include "handlers/base/buf.h"
#include "handlers/ports/sql.h"

struct pg_column {
	const char *name, *quoted;
	size_t width;      /* declared characters, 0 when none */
	bool is_text;      /* a filter looks at it */
	bool is_exact;     /* the server gives back the very bytes that it was given */
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
	const struct sql_filter *filter; /* NULL: nothing is looked at */
	struct buf *out;                 /* gets the line as it is to be written, NULL: not wanted */
	struct buf plain, changed;       /* room for one cell */
	struct pg_lines lines;
};

/* Takes one line in. REFUSED when it has another number of cells, or is larger than memory allows. */
bool pg_line(struct pg_line_work *w, const char *line, size_t len, struct err *e);

#endif
