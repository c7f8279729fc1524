/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/sequence.h"
#include "handlers/words.h"

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
	struct texts tables;

	*moved_r = 0;
	if (!ask_texts(c, "s09_sequence_tables", &tables))
		return false;
	for (size_t i = 0; i < tables.count; i++)
		if (!catch_up(c, tables.text[i], moved_r))
			return false;
	return true;
}
