/* SPDX-License-Identifier: Apache-2.0
 * s23: SuperID signs in to the target exactly those users who hold a plan in the clone.
 *
 * Look: SuperID's list of the target's users equals the clone's, by sign-in name and associate.
 * Act:  put the whole list.
 * Safe to repeat because the list is replaced as one, not added to. */
#include "handlers/guard.h"
#include "handlers/superid_users.h"
#include "handlers/words.h"

static bool look(struct step_ctx *c, bool *so_r)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_users wanted, now;

	if (!superid_users_of(c, SQL_TARGET, &wanted) ||
	    !identity->list_users(identity, c->job->target_ctx, c->mem, &now, c->err))
		return false;
	*so_r = superid_users_equal(&wanted, &now);
	c->rows = (int64_t)wanted.count;
	step_detail(c, "%zu users may sign in", wanted.count);
	return true;
}

static bool act(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_users wanted;

	return guard_target(c, NULL) && superid_users_of(c, SQL_TARGET, &wanted) &&
	       identity->put_users(identity, &c->fence, c->job->target_ctx, &wanted, c->err);
}

enum step_outcome s23_sync_superid_users(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
