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

/* A source has one test environment. When it is cloned to two targets at a time, the other clone may take the link
 * between our order and our look; ordering again would be answered as before and change nothing, and were it obeyed
 * the two would take it from each other for ever. Who links last has it. */
static bool look_for_taker(struct step_ctx *c, bool *taken_r)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_tenant source;
	bool found = false;

	if (!identity->get(identity, c->job->source_ctx, &found, &source, c->err))
		return false;
	*taken_r = found && *source.test_tenant && strcmp(source.test_tenant, c->job->target_ctx) != 0;
	if (*taken_r)
		step_detail(c, "linked; %s has taken the link since", source.test_tenant);
	return true;
}

static bool look_again(struct step_ctx *c, bool *so_r)
{
	return look(c, so_r) && (*so_r || look_for_taker(c, so_r));
}

static bool act(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;

	return guard_target(c, NULL) &&
	       identity->link_test(identity, &c->fence, c->job->source_ctx, c->job->target_ctx, c->err);
}

enum step_outcome s15_replace_test_environment(struct step_ctx *c)
{
	return step_look_act_look(c, look, act, look_again);
}
