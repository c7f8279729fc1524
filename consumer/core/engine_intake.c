/* SPDX-License-Identifier: Apache-2.0
 * Records in: to which clone they belong, when their offset may move, and what becomes of those that cannot be. */
#include "consumer/core/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_partition(const struct bus_position *a, const struct bus_position *b)
{
	return a->topic == b->topic && a->partition == b->partition;
}

static bool same_position(const struct bus_position *a, const struct bus_position *b)
{
	return same_partition(a, b) && a->offset == b->offset;
}

/* ---- what goes straight to a topic ---- */

static void emit_direct(struct engine *e, struct direct *d)
{
	struct effect *fx = engine_emit(e, d->kind, NULL);

	fx->at = d->at;
	fx->code = d->code;
	fx->text = d->text;
	fx->request = d->message ? &d->message->request : NULL;
}

static struct direct *add_direct(struct engine *e, enum effect_kind kind, const struct bus_position *at,
                                 struct message *message, const char *code, const char *text)
{
	struct direct *d = calloc(1, sizeof *d);

	if (!d) {
		message_free(&message);
		e->out_of_memory = true;
		return NULL;
	}
	d->kind = kind;
	d->at = *at;
	d->message = message;
	snprintf(d->code, sizeof d->code, "%s", code);
	snprintf(d->text, sizeof d->text, "%s", text);
	d->next = e->directs;
	e->directs = d;
	emit_direct(e, d);
	return d;
}

static struct direct *find_direct(struct engine *e, const struct bus_position *at)
{
	for (struct direct *d = e->directs; d; d = d->next)
		if (same_position(&d->at, at))
			return d;
	return NULL;
}

void intake_direct_delivered(struct engine *e, const struct input *in)
{
	for (struct direct **p = &e->directs; *p; p = &(*p)->next) {
		struct direct *d = *p;

		if (!same_position(&d->at, &in->at))
			continue;
		if (!in->ok) {
			emit_direct(e, d);
			return;
		}
		if (!d->input_held)
			offsets_end(e->offsets, &d->at);
		*p = d->next;
		message_free(&d->message);
		free(d);
		return;
	}
}

void intake_bad_record(struct engine *e, const struct input *in)
{
	if (!offsets_begin(e->offsets, &in->at))
		e->out_of_memory = true;
	add_direct(e, FX_DEAD_LETTER, &in->at, NULL, in->code, in->text);
}

/* ---- inputs of a clone ---- */

static void unlink_input(struct clone *c, struct held_input *input)
{
	for (struct held_input **p = &c->inputs; *p; p = &(*p)->next)
		if (*p == input) {
			*p = input->next;
			return;
		}
}

void intake_finish(struct engine *e, struct clone *c, struct held_input *input)
{
	struct direct *telling = find_direct(e, &input->at);

	unlink_input(c, input);
	if (telling)
		telling->input_held = false;
	else
		offsets_end(e->offsets, &input->at);
	message_free(&input->message);
	free(input);
}

void intake_refuse(struct engine *e, struct clone *c, struct held_input *input, const char *code, const char *text)
{
	unlink_input(c, input);
	add_direct(e, FX_DEAD_LETTER, &input->at, NULL, code, text);
	message_free(&input->message);
	free(input);
}

void intake_refuse_and_hold(struct engine *e, struct held_input *input, const char *code, const char *text)
{
	struct direct *d = add_direct(e, FX_DEAD_LETTER, &input->at, NULL, code, text);

	if (d)
		d->input_held = true;
}

void intake_tell_rejected(struct engine *e, struct clone *c)
{
	bool told = false;

	while (c->inputs) {
		struct held_input *input = c->inputs;

		if (input->at.topic == TOPIC_REQUESTED && c->request && !told) {
			struct bus_position at = input->at;

			told = true;
			c->inputs = input->next;
			message_free(&input->message);
			free(input);
			add_direct(e, FX_TELL_REJECTED, &at, c->request, "rejected", c->rejected);
			c->request = NULL;
		} else {
			intake_refuse(e, c, input, "rejected", c->rejected);
		}
	}
}

static struct held_input *find_input(struct clone *c, const struct bus_position *at)
{
	for (struct held_input *i = c->inputs; i; i = i->next)
		if (same_position(&i->at, at))
			return i;
	return NULL;
}

static void hold(struct engine *e, struct clone *c, const struct bus_position *at, struct message *message)
{
	struct held_input *input = find_input(c, at), **last = &c->inputs;

	c->leaving = e->stopping;
	c->guest = false;
	if (input) { /* read again after a rebalance that gave the partition back */
		message_free(&message);
		return;
	}
	input = calloc(1, sizeof *input);
	if (!input) {
		message_free(&message);
		e->out_of_memory = true;
		return;
	}
	input->at = *at;
	input->message = message;
	while (*last)
		last = &(*last)->next;
	*last = input;
}

/* The first request of a clone is what it does; one more with the same id must wish the same. */
static void hold_request(struct engine *e, struct clone *c, const struct bus_position *at, struct message *message)
{
	uint64_t known = c->snap.fingerprint ? c->snap.fingerprint : c->request ? c->request->request.fingerprint : 0;

	if (known && known != message->request.fingerprint) {
		message_free(&message);
		add_direct(e, FX_DEAD_LETTER, at, NULL, "conflict",
			"a request with this clone_id and other wishes was taken before; choose a new clone_id");
		return;
	}
	if (c->request) {
		hold(e, c, at, NULL);
		message_free(&message);
		return;
	}
	c->request = message;
	hold(e, c, at, NULL);
}

void intake_message(struct engine *e, const struct input *in)
{
	struct message *m = in->message;
	const char *id, *target, *source = "";
	struct clone *c;

	if (!offsets_begin(e->offsets, &in->at))
		e->out_of_memory = true;
	switch (m->kind) {
	case MESSAGE_REQUEST:
		id = m->request.job.clone_id;
		target = m->request.job.target_ctx;
		source = m->request.job.source_ctx;
		break;
	case MESSAGE_REPLAY:
		id = m->replay.clone_id;
		target = m->replay.target_ctx;
		break;
	default:
		id = m->control.clone_id;
		target = m->control.target_ctx;
		break;
	}
	c = engine_clone_by_id(e, id);
	if (c && strcmp(c->target, target) != 0) {
		message_free(&m);
		add_direct(e, FX_DEAD_LETTER, &in->at, NULL, "conflict", "this clone_id belongs to another target");
		return;
	}
	if (!c)
		c = engine_add_clone(e, id, target, source);
	if (!c) {
		message_free(&m);
		return;
	}
	if (m->kind == MESSAGE_REQUEST) {
		if (!c->source[0])
			snprintf(c->source, sizeof c->source, "%s", source);
		hold_request(e, c, &in->at, m);
	} else {
		hold(e, c, &in->at, m);
	}
	if (!c->inputs)
		engine_drop_clone(e, c);
	else
		engine_touch(e, c);
}

/* ---- guests ---- */

void intake_sweep(struct engine *e, const struct sweep_wish *wish)
{
	struct clone *c;

	if (e->stopping || e->intake_paused || e->revoking || engine_clone_by_id(e, wish->clone_id))
		return;
	c = engine_add_clone(e, wish->clone_id, wish->target_ctx, wish->source_ctx);
	if (c)
		c->guest = true;
}

/* ---- partitions ---- */

void intake_assigned(struct engine *e, const struct bus_position *at)
{
	if (!offsets_assign(e->offsets, at->topic, at->partition))
		e->out_of_memory = true;
}

static bool belongs_to(const struct clone *c, const struct bus_position *partition)
{
	for (const struct held_input *i = c->inputs; i; i = i->next)
		if (same_partition(&i->at, partition))
			return true;
	return false;
}

void intake_revoked(struct engine *e, const struct bus_position *at, bool lost)
{
	for (size_t i = 0; i < e->slot_count; i++) {
		struct clone *c = e->slots[i];

		if (!c || !belongs_to(c, at))
			continue;
		c->leaving = true;
		engine_touch(e, c);
	}
	e->revoking = true;
	if (lost)
		offsets_drop(e->offsets, at->topic, at->partition);
	else
		offsets_revoke(e->offsets, at->topic, at->partition);
}

static bool something_leaves(const struct engine *e)
{
	for (size_t i = 0; i < e->slot_count; i++)
		if (e->slots[i] && e->slots[i]->leaving)
			return true;
	return false;
}

/* Whether to fetch more, and whether a rebalance may go on. */
void intake_flow(struct engine *e)
{
	bool full = e->stopping || e->live >= (size_t)e->policy.max_clones;

	if (e->intake_paused && !e->stopping && e->live > (size_t)(e->policy.max_clones - e->policy.max_clones / 10))
		full = true; /* some distance, so that it does not flutter */
	if (full != e->intake_paused) {
		e->intake_paused = full;
		engine_emit(e, FX_INTAKE, NULL)->flag = full;
	}
	if (e->revoking && !something_leaves(e)) {
		struct bus_position at;

		while (offsets_next_commit(e->offsets, &at))
			engine_emit(e, FX_COMMIT, NULL)->at = at;
		offsets_drop_revoked(e->offsets);
		e->revoking = false;
		engine_emit(e, FX_REVOKED_DONE, NULL);
	}
}
