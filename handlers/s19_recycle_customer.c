/* SPDX-License-Identifier: Apache-2.0
 * s19: the target's application pool was restarted after the database was made ready, so no cache of old is left.
 *
 * Look: the registry says that the last recycle was asked for by this step of this run.
 * Act:  ask for a recycle.
 * Safe to repeat because the request bears the run's key: the same one again does not recycle twice. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

static bool look(struct step_ctx *c, bool *so_r)
{
	const char *key = step_text(c, "%s/%d/%s/", c->fence.clone_id, c->fence.run, c->fence.step);
	struct tenant_record target;

	if (!key || !guard_target(c, &target))
		return false;
	*so_r = strncmp(target.pool_recycled_by, key, strlen(key)) == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	return c->ports->tenant->recycle(c->ports->tenant, &c->fence, c->job->target_ctx, c->err);
}

enum step_outcome s19_recycle_customer(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
