/* SPDX-License-Identifier: Apache-2.0
 * Copying a source on another SQL Server row by row. What is remembered is that of copy.h, in the generation. */
#ifndef SANDBOX_ODBC_ROWS_H
#define SANDBOX_ODBC_ROWS_H

#include "consumer/adapters/odbc/copy.h"
#include "consumer/adapters/odbc/rows_text.h"

struct rows_copy {           /* one call of copy_next */
	struct copy copy;    /* its connection is the generation's */
	struct conn *source; /* the source as it is now: for its catalogue */
	struct link *past;   /* the source as it was when the copy began: for its rows; never written */
	bool past_is_over;   /* its transaction may have ended */
	struct arena *mem;   /* of the shape */
	struct rows_shape shape;
	char shape_of[NAME_BYTES];
	struct buf sql, page, text, at_text, back_text;
};

/* ---- rows_pages.c ---- */

/* The next page of a table: copied, read back, or compared with the source as this copy sees it. Moves its phase on. */
bool rows_table_page(struct rows_copy *rows, struct copy_table *table, struct err *e);

/* ---- rows_shape.c ---- */

/* Reads the shape of the source's table. REFUSED when it has no key. */
bool rows_read_shape(struct rows_copy *rows, const char *table, struct err *e);

/* ---- rows_schema.c ---- */

/* REFUSED with a sentence when there is something in the source that cannot be copied so. */
bool rows_check_source(struct rows_copy *rows, struct err *e);
/* A number for the source's tables as they are defined now. */
bool rows_schema_number(struct rows_copy *rows, int64_t *number_r, struct err *e);
/* Empties the generation and makes the source's tables. In the transaction under way. */
bool rows_make_tables(struct rows_copy *rows, struct err *e);
/* Makes some of what the generation still lacks, each in a transaction of its own; *more_r tells whether there may be
 * others. */
bool rows_make_later(struct rows_copy *rows, const struct fence *f, bool *more_r, struct err *e);
/* Identities go on where the source's do. In the transaction under way. */
bool rows_set_counters(struct rows_copy *rows, struct err *e);

#endif
