/* SPDX-License-Identifier: Apache-2.0
 * s02: nothing works on the target any more: no operation-center task, no batch task in its old database.
 *
 * Look: the registry counts no pending task; no BatchTask is new, assigned or started with a heart beat (one a minute)
 *       younger than two minutes.
 * Act:  none; ask again later while something runs.
 * Safe to repeat because it only looks. */
#include "handlers/guard.h"
#include "handlers/words.h"

#include <string.h>

enum { HEART_BEAT_MS = 2 * 60 * 1000 };

/* The database that was in service before this clone; "" when there was none. */
static const char *old_database(const struct step_ctx *c, const struct tenant_record *target)
{
	if (target->database[0] && strcmp(target->database, c->fence.generation) != 0)
		return target->database;
	return target->previous_database;
}

static bool live_batch_tasks(struct step_ctx *c, const char *database, int64_t *live_r)
{
	const char *since = step_now(c, HEART_BEAT_MS);
	const struct sql_args args = SQL_ARGS(sql_text("since", since));
	bool there = false;

	*live_r = 0;
	if (!since || !c->ports->sql->exists(c->ports->sql, database, &there, c->err))
		return false;
	return !there ||
	       c->ports->sql->scalar(c->ports->sql, SQL_PREVIOUS, "s02_live_batch_tasks", &args, live_r, c->err);
}

enum step_outcome s02_wait_customer_tasks(struct step_ctx *c)
{
	struct tenant_record target;
	int64_t live = 0;

	if (!guard_target(c, &target))
		return step_failed(c);
	if (target.pending_tasks > 0)
		return step_wait(c, c->settings->poll_ms, "tasks of the customer to end");
	if (old_database(c, &target)[0] && !live_batch_tasks(c, old_database(c, &target), &live))
		return step_failed(c);
	if (live > 0)
		return step_wait(c, c->settings->poll_ms, "batch tasks in the old database to end");
	return STEP_DONE;
}
