/* SPDX-License-Identifier: Apache-2.0
 * s01: the target is in offline maintenance and none of its operation-center tasks is under way.
 *
 * Look: the registry's state of the target is OfflineMaintenance and no task is pending.
 * Act:  wait until the tasks have ended, then set the state.
 * Safe to repeat because setting a state that already is changes nothing, and waiting changes nothing at all. */
#include "handlers/guard.h"
#include "handlers/words.h"

static bool look(struct step_ctx *c, bool *so_r)
{
	struct tenant_record target;

	if (!guard_target(c, &target))
		return false;
	*so_r = target.state == TENANT_OFFLINE_MAINTENANCE;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct tenant_port *tenant = c->ports->tenant;

	return tenant->set_state(tenant, &c->fence, c->job->target_ctx, TENANT_OFFLINE_MAINTENANCE, c->err);
}

enum step_outcome s01_enter_offline_mode(struct step_ctx *c)
{
	struct tenant_record target;

	if (!guard_target(c, &target))
		return step_failed(c);
	if (target.pending_tasks > 0)
		return step_wait(c, c->settings->poll_ms, "tasks of the customer to end");
	return step_look_act(c, look, act);
}
