/* SPDX-License-Identifier: Apache-2.0
 * Making progress durable and telling it: one record at a time per clone, marker and event together; then the events
 * from the outbox to their topics, and only then rest. */
#include "consumer/core/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_AGAIN_MS = 250 };

/* ---- what changed ---- */

void record_forget_events(struct clone *c)
{
	for (size_t i = 0; i < c->event_count; i++)
		free((struct step_result *)(uintptr_t)c->events[i].result); /* ours; const for those who read it */
	free(c->events);
	c->events = NULL;
	c->event_count = 0;
}

static void add_event(struct engine *e, struct clone *c, enum message_kind kind, const struct completion *done)
{
	struct engine_event *grown = realloc(c->events, (c->event_count + 1) * sizeof *grown);
	struct step_result *copy = NULL;

	if (grown)
		c->events = grown;
	if (done)
		copy = malloc(sizeof *copy);
	if (!grown || (done && !copy)) {
		free(copy);
		e->out_of_memory = true;
		return;
	}
	if (copy)
		*copy = done->result;
	c->events[c->event_count++] = (struct engine_event){ .sequence = ++c->snap.sequence, .kind = kind,
		.step = done ? done->step : STEP_END, .attempt = done ? done->attempt : 0,
		.still_ms = done ? done->still_ms : 0, .result = copy };
}

static void take_completions(struct engine *e, struct clone *c)
{
	while (c->completions) {
		struct completion *done = c->completions;

		c->completions = done->next;
		if (done->step == STEP_END) {
			if (done->result.outcome != STEP_REFUSED) {
				c->cleaned_up = true;
				c->snap.left_in = done->result.notice.left_in;
			}
		} else {
			if (done->result.outcome != STEP_REFUSED) {
				c->snap.outcome[done->step] = (unsigned char)done->result.outcome;
				c->marks_set |= STEP_BIT(done->step);
			}
			add_event(e, c, MESSAGE_STEP_COMPLETED, done);
			if (done->step == STEP_notify_partner_apps && done->result.outcome != STEP_REFUSED)
				add_event(e, c, MESSAGE_BACKUP_RESTORED, done);
		}
		free(done);
	}
}

static void end_run(struct engine *e, struct clone *c, enum clone_status status, int step, const char *class,
                    const char *cause)
{
	c->snap.status = status;
	c->snap.ended_at_ms = e->utc_ms;
	c->snap.failed_step = step;
	snprintf(c->snap.error_class, sizeof c->snap.error_class, "%s", class);
	snprintf(c->snap.cause, sizeof c->snap.cause, "%.*s", (int)sizeof c->snap.cause - 1, cause);
	c->status_changed = true;
	c->give_up_step = -1;
	c->want_pause = false;
	steps_forget_all(e, c);
}

/* That it was to be cancelled, and why it could not, stays. */
static void end_complete(struct engine *e, struct clone *c)
{
	char cause[sizeof c->snap.cause];

	memcpy(cause, c->snap.cause, sizeof cause);
	end_run(e, c, CLONE_COMPLETED, -1, "", cause);
}

/* As long as nothing was changed, the clone is what it was: complete and in service. */
static void end_rollback(struct engine *e, struct clone *c, const char *class, const char *why)
{
	char cause[sizeof c->snap.cause];

	if (c->touched)
		snprintf(cause, sizeof cause, "its rollback broke off; roll it back again, or cancel it: %.120s", why);
	else
		snprintf(cause, sizeof cause, "it could not be rolled back: %.160s", why);
	end_run(e, c, c->touched ? CLONE_FAILED : CLONE_COMPLETED, -1, class, cause);
}

static void next_of_rollback(struct engine *e, struct clone *c)
{
	const struct err err = c->give_up ? *c->give_up : (struct err){ 0 }; /* ending the run forgets it */

	c->want_cancel = false; /* it goes already */
	if (c->cleaned_up)
		end_run(e, c, CLONE_ROLLED_BACK, -1, "", "rolled back by an operator: the sandbox before it is in service");
	else if (c->running)
		return;
	else if (c->give_up_step >= 0)
		end_rollback(e, c, err_class_name(err.class), err.text);
	else if (c->superseded)
		end_rollback(e, c, "refused", "a newer clone has taken this target");
	else if (!c->leaving && !c->status_changed) /* it is recorded before it begins */
		steps_start_aside(e, c);
}

/* Nothing was undone, and there is nothing to go back to: what is in service goes on to its end. */
static void go_on_in_service(struct engine *e, struct clone *c)
{
	snprintf(c->snap.cause, sizeof c->snap.cause, "it could not be cancelled: %.160s", c->give_up->text);
	c->snap.status = CLONE_RUNNING;
	c->snap.cancel_begun = false;
	c->snap.failed_step = -1;
	c->snap.error_class[0] = '\0';
	c->snap.ended_at_ms = 0;
	c->too_late = c->status_changed = true;
	steps_forget_all(e, c);
}

static void end_given_up(struct engine *e, struct clone *c)
{
	const struct err err = *c->give_up; /* ending the run forgets it */
	int step = c->give_up_step == STEP_END ? -1 : c->give_up_step;

	end_run(e, c, c->give_up_is_pause ? CLONE_PAUSED : CLONE_FAILED, step, err_class_name(err.class), err.text);
}

/* Where the clone stands after what came back: still running, or on its way to rest. */
static void next_status(struct engine *e, struct clone *c)
{
	step_set done = snapshot_done(&c->snap);

	if (c->snap.status == CLONE_CANCELLING) {
		if (c->cleaned_up)
			end_run(e, c, CLONE_CANCELLED, -1, "", "");
		else if (c->give_up_step >= 0 && c->running == 0 && c->give_up->code == ERR_CODE_TOO_LATE && !c->superseded)
			go_on_in_service(e, c);
		else if (c->give_up_step >= 0 && c->running == 0)
			end_given_up(e, c);
		else if (c->running == 0 && !c->leaving)
			steps_start_aside(e, c);
		return;
	}
	if (c->snap.status == CLONE_ROLLING_BACK) {
		next_of_rollback(e, c);
		return;
	}
	if (c->want_cancel && (c->snap.status == CLONE_COMPLETED || c->snap.status == CLONE_CANCELLED ||
			       c->snap.status == CLONE_ROLLED_BACK))
		c->want_cancel = false; /* it ended before it could be cancelled */
	if (c->want_cancel) {
		steps_abort_all(e, c);
		if (c->running)
			return;
		c->want_cancel = c->want_pause = false;
		steps_forget_all(e, c);
		c->snap.status = CLONE_CANCELLING;
		c->snap.cancel_begun = true;
		c->status_changed = true;
		return;
	}
	if (c->snap.status != CLONE_RUNNING)
		return;
	if ((done & c->snap.scope) == c->snap.scope) {
		if (c->snap.scope == ALL_STEPS)
			end_complete(e, c);
		else
			end_run(e, c, CLONE_PAUSED, -1, "", "the replay's last step is done; replay again to go on");
	} else if (c->give_up_step >= 0) {
		steps_abort_all(e, c);
		if (c->running == 0)
			end_given_up(e, c);
	} else if (c->want_pause && c->running == 0) {
		end_run(e, c, CLONE_PAUSED, -1, "", "paused by an operator");
	}
}

static void send_record(struct engine *e, struct clone *c, bool again)
{
	struct effect *fx;

	if (c->record_full) {
		c->marks_set = snapshot_done(&c->snap);
		c->marks_clear = ALL_STEPS & ~c->marks_set;
	}
	c->snap.token = c->token;
	c->recording_to = c->snap.sequence;
	c->record_out = true;
	fx = engine_emit(e, FX_RECORD, c);
	c->recording_fields = snapshot_fingerprint(&c->snap);
	c->forgetting = c->delivered;
	fx->fields = c->record_full || c->recording_fields != c->stored_fields;
	fx->full = c->record_full;
	fx->sequence_before = c->stored_sequence;
	fx->sequence_after = c->recording_to;
	fx->marks_set = c->marks_set;
	fx->marks_clear = c->marks_clear;
	fx->store_request = c->store_request;
	fx->take_target = c->take_target || (c->status_changed && !c->superseded);
	fx->again = again;
	fx->events = c->events;
	fx->event_count = c->event_count;
	if (c->forgetting > c->forgotten) {
		fx->first = c->forgotten + 1;
		fx->last = c->forgetting;
	}
}

bool record_changes(struct engine *e, struct clone *c)
{
	bool again = c->event_count; /* the last record must be sent again, as it was */

	if (!again) {
		take_completions(e, c);
		next_status(e, c);
		if (c->status_changed)
			add_event(e, c, MESSAGE_STATE, NULL);
	}
	if (!c->event_count && !c->record_full && !c->marks_clear)
		return false;
	send_record(e, c, again);
	return true;
}

/* ---- the answer ---- */

void record_answered(struct engine *e, struct clone *c, enum store_status status)
{
	if (!c->record_out)
		return;
	c->record_out = false;
	switch (status) {
	case STORE_OK:
		c->stored_sequence = c->recording_to;
		c->stored_fields = c->recording_fields;
		c->forgotten = c->forgetting;
		c->marks_set = c->marks_clear = 0;
		c->status_changed = c->store_request = c->take_target = c->record_full = false;
		record_forget_events(c);
		record_publish_rest(e, c);
		break;
	case STORE_UNAVAILABLE: /* it may have been applied: the same again is recognised by its sequence */
		c->record_again_ms = e->now_ms + RECORD_AGAIN_MS;
		engine_wake_at(e, c, c->record_again_ms);
		break;
	default: /* the lease's next answer tells what the store has */
		c->lost = true;
		break;
	}
}

/* ---- the outbox ---- */

/* Not further ahead than can be noted when deliveries come in another order. */
void record_publish_rest(struct engine *e, struct clone *c)
{
	enum { AHEAD_MAX = 64 };
	uint64_t last = c->delivered + AHEAD_MAX < c->stored_sequence ? c->delivered + AHEAD_MAX : c->stored_sequence;
	struct effect *fx;

	if (c->published >= last)
		return;
	fx = engine_emit(e, FX_PUBLISH, c);
	fx->first = c->published + 1;
	fx->last = c->published = last;
}

void record_forget_delivered(struct engine *e, struct clone *c)
{
	struct effect *fx;

	if (c->forgotten >= c->delivered)
		return;
	fx = engine_emit(e, FX_FORGET, c);
	fx->first = c->forgotten + 1;
	fx->last = c->forgotten = c->delivered;
}

bool record_all_delivered(const struct clone *c)
{
	return c->delivered >= c->snap.sequence;
}

void record_delivered(struct engine *e, struct clone *c, uint64_t sequence, bool ok)
{
	struct effect *fx;

	if (sequence <= c->delivered || sequence > c->published)
		return;
	if (!ok) {
		fx = engine_emit(e, FX_PUBLISH, c);
		fx->first = fx->last = sequence;
		return;
	}
	c->delivered_bits |= (uint64_t)1 << (sequence - c->delivered - 1);
	if (!(c->delivered_bits & 1))
		return;
	while (c->delivered_bits & 1) {
		c->delivered_bits >>= 1;
		c->delivered++;
	}
	record_publish_rest(e, c);
}
