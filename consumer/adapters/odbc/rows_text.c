/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/rows_text.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <string.h>
#include <strings.h>

enum rows_kind rows_kind_of(const char *type)
{
	static const struct {
		const char *type;
		enum rows_kind kind;
	} kinds[] = {
		{ "char", ROWS_TEXT },	     { "varchar", ROWS_TEXT },	  { "nchar", ROWS_TEXT },
		{ "nvarchar", ROWS_TEXT },   { "text", ROWS_TEXT },	  { "ntext", ROWS_TEXT },
		{ "xml", ROWS_XML },	     { "binary", ROWS_BINARY },	  { "varbinary", ROWS_BINARY },
		{ "image", ROWS_BINARY },    { "date", ROWS_DATE },	  { "time", ROWS_DATE },
		{ "datetime", ROWS_DATE },   { "smalldatetime", ROWS_DATE }, { "datetime2", ROWS_DATE },
		{ "datetimeoffset", ROWS_DATE }, { "money", ROWS_MONEY }, { "smallmoney", ROWS_MONEY },
		{ "float", ROWS_FLOAT },     { "real", ROWS_FLOAT },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcasecmp(type, kinds[i].type) == 0)
			return kinds[i].kind;
	return ROWS_OTHER;
}

size_t rows_key_column(const struct rows_shape *t, int part)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->columns[i].key_part == part)
			return i;
	return t->count;
}

static bool add(struct buf *sql, const char *text)
{
	return buf_add_text(sql, text);
}

static bool table(struct buf *sql, const struct rows_shape *t)
{
	return sql_quote_name(sql, t->schema) && add(sql, ".") && sql_quote_name(sql, t->name);
}

static bool key(struct buf *sql, const struct rows_shape *t, int part)
{
	return add(sql, "t.") && sql_quote_name(sql, t->columns[rows_key_column(t, part)].name);
}

/* ---- reading ---- */

/* Styles: 121 is a date to its last digit, 1 is 0x and hex, 2 all of money's decimals, 3 all that a float has. */
static bool read_column(struct buf *sql, const struct rows_column *c)
{
	static const struct {
		const char *before, *behind;
	} ways[] = {
		[ROWS_OTHER] = { "CONVERT(nvarchar(60), ", ")" },
		[ROWS_TEXT] = { "CONVERT(nvarchar(max), ", ")" },
		[ROWS_XML] = { "CONVERT(nvarchar(max), ", ")" },
		[ROWS_BINARY] = { "CONVERT(nvarchar(max), CONVERT(varbinary(max), ", "), 1)" },
		[ROWS_DATE] = { "CONVERT(nvarchar(60), ", ", 121)" },
		[ROWS_MONEY] = { "CONVERT(nvarchar(60), ", ", 2)" },
		[ROWS_FLOAT] = { "CONVERT(nvarchar(60), ", ", 3)" },
	};

	return add(sql, ways[c->kind].before) && add(sql, "t.") && sql_quote_name(sql, c->name) &&
	       add(sql, ways[c->kind].behind);
}

/* A text becomes what the column is, letter by letter: compared as another type it might be ordered otherwise. */
static bool bound_key(struct buf *sql, const struct rows_column *c, int part)
{
	static const char *const behind[] = {
		[ROWS_OTHER] = ")", [ROWS_TEXT] = ")", [ROWS_XML] = ")", [ROWS_BINARY] = ", 1)",
		[ROWS_DATE] = ", 121)", [ROWS_MONEY] = ")", [ROWS_FLOAT] = ")",
	};

	return buf_printf(sql, "CONVERT(%s, CAST(? AS nvarchar(max))", c->declared) &&
	       (c->kind != ROWS_TEXT || buf_printf(sql, " COLLATE %s", c->collation)) && add(sql, behind[c->kind]) &&
	       buf_printf(sql, " AS k%d", part);
}

/* t.k1 >= b.k1, by which the index is sought; then, for more parts, behind: T-SQL compares no rows. */
static bool is_behind(struct buf *sql, const struct rows_shape *t)
{
	int parts = (int)t->keys;

	if (parts > 1 && !(key(sql, t, 1) && add(sql, " >= b.k1 AND (")))
		return false;
	for (int part = 1; part <= parts; part++) {
		if (!key(sql, t, part) || !buf_printf(sql, " > b.k%d", part))
			return false;
		if (part < parts && !(add(sql, " OR (") && key(sql, t, part) && buf_printf(sql, " = b.k%d AND (", part)))
			return false;
	}
	for (int part = 1; part < parts; part++)
		if (!add(sql, "))"))
			return false;
	return parts == 1 || add(sql, ")");
}

bool rows_text_read(struct buf *sql, const struct rows_shape *t, size_t rows, bool first)
{
	if (!buf_printf(sql, "SELECT TOP (%zu) ", rows))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (!add(sql, i ? ", " : "") || !read_column(sql, &t->columns[i]))
			return false;
	if (!add(sql, " FROM ") || !table(sql, t) || !add(sql, " AS t"))
		return false;
	for (int part = 1; !first && part <= (int)t->keys; part++)
		if (!add(sql, part == 1 ? " CROSS JOIN (SELECT " : ", ") ||
		    !bound_key(sql, &t->columns[rows_key_column(t, part)], part))
			return false;
	if (!first && !(add(sql, ") AS b WHERE ") && is_behind(sql, t)))
		return false;
	for (int part = 1; part <= (int)t->keys; part++)
		if (!add(sql, part == 1 ? " ORDER BY " : ", ") || !key(sql, t, part))
			return false;
	return true;
}

/* ---- writing ---- */

static bool write_column(struct buf *sql, const struct rows_column *c, size_t i)
{
	switch (c->kind) {
	case ROWS_TEXT: /* as the column's own code page has it */
		return buf_printf(sql, "j.c%zu", i);
	case ROWS_XML:
		return buf_printf(sql, "CONVERT(xml, j.c%zu, 1)", i);
	case ROWS_BINARY:
		return buf_printf(sql, "CONVERT(varbinary(max), j.c%zu, 1)", i);
	case ROWS_DATE:
		return buf_printf(sql, "CONVERT(%s, j.c%zu, 121)", c->declared, i);
	default:
		return buf_printf(sql, "CONVERT(%s, j.c%zu)", c->declared, i);
	}
}

static bool set_identity(struct buf *sql, const struct rows_shape *t, const char *before, const char *how)
{
	return !t->has_identity || (add(sql, before) && table(sql, t) && add(sql, how));
}

bool rows_text_write(struct buf *sql, const struct rows_shape *t)
{
	if (!set_identity(sql, t, "SET IDENTITY_INSERT ", " ON; ") || !add(sql, "INSERT INTO ") || !table(sql, t))
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (!add(sql, i ? ", " : " (") || !sql_quote_name(sql, t->columns[i].name))
			return false;
	for (size_t i = 0; i < t->count; i++)
		if (!add(sql, i ? ", " : ") SELECT ") || !write_column(sql, &t->columns[i], i))
			return false;
	for (size_t i = 0; i < t->count; i++)
		if (!buf_printf(sql, "%sc%zu nvarchar(max) '$[%zu]'",
				i ? ", " : " FROM OPENJSON(CAST(? AS nvarchar(max))) WITH (", i, i))
			return false;
	return add(sql, ") AS j") && set_identity(sql, t, "; SET IDENTITY_INSERT ", " OFF");
}

bool rows_text_empty(struct buf *sql, const struct rows_shape *t)
{
	return add(sql, "TRUNCATE TABLE ") && table(sql, t);
}
