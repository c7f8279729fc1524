/* SPDX-License-Identifier: Apache-2.0
 * What records ask of a clone that is known: pause, resume, cancel, retry now, replay. */
#include "consumer/core/engine_priv.h"
#include "consumer/core/replay.h"
#include "consumer/core/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record read again after a restart must not be applied twice. */
static bool was_applied(const struct input_mark *mark, const struct bus_position *at)
{
	return mark->offset >= 0 && mark->partition == at->partition && at->offset <= mark->offset;
}

static void mark_applied(struct input_mark *mark, const struct bus_position *at)
{
	*mark = (struct input_mark){ at->partition, at->offset };
}

static void set_status(struct clone *c, enum clone_status status)
{
	c->snap.status = status;
	c->status_changed = true;
}

static void run_on(struct engine *e, struct clone *c)
{
	c->snap.failed_step = -1;
	c->snap.cause[0] = c->snap.error_class[0] = '\0';
	c->snap.ended_at_ms = 0;
	engine_clear_give_up(c);
	c->want_pause = false;
	c->take_target = true;
	set_status(c, CLONE_RUNNING);
	engine_touch(e, c);
}

/* That it was refused is recorded with the clone first: a consumer that slept over it must not apply it when it wakes.
 * The dead letter follows when that is recorded and told (control_tell_refused). */
static void refuse(struct clone *c, struct held_input *input, const char *why_not)
{
	c->status_changed = true;
	snprintf(input->refused, sizeof input->refused, "%s", why_not);
}

void control_tell_refused(struct engine *e, struct clone *c)
{
	struct held_input *next;

	for (struct held_input *i = c->inputs; i; i = next) {
		next = i->next;
		if (!i->refused[0])
			continue;
		if (clone_status_is_at_rest(c->snap.status)) {
			intake_refuse(e, c, i, "refused", i->refused);
		} else {
			intake_refuse_and_hold(e, i, "refused", i->refused);
			i->refused[0] = '\0';
		}
	}
}

/* ---- control ---- */

/* A rollback that broke off has failed a clone that had done everything. */
static bool is_half_rolled_back(const struct clone *c)
{
	return c->snap.status == CLONE_FAILED && snapshot_done(&c->snap) == ALL_STEPS;
}

static const char *roll_back(struct clone *c)
{
	if (c->snap.status == CLONE_ROLLING_BACK)
		return NULL; /* read again by a consumer whose store has forgotten that it was applied */
	if (c->snap.status != CLONE_COMPLETED && !is_half_rolled_back(c))
		return "only a complete clone can be rolled back; cancel one that is not";
	if (c->superseded || (c->latest_generation[0] && strcmp(c->latest_generation, c->snap.generation) != 0))
		return "a newer clone has taken this target; there is nothing to roll back";
	c->touched = c->snap.status == CLONE_FAILED;
	c->cleaned_up = false;
	c->snap.cause[0] = c->snap.error_class[0] = '\0';
	c->snap.ended_at_ms = 0;
	engine_clear_give_up(c);
	set_status(c, CLONE_ROLLING_BACK);
	return NULL;
}

static const char *apply_verb(struct engine *e, struct clone *c, enum control_verb verb)
{
	enum clone_status status = c->snap.status;

	switch (verb) {
	case CONTROL_PAUSE:
		if (status != CLONE_RUNNING && status != CLONE_PAUSED)
			return "only a running clone can be paused";
		c->want_pause = status == CLONE_RUNNING;
		return NULL;
	case CONTROL_RESUME:
	case CONTROL_RETRY_NOW:
		if (status == CLONE_RUNNING) {
			c->want_pause = false;
			steps_wake_all(e, c);
			return NULL;
		}
		if (status != CLONE_PAUSED)
			return "only a paused clone can be resumed; replay a failed one";
		if (c->snap.cancel_begun) { /* what goes on is the cancelling that broke off */
			c->want_cancel = true;
			return NULL;
		}
		if (c->superseded)
			return "a newer clone has taken this target; resuming the old one would destroy it";
		run_on(e, c);
		return NULL;
	case CONTROL_CANCEL:
		if (status == CLONE_COMPLETED || status == CLONE_CANCELLED || status == CLONE_REJECTED ||
		    status == CLONE_ROLLING_BACK || status == CLONE_ROLLED_BACK)
			return "this clone has ended; there is nothing to cancel";
		if (c->too_late)
			return "it is too late: the clone is in service, and there is nothing to go back to";
		c->want_cancel = true;
		return NULL;
	case CONTROL_ROLLBACK:
		return roll_back(c);
	default:
		return "this control verb is not known";
	}
}

static void apply_control(struct engine *e, struct clone *c, struct held_input *input)
{
	const char *why_not;

	if (was_applied(&c->snap.control, &input->at))
		return;
	why_not = apply_verb(e, c, input->message->control.verb);
	mark_applied(&c->snap.control, &input->at);
	if (why_not)
		refuse(c, input, why_not);
}

/* ---- replay ---- */

static const char *check_replay(const struct clone *c, const struct clone_replay *r)
{
	if (c->snap.status != CLONE_FAILED && c->snap.status != CLONE_PAUSED)
		return c->snap.status == CLONE_COMPLETED ? "the clone is complete; ask for a new one" :
			"only a failed or paused clone can be replayed";
	if (c->snap.cancel_begun)
		return "its cancelling broke off; cancel it again";
	if (is_half_rolled_back(c))
		return "its rollback broke off; roll it back again, or cancel it";
	if (r->expected_generation[0] && strcmp(r->expected_generation, c->snap.generation) != 0)
		return "the replay expects another generation than this clone has built";
	if (c->superseded || (c->latest_generation[0] && strcmp(c->latest_generation, c->snap.generation) != 0))
		return "a newer clone has taken this target; replaying the old one would destroy it";
	if (r->from_step[0] && step_by_slug(r->from_step) == STEP_END)
		return "from_step is no step of the plan";
	if (r->until_step[0] && step_by_slug(r->until_step) == STEP_END)
		return "until_step is no step of the plan";
	return NULL;
}

static void begin_replay(struct engine *e, struct clone *c, const struct clone_replay *r, step_set cleared)
{
	for (int i = 0; i < STEP_END; i++)
		if ((cleared & STEP_BIT(i)) && c->snap.outcome[i]) {
			c->snap.outcome[i] = 0;
			c->marks_clear |= STEP_BIT(i);
		}
	c->snap.scope = r->until_step[0] ? plan_ancestors(e->policy.order, step_by_slug(r->until_step)) : ALL_STEPS;
	c->snap.run++;
	c->snap.started_at_ms = e->utc_ms;
	c->store_request = true;
	run_on(e, c);
}

/* The request has taken texts of the replay over: they must live as long as it does. */
static void lend(struct engine *e, struct clone *c, struct held_input *input)
{
	struct held_input *kept = calloc(1, sizeof *kept);

	if (!kept) {
		e->out_of_memory = true;
		return;
	}
	kept->message = input->message;
	kept->next = c->lent;
	c->lent = kept;
	input->message = NULL;
}

static void apply_replay(struct engine *e, struct clone *c, struct held_input *input)
{
	const struct clone_replay *r = &input->message->replay;
	const char *why_not;
	step_set cleared = 0;
	struct err err = { 0 };

	if (was_applied(&c->snap.replay, &input->at))
		return;
	why_not = check_replay(c, r);
	if (!why_not)
		cleared = replay_clears(e->policy.order, r, &c->request->request.job, c->snap.failed_step);
	if (!why_not && !request_apply_replay(&c->request->request, r, &err))
		why_not = engine_text(e, err.text);
	mark_applied(&c->snap.replay, &input->at);
	if (why_not) {
		refuse(c, input, why_not);
		return;
	}
	begin_replay(e, c, r, cleared);
	lend(e, c, input);
}

void control_apply(struct engine *e, struct clone *c)
{
	struct held_input *next;

	for (struct held_input *i = c->inputs; i; i = next) {
		next = i->next;
		if (i->applied || !i->message)
			continue;
		i->applied = true;
		if (i->message->kind == MESSAGE_REPLAY)
			apply_replay(e, c, i);
		else
			apply_control(e, c, i);
	}
}
