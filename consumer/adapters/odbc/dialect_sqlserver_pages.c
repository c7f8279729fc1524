/* SPDX-License-Identifier: Apache-2.0
 * SQL Server: the statements that pass over the texts of a table in key ranges. A page comes as one text in JSON
 * (packed.h) with the texts and the key alone; changed texts go back as JSON into a table of the session and from there
 * over the page by one UPDATE. A page is far below the 5,000 locks at which the server would lock the whole table. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { GROUP = 100, ROW_BYTES = 16, SCHEMA_MAX = 128 * 4 };

static const char key_name[] = "sandbox key"; /* of the page's rows; a blank, so that no column is called like it */

static bool add(struct buf *sql, const char *text)
{
	return buf_add_text(sql, text);
}

/* Named schema.table: the first dot ends the schema (the catalogue calls others odd). */
static bool table(struct buf *sql, const struct table_shape *t)
{
	const char *dot = strchr(t->name, '.');
	char schema[SCHEMA_MAX + 1] = "";

	if (!dot || (size_t)(dot - t->name) > SCHEMA_MAX)
		return false;
	memcpy(schema, t->name, (size_t)(dot - t->name));
	return sql_quote_name(sql, schema) && add(sql, ".") && sql_quote_name(sql, dot + 1);
}

static bool column(struct buf *sql, const char *alias, const char *name)
{
	return add(sql, alias) && add(sql, ".") && sql_quote_name(sql, name);
}

/* The n-th column of the key, from 1; NULL behind the last. */
static const struct column_shape *key_part(const struct table_shape *t, int part)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->columns[i].key_part == part)
			return &t->columns[i];
	return NULL;
}

static bool key_list(struct buf *sql, const struct table_shape *t, const char *alias, const char *tail)
{
	const struct column_shape *c;

	for (int part = 1; (c = key_part(t, part)); part++)
		if ((part > 1 && !add(sql, ", ")) || !column(sql, alias, c->name) || !add(sql, tail))
			return false;
	return true;
}

/* (t.k1 > b.k1 OR (t.k1 = b.k1 AND (t.k2 > b.k2 ...))): T-SQL compares no rows. */
static bool is_behind(struct buf *sql, const struct table_shape *t, const char *alias, const char *bound)
{
	const struct column_shape *c, *next;
	int open = 0;

	for (int part = 1; (c = key_part(t, part)); part++) {
		next = key_part(t, part + 1);
		if (!add(sql, "(") || !column(sql, alias, c->name) || !add(sql, " > ") || !column(sql, bound, c->name))
			return false;
		open++;
		if (next && !(add(sql, " OR (") && column(sql, alias, c->name) && add(sql, " = ") &&
			      column(sql, bound, c->name) && add(sql, " AND ")))
			return false;
		open += next != NULL;
	}
	while (open-- > 0)
		if (!add(sql, ")"))
			return false;
	return true;
}

static bool behind_low(struct buf *sql, const struct table_shape *t)
{
	return add(sql, "EXISTS (SELECT 1 FROM #sandbox_low AS b WHERE ") && is_behind(sql, t, "t", "b") && add(sql, ")");
}

/* WHERE of the page, of table AS t. */
static bool page_where(struct buf *sql, const struct table_shape *t, bool first)
{
	if (!add(sql, " WHERE "))
		return false;
	if (t->row_key)
		return column(sql, "t", t->row_key) && add(sql, " BETWEEN ? AND ?");
	if (!first && !(behind_low(sql, t) && add(sql, " AND ")))
		return false;
	return add(sql, "EXISTS (SELECT 1 FROM #sandbox_high AS b WHERE NOT ") && is_behind(sql, t, "t", "b") &&
	       add(sql, ")");
}

/* ( the page's rows, each with its key ) AS s */
static bool page_rows(struct buf *sql, const struct table_shape *t, bool first)
{
	if (!add(sql, "(SELECT "))
		return false;
	if (t->row_key ? !column(sql, "t", t->row_key)
		       : !(add(sql, "ROW_NUMBER() OVER (ORDER BY ") && key_list(sql, t, "t", "") && add(sql, ")")))
		return false;
	return add(sql, " AS ") && sql_quote_name(sql, key_name) && add(sql, ", t.* FROM ") && table(sql, t) &&
	       add(sql, " AS t") && page_where(sql, t, first) && add(sql, ") AS s");
}

/* ---- bounds and sizes ---- */

static bool make_bound(struct buf *sql, const struct table_shape *t, const char *name)
{
	/* A union, so that a key that counts itself does not do so in the copy. */
	return add(sql, "SELECT ") && key_list(sql, t, "t", "") && buf_printf(sql, " INTO %s FROM ", name) &&
	       table(sql, t) && add(sql, " AS t WHERE 1 = 0 UNION ALL SELECT ") && key_list(sql, t, "t", "") &&
	       add(sql, " FROM ") && table(sql, t) && add(sql, " AS t WHERE 1 = 0");
}

static bool reach(struct buf *sql, const struct table_shape *t, bool first, size_t rows)
{
	if (!add(sql, "INSERT INTO #sandbox_high SELECT TOP (1) ") || !key_list(sql, t, "p", "") ||
	    !buf_printf(sql, " FROM (SELECT TOP (%zu) ", rows) || !key_list(sql, t, "t", "") || !add(sql, " FROM ") ||
	    !table(sql, t) || !add(sql, " AS t"))
		return false;
	if (!first && !(add(sql, " WHERE ") && behind_low(sql, t)))
		return false;
	return add(sql, " ORDER BY ") && key_list(sql, t, "t", "") && add(sql, ") AS p ORDER BY ") &&
	       key_list(sql, t, "p", " DESC");
}

static bool bound(struct buf *sql, const struct table_shape *t, enum beside where, enum bound op, bool first,
		  size_t rows)
{
	(void)where;
	switch (op) {
	case BOUND_DROP_LOW:
		return add(sql, "DROP TABLE IF EXISTS #sandbox_low");
	case BOUND_DROP_HIGH:
		return add(sql, "DROP TABLE IF EXISTS #sandbox_high");
	case BOUND_MAKE_LOW:
		return make_bound(sql, t, "#sandbox_low");
	case BOUND_MAKE_HIGH:
		return make_bound(sql, t, "#sandbox_high");
	case BOUND_CLEAR_HIGH:
		return add(sql, "DELETE FROM #sandbox_high");
	case BOUND_REACH:
		return reach(sql, t, first, rows);
	case BOUND_CLEAR_LOW:
		return add(sql, "DELETE FROM #sandbox_low");
	case BOUND_ADVANCE:
		return add(sql, "INSERT INTO #sandbox_low SELECT * FROM #sandbox_high");
	}
	return false;
}

static bool text_bytes(struct buf *sql, const struct table_shape *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->columns[i].is_simple && !(add(sql, "COALESCE(CAST(DATALENGTH(") &&
						 column(sql, "t", t->columns[i].name) && add(sql, ") AS bigint), 0) + ")))
			return false;
	return buf_printf(sql, "%zu", ROW_BYTES * (t->count + 1));
}

static bool measure(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	(void)where;
	if (!add(sql, "SELECT COUNT(*), MAX(p.k), COALESCE(SUM(p.n), 0) FROM (SELECT ") ||
	    !(t->row_key ? column(sql, "t", t->row_key) : add(sql, "0")) || !add(sql, " AS k, ") ||
	    !text_bytes(sql, t) || !add(sql, " AS n FROM ") || !table(sql, t) || !add(sql, " AS t"))
		return false;
	if (!t->row_key)
		return page_where(sql, t, first) && add(sql, ") AS p");
	return add(sql, " WHERE ") && column(sql, "t", t->row_key) && add(sql, first ? " >= ?" : " > ?") &&
	       add(sql, " ORDER BY ") && column(sql, "t", t->row_key) &&
	       add(sql, " OFFSET 0 ROWS FETCH NEXT ? ROWS ONLY) AS p");
}

static bool last_key(struct buf *sql, const struct table_shape *t, enum beside where)
{
	(void)where;
	return add(sql, "SELECT ") &&
	       (t->row_key ? add(sql, "MAX(") && column(sql, "t", t->row_key) && add(sql, ")") : add(sql, "COUNT_BIG(*)")) &&
	       add(sql, " FROM ") && table(sql, t) && add(sql, " AS t");
}

/* ---- reading ---- */

/* A key that is no text is not shown. */
static bool cell(struct buf *sql, const struct column_shape *c)
{
	if (!c->is_simple)
		return add(sql, "N'null'");
	return add(sql, "COALESCE(N'\"' + STRING_ESCAPE(CAST(") && column(sql, "s", c->name) &&
	       add(sql, " AS nvarchar(max)), N'json') + N'\"', N'null')");
}

static bool read_page(struct buf *sql, const struct table_shape *t, enum beside where, bool first)
{
	(void)where;
	if (!add(sql, "SELECT N'[' + COALESCE(STRING_AGG(CAST(N'[' AS nvarchar(max)) + CAST(") ||
	    !column(sql, "s", key_name) || !add(sql, " AS nvarchar(20))"))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		if (!add(sql, i % GROUP == 0 ? " + N',[' + " : " + N',' + ") || !cell(sql, &t->columns[i]))
			return false;
		if ((i % GROUP == GROUP - 1 || i + 1 == t->count) && !add(sql, " + N']'"))
			return false;
	}
	return add(sql, " + N']', N','), N'') + N']' FROM ") && page_rows(sql, t, first);
}

/* ---- writing ---- */

static bool set_list(struct buf *sql, const struct table_shape *t, const enum change *changes)
{
	bool comma = false;

	for (size_t i = 0; i < t->count; i++) {
		if (changes[i] == CHANGE_NONE)
			continue;
		if (!add(sql, comma ? ", " : "") || !column(sql, "t", t->columns[i].name) ||
		    !buf_printf(sql, " = CASE WHEN x%zu.k IS NULL THEN ", i) || !column(sql, "t", t->columns[i].name) ||
		    !buf_printf(sql, " ELSE x%zu.v END", i))
			return false;
		comma = true;
	}
	return true;
}

/* The page's rows with their keys beside the table: by the key itself, or by the columns of the key. */
static bool join_rows(struct buf *sql, const struct table_shape *t, bool first)
{
	const struct column_shape *c;

	if (!add(sql, " JOIN ") || !page_rows(sql, t, first) || !add(sql, " ON "))
		return false;
	for (int part = 1; (c = key_part(t, part)); part++)
		if (!add(sql, part > 1 ? " AND " : "") || !column(sql, "s", c->name) || !add(sql, " = ") ||
		    !column(sql, "t", c->name))
			return false;
	return true;
}

static bool rewrite_page(struct buf *sql, const struct table_shape *t, const enum change *changes, bool first)
{
	if (!add(sql, "UPDATE t SET ") || !set_list(sql, t, changes) || !add(sql, " FROM ") || !table(sql, t) ||
	    !add(sql, " AS t") || !join_rows(sql, t, first))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (changes[i] != CHANGE_NONE &&
		    !(buf_printf(sql, " LEFT JOIN #sandbox_changes AS x%zu ON x%zu.c = %zu AND x%zu.k = ", i, i, i, i) &&
		      column(sql, "s", key_name)))
			return false;
	return add(sql, " WHERE EXISTS (SELECT 1 FROM #sandbox_changes AS y WHERE y.k = ") &&
	       column(sql, "s", key_name) && add(sql, ")");
}

static bool set_column(struct buf *sql, const struct table_shape *t, size_t i)
{
	return t->row_key && add(sql, "UPDATE t SET ") && column(sql, "t", t->columns[i].name) &&
	       add(sql, " = ? FROM ") && table(sql, t) && add(sql, " AS t WHERE ") && column(sql, "t", t->row_key) &&
	       add(sql, " = ?");
}

/* ---- shapes ---- */

static void shape_column(struct column_shape *c, const char *type)
{
	static const char *const texts[] = { "char(", "varchar(", "nchar(", "nvarchar(", "text(", "ntext(", "xml(", "json(" };
	const char *paren = strchr(type, '(');

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		c->is_simple = c->is_simple || strncasecmp(type, texts[i], strlen(texts[i])) == 0;
	/* ntext, text, xml and json have a length of their pointer */
	c->width = c->is_simple && strcasestr(type, "char") && paren ? (size_t)strtoul(paren + 1, NULL, 10) : 0;
}

static bool shape_key(struct table_shape *t, const char *only_key_type)
{
	const struct column_shape *key = key_part(t, 1);

	(void)only_key_type;
	t->row_key = key ? key->name : NULL;
	t->key_is_column = true;
	return key != NULL;
}

static const char *const session[] = {
	"IF OBJECT_ID(N'tempdb..#sandbox_changes') IS NULL"
	" CREATE TABLE #sandbox_changes (c integer NOT NULL, k bigint NOT NULL, v nvarchar(max) NULL, PRIMARY KEY (c, k))",
	NULL
};

const struct sql_paging dialect_sqlserver_paging = {
	.session = session,
	.put_changes = "INSERT INTO #sandbox_changes (c, k, v)"
		       " SELECT ?, CAST(j.[key] AS bigint), j.value FROM OPENJSON(CAST(? AS nvarchar(max))) AS j",
	.clear_changes = "DELETE FROM #sandbox_changes",
	.settle_section = "_mask_settle",
	.names_schema = true,
	.set_column = set_column,
	.bound = bound,
	.measure = measure,
	.read = read_page,
	.rewrite = rewrite_page,
	.last_key = last_key,
	.shape_column = shape_column,
	.shape_key = shape_key,
};
