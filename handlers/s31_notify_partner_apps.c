/* SPDX-License-Identifier: Apache-2.0
 * s31: every app that is authorised for the target and gave a URL is going to be told BackupRestored. The engine puts
 * that event beside this step's own; the notifier posts it.
 *
 * Look: the target is still offline and bears this clone's stamp; count the active apps that gave a URL.
 * Act:  none in here: the event is the effect.
 * Safe to repeat because the event's id follows from clone and step, and receivers drop an id they know. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What BackupRestored says of the target: its version, its public host, and the proof that the clone is masked. */
static bool fill_notice(struct step_ctx *c, const struct tenant_record *target)
{
	const char *host = strstr(target->endpoint, "://");
	struct sql_stamp stamp;

	if (!c->ports->sql->stamp(c->ports->sql, c->fence.generation, &stamp, c->err))
		return false;
	host = host ? host + 3 : target->endpoint;
	memcpy(c->notice->version_name, target->version_name, sizeof c->notice->version_name);
	memcpy(c->notice->file_version, target->file_version, sizeof c->notice->file_version);
	snprintf(c->notice->public_endpoint, sizeof c->notice->public_endpoint, "%.*s", (int)strcspn(host, "/"), host);
	memcpy(c->notice->proof, stamp.proof, sizeof c->notice->proof);
	return true;
}

enum step_outcome s31_notify_partner_apps(struct step_ctx *c)
{
	struct app_authorisations apps;
	struct tenant_record target;

	if (!guard_target(c, &target) ||
	    !c->ports->apps->list(c->ports->apps, c->job->target_ctx, c->mem, &apps, c->err))
		return step_failed(c);
	if (strcmp(target.stamp.clone_id, c->job->clone_id) != 0)
		return step_refused(c, "the registry's stamp of the target is not this clone's");
	if (!fill_notice(c, &target))
		return step_failed(c);
	c->rows = 0;
	for (size_t i = 0; i < apps.count; i++)
		c->rows += apps.apps[i].status == APP_ACTIVE && apps.apps[i].state_change_url[0];
	step_detail(c, "%" PRId64 " apps to tell", c->rows);
	return STEP_DONE;
}
