/* SPDX-License-Identifier: Apache-2.0
 * s06: an empty database of this clone's own, in quarantine and stamped, inside and in the registry.
 *
 * Look: the generation exists, its stamp names this clone, and so does the registry's stamp.
 * Act:  prove the target, create the generation with its stamp, write the registry's stamp.
 * Safe to repeat because a generation bears a name that no other clone uses, creating goes on where it was broken off,
 * and a generation with a foreign stamp is refused. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <stdio.h>
#include <string.h>

static bool stamped_inside(struct step_ctx *c, bool *so_r)
{
	struct sql_port *sql = c->ports->sql;
	struct sql_stamp stamp = { 0 };
	bool there = false;

	if (!sql->exists(sql, c->fence.generation, &there, c->err))
		return false;
	if (there && !sql->stamp(sql, c->fence.generation, &stamp, c->err))
		return false;
	if (stamp.found && strcmp(stamp.clone_id, c->job->clone_id) != 0)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "the generation bears the stamp of another clone");
	*so_r = stamp.found;
	return true;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct tenant_record target;

	if (!guard_target(c, &target) || !stamped_inside(c, so_r))
		return false;
	*so_r = *so_r && strcmp(target.stamp.clone_id, c->job->clone_id) == 0 &&
		strcmp(target.stamp.database, c->fence.generation) == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct tenant_stamp stamp = { .token = c->fence.token };
	struct tenant_port *tenant = c->ports->tenant;

	snprintf(stamp.clone_id, sizeof stamp.clone_id, "%s", c->job->clone_id);
	snprintf(stamp.source_ctx, sizeof stamp.source_ctx, "%s", c->job->source_ctx);
	snprintf(stamp.database, sizeof stamp.database, "%s", c->fence.generation);
	return tenant->put_stamp(tenant, &c->fence, c->job->target_ctx, &stamp, c->err) &&
	       c->ports->sql->create_database(c->ports->sql, &c->fence, c->job->source_ctx, c->err);
}

enum step_outcome s06_create_database(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
