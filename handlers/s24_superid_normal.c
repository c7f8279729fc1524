/* SPDX-License-Identifier: Apache-2.0
 * s24: SuperID holds the target as "normal" again: its users may sign in once it runs.
 *
 * Look: SuperID's own state of the target is Normal.
 * Act:  set it.
 * Safe to repeat because setting a state that already is changes nothing. */
#include "handlers/guard.h"
#include "handlers/words.h"

static bool look(struct step_ctx *c, bool *so_r)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_tenant tenant;
	bool found = false;

	if (!identity->get(identity, c->job->target_ctx, &found, &tenant, c->err))
		return false;
	*so_r = found && tenant.state == IDENTITY_NORMAL;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;

	return guard_target(c, NULL) &&
	       identity->set_state(identity, &c->fence, c->job->target_ctx, IDENTITY_NORMAL, c->err);
}

enum step_outcome s24_superid_normal(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
