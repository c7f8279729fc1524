/* SPDX-License-Identifier: Apache-2.0
 * Reads content.txt into blocks. Its form is described at its head. */
#include "compose/seed/seed_priv.h"

#include "handlers/base/embedded.h"

#include <stdlib.h>
#include <string.h>

extern const struct embedded_file seed_files[];
extern const size_t seed_files_count;

struct folder { /* files are numbered through both stores */
	const char *name;
	int64_t files;
};

struct reading {
	struct seed_plan *plan;
	struct seed_block *block;
	struct folder folders[16];
	int line;
	bool skip; /* this block is not wanted */
};

const char *seed_file(const char *name)
{
	for (size_t i = 0; i < seed_files_count; i++) {
		if (strcmp(seed_files[i].name, name) == 0)
			return seed_files[i].text;
	}
	return NULL;
}

const struct seed_value *seed_value_of(const struct seed_block *block, const char *column)
{
	for (size_t i = 0; i < block->value_count; i++) {
		if (strcmp(block->values[i].column, column) == 0)
			return &block->values[i];
	}
	return NULL;
}

static bool wrong(const struct reading *r, struct err *e, const char *why)
{
	return err_set(e, ERR_BUG, 0, "seed", "content.txt:%d: %s", r->line, why);
}

/* "12" are 12; "*2000" are 2000 times the factor, of which factor 0 takes a handful; "tables" is one per table. */
static bool read_count(const struct reading *r, const char *text, int64_t *count_r)
{
	bool scaled = *text == '*';
	int64_t n = strtoll(text + scaled, NULL, 10);
	int factor = r->plan->options->factor;

	if (strcmp(text, "tables") == 0)
		n = (int64_t)r->plan->table_count;
	else if (scaled)
		n = factor ? n * factor : n / 1000 + 2;
	*count_r = n;
	return n > 0;
}

static struct folder *folder_of(struct reading *r, const char *name)
{
	for (size_t i = 0; i < sizeof r->folders / sizeof r->folders[0]; i++) {
		if (!r->folders[i].name)
			r->folders[i].name = arena_text(r->plan->mem, name, strlen(name));
		if (r->folders[i].name && strcmp(r->folders[i].name, name) == 0)
			return &r->folders[i];
	}
	return NULL;
}

static bool begin_files(struct reading *r, char *store, char *folder, struct err *e)
{
	struct folder *f = folder_of(r, folder);

	if (!f || (strcmp(store, "objects") != 0 && strcmp(store, "archive") != 0))
		return wrong(r, e, "there is no such store");
	r->block->store = store[0] == 'o' ? "objects" : "archive";
	r->block->folder = f->name;
	r->block->first = f->files + 1;
	f->files += r->block->count;
	return true;
}

static bool begin_rows(struct reading *r, const char *table, struct err *e)
{
	r->block->table = seed_table_by_name(r->plan, table, strlen(table));
	if (!r->block->table)
		return wrong(r, e, "there is no such table");
	r->block->first = r->block->table->rows + 1;
	r->block->table->rows += r->block->count;
	return true;
}

/* "[Email *3000]", "[BatchTask 1 live]", "[objects:Documents *200]" */
static bool begin_block(struct reading *r, const char *line, size_t len, struct err *e)
{
	char copy[128], *name, *count, *condition, *colon, *rest;

	if (len < 3 || len >= sizeof copy || line[len - 1] != ']')
		return wrong(r, e, "a block begins with [table count]");
	memcpy(copy, line, len - 1);
	copy[len - 1] = '\0';
	name = strtok_r(copy + 1, " ", &rest);
	count = strtok_r(NULL, " ", &rest);
	condition = strtok_r(NULL, " ", &rest);
	r->skip = condition && strcmp(condition, "live") == 0 && !r->plan->options->live_task;
	if (r->skip)
		return true;
	r->block = r->plan->block_count < SEED_BLOCKS_MAX ? arena_take(r->plan->mem, sizeof *r->block) : NULL;
	if (!r->block || !name || !count || !read_count(r, count, &r->block->count))
		return wrong(r, e, "a block begins with [table count]");
	r->plan->blocks[r->plan->block_count++] = r->block;
	colon = strchr(name, ':');
	if (!colon)
		return begin_rows(r, name, e);
	*colon = '\0';
	return begin_files(r, name, colon + 1, e);
}

static bool is_column(const struct seed_table *table, const char *name)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (strcmp(table->columns[i].name, name) == 0)
			return true;
	}
	return false;
}

/* "email_address = ${address}" */
static bool add_value(struct reading *r, const char *line, size_t len, struct err *e)
{
	const char *equals = memmem(line, len, " =", 2);
	struct seed_value *value;
	size_t skip;

	if (!equals || !r->block || r->block->value_count == SEED_COLUMNS_MAX)
		return wrong(r, e, "expected column = value");
	value = &r->block->values[r->block->value_count++];
	skip = (size_t)(equals - line) + 2;
	skip += skip < len && line[skip] == ' ';
	value->column = arena_text(r->plan->mem, line, strcspn(line, " "));
	value->text = line + skip;
	value->len = len - skip;
	if (!value->column)
		return wrong(r, e, "no memory");
	if (r->block->table && !is_column(r->block->table, value->column))
		return wrong(r, e, "the table has no such column");
	return true;
}

bool seed_read_content(struct seed_plan *plan, struct err *e)
{
	struct reading r = { .plan = plan };
	const char *line = seed_file("content.txt");

	while (line && *line) {
		size_t len = strcspn(line, "\n");
		bool ok = true;

		r.line++;
		if (len && line[0] == '[')
			ok = begin_block(&r, line, len, e);
		else if (len && line[0] != '#' && !r.skip)
			ok = add_value(&r, line, len, e);
		if (!ok)
			return false;
		line += len + (line[len] == '\n');
	}
	plan->persons = seed_table_by_name(plan, "person", 6);
	plan->contacts = seed_table_by_name(plan, "contact", 7);
	return (plan->persons && plan->persons->rows && plan->contacts && plan->contacts->rows) ||
	       err_set(e, ERR_BUG, 0, "seed", "content.txt has no persons or no contacts");
}
