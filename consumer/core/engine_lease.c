/* SPDX-License-Identifier: Apache-2.0
 * Owning a target: asking for the lease, what the store knows of the clone, renewing, losing. */
#include "consumer/core/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

void lease_advance(struct engine *e, struct clone *c)
{
	if (c->lease_asked || c->phase != CLONE_LEASING)
		return;
	if (e->now_ms < c->lease_at_ms) {
		return; /* a timer is set */
	}
	c->lease_asked = true;
	c->lease_sent_ms = e->now_ms;
	if (!c->asking_since_ms)
		c->asking_since_ms = e->now_ms;
	engine_emit(e, FX_ACQUIRE, c);
}

static void ask_again(struct engine *e, struct clone *c, int64_t delay_ms)
{
	if (delay_ms <= 0 || delay_ms > e->policy.lease_retry_ms)
		delay_ms = e->policy.lease_retry_ms;
	c->lease_at_ms = e->now_ms + delay_ms / 2 + chance_below(&e->chance, delay_ms / 2 + 1);
	engine_wake_at(e, c, c->lease_at_ms);
}

/* ---- the answer ---- */

static void let_go(struct engine *e, struct clone *c, bool holds_lease)
{
	if (holds_lease)
		engine_emit(e, FX_RELEASE, c);
	/* The clone goes in settle(): its slot may still be in the list of touched ones. */
	c->phase = CLONE_LEASING;
	c->leaving = true;
	c->lease_asked = false;
}

/* First the store, then the world: a consumer that slept over this must find it when it wakes. */
static void reject(struct engine *e, struct clone *c, const char *text)
{
	c->phase = CLONE_LEASING;
	c->lease_asked = true;
	free(c->rejected);
	c->rejected = strdup(text);
	if (!c->rejected) {
		e->out_of_memory = true;
		return;
	}
	engine_emit(e, FX_REJECT, c)->text = c->rejected;
}

void lease_reject_answered(struct engine *e, struct clone *c, enum store_status status)
{
	c->lease_asked = false;
	if (status == STORE_OK) {
		intake_tell_rejected(e, c);
		let_go(e, c, false);
		return;
	}
	free(c->rejected);
	c->rejected = NULL; /* somebody began it, or nobody knows: ask what the store has */
	ask_again(e, c, 0);
}

/* The request wants a target on which another clone is under way. */
static void busy(struct engine *e, struct clone *c, const struct lease_answer *a)
{
	struct clone *holder = engine_clone_by_id(e, a->held_by);

	if (holder && clone_status_is_at_rest(holder->snap.status)) {
		ask_again(e, c, a->retry_ms);
	} else if (e->policy.on_busy == BUSY_REFUSE) {
		char text[160];

		snprintf(text, sizeof text, "clone %s is under way on this target; wait for it or cancel it", a->held_by);
		reject(e, c, text);
	} else {
		if (holder && !holder->want_cancel && !holder->too_late) {
			holder->want_cancel = true;
			engine_touch(e, holder);
		}
		ask_again(e, c, a->retry_ms);
	}
}

static void held(struct engine *e, struct clone *c, const struct lease_answer *a)
{
	bool other = a->held_by[0] && strcmp(a->held_by, c->id) != 0;

	if (!other || a->found || c->known || !c->request || clone_status_is_at_rest(a->active_status))
		ask_again(e, c, a->retry_ms);
	else
		busy(e, c, a);
}

static void format_generation(const char *target, uint64_t token, char out[DATABASE_MAX + 1])
{
	char digits[16];
	size_t n = sizeof digits;

	digits[--n] = '\0';
	do {
		digits[--n] = "0123456789abcdefghijklmnopqrstuvwxyz"[token % 36];
		token /= 36;
	} while (token);
	snprintf(out, DATABASE_MAX + 1, "%s__g%s", target, digits + n);
}

/* A request that nobody has begun. */
static void begin_run(struct engine *e, struct clone *c, const struct lease_answer *a)
{
	const struct clone_request *r = &c->request->request;
	bool other_active = a->active_clone[0] && strcmp(a->active_clone, c->id) != 0 &&
		a->active_status != CLONE_STATUS_UNSET && !clone_status_is_at_rest(a->active_status);

	if (other_active && e->policy.on_busy == BUSY_REFUSE) {
		char text[160];

		snprintf(text, sizeof text, "clone %s began on this target and is not at rest; wait for it or cancel it",
			a->active_clone);
		engine_emit(e, FX_RELEASE, c);
		reject(e, c, text);
		return;
	}
	if (r->expected_generation[0] && strcmp(r->expected_generation, a->latest_generation) != 0) {
		engine_emit(e, FX_RELEASE, c);
		reject(e, c, "the target is not the generation this request expects: a newer sandbox is there");
		return;
	}
	snapshot_init(&c->snap);
	c->snap.status = CLONE_RUNNING;
	c->snap.run = 1;
	c->snap.fingerprint = r->fingerprint;
	c->snap.requested_at_ms = r->requested_at_ms;
	c->snap.started_at_ms = e->utc_ms;
	snprintf(c->snap.source_ctx, sizeof c->snap.source_ctx, "%s", c->source);
	format_generation(c->target, c->token, c->snap.generation);
	memcpy(c->latest_generation, c->snap.generation, sizeof c->latest_generation);
	c->superseded = false;
	c->known = c->status_changed = c->store_request = c->take_target = true;
}

/* The stored request bears the changes of replays; what was read from the topic does not. */
static void take_request(struct clone *c, struct message **stored)
{
	if (!*stored)
		return;
	engine_drop_request(c);
	c->request = *stored;
	*stored = NULL;
}

/* The clone is another one's: its request is refused; what else was asked of the clone stays. */
static void refuse_conflicting(struct engine *e, struct clone *c)
{
	struct held_input *next;

	for (struct held_input *i = c->inputs; i; i = next) {
		next = i->next;
		if (i->at.topic == TOPIC_REQUESTED)
			intake_refuse(e, c, i, "conflict",
				"a request with this clone_id and other wishes was taken before; choose a new clone_id");
	}
	engine_drop_request(c);
}

static bool adopt_snapshot(struct engine *e, struct clone *c, const struct lease_answer *a, struct message **stored)
{
	const struct clone_snapshot *found = a->snapshot;

	/* What we hold is newer than what the store has, and nobody else wrote since: the store went back in time, or our
	 * last record never arrived. What we hold is sent again. */
	if (c->known && found->token <= c->snap.token && found->sequence < c->snap.sequence) {
		c->record_full = found->sequence < c->stored_sequence;
		c->store_request = true;
		c->stored_sequence = found->sequence;
		return true;
	}
	if (c->request && found->fingerprint && c->request->request.fingerprint != found->fingerprint && !c->known) {
		refuse_conflicting(e, c);
		if (!c->inputs)
			return false;
	}
	take_request(c, stored);
	if (!c->request) {
		while (c->inputs)
			intake_refuse(e, c, c->inputs, "unknown-clone", "the clone's request is not stored any more");
		return false;
	}
	record_forget_events(c);
	c->marks_set = c->marks_clear = 0;
	c->status_changed = c->store_request = c->take_target = c->cleaned_up = false;
	c->record_again_ms = 0;
	c->snap = *found;
	snprintf(c->source, sizeof c->source, "%s", found->source_ctx);
	c->known = true;
	c->stored_sequence = found->sequence;
	c->delivered = a->undelivered_from ? a->undelivered_from - 1 : found->sequence;
	c->forgotten = c->delivered;
	c->delivered_bits = 0;
	c->published = c->delivered;
	return true;
}

/* A control may be read before the request that it is about: topics have no common order. */
static void nothing_known(struct engine *e, struct clone *c)
{
	enum { TRIES = 4 };

	if (++c->unknown_tries < TRIES) {
		engine_emit(e, FX_RELEASE, c);
		c->phase = CLONE_LEASING;
		ask_again(e, c, 0);
		return;
	}
	while (c->inputs)
		intake_refuse(e, c, c->inputs, "unknown-clone", "no clone of this id is known for this target");
	let_go(e, c, true);
}

/* A target is swept in the name of the clone that built on it last and is at rest, when the store knows all that: what
 * the store has lost may be somebody's. */
static bool may_sweep(const struct clone *c, const struct lease_answer *a)
{
	return a->found && strcmp(a->active_clone, c->id) == 0 && clone_status_is_at_rest(a->snapshot->status) &&
		strcmp(a->latest_generation, a->snapshot->generation) == 0;
}

static void granted(struct engine *e, struct clone *c, const struct lease_answer *a, struct message **stored)
{
	c->phase = CLONE_WORKING;
	c->asking_since_ms = 0;
	c->token = a->token;
	c->lease_proved_ms = c->lease_sent_ms;
	c->renew_out = c->token_used = false;
	memcpy(c->latest_generation, a->latest_generation, sizeof c->latest_generation);
	if (a->active_clone[0])
		c->superseded = strcmp(a->active_clone, c->id) != 0;
	/* What was asked of a clone that must go is asked again of whoever reads it next: here it may be long done. */
	if (c->leaving || (c->guest && !may_sweep(c, a))) {
		let_go(e, c, true);
		return;
	}
	if (a->found) {
		if (!adopt_snapshot(e, c, a, stored)) {
			let_go(e, c, true);
			return;
		}
		c->touched |= c->snap.status == CLONE_ROLLING_BACK; /* nobody knows how far the last owner came */
	} else if (c->known) {
		c->record_full = c->store_request = true; /* the store lost everything: we know */
		c->stored_sequence = 0;
	} else if (c->request) {
		begin_run(e, c, a);
		return;
	} else {
		nothing_known(e, c);
		return;
	}
	if (c->superseded && !clone_status_is_at_rest(c->snap.status))
		c->want_cancel = true; /* a newer clone took the target over, perhaps in a store that had lost this one */
	c->take_target |= !a->active_clone[0] && !c->superseded; /* a store that was rebuilt does not know it */
	record_publish_rest(e, c);
}

void lease_answered(struct engine *e, struct clone *c, const struct lease_answer *a)
{
	struct message *stored = a->request;

	c->lease_asked = false;
	if (c->guest && a->status != STORE_OK) {
		message_free(&stored);
		let_go(e, c, false); /* somebody works there, or nobody knows: the next survey comes */
		return;
	}
	switch (a->status) {
	case STORE_OK:
		granted(e, c, a, &stored);
		break;
	case STORE_HELD:
		held(e, c, a);
		break;
	default:
		ask_again(e, c, 0);
		break;
	}
	message_free(&stored);
}

/* ---- giving it back ---- */

static void finish_applied(struct engine *e, struct clone *c)
{
	struct held_input *next;

	for (struct held_input *i = c->inputs; i; i = next) {
		next = i->next;
		if (i->applied || !i->message)
			intake_finish(e, c, i);
	}
}

/* Only when the lease was ours to the end is what we recorded still what the store has: a store that was wiped since
 * must be told again, or the target would look busy for ever. */
void lease_released(struct engine *e, struct clone *c, enum store_status status)
{
	if (c->phase != CLONE_RELEASING)
		return;
	if (status == STORE_UNAVAILABLE) {
		c->phase = CLONE_WORKING;
		c->record_again_ms = e->now_ms + e->policy.lease_retry_ms;
		engine_wake_at(e, c, c->record_again_ms);
		return;
	}
	if (status == STORE_OK)
		finish_applied(e, c);
	c->phase = CLONE_LEASING;
	c->lease_at_ms = e->now_ms;
	if (!c->inputs)
		engine_drop_clone(e, c);
}

/* ---- keeping it ---- */

void lease_renewed(struct engine *e, struct clone *c, enum store_status status)
{
	(void)e;
	if (c->phase != CLONE_WORKING || !c->renew_out)
		return;
	c->renew_out = false;
	if (status == STORE_OK)
		c->lease_proved_ms = c->lease_sent_ms;
	else if (status == STORE_FENCED)
		c->lost = true;
}

void lease_renew_all(struct engine *e)
{
	for (size_t i = 0; i < e->slot_count; i++) {
		struct clone *c = e->slots[i];

		if (!c || c->phase != CLONE_WORKING || c->lost || c->renew_out)
			continue;
		c->renew_out = true; /* one at a time: an answer must prove the request it belongs to */
		c->lease_sent_ms = e->now_ms;
		engine_emit(e, FX_RENEW, c);
	}
	e->renew_at_ms = e->now_ms + e->policy.lease_ttl_ms / 3;
}

/* What nobody tells us: a lease that could not be proved in time, a step that stands still, a drain that takes long. */
void lease_check_all(struct engine *e)
{
	bool drain_over = e->stopping && e->now_ms >= e->stop_by_ms;

	for (size_t i = 0; i < e->slot_count; i++) {
		struct clone *c = e->slots[i];

		if (!c || c->phase != CLONE_WORKING)
			continue;
		if (!c->lost && e->now_ms - c->lease_proved_ms >= e->policy.lease_ttl_ms * 2 / 3) {
			c->lost = true;
			engine_touch(e, c);
		}
		if (drain_over)
			steps_abort_all(e, c);
		if (!c->record_out)
			record_forget_delivered(e, c);
		steps_check_stalled(e, c);
	}
	e->check_at_ms = e->now_ms + e->policy.lease_ttl_ms / 6;
}
