/* SPDX-License-Identifier: Apache-2.0
 * Rolling back: the sandbox that was in service before this clone, and was kept, is in service again, and nothing of
 * the clone is left. What undoes a clone does it (abandon.c); here is asked first whether there is a way back, so that
 * a rollback that is refused has changed nothing. Safe to repeat: once the switch is made, what is left is to clean up. */
#include "handlers/guard.h"

#include <string.h>

/* The guard refuses it when a newer clone has built on the target since. */
static bool is_way_back(struct step_ctx *c, const struct tenant_record *target)
{
	bool there = false;

	if (target->previous_database[0] &&
	    !c->ports->sql->exists(c->ports->sql, target->previous_database, &there, c->err))
		return false;
	if (!there)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "there is nothing to go back to: no previous sandbox is kept");
	return guard_database(c, target->previous_database);
}

enum step_outcome roll_back_clone(struct step_ctx *c)
{
	struct tenant_record target;
	enum step_outcome outcome;

	if (!guard_target(c, &target))
		return step_failed(c);
	c->acted |= strcmp(target.database, c->fence.generation) != 0; /* an earlier call has switched */
	if (!c->acted && !is_way_back(c, &target))
		return step_failed(c);
	c->acted = true;
	outcome = abandon_clone(c);
	if (outcome == STEP_DONE)
		step_detail(c, "rolled back: the previous sandbox is in service again");
	return outcome;
}
