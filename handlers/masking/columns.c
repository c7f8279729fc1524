/* SPDX-License-Identifier: Apache-2.0
 * The class of every column, from email_columns.csv: parsed once, strictly, into a hash table. */
#include "handlers/masking/masking_priv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIELDS = 4, FIELD_MAX = 512, SLOTS = 4096, WILDCARDS = 16 };

struct row {
	char *table, *column; /* lower case, one block of memory */
	struct mask_rule rule;
};

struct mask_columns {
	struct row slots[SLOTS];
	size_t count;
	struct row wildcards[WILDCARDS]; /* names with a star at the end, in the order of the list */
	size_t wildcard_count;
};

static const struct {
	const char *what;
	enum mask_class class;
} classes[] = {
	{ "address", MASK_CLASS_ADDRESS },
	{ "address-list", MASK_CLASS_LIST },
	{ "json-list", MASK_CLASS_LIST },
	{ "address-or-name", MASK_CLASS_NAME },
	{ "address-or-phone", MASK_CLASS_NAME },
	{ "phone-or-address", MASK_CLASS_NAME },
	{ "login", MASK_CLASS_NAME },
	{ "header", MASK_CLASS_HEADER },
	{ "message-id", MASK_CLASS_MESSAGE_ID },
	{ "freetext", MASK_CLASS_TEXT },
	{ "json", MASK_CLASS_TEXT },
	{ "pattern", MASK_CLASS_TEXT },
	{ "url", MASK_CLASS_TEXT },
	{ "external-ref", MASK_CLASS_TEXT },
	{ "udef", MASK_CLASS_TEXT },
	{ "dynamic", MASK_CLASS_TEXT },
	{ "config", MASK_CLASS_TEXT }, /* addresses inside; a bare domain or server is other steps' work */
	{ "domain", MASK_CLASS_TEXT },
	{ "phone", MASK_CLASS_TEXT }, /* a number has no at sign and stays */
	{ "index", MASK_CLASS_TEXT }, /* other steps rebuild it; until then it must not leak */
	{ "blob", MASK_CLASS_BLOB },
};

static size_t hash_names(const char *table, const char *column)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *table; table++)
		h = (h ^ (unsigned char)mask_lower(*table)) * UINT64_C(0x100000001b3);
	h = (h ^ '.') * UINT64_C(0x100000001b3);
	for (; *column; column++)
		h = (h ^ (unsigned char)mask_lower(*column)) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ (h >> 32)) % SLOTS;
}

/* ---- the list ---- */
struct csv {
	const char *text;
	size_t len, next;
	size_t line;
	char fields[FIELDS][FIELD_MAX];
};

static bool csv_error(const struct csv *csv, const char *what, struct err *e)
{
	return err_set(e, ERR_BUG, 0, "masking", "email_columns.csv, line %zu: %s", csv->line, what);
}

/* One field, quoted or not; leaves csv->next at the comma or line end behind it. */
static bool csv_field(struct csv *csv, char *field, struct err *e)
{
	bool quoted = csv->next < csv->len && csv->text[csv->next] == '"';
	size_t n = 0;

	for (csv->next += quoted; csv->next < csv->len; csv->next++) {
		char c = csv->text[csv->next];

		if (quoted && c == '"') {
			csv->next++;
			quoted = false;
			if (csv->next == csv->len || csv->text[csv->next] != '"')
				break;
			quoted = true;
		} else if (!quoted && (c == ',' || c == '\n')) {
			break;
		} else if (c == '"' || c == '\n' || c == '\r' || c == '\0') {
			return csv_error(csv, "a quote or control inside a field", e);
		}
		if (n + 1 == FIELD_MAX)
			return csv_error(csv, "a field that is too long", e);
		field[n++] = c;
	}
	if (quoted)
		return csv_error(csv, "a quote that is not closed", e);
	field[n] = '\0';
	return true;
}

static bool csv_row(struct csv *csv, struct err *e)
{
	csv->line++;
	for (int i = 0; i < FIELDS; i++) {
		char end = i + 1 < FIELDS ? ',' : '\n';

		if (!csv_field(csv, csv->fields[i], e))
			return false;
		if (csv->next == csv->len || csv->text[csv->next] != end)
			return csv_error(csv, "there must be four fields and a line end", e);
		csv->next++;
	}
	return true;
}

static bool rule_of(const char *what, struct mask_rule *rule_r)
{
	size_t len = strcspn(what, ":");

	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
		if (strlen(classes[i].what) != len || strncmp(classes[i].what, what, len) != 0)
			continue;
		rule_r->class = classes[i].class;
		rule_r->blank = strstr(what + len, "blank it") != NULL;
		return true;
	}
	return false;
}

static bool row_set(struct row *row, const char *table, const char *column, struct mask_rule rule)
{
	size_t table_size = strlen(table) + 1, column_size = strlen(column) + 1;

	row->table = malloc(table_size + column_size);
	if (!row->table)
		return false;
	row->column = row->table + table_size;
	for (size_t i = 0; i < table_size; i++)
		row->table[i] = mask_lower(table[i]);
	for (size_t i = 0; i < column_size; i++)
		row->column[i] = mask_lower(column[i]);
	row->rule = rule;
	return true;
}

static struct row *find_slot(struct mask_columns *c, const char *table, const char *column)
{
	size_t i = hash_names(table, column);

	while (c->slots[i].table &&
	       (strcasecmp(c->slots[i].table, table) != 0 || strcasecmp(c->slots[i].column, column) != 0))
		i = (i + 1) % SLOTS;
	return &c->slots[i];
}

static bool add_row(struct mask_columns *c, const struct csv *csv, struct err *e)
{
	const char *table = csv->fields[0], *column = csv->fields[1];
	bool wildcard = strchr(table, '*') || strchr(column, '*');
	struct mask_rule rule;
	struct row *row;

	if (!*table || !*column)
		return csv_error(csv, "no table or no column", e);
	if (!rule_of(csv->fields[3], &rule))
		return csv_error(csv, "a class that nobody knows", e);
	if (strcmp(table, "*") == 0 && strcmp(column, "*") == 0)
		rule.class = MASK_CLASS_UNKNOWN;
	if (wildcard ? c->wildcard_count == WILDCARDS : c->count == SLOTS / 2)
		return csv_error(csv, "more rows than there is room for", e);
	row = wildcard ? &c->wildcards[c->wildcard_count] : find_slot(c, table, column);
	if (row->table)
		return csv_error(csv, "a column that was listed before", e);
	if (!row_set(row, table, column, rule))
		return err_set(e, ERR_TRANSIENT, 0, "masking", "memory is short");
	if (wildcard)
		c->wildcard_count++;
	else
		c->count++;
	return true;
}

static bool parse(struct mask_columns *c, const char *text, size_t len, struct err *e)
{
	static const char *const header[FIELDS] = { "table", "column", "sqltype", "what" };
	struct csv csv = { .text = text, .len = len };

	if (!csv_row(&csv, e))
		return false;
	for (int i = 0; i < FIELDS; i++)
		if (strcmp(csv.fields[i], header[i]) != 0)
			return csv_error(&csv, "the header must be table,column,sqltype,what", e);
	while (csv.next < csv.len)
		if (!csv_row(&csv, e) || !add_row(c, &csv, e))
			return false;
	return true;
}

struct mask_columns *mask_columns_new(const char *csv, size_t len, struct err *e)
{
	struct mask_columns *c = calloc(1, sizeof *c);

	if (!c)
		err_set(e, ERR_TRANSIENT, 0, "masking", "memory is short");
	else if (!parse(c, csv, len, e))
		mask_columns_free(&c);
	return c;
}

void mask_columns_free(struct mask_columns **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free((*c)->slots[i].table);
	for (size_t i = 0; i < (*c)->wildcard_count; i++)
		free((*c)->wildcards[i].table);
	free(*c);
	*c = NULL;
}

static bool matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncasecmp(pattern, name, len - 1) == 0;
	return strcasecmp(pattern, name) == 0;
}

struct mask_rule mask_columns_find(const struct mask_columns *c, const char *table, const char *column)
{
	for (size_t i = hash_names(table, column); c->slots[i].table; i = (i + 1) % SLOTS)
		if (strcasecmp(c->slots[i].table, table) == 0 && strcasecmp(c->slots[i].column, column) == 0)
			return c->slots[i].rule;
	for (size_t i = 0; i < c->wildcard_count; i++)
		if (matches(c->wildcards[i].table, table) && matches(c->wildcards[i].column, column))
			return c->wildcards[i].rule;
	return (struct mask_rule){ .class = MASK_CLASS_UNKNOWN };
}
