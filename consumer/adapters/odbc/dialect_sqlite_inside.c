/* SPDX-License-Identifier: Apache-2.0
 * SQLite: the statements of pages that never leave the library. A page is named by its first and last hidden key. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"
#include "consumer/ports/row_views.h"

static bool add(struct buf *sql, const char *text)
{
	return buf_add_text(sql, text);
}

/* schema.table AS s, never by way of an index: rows come in the order of their keys. */
static bool table(struct buf *sql, const struct table_shape *t, enum beside where)
{
	return add(sql, where == BESIDE_SOURCE ? "source." : "main.") && sql_quote_name(sql, t->name) &&
	       add(sql, " AS s NOT INDEXED");
}

static bool column(struct buf *sql, const struct table_shape *t, size_t i)
{
	return add(sql, "s.") && sql_quote_name(sql, t->columns[i].name);
}

static bool key(struct buf *sql, const struct table_shape *t)
{
	return add(sql, "s.") && add(sql, t->row_key);
}

static bool reach(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	return add(sql, "SELECT count(*), max(k) FROM (SELECT ") && key(sql, t) && add(sql, " AS k FROM ") &&
	       table(sql, t, where) && add(sql, " WHERE ") && key(sql, t) && add(sql, first ? " >= ?" : " > ?") &&
	       add(sql, " ORDER BY ") && key(sql, t) && add(sql, " LIMIT ?)");
}

/* Is the column shown by the statement's condition? When rows are copied those are that hold whole numbers: they need no
 * call of their own. */
static bool is_shown(const struct table_shape *t, size_t i, bool copies, bool computed)
{
	const struct column_shape *c = &t->columns[i];

	return (c->is_stored || computed) && (!copies || (c->is_whole && !t->all_tagged));
}

/* The page's rows, and sandbox_look(key, 0, s.a, 3, s.b, ...) of all the columns shown so. */
static bool rows(struct buf *sql, const struct table_shape *t, enum beside where, bool copies, bool computed)
{
	size_t shown = 0;

	if (!add(sql, " FROM ") || !table(sql, t, where) || !add(sql, " WHERE ") || !key(sql, t) ||
	    !add(sql, " BETWEEN ? AND ?"))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!is_shown(t, i, copies, computed))
			continue;
		if (shown % ROW_LOOKS_MAX == 0 &&
		    !(add(sql, shown ? ") AND sandbox_look(" : " AND sandbox_look(") && key(sql, t)))
			return false;
		if (!buf_printf(sql, ", %zu, ", i) || !column(sql, t, i))
			return false;
		shown++;
	}
	return shown == 0 || add(sql, ")");
}

static bool look(struct buf *sql, const struct table_shape *t, enum beside where, bool computed)
{
	return add(sql, "SELECT count(*)") && rows(sql, t, where, false, computed);
}

static bool value(struct buf *sql, const struct table_shape *t, size_t i)
{
	if (is_shown(t, i, true, false))
		return column(sql, t, i);
	return add(sql, "sandbox_cell(") && key(sql, t) && buf_printf(sql, ", %zu, ", i) && column(sql, t, i) && add(sql, ")");
}

/* INSERT's columns, or what SELECT gives for them. */
static bool list(struct buf *sql, const struct table_shape *t, bool names)
{
	bool comma = !t->key_is_column;

	if (comma && !(names ? add(sql, t->row_key) : key(sql, t)))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!t->columns[i].is_stored)
			continue;
		if ((comma && !add(sql, ", ")) || !(names ? sql_quote_name(sql, t->columns[i].name) : value(sql, t, i)))
			return false;
		comma = true;
	}
	return true;
}

static bool copy(struct buf *sql, const struct table_shape *t)
{
	return add(sql, "INSERT INTO main.") && sql_quote_name(sql, t->name) && add(sql, " (") && list(sql, t, true) &&
	       add(sql, ") SELECT ") && list(sql, t, false) && rows(sql, t, BESIDE_SOURCE, true, false);
}

static const char *const sort_on_disk[] = { "PRAGMA temp_store=FILE", "PRAGMA threads=1", NULL };
static const char *const sort_in_memory[] = { "PRAGMA temp_store=MEMORY", "PRAGMA threads=0", NULL };

const struct sql_inside dialect_sqlite_inside = {
	.reach = reach,
	.look = look,
	.copy = copy,
	.save = "SAVEPOINT sandbox_page",
	.take_back = "ROLLBACK TO sandbox_page",
	.let_go = "RELEASE sandbox_page",
	.sort_on_disk = sort_on_disk,
	.sort_in_memory = sort_in_memory,
};
