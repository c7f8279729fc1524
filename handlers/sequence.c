/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/sequence.h"
#include "handlers/words.h"

#include <string.h>

struct table_name {
	struct table_name *next;
	const char *text;
};

struct names {
	struct step_ctx *c;
	struct table_name *first;
};

static bool keep_name(void *arg, const struct sql_row *row, struct err *e)
{
	struct names *names = arg;
	struct table_name *name = step_take(names->c, sizeof *name);

	(void)e;
	if (!name || row->count < 1 || row->values[0].kind != SQL_TEXT)
		return name != NULL;
	name->text = step_text(names->c, "%s", row->values[0].text);
	name->next = names->first;
	names->first = name;
	return name->text != NULL;
}

/* Sales tables call their key <table>_id, Service tables id; *key_r is NULL for a table that is not there. */
static bool key_of(struct step_ctx *c, const char *table, const char **key_r)
{
	const char *sales = step_text(c, "%s_id", table);
	bool has = false;

	*key_r = NULL;
	if (!sales || !c->ports->sql->has(c->ports->sql, SQL_TARGET, table, sales, &has, c->err))
		return false;
	if (has) {
		*key_r = sales;
		return true;
	}
	if (!c->ports->sql->has(c->ports->sql, SQL_TARGET, table, "id", &has, c->err))
		return false;
	if (has)
		*key_r = "id";
	return true;
}

static bool catch_up(struct step_ctx *c, const char *table, int64_t *moved)
{
	const char *key;
	int64_t lag = 0;

	if (!key_of(c, table, &key) || !key)
		return c->err->class == ERR_NONE;
	const struct sql_change move = key_used(table, key);

	if (!ask_number(c, "s09_sequence_lag", &move.args, &lag))
		return false;
	if (lag == 0)
		return true;
	c->acted = true;
	*moved += lag;
	return change_all(c, &move, 1);
}

bool sequence_catch_up(struct step_ctx *c, int64_t *moved_r)
{
	struct names names = { c, NULL };
	const struct sql_args none = { 0 };
	bool there = false;

	*moved_r = 0;
	if (!c->ports->sql->has(c->ports->sql, SQL_TARGET, "sequence", "TableName", &there, c->err))
		return false;
	if (there &&
	    !c->ports->sql->rows(c->ports->sql, SQL_TARGET, "s09_sequence_tables", &none, keep_name, &names, c->err))
		return false;
	for (const struct table_name *name = names.first; name; name = name->next)
		if (!catch_up(c, name->text, moved_r))
			return false;
	return true;
}
