/* SPDX-License-Identifier: Apache-2.0
 * s11: no scheduled task runs in the sandbox but those the request ticked, and no lock of the source's worker is left.
 *
 * Look: count the schedules that are on but not ticked, off but ticked, or locked.
 * Act:  set each schedule on or off by the ticks, clear its lock.
 * Safe to repeat because each row is set to what it must be, whatever it was. */
#include "handlers/words.h"

#include <inttypes.h>

/* ",3,17," : the ticked ids, so that one bound value carries them all. */
static const char *ticked(struct step_ctx *c)
{
	struct buf text;
	const char *kept = NULL;

	buf_init(&text, (size_t)1 << 20);
	buf_add_text(&text, ",");
	for (size_t i = 0; i < c->job->enable_schedule_count; i++)
		buf_printf(&text, "%" PRId64 ",", c->job->enable_schedules[i]);
	if (!text.failed)
		kept = arena_text(c->mem, text.data, text.len);
	buf_done(&text);
	if (!kept)
		err_set(c->err, ERR_REFUSED, 0, c->fence.step, "too many schedules are ticked");
	return kept;
}

static bool values(struct step_ctx *c, struct sql_args *args_r)
{
	const char *list = ticked(c);

	*args_r = SQL_ARGS(sql_text("ticked", list));
	return list != NULL;
}

static bool look(struct step_ctx *c, bool *so_r)
{
	struct sql_args args;
	int64_t wrong = 0, on = 0;

	if (!values(c, &args) || !ask_number(c, "s11_wrong_schedules", &args, &wrong) ||
	    !ask_number(c, "s11_schedules_on", &args, &on))
		return false;
	step_detail(c, "%" PRId64 " schedules on, %zu ticked", on, c->job->enable_schedule_count);
	*so_r = wrong == 0;
	return true;
}

static bool act(struct step_ctx *c)
{
	struct sql_args args;

	return values(c, &args) && change(c, "s11_disable_schedules", &args);
}

enum step_outcome s11_disable_scheduled_tasks(struct step_ctx *c)
{
	return step_look_act(c, look, act);
}
