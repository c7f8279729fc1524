/* SPDX-License-Identifier: Apache-2.0
 * s07: the database server knows the target's own login, and it is enabled.
 *
 * Look: the server's catalogue has an enabled login of that name.
 * Act:  create it with a security id and a secret sealed for this target, or enable the one that is there.
 * Safe to repeat because name, security id and secret are always the same ones for a target. */
#include "handlers/guard.h"
#include "handlers/words.h"

static bool look(struct step_ctx *c, bool *so_r)
{
	const char *name = step_text(c, "%s_app", c->job->target_ctx);
	const struct sql_args args = SQL_ARGS(sql_text("login", name));
	int64_t enabled = 0;

	if (!name || !c->ports->sql->scalar(c->ports->sql, SQL_SERVER, "s07_login_enabled", &args, &enabled, c->err))
		return false;
	*so_r = enabled == 1;
	return true;
}

static bool act(struct step_ctx *c)
{
	const char *name = step_text(c, "%s_app", c->job->target_ctx);
	char sid[SEAL_TEXT], secret[SEAL_TEXT];

	if (!guard_target(c, NULL) || !name || !ROW_SEAL(c, sid, "login", "sid") ||
	    !ROW_SEAL(c, secret, "login", "secret"))
		return false;
	const struct sql_change create = {
		"s07_create_login",
		SQL_ARGS(sql_text("login", name), sql_text("sid", sid), sql_text("secret_hash", secret)),
	};

	return c->ports->sql->apply_server(c->ports->sql, &c->fence, &create, c->err);
}

enum step_outcome s07_create_login(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
