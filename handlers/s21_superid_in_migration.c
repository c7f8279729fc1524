/* SPDX-License-Identifier: Apache-2.0
 * s21: SuperID holds the target as "in migration": sign-in and welcome mails stay quiet while its users are linked
 * anew.
 *
 * Look: SuperID's own state of the target is In migration.
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
	*so_r = found && tenant.state == IDENTITY_IN_MIGRATION;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;

	return guard_target(c, NULL) &&
	       identity->set_state(identity, &c->fence, c->job->target_ctx, IDENTITY_IN_MIGRATION, c->err);
}

enum step_outcome s21_superid_in_migration(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
