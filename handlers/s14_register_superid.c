/* SPDX-License-Identifier: Apache-2.0
 * s14: SuperID knows the target, under its sandbox name and the serial number of its own licence.
 *
 * Look: SuperID's record of the target bears that name and serial.
 * Act:  put the record.
 * Safe to repeat because the record is put whole, under the target's name as its key. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

static bool wanted(struct step_ctx *c, const char **name_r, const char **serial_r)
{
	struct licence licence;

	if (!c->ports->licence->get(c->ports->licence, c->job->target_ctx, c->mem, &licence, c->err))
		return false;
	*name_r = step_text(c, "Test Env - %s", licence.owner);
	*serial_r = licence.serial;
	return *name_r != NULL;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct identity_port *identity = c->ports->identity;
	struct identity_tenant tenant;
	const char *name, *serial;
	bool found = false;

	if (!wanted(c, &name, &serial) || !identity->get(identity, c->job->target_ctx, &found, &tenant, c->err))
		return false;
	*so_r = found && strcmp(tenant.name, name) == 0 && strcmp(tenant.serial, serial) == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct identity_port *identity = c->ports->identity;
	const char *name, *serial;

	return guard_target(c, NULL) && wanted(c, &name, &serial) &&
	       identity->put(identity, &c->fence, c->job->target_ctx, name, serial, c->err);
}

enum step_outcome s14_register_superid(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
