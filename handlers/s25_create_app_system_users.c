/* SPDX-License-Identifier: Apache-2.0
 * s25: each app that is authorised for the target, and no other, is known to the clone and has its system user. What
 * the source's administrator allowed does not count here: an authorisation is one app to one tenant.
 *
 * Look: every active authorisation has its OnlineApp row and, with a token, its system user; there are no others.
 * Act:  delete the apps and system users of others, then make or repair what is not right.
 * Safe to repeat because users and rows are found by client id, and an app's token never changes. */
#include "handlers/app_rows.h"
#include "handlers/guard.h"
#include "handlers/words.h"

#include <inttypes.h>

static bool look(struct step_ctx *c, bool *so_r)
{
	const struct sql_args none = { 0 };
	struct app_authorisations apps;
	int64_t users = 0, rows = 0, wanted_users = 0, wanted_rows = 0;

	if (!c->ports->apps->list(c->ports->apps, c->job->target_ctx, c->mem, &apps, c->err) ||
	    !ask_number(c, "s25_app_users", &none, &users) || !ask_number(c, "s25_apps", &none, &rows))
		return false;
	*so_r = true;
	for (size_t i = 0; i < apps.count; i++) {
		bool right = true;

		if (apps.apps[i].status != APP_ACTIVE)
			continue;
		if (!app_is_right(c, &apps.apps[i], &right))
			return false;
		*so_r &= right;
		wanted_rows++;
		wanted_users += apps.apps[i].system_user_token[0] != '\0';
	}
	*so_r &= users == wanted_users && rows == wanted_rows;
	step_detail(c, "%" PRId64 " apps authorised, %" PRId64 " system users", wanted_rows, wanted_users);
	return true;
}

static bool act(struct step_ctx *c)
{
	struct app_authorisations apps;

	if (!guard_target(c, NULL) ||
	    !c->ports->apps->list(c->ports->apps, c->job->target_ctx, c->mem, &apps, c->err) ||
	    !apps_drop_strangers(c, &apps))
		return false;
	for (size_t i = 0; i < apps.count; i++) {
		bool right = true;

		if (apps.apps[i].status == APP_ACTIVE && !app_is_right(c, &apps.apps[i], &right))
			return false;
		if (!right && !app_make(c, &apps.apps[i]))
			return false;
	}
	return true;
}

enum step_outcome s25_create_app_system_users(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
