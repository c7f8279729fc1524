/* SPDX-License-Identifier: Apache-2.0
 * What is stored of a clone: its fields, its request, its events. Encoded here once; the same bytes go to the store and,
 * whenever that is, to the topic. */
#include "consumer/runtime/loop_priv.h"
#include "consumer/core/envelope.h"

#include <stdlib.h>
#include <string.h>

enum { PAIRS_MAX = SNAPSHOT_PAIRS_MAX + 1, TARGET_PAIRS = 3 };

bool loop_encode(struct loop *l, const struct message *m, enum topic topic, const char *key, const char *traceparent,
                 struct err *e)
{
	struct bus_message out = { .topic = topic, .key = key, .key_len = strlen(key) };
	bool ok;

	buf_clear(&l->value);
	ok = l->p->codec->encode(l->p->codec, m, &l->value, e) &&
		l->p->codec->headers(l->p->codec, m, traceparent, l->mem, out.headers, &out.header_count, e);
	if (ok) {
		out.value = l->value.data + l->p->codec->unsaid_bytes;
		out.value_len = l->value.len - l->p->codec->unsaid_bytes;
	}
	buf_clear(&l->bytes);
	return ok && envelope_pack(&out, &l->bytes);
}

/* Our own events always encode: the schemas are ours and every text is bounded. */
static void must(bool ok, const struct loop *l, const struct err *e, const char *what)
{
	if (ok)
		return;
	log_error(l->log, NULL, what, LOG_ERR(e));
	abort();
}

static void encode_event(struct loop *l, const struct effect *fx, const struct engine_event *event)
{
	struct err e = { 0 };
	enum topic topic;
	const char *key;
	const struct message *m = event_message(fx, event, loop_utc_ms(), &l->p->facts, l->mem, &topic, &key);

	must(m && loop_encode(l, m, topic, key, fx->request->traceparent, &e), l, &e, "an event cannot be encoded");
	must(outbox_put(l->outbox, fx->clone_id, event->sequence, l->bytes.data, l->bytes.len), l, &e, "out of memory");
}

/* The events of this record; all that are undelivered when the store has lost some. */
static const struct store_entry *entries_of(struct loop *l, const struct effect *fx, size_t *count_r)
{
	size_t count, kept = 0;
	const struct outbox_entry *all;
	struct store_entry *entries;
	struct err e = { 0 };

	for (size_t i = 0; i < fx->event_count; i++)
		if (!fx->again || !outbox_get(l->outbox, fx->clone_id, fx->events[i].sequence))
			encode_event(l, fx, &fx->events[i]);
	all = outbox_all(l->outbox, fx->clone_id, &count);
	entries = arena_take(l->mem, (count + 1) * sizeof *entries);
	must(entries, l, &e, "out of memory");
	for (size_t i = 0; i < count; i++)
		if ((fx->full || all[i].sequence > fx->sequence_before) && all[i].sequence <= fx->sequence_after)
			entries[kept++] = (struct store_entry){ all[i].sequence, all[i].data, all[i].len };
	*count_r = kept;
	return entries;
}

static struct store_pair text_pair(const char *name, const char *value)
{
	return (struct store_pair){ name, value, strlen(value) };
}

static size_t cleared_marks(step_set set, const char *fields[STEP_END])
{
	size_t count = 0;

	for (int i = 0; i < STEP_END; i++)
		if (set & STEP_BIT(i))
			fields[count++] = snapshot_marker_field((enum step_id)i);
	return count;
}

/* Appends the encoded request to the fields; buf holds its bytes until the store has copied them. */
static size_t request_pair(struct loop *l, const struct clone_request *request, struct buf *buf, struct store_pair *pair)
{
	struct message *m = arena_take(l->mem, sizeof *m);
	struct err e = { 0 };

	must(m != NULL, l, &e, "out of memory");
	m->kind = MESSAGE_REQUEST;
	m->request = *request;
	must(l->p->codec->encode(l->p->codec, m, buf, &e), l, &e, "a request cannot be encoded again");
	*pair = (struct store_pair){ "request", buf->data, buf->len };
	return 1;
}

void loop_record(struct loop *l, const struct effect *fx)
{
	struct snapshot_fields *fields = arena_take(l->mem, sizeof *fields);
	struct store_pair pairs[PAIRS_MAX];
	const struct store_pair target[TARGET_PAIRS] = {
		text_pair("active", fx->clone_id),
		text_pair("active_status", clone_status_name(fx->snapshot->status)),
		text_pair("generation", fx->snapshot->generation),
	};
	const char *clear[STEP_END];
	struct store_op op = { .kind = STORE_RECORD, .tag = fx->ref, .target_ctx = fx->target_ctx,
		.source_ctx = fx->source_ctx, .clone_id = fx->clone_id, .token = fx->token,
		.sequence_before = fx->sequence_before, .sequence_after = fx->sequence_after,
		.delivered_from = fx->first, .delivered_to = fx->last };
	struct err e = { 0 };
	struct buf request;

	must(fields != NULL, l, &e, "out of memory");
	buf_init(&request, RECORD_MAX_BYTES);
	if (fx->fields)
		snapshot_write(fx->snapshot, fx->marks_set, fields);
	else
		snapshot_write_marks(fx->snapshot, fx->marks_set, fields);
	memcpy(pairs, fields->pairs, fields->count * sizeof *pairs);
	op.clone_set_count = fields->count;
	if (fx->store_request)
		op.clone_set_count += request_pair(l, fx->request, &request, &pairs[fields->count]);
	op.clone_set = pairs;
	op.target_set = target;
	op.target_set_count = fx->take_target ? TARGET_PAIRS : 0;
	op.clone_clear = clear;
	op.clone_clear_count = cleared_marks(fx->marks_clear, clear);
	outbox_forget(l->outbox, fx->clone_id, fx->last);
	op.entries = entries_of(l, fx, &op.entry_count);
	loop_store_submit(l, &op);
	buf_done(&request);
}

void loop_reject(struct loop *l, const struct effect *fx)
{
	struct snapshot_fields *fields = arena_take(l->mem, sizeof *fields);
	struct clone_snapshot s;
	struct store_pair pairs[PAIRS_MAX];
	struct store_op op = { .kind = STORE_INTRODUCE, .tag = fx->ref, .target_ctx = fx->target_ctx,
		.source_ctx = fx->source_ctx, .clone_id = fx->clone_id, .sequence_after = 1 };
	struct err e = { 0 };
	struct buf request;

	must(fields != NULL, l, &e, "out of memory");
	buf_init(&request, RECORD_MAX_BYTES);
	snapshot_init(&s);
	s.status = CLONE_REJECTED;
	s.run = 1;
	s.fingerprint = fx->request->fingerprint;
	s.requested_at_ms = fx->request->requested_at_ms;
	s.ended_at_ms = loop_utc_ms();
	memcpy(s.source_ctx, fx->source_ctx, strlen(fx->source_ctx) + 1);
	memccpy(s.cause, fx->text, '\0', sizeof s.cause - 1);
	snapshot_write(&s, 0, fields);
	memcpy(pairs, fields->pairs, fields->count * sizeof *pairs);
	op.clone_set = pairs;
	op.clone_set_count = fields->count + request_pair(l, fx->request, &request, &pairs[fields->count]);
	loop_store_submit(l, &op);
	buf_done(&request);
}
