/* SPDX-License-Identifier: Apache-2.0
 * s26: operation center and licence server know the sandbox as its own company row calls it.
 *
 * Look: the outside record has the clone's company name, serial number, database and count of users with a plan.
 * Act:  read the clone's company row and put the record.
 * Safe to repeat because the record is put whole. */
#include "handlers/company_info.h"
#include "handlers/guard.h"
#include "handlers/words.h"

static bool wanted(struct step_ctx *c, struct company_info *info_r)
{
	if (!company_info_of(c, SQL_TARGET, info_r))
		return false;
	if (!info_r->company || !info_r->serial)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step, "the clone has no company row");
	info_r->database = c->fence.generation;
	return true;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct licence_port *licence = c->ports->licence;
	struct company_info info, now;
	bool found = false;

	if (!wanted(c, &info) || !licence->get_company(licence, c->job->target_ctx, c->mem, &found, &now, c->err))
		return false;
	*so_r = found && company_info_equal(&now, &info);
	return true;
}

static bool act(struct step_ctx *c)
{
	struct licence_port *licence = c->ports->licence;
	struct company_info info;

	return guard_target(c, NULL) && wanted(c, &info) &&
	       licence->put_company(licence, &c->fence, c->job->target_ctx, &info, c->err);
}

enum step_outcome s26_update_company_info(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
