/* SPDX-License-Identifier: Apache-2.0
 * What /metrics, /readyz and operators are told of the engine. Only looks. */
#include "consumer/core/engine_priv.h"

static enum step_activity activity_of(const struct engine *e, const struct step_run *r)
{
	if (r->state == RUN_READY)
		return STEP_IS_QUEUED;
	if (r->state == RUN_WAITING)
		return STEP_WAITS;
	return e->now_ms - r->moved_ms < STEP_STILL_AFTER_MS ? STEP_MOVES : STEP_STANDS_STILL;
}

static void count_run(const struct engine *e, const struct step_run *r, struct engine_figures *f)
{
	f->waiting_steps += r->state == RUN_WAITING;
	f->stalled_steps += r->stalled;
	if (r->state == RUN_RUNNING && e->now_ms - r->moved_ms > f->longest_still_ms)
		f->longest_still_ms = e->now_ms - r->moved_ms;
	if (r->state == RUN_WAITING && e->now_ms - r->first_ms > f->oldest_wait_ms)
		f->oldest_wait_ms = e->now_ms - r->first_ms;
	if (r->step == STEP_END)
		return;
	f->under_way[r->step].count[activity_of(e, r)]++;
	f->under_way[r->step].moved.rows += r->moved.rows;
	f->under_way[r->step].moved.bytes += r->moved.bytes;
	f->under_way[r->step].moved.rows_total += r->moved.rows_total;
}

void engine_figures(const struct engine *e, struct engine_figures *f)
{
	*f = (struct engine_figures){ .clones = (int)e->live, .running_steps = e->running,
		.leases_lost = e->leases_lost, .intake_paused = e->intake_paused, .stopping = e->stopping };
	for (int p = 0; p < PORT_END; p++) {
		f->breaker_open[p] = e->breakers[p].open_until_ms != 0;
		f->port_failures[p] = e->port_failures[p];
		f->port_throttled[p] = e->port_throttled[p];
	}
	for (size_t i = 0; i < e->slot_count; i++) {
		const struct clone *c = e->slots[i];

		if (!c)
			continue;
		f->waiting_for_lease += c->phase == CLONE_LEASING;
		for (const struct step_run *r = c->runs; r; r = r->next)
			count_run(e, r, f);
	}
}

bool engine_view(const struct engine *e, clone_ref ref, struct clone_view *view)
{
	const struct clone *c = engine_clone(e, ref);

	if (!c)
		return false;
	*view = (struct clone_view){ .clone_id = c->id, .target_ctx = c->target, .snapshot = &c->snap,
		.asking_since_ms = c->asking_since_ms };
	for (const struct step_run *r = c->runs; r; r = r->next) {
		if (r->step != STEP_END && r->state == RUN_WAITING)
			view->waiting |= STEP_BIT(r->step);
		else if (r->step != STEP_END && r->state == RUN_RUNNING)
			view->running |= STEP_BIT(r->step);
	}
	return true;
}
