/* SPDX-License-Identifier: Apache-2.0
 * The engine's outside: clones in their slots, inputs to the right place, effects out. */
#include "consumer/core/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX_BYTES = 256 * 1024 * 1024 };

struct engine *engine_new(const struct engine_policy *policy, uint64_t seed)
{
	struct engine *e = calloc(1, sizeof *e);

	if (!e)
		return NULL;
	e->policy = *policy;
	e->chance = seed;
	e->offsets = offsets_new();
	e->scratch = arena_new(SCRATCH_MAX_BYTES);
	if (!e->offsets || !e->scratch)
		engine_free(&e);
	return e;
}

static void free_inputs(struct held_input **list)
{
	while (*list) {
		struct held_input *next = (*list)->next;

		message_free(&(*list)->message);
		free(*list);
		*list = next;
	}
}

void engine_drop_request(struct clone *c)
{
	message_free(&c->request);
	free_inputs(&c->lent);
}

void engine_clear_give_up(struct clone *c)
{
	c->give_up_step = -1;
	free(c->give_up);
	c->give_up = NULL;
}

static void free_clone(struct clone *c)
{
	free_inputs(&c->inputs);
	while (c->runs) {
		struct step_run *next = c->runs->next;

		free(c->runs);
		c->runs = next;
	}
	while (c->completions) {
		struct completion *next = c->completions->next;

		free(c->completions);
		c->completions = next;
	}
	engine_drop_request(c);
	record_forget_events(c);
	free(c->rejected);
	free(c->give_up);
	free(c);
}

static void free_gone(struct engine *e)
{
	while (e->gone) {
		struct clone *next = e->gone->next_gone;

		free_clone(e->gone);
		e->gone = next;
	}
}

void engine_free(struct engine **e_)
{
	struct engine *e = e_ ? *e_ : NULL;

	if (!e)
		return;
	for (size_t i = 0; i < e->slot_count; i++)
		if (e->slots[i])
			free_clone(e->slots[i]);
	free_gone(e);
	while (e->directs) {
		struct direct *next = e->directs->next;

		message_free(&e->directs->message);
		free(e->directs);
		e->directs = next;
	}
	free(e->slots);
	free(e->ready);
	free(e->dirty);
	free(e->effects);
	table_done(&e->ids);
	timers_done(&e->timers);
	offsets_free(&e->offsets);
	arena_free(&e->scratch);
	free(e);
	*e_ = NULL;
}

/* ---- clones ---- */

struct clone *engine_clone(const struct engine *e, clone_ref ref)
{
	size_t index = (size_t)(ref & UINT32_MAX) - 1;
	struct clone *c = index < e->slot_count ? e->slots[index] : NULL;

	return c && c->ref == ref ? c : NULL;
}

struct clone *engine_clone_by_id(struct engine *e, const char *id)
{
	uint64_t ref;

	return table_get(&e->ids, id, &ref) ? engine_clone(e, ref) : NULL;
}

static bool free_slot(struct engine *e, size_t *index_r)
{
	size_t size = e->slot_count ? 2 * e->slot_count : 64;
	struct clone **grown;

	for (size_t i = 0; e->live < e->slot_count && i < e->slot_count; i++) {
		size_t at = (e->epoch + i) % e->slot_count;

		if (!e->slots[at])
			return *index_r = at, true;
	}
	grown = realloc(e->slots, size * sizeof(struct clone *));
	if (!grown)
		return false;
	memset(grown + e->slot_count, 0, (size - e->slot_count) * sizeof(struct clone *));
	*index_r = e->slot_count;
	e->slots = grown;
	e->slot_count = size;
	return true;
}

struct clone *engine_add_clone(struct engine *e, const char *id, const char *target, const char *source)
{
	struct clone *c = calloc(1, sizeof *c);
	size_t index;

	if (!c || !free_slot(e, &index)) {
		free(c);
		e->out_of_memory = true;
		return NULL;
	}
	e->epoch = e->epoch == UINT32_MAX ? 1 : e->epoch + 1;
	c->ref = (clone_ref)e->epoch << 32 | (index + 1);
	snprintf(c->id, sizeof c->id, "%s", id);
	snprintf(c->target, sizeof c->target, "%s", target);
	snprintf(c->source, sizeof c->source, "%s", source);
	snapshot_init(&c->snap);
	c->give_up_step = -1;
	e->slots[index] = c;
	e->live++;
	if (!table_set(&e->ids, c->id, c->ref))
		e->out_of_memory = true;
	engine_touch(e, c);
	return c;
}

void engine_drop_clone(struct engine *e, struct clone *c)
{
	table_remove(&e->ids, c->id);
	e->slots[(size_t)(c->ref & UINT32_MAX) - 1] = NULL;
	e->live--;
	c->next_gone = e->gone;
	e->gone = c;
}

void engine_touch(struct engine *e, struct clone *c)
{
	if (c->dirty)
		return;
	if (e->dirty_count == e->dirty_size) {
		size_t size = e->dirty_size ? 2 * e->dirty_size : 64;
		clone_ref *grown = realloc(e->dirty, size * sizeof *grown);

		if (!grown) {
			e->out_of_memory = true;
			return;
		}
		e->dirty = grown;
		e->dirty_size = size;
	}
	c->dirty = true;
	e->dirty[e->dirty_count++] = c->ref;
}

void engine_wake_at(struct engine *e, struct clone *c, int64_t at_ms)
{
	if (!timers_add(&e->timers, at_ms, c->ref))
		e->out_of_memory = true;
}

/* ---- effects ---- */

char *engine_text(struct engine *e, const char *text)
{
	char *copy = arena_text(e->scratch, text, strlen(text));

	if (!copy)
		e->out_of_memory = true;
	return copy;
}

struct effect *engine_emit(struct engine *e, enum effect_kind kind, struct clone *c)
{
	static const struct effect nothing;

	if (e->effect_count == e->effect_size) {
		size_t size = e->effect_size ? 2 * e->effect_size : 64;
		struct effect *grown = realloc(e->effects, size * sizeof *grown);

		if (!grown)
			abort(); /* no effect may get lost; whatever is durable is taken up by the next process */
		e->effects = grown;
		e->effect_size = size;
	}
	struct effect *fx = &e->effects[e->effect_count++];

	*fx = nothing;
	fx->kind = kind;
	if (c) {
		fx->ref = c->ref;
		fx->clone_id = c->id;
		fx->target_ctx = c->target;
		fx->source_ctx = c->source;
		fx->token = c->token;
		fx->snapshot = &c->snap;
		fx->request = c->request ? &c->request->request : NULL;
	}
	return fx;
}

static void begin_turn(struct engine *e)
{
	if (!e->effects_taken)
		return;
	e->effects_taken = false;
	e->effect_count = 0;
	free_gone(e);
	arena_clear(e->scratch);
}

/* ---- inputs ---- */

void engine_tick(struct engine *e, int64_t now_ms, int64_t utc_ms)
{
	clone_ref ref;

	begin_turn(e);
	e->now_ms = now_ms;
	e->utc_ms = utc_ms;
	while (timers_take_due(&e->timers, now_ms, &ref)) {
		struct clone *c = engine_clone(e, ref);

		if (!c)
			continue;
		steps_wake_due(e, c);
		engine_touch(e, c);
	}
	if (now_ms >= e->renew_at_ms)
		lease_renew_all(e);
	if (now_ms >= e->check_at_ms)
		lease_check_all(e);
}

static void stop(struct engine *e)
{
	if (e->stopping)
		return;
	e->stopping = true;
	e->stop_by_ms = e->now_ms + e->policy.drain_ms;
	for (size_t i = 0; i < e->slot_count; i++)
		if (e->slots[i]) {
			e->slots[i]->leaving = true;
			engine_touch(e, e->slots[i]);
		}
}

static void feed_clone(struct engine *e, const struct input *in)
{
	struct clone *c = engine_clone(e, in->ref);

	if (!c) {
		if (in->kind == IN_LEASE && in->lease->request) {
			struct message *late = in->lease->request;

			message_free(&late);
		}
		return;
	}
	switch (in->kind) {
	case IN_LEASE:
		lease_answered(e, c, in->lease);
		break;
	case IN_RELEASED:
		lease_released(e, c, in->status);
		break;
	case IN_RENEWED:
		lease_renewed(e, c, in->status);
		break;
	case IN_RECORDED:
		if (c->rejected)
			lease_reject_answered(e, c, in->status);
		else
			record_answered(e, c, in->status);
		break;
	case IN_STEP:
		steps_returned(e, c, in);
		break;
	case IN_MOVED:
		steps_moved(e, c, in);
		break;
	case IN_DELIVERED:
		record_delivered(e, c, in->sequence, in->ok);
		break;
	default:
		break;
	}
	engine_touch(e, c);
}

void engine_feed(struct engine *e, const struct input *in)
{
	begin_turn(e);
	switch (in->kind) {
	case IN_ASSIGNED:
		intake_assigned(e, &in->at);
		break;
	case IN_REVOKED:
	case IN_LOST:
		intake_revoked(e, &in->at, in->kind == IN_LOST);
		break;
	case IN_MESSAGE:
		intake_message(e, in);
		break;
	case IN_BAD_RECORD:
		intake_bad_record(e, in);
		break;
	case IN_DIRECT_DELIVERED:
		intake_direct_delivered(e, in);
		break;
	case IN_SWEEP:
		intake_sweep(e, in->sweep);
		break;
	case IN_STOP:
		stop(e);
		break;
	default:
		feed_clone(e, in);
		break;
	}
}

/* ---- settling ---- */

static bool is_at_rest(const struct clone *c)
{
	return clone_status_is_at_rest(c->snap.status);
}

static void work(struct engine *e, struct clone *c)
{
	if (c->lost) {
		steps_abort_all(e, c);
		if (c->running || c->record_out)
			return;
		steps_forget_all(e, c);
		e->leases_lost++;
		c->lost = c->sweeping = false;
		c->phase = CLONE_LEASING;
		c->lease_at_ms = e->now_ms;
		if (c->leaving || c->guest) {
			engine_drop_clone(e, c); /* nothing to give back: it is somebody else's */
			return;
		}
		lease_advance(e, c);
		return;
	}
	if (c->record_out || c->sweeping || (c->record_again_ms && e->now_ms < c->record_again_ms))
		return;
	c->record_again_ms = 0;
	control_apply(e, c);
	if (record_changes(e, c))
		return;
	if (record_all_delivered(c))
		control_tell_refused(e, c);
	if (!is_at_rest(c) && !c->leaving) {
		steps_advance(e, c);
		return;
	}
	if (c->running || !record_all_delivered(c))
		return;
	if (c->guest && !c->leaving && !c->swept) {
		c->swept = c->sweeping = true;
		steps_start_aside(e, c);
		return;
	}
	record_forget_delivered(e, c);
	engine_emit(e, FX_RELEASE, c);
	if (is_at_rest(c))
		c->phase = CLONE_RELEASING;
	else
		engine_drop_clone(e, c); /* its records are read again by whoever has the partition now */
}

static void settle(struct engine *e, struct clone *c)
{
	c->dirty = false;
	if (c->phase == CLONE_WORKING) {
		work(e, c);
		return;
	}
	if (c->phase == CLONE_RELEASING)
		return;
	if (c->leaving && !c->lease_asked) {
		engine_drop_clone(e, c);
		return;
	}
	lease_advance(e, c);
}

static void settle_all(struct engine *e)
{
	for (size_t i = 0; i < e->dirty_count; i++) {
		struct clone *c = engine_clone(e, e->dirty[i]);

		if (c)
			settle(e, c);
	}
	e->dirty_count = 0;
}

const struct effect *engine_effects(struct engine *e, size_t *count_r)
{
	struct bus_position at;

	begin_turn(e);
	settle_all(e);
	steps_start_ready(e);
	intake_flow(e);
	while (offsets_next_commit(e->offsets, &at))
		engine_emit(e, FX_COMMIT, NULL)->at = at;
	if (e->stopping && !e->drained && e->live == 0 && !e->directs) {
		e->drained = true;
		engine_emit(e, FX_DRAINED, NULL);
	}
	if (e->out_of_memory)
		abort(); /* crash-only: all that matters is durable and taken up by the next process */
	e->effects_taken = true;
	*count_r = e->effect_count;
	return e->effects;
}

static int64_t earlier(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

int64_t engine_wake_ms(const struct engine *e)
{
	int64_t wake = timers_next_ms(&e->timers);

	if (e->live) {
		wake = earlier(wake, e->renew_at_ms);
		wake = earlier(wake, e->check_at_ms);
		wake = earlier(wake, e->room_at_ms ? e->room_at_ms : -1);
	}
	return wake;
}
