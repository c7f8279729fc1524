/* SPDX-License-Identifier: Apache-2.0
 * s18: the principal for customer queries may read the generation and do nothing else in it.
 *
 * Look: the catalogue lists one permission of that principal on the generation, SELECT.
 * Act:  revoke what it has beyond, grant SELECT.
 * Safe to repeat because both statements name the wanted end, not a change. */
#include "handlers/guard.h"
#include "handlers/words.h"

static struct sql_args values(const struct step_ctx *c)
{
	return SQL_ARGS(sql_text("database", c->fence.generation), sql_text("principal", c->settings->query_principal));
}

static bool look(struct step_ctx *c, bool *so_r)
{
	const struct sql_args args = values(c);
	struct sql_port *sql = c->ports->sql;
	int64_t granted = 0, all = 0;

	if (!sql->scalar(sql, SQL_SERVER, "s18_may_read", &args, &granted, c->err) ||
	    !sql->scalar(sql, SQL_SERVER, "s18_all_permissions", &args, &all, c->err))
		return false;
	*so_r = granted == 1 && all == 1;
	return true;
}

static bool act(struct step_ctx *c)
{
	const struct sql_change revoke = { "s18_revoke_others", values(c) }, grant = { "s18_grant_read", values(c) };
	struct sql_port *sql = c->ports->sql;

	return guard_database(c, c->fence.generation) && sql->apply_server(sql, &c->fence, &revoke, c->err) &&
	       sql->apply_server(sql, &c->fence, &grant, c->err);
}

enum step_outcome s18_grant_customer_query(struct step_ctx *c)
{
	if (!c->settings->query_principal[0])
		return step_skipped(c, "no principal for customer queries is configured");
	return step_look_act(c, look, act);
}
