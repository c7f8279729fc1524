/* SPDX-License-Identifier: Apache-2.0
 * The simulated store: atomic operations, leases with a clock, replies that get lost, a wipe now and then. */
#include "tests/support/sim_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- outboxes: one in each process, one in the store ---- */

struct sim_message *sim_outbox_get(struct sim_message outbox[SIM_EVENTS], uint64_t sequence)
{
	struct sim_message *m = &outbox[sequence % SIM_EVENTS];

	return sequence && m->sequence == sequence ? m : NULL;
}

void sim_outbox_put(struct sim_message outbox[SIM_EVENTS], const struct sim_message *m)
{
	outbox[m->sequence % SIM_EVENTS] = *m;
}

void sim_outbox_forget(struct sim_message outbox[SIM_EVENTS], uint64_t up_to)
{
	for (int i = 0; i < SIM_EVENTS; i++)
		if (outbox[i].sequence <= up_to)
			outbox[i].sequence = 0;
}

static uint64_t oldest(const struct sim_message outbox[SIM_EVENTS])
{
	uint64_t least = 0;

	for (int i = 0; i < SIM_EVENTS; i++)
		if (outbox[i].sequence && (!least || outbox[i].sequence < least))
			least = outbox[i].sequence;
	return least;
}

/* ---- asking ---- */

static int clone_of(struct sim *s, const struct effect *fx)
{
	for (int i = 0; i < s->clone_count; i++)
		if (strcmp(s->ids[i], fx->clone_id) == 0)
			return i;
	abort();
}

void sim_forget_events(struct sim *s, int consumer, const struct effect *fx, uint64_t up_to)
{
	sim_outbox_forget(s->consumers[consumer].outbox[clone_of(s, fx)], up_to);
}

static struct sim_message event_of(const struct effect *fx, int clone, const struct engine_event *e)
{
	return (struct sim_message){ .clone = clone, .run = fx->snapshot->run, .step = (int)e->step, .kind = e->kind,
		.outcome = e->result ? e->result->outcome : STEP_UNSET, .status = fx->snapshot->status,
		.cancel_begun = fx->snapshot->cancel_begun, .sequence = e->sequence };
}

static void fill_record(struct sim *s, int consumer, const struct effect *fx, struct sim_op *op)
{
	struct sim_consumer *c = &s->consumers[consumer];

	op->before = fx->sequence_before;
	op->after = fx->sequence_after;
	op->snapshot = *fx->snapshot;
	op->fields = fx->fields;
	op->marks_set = fx->marks_set;
	op->marks_clear = fx->marks_clear;
	op->take_target = fx->take_target;
	op->store_request = fx->store_request;
	op->events = calloc(SIM_EVENTS, sizeof *op->events);
	for (size_t i = 0; i < fx->event_count; i++) {
		struct sim_message m = event_of(fx, op->clone, &fx->events[i]);

		if (!fx->again || !sim_outbox_get(c->outbox[op->clone], m.sequence))
			sim_outbox_put(c->outbox[op->clone], &m);
	}
	/* When the store has lost some, all that are undelivered belong to the record. */
	for (uint64_t q = fx->full ? 1 : fx->sequence_before + 1; q <= fx->sequence_after; q++)
		if (sim_outbox_get(c->outbox[op->clone], q))
			op->events[op->event_count++] = *sim_outbox_get(c->outbox[op->clone], q);
}

void sim_store_submit(struct sim *s, int consumer, const struct effect *fx, enum store_op_kind kind)
{
	struct sim_consumer *c = &s->consumers[consumer];
	struct sim_op *op = calloc(1, sizeof *op);
	struct sim_event *event;
	int64_t at = s->now + sim_chance(s, 3);

	op->kind = kind;
	op->ref = fx->ref;
	op->clone = clone_of(s, fx);
	op->token = fx->token;
	op->sequence = fx->last;
	if (kind == STORE_RECORD) {
		sim_forget_events(s, consumer, fx, fx->last);
		fill_record(s, consumer, fx, op);
	}
	if (at < c->store_free_at)
		at = c->store_free_at; /* one connection: in order */
	c->store_free_at = at;
	event = sim_plan(s, at - s->now, SIM_STORE_APPLY, consumer);
	event->op = op;
}

/* ---- the store's side ---- */

static bool holds(const struct sim *s, const struct sim_event *event, const struct sim_op *op)
{
	const struct sim_lease *l = &s->leases[sim_target_of(op->clone)];

	return l->consumer == event->consumer && l->life == event->life && l->clone == op->clone && l->token == op->token &&
		l->until > s->now;
}

static void load(struct sim *s, int clone, struct sim_op *op)
{
	struct sim_stored *stored = &s->stored[clone];
	struct sim_lease *l = &s->leases[sim_target_of(clone)];
	struct lease_answer *a = &op->answer;

	a->found = stored->found;
	op->answer_snapshot = stored->snapshot;
	a->undelivered_from = oldest(stored->outbox);
	if (l->active >= 0) {
		memcpy(a->active_clone, s->ids[l->active], sizeof a->active_clone);
		a->active_status = s->stored[l->active].found ? s->stored[l->active].snapshot.status : CLONE_STATUS_UNSET;
	}
	memcpy(a->latest_generation, l->generation, sizeof a->latest_generation);
}

/* What is undelivered now: it may be delivered before the answer arrives. */
static void load_entries(struct sim_stored *stored, struct sim_op *op)
{
	if (!op->answer.undelivered_from)
		return;
	op->events = calloc(SIM_EVENTS, sizeof *op->events);
	for (int i = 0; i < SIM_EVENTS; i++)
		if (stored->outbox[i].sequence)
			op->events[op->event_count++] = stored->outbox[i];
}

static void acquire(struct sim *s, struct sim_event *event, struct sim_op *op)
{
	struct sim_lease *l = &s->leases[sim_target_of(op->clone)];
	bool held = l->consumer >= 0 && l->until > s->now &&
		!(l->consumer == event->consumer && l->life == event->life && l->clone == op->clone);

	load(s, op->clone, op);
	if (held) {
		op->status = STORE_HELD;
		op->answer.retry_ms = l->until - s->now;
		memcpy(op->answer.held_by, s->ids[l->clone], sizeof op->answer.held_by);
		return;
	}
	load_entries(&s->stored[op->clone], op);
	l->last_token = l->last_token + 1 > (uint64_t)s->now * 1000 ? l->last_token + 1 : (uint64_t)s->now * 1000;
	l->token = op->token = op->answer.token = l->last_token;
	l->consumer = event->consumer;
	l->life = event->life;
	l->clone = op->clone;
	l->until = s->now + s->policy.lease_ttl_ms;
	if (s->stored[op->clone].found)
		s->counts->resumed_after_crash += !clone_status_is_at_rest(s->stored[op->clone].snapshot.status);
}

/* Only what the record names changes: what the engine forgets to name is missing when the clone is loaded again. */
static void apply_fields(struct clone_snapshot *stored, const struct sim_op *op)
{
	struct clone_snapshot next = op->fields ? op->snapshot : *stored;

	for (int i = 0; i < STEP_END; i++) {
		next.outcome[i] = op->marks_set & STEP_BIT(i) ? op->snapshot.outcome[i] : stored->outcome[i];
		if (op->marks_clear & STEP_BIT(i))
			next.outcome[i] = 0;
	}
	next.sequence = op->snapshot.sequence;
	*stored = next;
}

static enum store_status record(struct sim *s, struct sim_op *op)
{
	struct sim_stored *stored = &s->stored[op->clone];
	struct sim_lease *l = &s->leases[sim_target_of(op->clone)];
	uint64_t have = stored->found ? stored->snapshot.sequence : 0;

	if (have != op->before && s->bug != SIM_BUG_NO_STORE_CHECKS) {
		if (have != op->after)
			return STORE_BEHIND;
		sim_outbox_forget(stored->outbox, op->sequence);
		return STORE_OK;
	}
	if (strcmp(s->targets[op->clone].generation, op->snapshot.generation) != 0) {
		s->targets[op->clone].began = op->token;
		memcpy(s->targets[op->clone].generation, op->snapshot.generation, sizeof op->snapshot.generation);
	}
	stored->found = true;
	apply_fields(&stored->snapshot, op);
	s->rested[op->clone] |= clone_status_is_at_rest(stored->snapshot.status);
	sim_outbox_forget(stored->outbox, op->sequence);
	stored->has_request |= op->store_request;
	for (int i = 0; i < op->event_count; i++)
		sim_outbox_put(stored->outbox, &op->events[i]);
	if (op->take_target) {
		l->active = op->clone;
		memcpy(l->generation, op->snapshot.generation, sizeof l->generation);
	}
	return STORE_OK;
}

static enum store_status reject(struct sim *s, struct sim_op *op)
{
	struct sim_stored *stored = &s->stored[op->clone];
	const struct sim_lease *l = &s->leases[sim_target_of(op->clone)];

	if (stored->found)
		return stored->snapshot.status == CLONE_REJECTED ? STORE_OK : STORE_FENCED;
	if (l->consumer >= 0 && l->clone == op->clone && l->until > s->now)
		return STORE_FENCED; /* somebody is about to begin it */
	stored->found = true;
	snapshot_init(&stored->snapshot);
	stored->snapshot.status = CLONE_REJECTED;
	stored->snapshot.run = 1;
	stored->snapshot.sequence = 1;
	stored->snapshot.fingerprint = 1;
	stored->has_request = true;
	return STORE_OK;
}

static void carry_out(struct sim *s, struct sim_event *event, struct sim_op *op)
{
	struct sim_lease *l = &s->leases[sim_target_of(op->clone)];

	if (s->store_empty && (op->kind == STORE_ACQUIRE || op->kind == STORE_INTRODUCE)) {
		s->counts->store_empty++;
		op->status = STORE_UNAVAILABLE;
		return;
	}
	switch (op->kind) {
	case STORE_ACQUIRE:
		op->status = STORE_OK;
		acquire(s, event, op);
		break;
	case STORE_RENEW:
		op->status = holds(s, event, op) ? STORE_OK : STORE_FENCED;
		if (op->status == STORE_OK)
			l->until = s->now + s->policy.lease_ttl_ms;
		break;
	case STORE_RECORD:
		op->status = holds(s, event, op) || s->bug == SIM_BUG_NO_STORE_CHECKS ? record(s, op) : STORE_FENCED;
		break;
	case STORE_INTRODUCE:
		op->status = reject(s, op);
		break;
	case STORE_RELEASE:
		op->status = holds(s, event, op) ? STORE_OK : STORE_FENCED;
		if (op->status == STORE_OK)
			l->consumer = -1;
		break;
	case STORE_DELIVERED:
		sim_outbox_forget(s->stored[op->clone].outbox, op->sequence);
		break;
	default:
		break;
	}
}

static void free_op(struct sim_op *op)
{
	free(op->events);
	free(op);
}

void sim_store_apply(struct sim *s, struct sim_event *event)
{
	struct sim_op *op = event->op;
	struct sim_event *reply;

	op->status = STORE_UNAVAILABLE;
	if (s->store_down) {
		s->counts->store_down++;
	} else {
		carry_out(s, event, op);
		if (sim_fault(s, 8)) {
			s->counts->store_reply_lost++;
			op->status = STORE_UNAVAILABLE;
		}
	}
	if (op->kind == STORE_DELIVERED) {
		free_op(op);
		return;
	}
	reply = sim_plan(s, 1 + sim_chance(s, 3), SIM_STORE_REPLY, event->consumer);
	reply->life = event->life;
	reply->op = op;
}

static void answer_lease(struct sim *s, int consumer, struct sim_op *op, struct input *in)
{
	struct sim_consumer *c = &s->consumers[consumer];

	op->answer.status = op->status;
	op->answer.snapshot = &op->answer_snapshot;
	in->kind = IN_LEASE;
	in->lease = &op->answer;
	if (op->status != STORE_OK || !op->answer.found)
		return;
	op->answer.request = sim_message_of(s, &(struct sim_record){ MESSAGE_REQUEST, op->clone, CONTROL_UNSET, false });
	for (int i = 0; i < op->event_count; i++)
		sim_outbox_put(c->outbox[op->clone], &op->events[i]);
}

void sim_store_reply(struct sim *s, struct sim_event *event)
{
	struct sim_op *op = event->op;
	struct input in = { .ref = op->ref, .status = op->status };

	if (s->consumers[event->consumer].life == event->life) {
		switch (op->kind) {
		case STORE_ACQUIRE:
			answer_lease(s, event->consumer, op, &in);
			break;
		case STORE_RELEASE:
			in.kind = IN_RELEASED;
			break;
		case STORE_RENEW:
			in.kind = IN_RENEWED;
			break;
		default:
			in.kind = IN_RECORDED;
			break;
		}
		sim_feed(s, event->consumer, &in);
	}
	free_op(op);
}

/* The clone that began last on a target has it. */
static void name_target(struct sim *s, int clone)
{
	struct sim_lease *l = &s->leases[sim_target_of(clone)];

	memcpy(s->stored[clone].snapshot.generation, s->targets[clone].generation, sizeof l->generation);
	if (l->active >= 0 && s->targets[l->active].began > s->targets[clone].began)
		return;
	l->active = clone;
	memcpy(l->generation, s->targets[clone].generation, sizeof l->generation);
}

/* What the consumer does that finds the store empty, before anybody gets a lease: folds the topics again. */
static void restore(struct sim *s, int clone)
{
	struct sim_stored *stored = &s->stored[clone];

	snapshot_init(&stored->snapshot);
	for (int i = 0; i < s->told_count[clone]; i++) {
		const struct sim_message *m = &s->told[clone][i];

		if (m->kind == MESSAGE_STEP_COMPLETED) {
			struct step_completed e = { .slug = steps[m->step].slug, .source_ctx = "SourceX", .run = m->run,
				.outcome = m->outcome, .sequence = (int64_t)m->sequence };

			snapshot_fold_step(&stored->snapshot, &e);
		} else if (m->kind == MESSAGE_STATE) {
			struct clone_state e = { .generation = "", .source_ctx = "SourceX", .step = "", .error_class = "", .cause = "",
				.run = m->run, .status = m->status, .cancel_begun = m->cancel_begun,
				.sequence = (int64_t)m->sequence };

			snapshot_fold_state(&stored->snapshot, &e);
		}
	}
	if (s->rejected[clone] && stored->snapshot.status == CLONE_STATUS_UNSET) {
		stored->snapshot.status = CLONE_REJECTED;
		stored->snapshot.run = 1;
		stored->snapshot.sequence = 1;
	}
	if (stored->snapshot.status == CLONE_STATUS_UNSET)
		return;
	stored->found = stored->has_request = true;
	if (stored->snapshot.status != CLONE_REJECTED)
		name_target(s, clone);
	s->counts->restored_from_topics++;
}

void sim_store_wipe(struct sim *s)
{
	s->wiped = true;
	s->counts->store_wiped++;
	memset(s->stored, 0, sizeof s->stored);
	for (int t = 0; t < SIM_TARGETS; t++)
		s->leases[t] = (struct sim_lease){ .consumer = -1, .clone = -1, .active = -1 };
	s->store_empty = true;
	sim_plan(s, sim_chance(s, 2000), SIM_REBUILT, -1)->life = 0;
}

void sim_store_rebuilt(struct sim *s)
{
	if (s->store_empty)
		for (int i = 0; i < s->clone_count; i++)
			restore(s, i);
	s->store_empty = false;
}
