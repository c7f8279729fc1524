/* SPDX-License-Identifier: Apache-2.0
 * Rows as the library of a database that runs in this process shows them while it carries out a statement of ours. It
 * knows two SQL functions for that, which fail when nobody looks and cannot be called by anything that lies in a database:
 *
 *   sandbox_cell(key, column, value)          shows a value; gives it back, or what shall stand in its place
 *   sandbox_look(key, column, value, ...)     shows values, each behind the number of its column; gives 1 */
#ifndef SANDBOX_PORTS_ROW_VIEWS_H
#define SANDBOX_PORTS_ROW_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROW_LOOKS_MAX = 60 }; /* values that one sandbox_look can show */

enum row_kind { ROW_NULL, ROW_INTEGER, ROW_REAL, ROW_TEXT, ROW_BLOB };

struct row_value {
	enum row_kind kind;
	int64_t number;
	double real;
	const char *bytes; /* of a text, in UTF-8, or a BLOB; may hold NULs, and need not end with one */
	size_t len;
};

struct row_viewer {
	/* can_change: what *value then is, NULL or a text borrowed until the next call, takes its place. False ends the
	 * statement as failed. */
	bool (*see)(void *arg, int64_t key, size_t column, struct row_value *value, bool can_change);
	void *arg;
};

struct row_views {
	/* Whom statements of this thread show rows from now on; NULL: nobody. */
	void (*show_to)(struct row_views *self, const struct row_viewer *viewer);
};

#endif
