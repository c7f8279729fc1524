/* SPDX-License-Identifier: Apache-2.0
 * s12: the platform's own system users can sign in to this sandbox, with credentials sealed for it, and no session
 * ticket of the source works any more.
 *
 * Look: each platform user is there with role, seals and its one credential; no session ticket and no NetServer key.
 * Act:  make or repair the users that are not right, each in one transaction; drop tickets and keys.
 * Safe to repeat because users are found by name, and their seals are the same at every call for this target. */
#include "handlers/system_user.h"
#include "handlers/words.h"

static bool no_tickets(struct step_ctx *c, bool *none_r)
{
	const struct sql_args none = { 0 };
	int64_t tickets = 0, keys = 0;

	if (!ask_number(c, "s12_session_tickets", &none, &tickets) ||
	    !ask_number(c, "s12_netserver_keys", &none, &keys))
		return false;
	*none_r = tickets == 0 && keys == 0;
	return true;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	if (!no_tickets(c, so_r))
		return false;
	for (const struct system_user *user = platform_users; *so_r && user->name; user++)
		if (!system_user_is_right(c, user, so_r))
			return false;
	return true;
}

static bool act(struct step_ctx *c)
{
	const struct sql_change drop[] = { { .statement = "s12_drop_tickets" }, { .statement = "s12_blank_keys" } };
	bool none = false, right;

	if (!no_tickets(c, &none) || (!none && !change_all(c, drop, 2)))
		return false;
	for (const struct system_user *user = platform_users; user->name; user++)
		if (!system_user_is_right(c, user, &right) || (!right && !system_user_make(c, user)))
			return false;
	return true;
}

enum step_outcome s12_fix_system_users(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
