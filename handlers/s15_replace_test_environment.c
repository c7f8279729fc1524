/* SPDX-License-Identifier: Apache-2.0
 * s15: SuperID calls the target the test environment of the source, and no other tenant.
 *
 * Look: SuperID's record of the target names the source.
 * Act:  link the pair; SuperID gives up the former link of the source.
 * Safe to repeat because linking the same pair again changes nothing. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

static bool look(struct step_ctx *c, bool *so_r)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_tenant tenant;
	bool found = false;

	if (!identity->get(identity, c->job->target_ctx, &found, &tenant, c->err))
		return false;
	*so_r = found && strcmp(tenant.test_of, c->job->source_ctx) == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;

	return guard_target(c, NULL) &&
	       identity->link_test(identity, &c->fence, c->job->source_ctx, c->job->target_ctx, c->err);
}

enum step_outcome s15_replace_test_environment(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
