/* SPDX-License-Identifier: Apache-2.0
 * Copying by rows between two SQL Servers: the shape of a table, and the statements for it as text. Every value travels as
 * a text that means it exactly, and is turned back by the server that stores it. Pure functions. */
#ifndef SANDBOX_ODBC_ROWS_TEXT_H
#define SANDBOX_ODBC_ROWS_TEXT_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum rows_kind { ROWS_OTHER, ROWS_TEXT, ROWS_XML, ROWS_BINARY, ROWS_DATE, ROWS_MONEY, ROWS_FLOAT };

struct rows_column {
	const char *name;
	const char *declared;  /* type, as CREATE TABLE has it */
	const char *collation; /* "" when it is no text */
	enum rows_kind kind;
	size_t width; /* characters of a text, 0 when it has no bound */
	int key_part; /* 1.. when part of the key that pages go by, else 0 */
};

struct rows_shape {
	const char *schema, *name; /* of the table */
	struct rows_column *columns;
	size_t count, keys;
	bool has_identity;
};

/* By the name of the type that the server itself has. */
enum rows_kind rows_kind_of(const char *type);
/* The column of that part of the key, from 1; the count of columns when there is none. */
size_t rows_key_column(const struct rows_shape *t, int part);

/* Each appends to *sql; false when it grew too long or a name cannot be quoted. */

/* The next page in the order of the key: all columns as texts. Bound, unless `first`: the parts of the key to go on
 * behind, as texts. */
bool rows_text_read(struct buf *sql, const struct rows_shape *t, size_t rows, bool first);
/* Stores a page. Bound: [["cell",null,...],...]. */
bool rows_text_write(struct buf *sql, const struct rows_shape *t);
bool rows_text_empty(struct buf *sql, const struct rows_shape *t);

#endif
