/* SPDX-License-Identifier: Apache-2.0
 * What the ports say, as inputs of the engine. */
#include "consumer/runtime/loop_priv.h"

#include <stdlib.h>
#include <string.h>

enum { RECORDS_A_TURN = 1000, PARKED_FIRST_MS = 10, PARKED_AGAIN_MS = 1000 };

/* ---- the bus ---- */

static enum message_kind kind_of(enum topic topic)
{
	switch (topic) {
	case TOPIC_REQUESTED:
		return MESSAGE_REQUEST;
	case TOPIC_REPLAY:
		return MESSAGE_REPLAY;
	default:
		return MESSAGE_CONTROL;
	}
}

static bool domain_allowed(struct loop *l, const char *domain, struct err *e)
{
	if (!l->p->domain_is_denied || !l->p->domain_is_denied(domain))
		return true;
	return err_set(e, ERR_REFUSED, 0, "invalid", "the mask domain is a public inbox, which this installation does not allow");
}

/* Rules that the bytes alone cannot tell. */
static bool check_message(struct loop *l, const struct message *m, struct err *e)
{
	const struct step_job *job = &m->request.job;

	if (m->kind == MESSAGE_REPLAY && m->replay.has_mask_domain)
		return l->p->rules.domain_check(m->replay.mask_domain, e) && domain_allowed(l, m->replay.mask_domain, e);
	if (m->kind != MESSAGE_REQUEST)
		return true;
	return request_check(&m->request, &l->p->rules, e) && (!job->mask_enabled || domain_allowed(l, job->mask_domain, e));
}

static void feed_bad(struct loop *l, const struct bus_position *at, const char *code, const struct err *e)
{
	const struct input in = { .kind = IN_BAD_RECORD, .at = *at, .code = code, .text = e->text };

	log_warn(l->log, NULL, "record refused", log_text("topic", topic_name(at->topic)),
		log_number("partition", at->partition), log_number("offset", at->offset), log_text("reason", code), LOG_ERR(e));
	metrics_add(l->p->metrics, METRIC_DEAD_LETTERS, at->topic, 0, 1);
	engine_feed(l->engine, &in);
}

/* False: the schema cannot be had now. */
static bool take_record(struct loop *l, const struct bus_record *record)
{
	struct err e = { 0 };
	struct message *message = NULL;
	struct input in = { .kind = IN_MESSAGE, .at = record->at };

	switch (l->p->codec->decode(l->p->codec, kind_of(record->at.topic), record, &message, &e)) {
	case CODEC_LATER:
		return false;
	case CODEC_BAD:
		feed_bad(l, &record->at, e.where, &e);
		return true;
	default:
		break;
	}
	if (message->kind == MESSAGE_REQUEST && record->value_len > REQUEST_MAX_BYTES) {
		message_free(&message);
		err_set(&e, ERR_REFUSED, 0, "too-large", "a request takes at most %d bytes", REQUEST_MAX_BYTES);
		feed_bad(l, &record->at, e.where, &e);
		return true;
	}
	if (!check_message(l, message, &e)) {
		message_free(&message);
		feed_bad(l, &record->at, "invalid", &e);
		return true;
	}
	in.message = message;
	engine_feed(l->engine, &in);
	return true;
}

void loop_pause_intake(struct loop *l)
{
	l->p->bus->pause(l->p->bus, l->intake_paused || parked_count(l->parked) >= PARKED_MANY);
}

/* Its schema is not known yet: it waits, and what follows it in its partition; the others go on. */
static void park(struct loop *l, const struct bus_record *record)
{
	if (!parked_holds(l->parked, &record->at)) {
		log_warn(l->log, NULL, "a record waits for its schema, and its partition with it",
			log_text("topic", topic_name(record->at.topic)), log_number("partition", record->at.partition),
			log_number("offset", record->at.offset));
		l->parked_wait_ms = PARKED_FIRST_MS;
		l->parked_again_ms = loop_now_ms() + l->parked_wait_ms;
	}
	if (!parked_add(l->parked, &record->at))
		abort(); /* a record may not get lost; it is read again by the next process */
	loop_pause_intake(l);
}

static void on_record(struct loop *l, const struct bus_record *record)
{
	metrics_add(l->p->metrics, METRIC_RECORDS_READ, record->at.topic, 0, 1);
	if (!records_keep(l->records, record))
		abort(); /* as above */
	if (parked_holds(l->parked, &record->at) || !take_record(l, record))
		park(l, record);
}

static bool take_parked(void *arg, const struct bus_position *at)
{
	struct loop *l = arg;
	const struct kept_record *kept = records_find(l->records, at);
	struct bus_record record;

	if (!kept || !records_read(kept, &record))
		abort(); /* it is kept until its offset is committed, which waits for it */
	return take_record(l, &record);
}

void loop_try_parked(struct loop *l)
{
	if (!parked_count(l->parked) || loop_now_ms() < l->parked_again_ms)
		return;
	l->parked_wait_ms = 2 * l->parked_wait_ms < PARKED_AGAIN_MS ? 2 * l->parked_wait_ms : PARKED_AGAIN_MS;
	l->parked_again_ms = loop_now_ms() + l->parked_wait_ms;
	parked_retry(l->parked, take_parked, l);
	loop_pause_intake(l);
}

static void on_delivered(struct loop *l, uint64_t tag, bool ok)
{
	struct flight *f = tag > 0 && tag <= l->flight_size ? &l->flights[tag - 1] : NULL;
	struct input in = { .ok = ok };

	if (!f || !f->used)
		return;
	metrics_add(l->p->metrics, ok ? METRIC_EVENTS_DELIVERED : METRIC_EVENTS_FAILED, f->topic, 0, 1);
	in.kind = f->direct ? IN_DIRECT_DELIVERED : IN_DELIVERED;
	in.ref = f->ref;
	in.sequence = f->sequence;
	in.at = f->at;
	f->used = false;
	engine_feed(l->engine, &in);
}

static void on_partition(struct loop *l, const struct bus_event *event)
{
	struct input in = { .at = event->at };

	in.kind = event->kind == BUS_ASSIGNED ? IN_ASSIGNED : event->kind == BUS_REVOKED ? IN_REVOKED : IN_LOST;
	log_info(l->log, NULL, event->kind == BUS_ASSIGNED ? "partition taken" : "partition given up",
		log_text("topic", topic_name(event->at.topic)), log_number("partition", event->at.partition));
	if (event->kind != BUS_ASSIGNED)
		parked_forget_partition(l->parked, &event->at);
	engine_feed(l->engine, &in);
}

void loop_take_bus(struct loop *l)
{
	struct bus_event event;

	for (int i = 0; i < RECORDS_A_TURN && !l->fatal; i++) {
		l->p->bus->next(l->p->bus, &event);
		switch (event.kind) {
		case BUS_NOTHING:
			return;
		case BUS_RECORD:
			on_record(l, &event.record);
			break;
		case BUS_DELIVERED:
			on_delivered(l, event.tag, event.ok);
			break;
		case BUS_FATAL:
			l->fatal = true;
			err_set(l->err, ERR_TRANSIENT, 0, "bus", "the broker connection is beyond help: %.200s", event.text);
			break;
		default:
			on_partition(l, &event);
			break;
		}
	}
}

/* ---- the store ---- */

static const struct store_pair *find_pair(const struct store_pair *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return &pairs[i];
	return NULL;
}

static void pair_text(const struct store_pair *pairs, size_t count, const char *name, char *out, size_t size)
{
	const struct store_pair *p = find_pair(pairs, count, name);

	if (p && p->len < size) {
		memcpy(out, p->value, p->len);
		out[p->len] = '\0';
	}
}

/* The request as it was stored, with what replays changed. False: its schema cannot be had now. */
static bool stored_request(struct loop *l, const struct store_answer *a, struct lease_answer *answer)
{
	const struct store_pair *p = find_pair(a->clone, a->clone_count, "request");
	struct bus_record record = { .at = { TOPIC_REQUESTED, 0, 0 } };
	struct err e = { 0 };

	if (!p)
		return true;
	record.value = p->value;
	record.value_len = p->len;
	return l->p->codec->decode(l->p->codec, MESSAGE_REQUEST, &record, &answer->request, &e) != CODEC_LATER;
}

static void take_entries(struct loop *l, const char *clone_id, const struct store_answer *a, struct lease_answer *answer)
{
	for (size_t i = 0; i < a->entry_count; i++) {
		if (!outbox_put(l->outbox, clone_id, a->entries[i].sequence, a->entries[i].data, a->entries[i].len))
			abort(); /* crash-only: the store has it */
		if (!answer->undelivered_from)
			answer->undelivered_from = a->entries[i].sequence;
	}
}

static void on_acquired(struct loop *l, const struct store_answer *a)
{
	struct lease_answer answer = { .status = a->status, .retry_ms = a->retry_ms, .token = a->token, .found = a->found };
	struct clone_snapshot snapshot;
	struct input in = { .kind = IN_LEASE, .ref = a->tag, .lease = &answer };
	struct clone_view view;
	bool ours;
	struct err e = { 0 };
	char status[24] = "";

	memcpy(answer.held_by, a->held_by, sizeof answer.held_by);
	pair_text(a->target, a->target_count, "active", answer.active_clone, sizeof answer.active_clone);
	pair_text(a->target, a->target_count, "generation", answer.latest_generation, sizeof answer.latest_generation);
	pair_text(a->target, a->target_count, "active_status", status, sizeof status);
	answer.active_status = clone_status_by_name(status);
	answer.snapshot = &snapshot;
	ours = a->status == STORE_OK && engine_view(l->engine, a->tag, &view);
	if (ours)
		metrics_observe(l->p->metrics, METRIC_LEASE_WAIT, 0, 0, loop_now_ms() - view.asking_since_ms);
	if (a->found && !snapshot_read(a->clone, a->clone_count, &snapshot, &e)) {
		log_error(l->log, NULL, "a clone in the store cannot be read", LOG_ERR(&e));
		answer.status = STORE_UNAVAILABLE;
	} else if (a->found && ours) {
		take_entries(l, view.clone_id, a, &answer);
		if (!stored_request(l, a, &answer))
			answer.status = STORE_UNAVAILABLE;
	}
	engine_feed(l->engine, &in);
}

void loop_take_store(struct loop *l)
{
	struct store_answer a;

	while (l->p->store->next(l->p->store, &a)) {
		struct input in = { .ref = a.tag };

		if (a.status == STORE_EMPTY) { /* to the engine it is away until it is rebuilt */
			rebuilder_wake(l->p->rebuilder);
			a.status = STORE_UNAVAILABLE;
		}
		in.status = a.status;
		if (a.status == STORE_UNAVAILABLE)
			metrics_add(l->p->metrics, METRIC_STORE_UNAVAILABLE, 0, 0, 1);
		switch (a.kind) {
		case STORE_ACQUIRE:
			on_acquired(l, &a);
			continue;
		case STORE_RENEW:
			in.kind = IN_RENEWED;
			break;
		case STORE_RELEASE:
			l->releases_out--;
			in.kind = IN_RELEASED;
			break;
		case STORE_RECORD:
		case STORE_INTRODUCE:
			in.kind = IN_RECORDED;
			break;
		default:
			continue;
		}
		engine_feed(l->engine, &in);
	}
}

/* ---- the survey ---- */

void loop_take_sweeps(struct loop *l)
{
	struct sweep_wish wish;
	const struct input in = { .kind = IN_SWEEP, .sweep = &wish };

	while (l->p->sweeper && sweeper_next(l->p->sweeper, &wish))
		engine_feed(l->engine, &in);
}

/* ---- the handlers ---- */

static void log_step(struct loop *l, const struct work *w)
{
	const struct step_result *r = &w->result;
	const struct log_context context = { .clone_id = w->fence.clone_id, .step = w->fence.step, .run = w->fence.run,
		.attempt = w->attempt, .token = w->fence.token };
	int64_t took = r->finished_at_ms - r->started_at_ms;

	switch (r->outcome) {
	case STEP_WAIT:
		log_debug(l->log, &context, "step waits", log_text("on", r->waiting_on), log_ms("again_in", r->delay_ms));
		break;
	case STEP_RETRY:
	case STEP_UNSURE:
		log_warn(l->log, &context, "step failed for now", log_text("outcome", step_outcome_name(r->outcome)),
			LOG_ERR(&r->err));
		break;
	case STEP_REFUSED:
		log_error(l->log, &context, "step failed", LOG_ERR(&r->err));
		break;
	case STEP_ALREADY:
		if (strcmp(w->fence.step, step_aside_name(ASIDE_SWEEP)) == 0)
			break; /* it is so every hour */
		/* fall through */
	default:
		log_info(l->log, &context, "step ended", log_text("outcome", step_outcome_name(r->outcome)),
			log_number("rows", r->rows), log_number("bytes", r->bytes), log_ms("took", took),
			log_text("detail", r->detail));
		break;
	}
}

/* The system that a copying step writes to. */
static size_t port_written(enum step_id step)
{
	if (steps[step].ports & (1u << PORT_OBJECTS))
		return PORT_OBJECTS;
	return steps[step].ports & (1u << PORT_ARCHIVE) ? PORT_ARCHIVE : PORT_SQL;
}

static void count_step(struct loop *l, const struct work *w)
{
	const struct step_result *r = &w->result;

	if (strcmp(w->fence.step, step_aside_name(ASIDE_SWEEP)) == 0)
		metrics_add(l->p->metrics, METRIC_SWEPT, 0, 0, r->rows);
	if (w->step == STEP_END || r->outcome == STEP_WAIT)
		return;
	if (r->outcome == STEP_RETRY || r->outcome == STEP_UNSURE) {
		metrics_add(l->p->metrics, METRIC_STEP_RETRIES, w->step, 0, 1);
		return;
	}
	metrics_observe(l->p->metrics, METRIC_STEP_DURATION, w->step, r->outcome, r->finished_at_ms - r->started_at_ms);
	if (w->step == STEP_copy_database)
		metrics_add(l->p->metrics, METRIC_COPY_ROWS, 0, 0, r->rows);
	if (w->step == STEP_mask_email_domains)
		metrics_add(l->p->metrics, METRIC_MASK_ROWS, 0, 0, r->rows);
	if (r->outcome == STEP_REFUSED && strcmp(r->err.where, "proof") == 0)
		metrics_add(l->p->metrics, METRIC_MASK_FINDINGS, 0, 0, 1);
	if (steps[w->step].effect == EFFECT_ADDS || w->step == STEP_copy_database)
		metrics_add(l->p->metrics, METRIC_COPY_BYTES, port_written(w->step), 0, r->bytes);
}

void loop_take_steps(struct loop *l)
{
	struct work *w;

	while ((w = workers_take(l->workers)) != NULL) {
		struct input in = { .kind = IN_STEP, .ref = w->ref, .step = w->step, .token = w->fence.token,
			.result = &w->result };

		*w->peer_at = w->peer;
		if (w->peer)
			w->peer->peer_at = w->peer_at;
		log_step(l, w);
		count_step(l, w);
		loop_note_return(l, w);
		loop_tell_moved(l, w);
		engine_feed(l->engine, &in);
		w->peer = l->spare;
		l->spare = w;
	}
}
