/* SPDX-License-Identifier: Apache-2.0
 * SQLite: the statements that pass over a table page by page.
 *
 * The driver reads whole results into memory and converts every cell to text, so a page comes as one cell in JSON
 * (packed.h) and is bounded beforehand. Values that are not changed never leave the database: the page is inserted by
 * one INSERT ... SELECT from the attached source, with the changed texts laid over it. So whole numbers, reals, BLOBs
 * and any bytes in a text are copied exactly. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GROUP = 100, NARROW_CHARS = 255, NARROW_BYTES = 16 }; /* a function takes at most 127 arguments */

static const char key_name[] = "sandbox key"; /* of the page's rows; a blank, so that no column is called like it */

static bool add(struct buf *sql, const char *text)
{
	return buf_add_text(sql, text);
}

static bool table(struct buf *sql, const struct table_shape *t, enum beside where)
{
	return add(sql, where == BESIDE_SOURCE ? "source." : "main.") && sql_quote_name(sql, t->name);
}

/* s."name" */
static bool column(struct buf *sql, const char *alias, const char *name)
{
	return add(sql, alias) && add(sql, ".") && sql_quote_name(sql, name);
}

/* The columns of the primary key in its order, separated by commas, each followed by `tail`. */
static bool key_list(struct buf *sql, const struct table_shape *t, const char *tail)
{
	bool ok = true;

	for (int part = 1; ok && part <= (int)t->count; part++)
		for (size_t i = 0; ok && i < t->count; i++)
			if (t->columns[i].key_part == part)
				ok = (part == 1 || add(sql, ", ")) && sql_quote_name(sql, t->columns[i].name) &&
				     add(sql, tail);
	return ok;
}

static bool key_columns(struct buf *sql, const struct table_shape *t)
{
	return key_list(sql, t, "");
}

/* WHERE of the page. */
static bool page_where(struct buf *sql, const struct table_shape *t, bool first)
{
	if (t->row_key)
		return add(sql, " WHERE ") && add(sql, t->row_key) && add(sql, " BETWEEN ? AND ?");
	if (!add(sql, " WHERE "))
		return false;
	if (!first && !(add(sql, "(") && key_columns(sql, t) && add(sql, ") > (SELECT * FROM temp.sandbox_low) AND ")))
		return false;
	return add(sql, "(") && key_columns(sql, t) && add(sql, ") <= (SELECT * FROM temp.sandbox_high)");
}

/* ( the page's rows, each with its key ) AS s */
static bool page_rows(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	if (!add(sql, "(SELECT "))
		return false;
	if (t->row_key ? !add(sql, t->row_key)
		       : !(add(sql, "row_number() OVER (ORDER BY ") && key_columns(sql, t) && add(sql, ")")))
		return false;
	return add(sql, " AS ") && sql_quote_name(sql, key_name) && add(sql, ", * FROM ") && table(sql, t, where) &&
	       page_where(sql, t, first) && add(sql, ") AS s");
}

/* ---- bounds and sizes ---- */

static bool make_bound(struct buf *sql, const struct table_shape *t, enum beside where, const char *name)
{
	return buf_printf(sql, "CREATE TEMP TABLE %s AS SELECT ", name) && key_columns(sql, t) && add(sql, " FROM ") &&
	       table(sql, t, where) && add(sql, " WHERE 0");
}

static bool reach(struct buf *sql, const struct table_shape *t, enum beside where, bool first, size_t rows)
{
	if (!add(sql, "INSERT INTO temp.sandbox_high SELECT * FROM (SELECT ") || !key_columns(sql, t) ||
	    !add(sql, " FROM ") || !table(sql, t, where))
		return false;
	if (!first &&
	    !(add(sql, " WHERE (") && key_columns(sql, t) && add(sql, ") > (SELECT * FROM temp.sandbox_low)")))
		return false;
	return add(sql, " ORDER BY ") && key_columns(sql, t) && buf_printf(sql, " LIMIT %zu)", rows) &&
	       add(sql, " AS p ORDER BY ") && key_list(sql, t, " DESC") && add(sql, " LIMIT 1");
}

static bool bound(struct buf *sql, const struct table_shape *t, enum beside where, enum bound op, bool first,
		  size_t rows)
{
	switch (op) {
	case BOUND_DROP_LOW:
		return add(sql, "DROP TABLE IF EXISTS temp.sandbox_low");
	case BOUND_DROP_HIGH:
		return add(sql, "DROP TABLE IF EXISTS temp.sandbox_high");
	case BOUND_MAKE_LOW:
		return make_bound(sql, t, where, "sandbox_low");
	case BOUND_MAKE_HIGH:
		return make_bound(sql, t, where, "sandbox_high");
	case BOUND_CLEAR_HIGH:
		return add(sql, "DELETE FROM temp.sandbox_high");
	case BOUND_REACH:
		return reach(sql, t, where, first, rows);
	case BOUND_CLEAR_LOW:
		return add(sql, "DELETE FROM temp.sandbox_low");
	case BOUND_ADVANCE:
		return add(sql, "INSERT INTO temp.sandbox_low SELECT * FROM temp.sandbox_high");
	}
	return false;
}

/* What the row's wide columns take: length() of a BLOB is read from the row's head, of a text it counts characters.
 * Columns that are narrow by their declared type are not even read. */
static bool wide_bytes(struct buf *sql, const struct table_shape *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (!t->columns[i].is_narrow &&
		    (!add(sql, "ifnull(length(") || !sql_quote_name(sql, t->columns[i].name) || !add(sql, "), 0) + ")))
			return false;
	return add(sql, "0");
}

static bool measure(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	const char *key = t->row_key ? t->row_key : "0";
	const size_t row_bytes = NARROW_BYTES * (t->count + 1);

	if (!buf_printf(sql, "SELECT count(*), max(k), ifnull(sum(n), 0) + count(*) * %zu FROM (SELECT %s AS k, ",
			row_bytes, key) ||
	    !wide_bytes(sql, t) || !add(sql, " AS n FROM ") || !table(sql, t, where))
		return false;
	if (!t->row_key)
		return page_where(sql, t, first) && add(sql, ")");
	return buf_printf(sql, " WHERE %s %s ? ORDER BY %s LIMIT ?)", key, first ? ">=" : ">", key);
}

static bool last_key(struct buf *sql, const struct table_shape *t, enum beside where)
{
	return add(sql, "SELECT ") &&
	       (t->row_key ? add(sql, "max(") && add(sql, t->row_key) && add(sql, ")") : add(sql, "count(*)")) &&
	       add(sql, " FROM ") && table(sql, t, where);
}

/* ---- reading ---- */

static bool packed_cell(struct buf *sql, const struct table_shape *t, size_t i)
{
	const char *name = t->columns[i].name;

	if (t->columns[i].is_simple && !t->all_tagged)
		return column(sql, "s", name);
	return add(sql, "CASE typeof(") && column(sql, "s", name) &&
	       add(sql, ") WHEN 'real' THEN json_array(printf('%!.17g', ") && column(sql, "s", name) &&
	       add(sql, ")) WHEN 'blob' THEN json_array('b', hex(") && column(sql, "s", name) && add(sql, ")) ELSE ") &&
	       column(sql, "s", name) && add(sql, " END");
}

static bool read_page(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	if (!add(sql, "SELECT json_group_array(json_array(") || !column(sql, "s", key_name))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!add(sql, i % GROUP == 0 ? ", json_array(" : ", ") || !packed_cell(sql, t, i))
			return false;
		if ((i % GROUP == GROUP - 1 || i + 1 == t->count) && !add(sql, ")"))
			return false;
	}
	return add(sql, ")) FROM ") && page_rows(sql, t, where, first);
}

/* ---- writing ---- */

static bool change_of(struct buf *sql, size_t i)
{
	return buf_printf(sql, "FROM temp.sandbox_changes AS x WHERE x.c = %zu AND x.k = ", i) &&
	       column(sql, "s", key_name);
}

static bool new_value(struct buf *sql, const struct table_shape *t, size_t i, enum change change)
{
	const char *name = t->columns[i].name;

	switch (change) {
	case CHANGE_NONE:
		break;
	case CHANGE_TEXT:
		return add(sql, "ifnull((SELECT x.v ") && change_of(sql, i) && add(sql, "), ") &&
		       column(sql, "s", name) && add(sql, ")");
	case CHANGE_MAYBE_NULL:
		return add(sql, "CASE WHEN EXISTS (SELECT 1 ") && change_of(sql, i) &&
		       add(sql, ") THEN (SELECT x.v ") && change_of(sql, i) && add(sql, ") ELSE ") &&
		       column(sql, "s", name) && add(sql, " END");
	}
	return column(sql, "s", name);
}

static bool copy_page(struct buf *sql, const struct table_shape *t, const enum change *changes, bool first)
{
	bool writes_key = t->row_key && !t->key_is_column, comma = writes_key;

	if (!add(sql, "INSERT INTO ") || !table(sql, t, BESIDE_MAIN) || !add(sql, " (") ||
	    (writes_key && !add(sql, t->row_key)))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!t->columns[i].is_stored)
			continue;
		if ((comma && !add(sql, ", ")) || !sql_quote_name(sql, t->columns[i].name))
			return false;
		comma = true;
	}
	comma = writes_key;
	if (!add(sql, ") SELECT ") || (writes_key && !column(sql, "s", key_name)))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!t->columns[i].is_stored)
			continue;
		if ((comma && !add(sql, ", ")) || !new_value(sql, t, i, changes[i]))
			return false;
		comma = true;
	}
	return add(sql, " FROM ") && page_rows(sql, t, BESIDE_SOURCE, first);
}

/* "table".key = r.k1 AND ...: which row a changed one is. */
static bool same_row(struct buf *sql, const struct table_shape *t)
{
	bool ok = true;

	if (t->row_key)
		return sql_quote_name(sql, t->name) && add(sql, ".") && add(sql, t->row_key) && add(sql, " = r.k0");
	for (size_t i = 0, n = 0; ok && i < t->count; i++)
		if (t->columns[i].key_part)
			ok = add(sql, n++ ? " AND " : "") && sql_quote_name(sql, t->name) && add(sql, ".") &&
			     sql_quote_name(sql, t->columns[i].name) && buf_printf(sql, " = r.k%zu", i);
	return ok;
}

static bool old_keys(struct buf *sql, const struct table_shape *t)
{
	bool ok = true;

	if (t->row_key)
		return column(sql, "s", key_name) && add(sql, " AS k0");
	for (size_t i = 0, n = 0; ok && i < t->count; i++)
		if (t->columns[i].key_part)
			ok = add(sql, n++ ? ", " : "") && column(sql, "s", t->columns[i].name) &&
			     buf_printf(sql, " AS k%zu", i);
	return ok;
}

static bool rewrite_page(struct buf *sql, const struct table_shape *t, const enum change *changes, bool first)
{
	size_t n = 0;

	if (!add(sql, "UPDATE ") || !table(sql, t, BESIDE_MAIN) || !add(sql, " SET "))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (changes[i] != CHANGE_NONE &&
		    !(add(sql, n++ ? ", " : "") && sql_quote_name(sql, t->columns[i].name) &&
		      buf_printf(sql, " = r.v%zu", i)))
			return false;
	if (!add(sql, " FROM (SELECT ") || !old_keys(sql, t))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (changes[i] != CHANGE_NONE &&
		    !(add(sql, ", ") && new_value(sql, t, i, changes[i]) && buf_printf(sql, " AS v%zu", i)))
			return false;
	return add(sql, " FROM ") && page_rows(sql, t, BESIDE_MAIN, first) && add(sql, " WHERE ") &&
	       column(sql, "s", key_name) && add(sql, " IN (SELECT k FROM temp.sandbox_changes)) AS r WHERE ") &&
	       same_row(sql, t);
}

static bool set_column(struct buf *sql, const struct table_shape *t, size_t i)
{
	return t->row_key && add(sql, "UPDATE ") && table(sql, t, BESIDE_MAIN) && add(sql, " SET ") &&
	       sql_quote_name(sql, t->columns[i].name) && add(sql, " = ? WHERE ") && add(sql, t->row_key) &&
	       add(sql, " = ?");
}

/* ---- shapes ---- */

/* SQLite's own rule (datatype3.html 3.1) says what a declared type does to a value: INT makes whole numbers, CHAR,
 * CLOB and TEXT make texts; any other may hold reals and BLOBs. It is only a guess: packed.h finds out. */
static void shape_column(struct column_shape *c, const char *type)
{
	static const char *const short_types[] = {
		"DATE", "TIME", "BOOL", "BIT", "REAL", "FLOA", "DOUB", "NUM", "DEC"
	};
	bool is_text = strcasestr(type, "CHAR") || strcasestr(type, "CLOB") || strcasestr(type, "TEXT");
	bool is_number = strcasestr(type, "INT") != NULL;
	const char *paren = is_text ? strchr(type, '(') : NULL;

	c->width = paren ? (size_t)strtoul(paren + 1, NULL, 10) : 0;
	c->is_simple = is_number || is_text;
	c->is_whole = is_number;
	c->is_narrow = is_number || (c->width > 0 && c->width <= NARROW_CHARS);
	for (size_t i = 0; !is_text && i < sizeof short_types / sizeof short_types[0]; i++)
		c->is_narrow = c->is_narrow || strcasestr(type, short_types[i]);
}

static bool has_column(const struct table_shape *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcasecmp(t->columns[i].name, name) == 0)
			return true;
	return false;
}

static bool shape_key(struct table_shape *t, const char *only_key_type)
{
	static const char *const names[] = { "rowid", "_rowid_", "oid" };

	t->key_is_column = strcasecmp(only_key_type, "INTEGER") == 0;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (has_column(t, names[i]))
			continue;
		t->row_key = names[i];
		return true;
	}
	return false;
}

static bool attach_source(const struct odbc_settings *s, const char *source, struct buf *sql)
{
	if (!connection_part_is_legal(s->folder) || !database_name_is_legal(source) || !add(sql, "ATTACH 'file:"))
		return false;
	for (const char *p = s->folder; *p; p++)
		if (strchr("%?#", *p) ? !buf_printf(sql, "%%%02X", (unsigned)*p) : !buf_add(sql, p, 1))
			return false;
	return buf_printf(sql, "/%s.sqlite?mode=ro' AS source", source);
}

static const char *const session[] = {
	"CREATE TEMP TABLE IF NOT EXISTS sandbox_changes (c INTEGER, k INTEGER, v, PRIMARY KEY (c, k)) WITHOUT ROWID",
	NULL
};

const struct sql_paging dialect_sqlite_paging = {
	.attach_source = attach_source,
	.source_is_attached = "SELECT count(*) FROM pragma_database_list WHERE name = 'source'",
	.pin_source = "SELECT count(*) FROM source.sqlite_master",
	.source_version = "PRAGMA source.data_version",
	.source_schema = "PRAGMA source.schema_version",
	.detach_source = "DETACH source",
	.session = session,
	.put_changes = "INSERT INTO temp.sandbox_changes SELECT ?, CAST(key AS INTEGER), value FROM json_each(?)",
	.clear_changes = "DELETE FROM temp.sandbox_changes",
	.settle = "PRAGMA main.wal_checkpoint(TRUNCATE)", /* without "main." the source's would be written too */
	.set_column = set_column,
	.bound = bound,
	.measure = measure,
	.read = read_page,
	.copy = copy_page,
	.rewrite = rewrite_page,
	.last_key = last_key,
	.shape_column = shape_column,
	.shape_key = shape_key,
	.inside = &dialect_sqlite_inside,
};
