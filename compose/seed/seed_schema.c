/* SPDX-License-Identifier: Apache-2.0
 * The tables: of the platform (schema.csv, as the model documents them) and of this customer (extras.csv). */
#include "compose/seed/seed_priv.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELDS = 5 }; /* table,column,type,nullable,primarykey; what follows is for people */

struct field {
	const char *text;
	size_t len;
};

static bool is(const struct field *f, const char *text)
{
	return f->len == strlen(text) && memcmp(f->text, text, f->len) == 0;
}

struct seed_table *seed_table_by_name(const struct seed_plan *plan, const char *name, size_t len)
{
	for (size_t i = 0; i < plan->table_count; i++) {
		if (strlen(plan->tables[i]->name) == len && memcmp(plan->tables[i]->name, name, len) == 0)
			return plan->tables[i];
	}
	return NULL;
}

static struct seed_table *table_of(struct seed_plan *plan, const struct field *name, struct err *e)
{
	struct seed_table *table = seed_table_by_name(plan, name->text, name->len);

	if (table)
		return table;
	table = plan->table_count < SEED_TABLES_MAX ? arena_take(plan->mem, sizeof *table) : NULL;
	if (!table || !(table->name = arena_text(plan->mem, name->text, name->len))) {
		err_set(e, ERR_BUG, 0, "seed", "too many tables");
		return NULL;
	}
	plan->tables[plan->table_count++] = table;
	return table;
}

/* nvarchar(max) and varbinary(max) lose their "max": not every database can read it. */
static bool read_type(struct seed_plan *plan, const struct field *type, struct seed_column *column)
{
	const char *open = memchr(type->text, '(', type->len);
	size_t len = open ? (size_t)(open - type->text) : type->len;
	struct field base = { type->text, len };

	column->width = open && open[1] != 'm' ? atoi(open + 1) : 0;
	column->sql_type = column->width ? arena_text(plan->mem, type->text, type->len)
	                                 : arena_text(plan->mem, base.text, base.len);
	if (is(&base, "nvarchar"))
		column->type = SEED_TEXT;
	else if (is(&base, "varbinary"))
		column->type = SEED_BYTES;
	else if (is(&base, "datetime"))
		column->type = SEED_TIME;
	else if (is(&base, "int") || is(&base, "smallint"))
		column->type = SEED_NUMBER;
	else
		return false;
	return column->sql_type != NULL;
}

static bool has_column(const struct seed_table *table, const struct field *name)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (strlen(table->columns[i].name) == name->len &&
		    strncasecmp(table->columns[i].name, name->text, name->len) == 0)
			return true;
	}
	return false;
}

static bool add_column(struct seed_plan *plan, const struct field f[FIELDS], struct err *e)
{
	struct seed_table *table = table_of(plan, &f[0], e);
	struct seed_column column = { .nullable = is(&f[3], "Y"), .is_key = is(&f[4], "Y") };

	if (!table)
		return false;
	if (has_column(table, &f[1]))
		return true; /* some columns are listed once for a step and once as audit */
	if (table->column_count == SEED_COLUMNS_MAX || !read_type(plan, &f[2], &column))
		return err_set(e, ERR_BUG, 0, "seed", "a column of %s cannot be understood", table->name);
	column.name = arena_text(plan->mem, f[1].text, f[1].len);
	table->columns[table->column_count++] = column;
	return column.name || err_set(e, ERR_TRANSIENT, 0, "seed", "no memory");
}

static bool read_line(struct seed_plan *plan, const char *line, size_t len, struct err *e)
{
	struct field fields[FIELDS];

	for (int i = 0; i < FIELDS; i++) {
		const char *comma = memchr(line, ',', len);

		fields[i] = (struct field){ line, comma ? (size_t)(comma - line) : len };
		if (!comma && i < FIELDS - 1)
			return err_set(e, ERR_BUG, 0, "seed", "a line of the schema has too few fields");
		len -= fields[i].len + (comma != NULL);
		line += fields[i].len + (comma != NULL);
	}
	return add_column(plan, fields, e);
}

static bool read_file(struct seed_plan *plan, const char *name, struct err *e)
{
	const char *line = seed_file(name);

	if (!line)
		return err_set(e, ERR_BUG, 0, "seed", "%s was not built in", name);
	line = strchr(line, '\n'); /* the first one holds the titles */
	while (line && line[1]) {
		size_t len = strcspn(++line, "\r\n");

		if (!read_line(plan, line, len, e))
			return false;
		line = strchr(line, '\n');
	}
	return true;
}

bool seed_read_schema(struct seed_plan *plan, struct err *e)
{
	return read_file(plan, "schema.csv", e) && read_file(plan, "extras.csv", e);
}

bool seed_table_sql(const struct seed_table *table, struct buf *sql)
{
	const char *separator = "";

	buf_add_text(sql, "CREATE TABLE ");
	sql_quote_name(sql, table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		buf_add_text(sql, i ? ", " : " (");
		sql_quote_name(sql, table->columns[i].name);
		buf_printf(sql, " %s%s", table->columns[i].sql_type, table->columns[i].nullable ? "" : " NOT NULL");
	}
	buf_add_text(sql, ", PRIMARY KEY (");
	for (size_t i = 0; i < table->column_count; i++) {
		if (!table->columns[i].is_key)
			continue;
		buf_add_text(sql, separator);
		sql_quote_name(sql, table->columns[i].name);
		separator = ", ";
	}
	return buf_add_text(sql, "))");
}
