/* SPDX-License-Identifier: Apache-2.0
 * s10: the generation has exactly one database user, the target's, and it belongs to the target's login. Users that
 * came with the copy are gone: they would let the source's programs in.
 *
 * Look: the catalogue lists for the generation one user, with the login's security id and the application's roles.
 * Act:  remove every other user of the generation, then make or repair the target's.
 * Safe to repeat because both statements name the wanted end, not a change. */
#include "handlers/guard.h"
#include "handlers/words.h"

/* The seal is what step 07 made the login's security id of: a generation that cannot see the logins knows it by that. */
static bool values(struct step_ctx *c, char sid[SEAL_TEXT], struct sql_args *args_r)
{
	const char *login = step_text(c, "%s_app", c->job->target_ctx);

	*args_r = SQL_ARGS(sql_text("database", c->fence.generation), sql_text("login", login), sql_text("sid", sid));
	return login && ROW_SEAL(c, sid, "login", "sid");
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct sql_port *sql = c->ports->sql;
	int64_t right = 0, all = 0;
	char sid[SEAL_TEXT];
	struct sql_args args;

	if (!values(c, sid, &args) || !sql->scalar(sql, SQL_SERVER, "s10_right_users", &args, &right, c->err) ||
	    !sql->scalar(sql, SQL_SERVER, "s10_all_users", &args, &all, c->err))
		return false;
	*so_r = right == 1 && all == 1;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct sql_change others = { .statement = "s10_remove_others" }, own = { .statement = "s10_map_user" };
	struct sql_port *sql = c->ports->sql;
	char sid[SEAL_TEXT];

	if (!guard_database(c, c->fence.generation) || !values(c, sid, &own.args))
		return false;
	others.args = own.args;
	return sql->apply_server(sql, &c->fence, &others, c->err) && sql->apply_server(sql, &c->fence, &own, c->err);
}

enum step_outcome s10_map_login(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
