/* SPDX-License-Identifier: Apache-2.0
 * What the engine wants, carried out through the ports. */
#include "consumer/runtime/loop_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the store ---- */

/* What the store does not take (too much under way) is answered at once as unavailable. */
void loop_store_submit(struct loop *l, const struct store_op *op)
{
	struct err e = { 0 };
	static const struct lease_answer lease = { .status = STORE_UNAVAILABLE };
	struct input in = { .ref = op->tag, .status = STORE_UNAVAILABLE, .lease = &lease };

	if (l->p->store->submit(l->p->store, op, &e)) {
		l->releases_out += op->kind == STORE_RELEASE;
		return;
	}
	log_warn(l->log, NULL, "the store takes nothing more now", LOG_ERR(&e));
	in.kind = op->kind == STORE_ACQUIRE ? IN_LEASE : op->kind == STORE_RENEW ? IN_RENEWED :
		op->kind == STORE_RELEASE ? IN_RELEASED : IN_RECORDED;
	if (op->kind == STORE_NOTE || op->kind == STORE_DELIVERED)
		return;
	loop_feed_later(l, &in);
}

static void lease_op(struct loop *l, const struct effect *fx, enum store_op_kind kind)
{
	const struct store_op op = { .kind = kind, .tag = fx->ref, .target_ctx = fx->target_ctx,
		.source_ctx = fx->source_ctx, .clone_id = fx->clone_id, .token = fx->token,
		.ttl_ms = l->p->policy.lease_ttl_ms, .utc_us = loop_utc_ms() * 1000,
		.delivered_from = fx->first, .delivered_to = fx->last };

	loop_store_submit(l, &op);
}

static void forget(struct loop *l, const struct effect *fx)
{
	outbox_forget(l->outbox, fx->clone_id, fx->last);
	lease_op(l, fx, STORE_DELIVERED);
}

/* ---- the handlers ---- */

/* As many as ever ran at once are kept, which the pool bounds: they are large, and made for each step. */
static struct work *new_work(struct loop *l)
{
	struct work *w = l->spare;

	if (w) {
		l->spare = w->peer;
		memset(w, 0, sizeof *w);
	} else {
		w = calloc(1, sizeof *w);
	}
	if (!w)
		abort(); /* crash-only: the step is begun again by the next process */
	return w;
}

static void start_step(struct loop *l, const struct effect *fx)
{
	struct work *w = new_work(l);

	w->ref = fx->ref;
	w->step = fx->step;
	w->job = &fx->request->job;
	w->attempt = fx->attempt;
	w->acted = fx->acted;
	snprintf(w->texts[0], sizeof w->texts[0], "%s", fx->clone_id);
	snprintf(w->texts[1], sizeof w->texts[1], "%s", fx->target_ctx);
	snprintf(w->texts[2], sizeof w->texts[2], "%s", fx->snapshot->generation);
	w->fence = (struct fence){ .clone_id = w->texts[0], .run = fx->run,
		.step = fx->step == STEP_END ? step_aside_name(fx->aside) : steps[fx->step].slug, .target_ctx = w->texts[1],
		.generation = w->texts[2], .token = fx->token };
	w->raise_token = fx->fresh_lease;
	snprintf(w->waited_on, sizeof w->waited_on, "%s", fx->text ? fx->text : "");
	atomic_store(&w->progress.rows, w->seen_rows = fx->moved.rows);
	atomic_store(&w->progress.bytes, w->seen_bytes = fx->moved.bytes);
	atomic_store(&w->progress.rows_total, fx->moved.rows_total);
	w->noted = fx->moved.rows || fx->moved.bytes;
	w->peer = l->running;
	w->peer_at = &l->running;
	if (w->peer)
		w->peer->peer_at = &w->peer;
	l->running = w;
	workers_give(l->workers, w);
}

static void abort_step(struct loop *l, const struct effect *fx)
{
	for (struct work *w = l->running; w; w = w->peer)
		if (w->ref == fx->ref && w->step == fx->step)
			workers_abort(l->workers, w);
}

/* ---- the bus ---- */

static void send_direct(struct loop *l, const struct effect *fx, const struct message *m, enum topic topic,
                        const char *key, const char *traceparent)
{
	const struct input failed = { .kind = IN_DIRECT_DELIVERED, .at = fx->at };
	struct err e = { 0 };
	struct flight *f;
	uint64_t tag;

	f = loop_new_flight(l, &tag);
	f->direct = true;
	f->at = fx->at;
	if (!m || !loop_encode(l, m, topic, key, traceparent, &e)) {
		f->used = false;
		log_error(l->log, NULL, "a record about a refusal cannot be encoded", LOG_ERR(&e));
		loop_feed_later(l, &failed);
	} else if (!loop_send(l, l->bytes.data, l->bytes.len, f, tag)) {
		loop_feed_later(l, &failed);
	}
}

static void dead_letter(struct loop *l, const struct effect *fx)
{
	const struct kept_record *kept = records_find(l->records, &fx->at);
	struct message *m = arena_take(l->mem, sizeof *m);
	struct bus_record record = { 0 };

	if (kept)
		records_read(kept, &record);
	if (m) {
		m->kind = MESSAGE_DEAD_LETTER;
		m->dead_letter = (struct dead_letter){ .origin_topic = topic_name(fx->at.topic),
			.origin_partition = fx->at.partition, .origin_offset = fx->at.offset, .at_ms = loop_utc_ms(),
			.reason_code = fx->code, .reason = fx->text, .key = record.key, .value = record.value,
			.key_len = record.key_len, .value_len = record.value_len, .value_size = kept ? kept->value_size : 0 };
	}
	log_warn(l->log, NULL, "dead letter", log_text("topic", topic_name(fx->at.topic)),
		log_number("partition", fx->at.partition), log_number("offset", fx->at.offset), log_text("reason", fx->code),
		log_text("sentence", fx->text));
	send_direct(l, fx, m, TOPIC_DEAD_LETTER, topic_name(fx->at.topic), "");
}

static void tell_rejected(struct loop *l, const struct effect *fx)
{
	const struct log_context context = { .clone_id = fx->request->job.clone_id };

	log_warn(l->log, &context, "clone rejected", log_text("cause", fx->text));
	send_direct(l, fx, event_rejected(fx->request, fx->text, loop_utc_ms(), l->mem), TOPIC_STATE,
		fx->request->job.clone_id, fx->request->traceparent);
}

static void commit(struct loop *l, const struct effect *fx)
{
	struct err e = { 0 };

	if (!l->p->bus->commit(l->p->bus, &fx->at, &e))
		log_warn(l->log, NULL, "an offset could not be committed; the records are read again after a restart",
			LOG_ERR(&e));
	records_forget_below(l->records, &fx->at);
}

static void log_status(struct loop *l, const struct effect *fx)
{
	const struct log_context context = { .clone_id = fx->clone_id, .run = fx->snapshot->run, .token = fx->token };

	for (size_t i = 0; i < fx->event_count; i++) {
		if (fx->events[i].kind != MESSAGE_STATE)
			continue;
		log_info(l->log, &context, "clone", log_text("status", clone_status_name(fx->snapshot->status)),
			log_text("target", fx->target_ctx), log_text("cause", fx->snapshot->cause));
		if (clone_status_is_at_rest(fx->snapshot->status))
			metrics_add(l->p->metrics, METRIC_CLONES_ENDED, fx->snapshot->status, 0, 1);
	}
}

void loop_carry_out(struct loop *l, const struct effect *fx)
{
	switch (fx->kind) {
	case FX_ACQUIRE:
		lease_op(l, fx, STORE_ACQUIRE);
		break;
	case FX_RENEW:
		lease_op(l, fx, STORE_RENEW);
		break;
	case FX_RELEASE:
		outbox_forget(l->outbox, fx->clone_id, UINT64_MAX);
		lease_op(l, fx, STORE_RELEASE);
		break;
	case FX_START_STEP:
		start_step(l, fx);
		break;
	case FX_ABORT_STEP:
		abort_step(l, fx);
		break;
	case FX_RECORD:
		log_status(l, fx);
		loop_record(l, fx);
		break;
	case FX_REJECT:
		loop_reject(l, fx);
		break;
	case FX_PUBLISH:
		loop_publish(l, fx);
		break;
	case FX_FORGET:
		forget(l, fx);
		break;
	case FX_TELL_REJECTED:
		tell_rejected(l, fx);
		break;
	case FX_DEAD_LETTER:
		dead_letter(l, fx);
		break;
	case FX_COMMIT:
		commit(l, fx);
		break;
	case FX_INTAKE:
		l->intake_paused = fx->flag;
		loop_pause_intake(l);
		break;
	case FX_REVOKED_DONE:
		l->p->bus->release_revoked(l->p->bus);
		break;
	case FX_DRAINED:
		l->drained = true;
		break;
	default:
		break;
	}
}

/* ---- progress ---- */

/* What is no letter of a name would end the note's field. */
static void read_table(const struct step_progress *p, char name_r[STEP_TABLE_MAX])
{
	for (size_t i = 0; i < STEP_TABLE_MAX; i++) {
		name_r[i] = atomic_load_explicit(&p->table[i], memory_order_relaxed);
		if (name_r[i] > 0 && name_r[i] < ' ')
			name_r[i] = ' ';
	}
	name_r[STEP_TABLE_MAX - 1] = '\0';
}

/* "rows bytes rows_total utc_ms tables tables_total table_rows table_bytes", the table under way and what the step waits
 * for, with tabs between the three: consumer/ctl/sight.c reads it. */
static void note(struct loop *l, const struct work *w, int64_t rows, int64_t bytes, const char *waits_for)
{
	const struct step_progress *p = &w->progress;
	char text[192 + STEP_TABLE_MAX + sizeof w->waited_on], table[STEP_TABLE_MAX];
	const struct store_pair pair = { w->fence.step, text, 0 };
	struct store_pair pairs[1] = { pair };
	struct store_op op = { .kind = STORE_NOTE, .target_ctx = w->fence.target_ctx, .clone_id = w->fence.clone_id,
		.clone_set = pairs, .clone_set_count = 1 };

	read_table(p, table);
	pairs[0].len = (size_t)snprintf(text, sizeof text,
		"%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\t%s\t%.*s", rows, bytes,
		atomic_load(&p->rows_total), loop_utc_ms(), atomic_load(&p->tables), atomic_load(&p->tables_total),
		atomic_load(&p->table_rows), atomic_load(&p->table_bytes), table, (int)sizeof w->waited_on - 1, waits_for);
	loop_store_submit(l, &op);
}

bool loop_tell_moved(struct loop *l, struct work *w)
{
	const struct step_moved moved = { atomic_load(&w->progress.rows), atomic_load(&w->progress.bytes),
		atomic_load(&w->progress.rows_total) };
	const struct input in = { .kind = IN_MOVED, .ref = w->ref, .step = w->step, .token = w->fence.token, .moved = moved };

	if (moved.rows == w->seen_rows && moved.bytes == w->seen_bytes)
		return false;
	w->seen_rows = moved.rows;
	w->seen_bytes = moved.bytes;
	engine_feed(l->engine, &in);
	return true;
}

void loop_note_progress(struct loop *l)
{
	for (struct work *w = l->running; w; w = w->peer) {
		bool has_moved = loop_tell_moved(l, w);

		if (w->noted && !has_moved)
			continue;
		w->noted = true;
		note(l, w, w->seen_rows, w->seen_bytes, has_moved ? "" : w->waited_on);
	}
}

/* Ten thousand clones that wait for the same thing all day cost nothing: only what is new is noted. */
void loop_note_return(struct loop *l, const struct work *w)
{
	const struct step_result *r = &w->result;
	bool failed = r->outcome == STEP_RETRY || r->outcome == STEP_UNSURE;
	const char *waits_for = r->outcome == STEP_WAIT ? r->waiting_on : failed ? r->err.text : "";
	bool noted_before = w->acted || w->waited_on[0] || w->noted;

	if (r->err.code == ERR_CODE_ABORTED || r->err.code == ERR_CODE_FENCED)
		return;
	if (failed || r->outcome == STEP_WAIT) {
		if (strncmp(waits_for, w->waited_on, sizeof w->waited_on - 1) != 0)
			note(l, w, atomic_load(&w->progress.rows), atomic_load(&w->progress.bytes), waits_for);
	} else if (noted_before) {
		note(l, w, r->rows, r->bytes, "");
	}
}
