/* SPDX-License-Identifier: Apache-2.0
 * s03: the target is bound to the web and database clusters it belonged to before, so it keeps its public host.
 *
 * Look: the bound clusters of the registry's record are the home clusters.
 * Act:  bind the target to its home clusters.
 * Safe to repeat because binding to the same clusters again changes nothing. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

static bool look(struct step_ctx *c, bool *so_r)
{
	struct tenant_record target;

	if (!guard_target(c, &target))
		return false;
	if (!target.home_web_cluster[0] || !target.home_db_cluster[0])
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "the registry knows no home cluster of the target");
	*so_r = strcmp(target.web_cluster, target.home_web_cluster) == 0 &&
		strcmp(target.db_cluster, target.home_db_cluster) == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct tenant_port *tenant = c->ports->tenant;
	struct tenant_record target;

	return guard_target(c, &target) &&
	       tenant->bind_clusters(tenant, &c->fence, c->job->target_ctx, target.home_web_cluster,
				     target.home_db_cluster, c->err);
}

enum step_outcome s03_connect_old_clusters(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
