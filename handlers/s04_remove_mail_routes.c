/* SPDX-License-Identifier: Apache-2.0
 * s04: the mail provider delivers nothing to the target, so no mail lands in a half-built database.
 *
 * Look: the provider lists no route of exactly this tenant.
 * Act:  remove each listed route by its exact id.
 * Safe to repeat because removing a route that is gone is no error, and only listed routes are touched. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

static bool look(struct step_ctx *c, bool *so_r)
{
	struct mail_routes routes;

	if (!c->ports->mail->list(c->ports->mail, c->job->target_ctx, c->mem, &routes, c->err))
		return false;
	*so_r = routes.count == 0;
	return true;
}

static bool remove_route(struct step_ctx *c, const struct mail_route *route)
{
	if (strcmp(route->tenant_ctx, c->job->target_ctx) != 0)
		return err_set(c->err, ERR_REFUSED, 0, c->fence.step,
			       "the mail provider listed a route of another tenant");
	c->rows++;
	return step_may_act(c) && c->ports->mail->remove(c->ports->mail, &c->fence, route->id, c->err);
}

static bool act(struct step_ctx *c)
{
	struct mail_routes routes;

	if (!guard_target(c, NULL) ||
	    !c->ports->mail->list(c->ports->mail, c->job->target_ctx, c->mem, &routes, c->err))
		return false;
	for (size_t i = 0; i < routes.count; i++)
		if (!remove_route(c, &routes.routes[i]))
			return false;
	step_detail(c, "%zu mail routes removed", routes.count);
	return true;
}

enum step_outcome s04_remove_mail_routes(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
