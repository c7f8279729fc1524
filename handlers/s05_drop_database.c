/* SPDX-License-Identifier: Apache-2.0
 * s05: the target's old database is out of service: nobody but the cloner may connect to it. It is dropped here only
 * when the installation says "drop first"; otherwise 32 drops it once the new one is in service.
 *
 * Look: the registry has no database in service for the target, and the previous one is quarantined or gone.
 * Act:  prove that it is a sandbox of this target, take it out of service, close it (and drop it).
 * Safe to repeat because a database that the registry no longer has in service is not retired twice, and closing a
 * closed database or dropping a dropped one changes nothing. */
#include "handlers/guard.h"
#include "handlers/previous.h"
#include "handlers/words.h"

#include <string.h>

static bool in_service(const struct step_ctx *c, const struct tenant_record *target)
{
	return target->database[0] && strcmp(target->database, c->fence.generation) != 0;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct tenant_record target;
	int64_t open = 0;
	bool there = false;

	if (!guard_target(c, &target))
		return false;
	*so_r = !in_service(c, &target);
	if (!*so_r || !target.previous_database[0])
		return true;
	const struct sql_args args = SQL_ARGS(sql_text("database", target.previous_database));

	if (!c->ports->sql->exists(c->ports->sql, target.previous_database, &there, c->err))
		return false;
	if (there && !c->ports->sql->scalar(c->ports->sql, SQL_SERVER, "database_is_open", &args, &open, c->err))
		return false;
	*so_r = !there || (open == 0 && !c->settings->previous_drop_first);
	return true;
}

/* The registry remembers one previous database: an older one, kept for a rollback, has to go now. */
static bool retire(struct step_ctx *c, const struct tenant_record *target)
{
	struct tenant_port *tenant = c->ports->tenant;

	return guard_database(c, target->database) && drop_previous(c, target) &&
	       tenant->retire(tenant, &c->fence, c->job->target_ctx, c->err);
}

static bool act(struct step_ctx *c)
{
	struct sql_port *sql = c->ports->sql;
	struct tenant_record target;

	if (!guard_target(c, &target) || (in_service(c, &target) && !retire(c, &target)) || !guard_target(c, &target))
		return false;
	if (!target.previous_database[0])
		return true;
	if (!guard_database(c, target.previous_database) ||
	    !sql->quarantine(sql, &c->fence, target.previous_database, true, c->err))
		return false;
	return !c->settings->previous_drop_first || drop_guarded(c, target.previous_database);
}

enum step_outcome s05_drop_database(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
