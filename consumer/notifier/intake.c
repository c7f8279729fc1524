/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/intake.h"

#include "consumer/core/envelope.h"
#include "consumer/core/trace.h"
#include "consumer/notifier/notifier_clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	WAITING_MAX = 256,              /* records read and not stored yet; then reading pauses */
	VALUE_KEEP_MAX = 256 * 1024,    /* of a larger value only so much goes to the dead letters */
	ENVELOPE_MAX = VALUE_KEEP_MAX + 128 * 1024,
	NOTICE_MAX_BYTES = 8 * 1024 * 1024,
	AGAIN_MS = 1000,                /* after something that failed */
	SLEEP_MAX_MS = 500,
};

enum stage {
	STAGE_DECODE, /* again, when the schema could not be had */
	STAGE_STORE,  /* the apps are asked for, then it is stored */
	STAGE_BURY,   /* goes to the dead letters */
	STAGE_BURIED, /* published, not delivered yet */
	STAGE_DONE,
};

struct waiting { /* one record */
	struct waiting *next;
	struct bus_position at;
	enum stage stage;
	struct message *message; /* STAGE_STORE on */
	char traceparent[TRACEPARENT_TEXT];
	int64_t came_ms, again_ms; /* again_ms: not before */
	uint64_t tag;              /* STAGE_BURIED */
	char code[64], reason[256];
	int64_t value_size;
	struct buf bytes; /* an envelope: key, value, headers */
};

struct intake {
	const struct intake_parts *p;
	struct waiting *first, **last;
	size_t count;
	bool paused, failed;
	uint64_t next_tag;
	struct arena *mem;
	struct err *e;
};

/* ---- records ---- */

static void drop(struct intake *in, struct waiting **at)
{
	struct waiting *w = *at;

	*at = w->next;
	if (!w->next)
		in->last = at;
	in->count--;
	message_free(&w->message);
	buf_done(&w->bytes);
	free(w);
}

static bool same_partition(const struct bus_position *a, const struct bus_position *b)
{
	return a->topic == b->topic && a->partition == b->partition;
}

static void forget_partition(struct intake *in, const struct bus_position *at)
{
	for (struct waiting **w = &in->first; *w;) {
		if (same_partition(&(*w)->at, at))
			drop(in, w);
		else
			w = &(*w)->next;
	}
}

static void keep(struct intake *in, const struct bus_record *record)
{
	struct bus_message m = { .topic = record->at.topic, .key = record->key, .key_len = record->key_len,
		.value = record->value, .value_len = record->value_len < VALUE_KEEP_MAX ? record->value_len : VALUE_KEEP_MAX,
		.header_count = record->header_count };
	struct waiting *w = calloc(1, sizeof *w);

	if (!w)
		abort(); /* crash-only: the offset has not moved, so the next process reads it again */
	memcpy(m.headers, record->headers, sizeof m.headers);
	buf_init(&w->bytes, ENVELOPE_MAX);
	if (!envelope_pack(&m, &w->bytes)) { /* headers without end: they can do without */
		buf_clear(&w->bytes);
		m.header_count = 0;
		if (!envelope_pack(&m, &w->bytes))
			abort();
	}
	w->at = record->at;
	w->value_size = (int64_t)record->value_len;
	w->came_ms = notifier_now_ms();
	*in->last = w;
	in->last = &w->next;
	in->count++;
}

static void bury(struct waiting *w, const struct err *why)
{
	w->stage = STAGE_BURY;
	snprintf(w->code, sizeof w->code, "%s", why->where);
	snprintf(w->reason, sizeof w->reason, "%s", why->text);
}

/* ---- decoding ---- */

static void read_record(const struct waiting *w, struct bus_record *record)
{
	struct bus_message m = { 0 };

	if (!envelope_unpack(w->bytes.data, w->bytes.len, &m))
		abort(); /* we packed it */
	*record = (struct bus_record){ .at = w->at, .key = m.key, .key_len = m.key_len, .value = m.value,
		.value_len = m.value_len, .header_count = m.header_count };
	memcpy(record->headers, m.headers, sizeof record->headers);
}

static void decode(struct intake *in, struct waiting *w)
{
	struct bus_record record;
	struct err e = { 0 };

	read_record(w, &record);
	switch (in->p->codec->decode(in->p->codec, MESSAGE_BACKUP_RESTORED, &record, &w->message, &e)) {
	case CODEC_OK:
		w->stage = STAGE_STORE;
		break;
	case CODEC_BAD:
		bury(w, &e);
		break;
	default:
		w->again_ms = notifier_now_ms() + AGAIN_MS;
		return;
	}
	for (size_t i = 0; i < record.header_count; i++)
		if (strcmp(record.headers[i].name, "traceparent") == 0)
			traceparent_read(record.headers[i].value, record.headers[i].len, w->traceparent);
}

/* ---- storing ---- */

static size_t choose_apps(const struct tenant_apps *known, int64_t now_ms, struct notice_app *apps)
{
	size_t count = 0;

	for (size_t i = 0; i < known->list.count; i++) {
		const struct app_authorisation *a = &known->list.apps[i];

		if (a->status == APP_ACTIVE && a->state_change_url[0])
			apps[count++] = (struct notice_app){ a->client_id, a->name, a->acknowledgement,
				a->acknowledgement == ACK_WAIT ? now_ms + a->acknowledge_within_ms : 0 };
	}
	return count;
}

static bool store_for(struct intake *in, struct waiting *w, const struct tenant_apps *known, struct err *e)
{
	const struct backup_restored *b = &w->message->backup_restored;
	const struct notice notice = { .event_id = b->event_id, .ctx = b->context_identifier,
		.version_name = b->version_name, .file_version = b->file_version, .public_endpoint = b->public_endpoint,
		.clone_id = b->clone_id, .change_type = b->change_type, .sequence = b->sequence,
		.occurred_at_ms = b->occurred_at_ms, .traceparent = w->traceparent };
	const int64_t now_ms = notifier_utc_ms();
	struct notice_app *apps;
	size_t count;

	arena_clear(in->mem);
	apps = arena_take(in->mem, known->list.count * sizeof *apps + 1);
	if (!apps)
		return err_set(e, ERR_REFUSED, 0, "invalid", "the tenant has approved more apps than can be told");
	count = choose_apps(known, now_ms, apps);
	if (!in->p->deliveries->enter(in->p->deliveries, &notice, apps, count, now_ms, e))
		return false;
	metrics_add(in->p->metrics, METRIC_NOTICES, 0, 0, 1);
	log_info(in->p->log, &(struct log_context){ .clone_id = b->clone_id }, "notice stored",
		 log_text("target", b->context_identifier), log_number("apps", (int64_t)count));
	return true;
}

static void later(struct intake *in, struct waiting *w, const char *what, const struct err *e)
{
	log_warn(in->p->log, NULL, what, log_text("topic", topic_name(w->at.topic)),
		 log_number("partition", w->at.partition), log_number("offset", w->at.offset), LOG_ERR(e));
	w->again_ms = notifier_now_ms() + AGAIN_MS;
}

/* Who approves what is asked anew for each event: an app approved a moment ago is told too. */
static void store(struct intake *in, struct waiting *w)
{
	const struct tenant_apps *known = NULL;
	struct err e = { 0 };

	switch (directory_look(in->p->directory, w->message->backup_restored.context_identifier, w->came_ms, &known, &e)) {
	case DIRECTORY_ASKED:
		return;
	case DIRECTORY_FAILED:
		later(in, w, "the approvals of a tenant cannot be had; trying again", &e);
		return;
	default:
		break;
	}
	if (store_for(in, w, known, &e)) {
		w->stage = STAGE_DONE;
		in->p->stored(in->p->stored_arg);
	} else if (e.class == ERR_REFUSED && strcmp(e.where, "redis") != 0) {
		bury(w, &e);
	} else {
		later(in, w, "a notice cannot be stored; trying again", &e);
	}
	directory_release(in->p->directory, &known);
}

/* ---- dead letters ---- */

static bool publish_letter(struct intake *in, struct waiting *w, const struct bus_record *record, struct buf *value,
                           struct err *e)
{
	const struct message letter = { .kind = MESSAGE_DEAD_LETTER, .dead_letter = {
		.origin_topic = topic_name(w->at.topic), .origin_partition = w->at.partition, .origin_offset = w->at.offset,
		.at_ms = notifier_utc_ms(), .reason_code = w->code, .reason = w->reason, .key = record->key,
		.key_len = record->key_len, .value = record->value, .value_len = record->value_len,
		.value_size = w->value_size } };
	struct bus_message m = { .topic = TOPIC_NOTIFIER_DEAD_LETTER, .key = record->key, .key_len = record->key_len };

	arena_clear(in->mem);
	if (!in->p->codec->encode(in->p->codec, &letter, value, e) ||
	    !in->p->codec->headers(in->p->codec, &letter, "", in->mem, m.headers, &m.header_count, e))
		return false;
	m.value = value->data + in->p->codec->unsaid_bytes;
	m.value_len = value->len - in->p->codec->unsaid_bytes;
	return in->p->bus->publish(in->p->bus, &m, w->tag, e);
}

static void publish(struct intake *in, struct waiting *w)
{
	struct bus_record record;
	struct err e = { 0 };
	struct buf value;

	buf_init(&value, 2 * ENVELOPE_MAX);
	read_record(w, &record);
	w->tag = ++in->next_tag;
	if (publish_letter(in, w, &record, &value, &e)) {
		w->stage = STAGE_BURIED;
		metrics_add(in->p->metrics, METRIC_DEAD_LETTERS, (size_t)w->at.topic, 0, 1);
		log_warn(in->p->log, NULL, "dead letter", log_text("topic", topic_name(w->at.topic)),
			 log_number("partition", w->at.partition), log_number("offset", w->at.offset),
			 log_text("reason", w->code), log_text("sentence", w->reason));
	} else {
		later(in, w, "a dead letter cannot be sent; trying again", &e);
	}
	buf_done(&value);
}

static void on_delivered(struct intake *in, uint64_t tag, bool ok)
{
	for (struct waiting *w = in->first; w; w = w->next) {
		if (w->stage != STAGE_BURIED || w->tag != tag)
			continue;
		w->stage = ok ? STAGE_DONE : STAGE_BURY;
		w->again_ms = ok ? 0 : notifier_now_ms() + AGAIN_MS;
	}
}

/* ---- turns ---- */

static void on_event(struct intake *in, const struct bus_event *event)
{
	switch (event->kind) {
	case BUS_RECORD:
		metrics_add(in->p->metrics, METRIC_RECORDS_READ, (size_t)event->at.topic, 0, 1);
		keep(in, &event->record);
		break;
	case BUS_REVOKED: /* what is not stored yet is read again by whoever has it next */
		forget_partition(in, &event->at);
		in->p->bus->release_revoked(in->p->bus);
		break;
	case BUS_LOST:
		forget_partition(in, &event->at);
		break;
	case BUS_DELIVERED:
		on_delivered(in, event->tag, event->ok);
		break;
	case BUS_FATAL:
		in->failed = true;
		err_set(in->e, ERR_TRANSIENT, 0, "kafka", "%.200s", event->text);
		break;
	default:
		break;
	}
}

static void take_events(struct intake *in)
{
	struct bus_event event;

	for (;;) {
		bool full = in->count >= WAITING_MAX;

		if (full != in->paused)
			in->p->bus->pause(in->p->bus, in->paused = full);
		in->p->bus->next(in->p->bus, &event);
		if (event.kind == BUS_NOTHING || in->failed)
			return;
		on_event(in, &event);
	}
}

/* Is one of the same tenant before it? Unreadable ones of the partition may be of any tenant, but go nowhere. */
static bool must_wait(const struct intake *in, const struct waiting *w)
{
	for (const struct waiting *o = in->first; o != w; o = o->next)
		if (o->stage <= STAGE_STORE && same_partition(&o->at, &w->at) &&
		    (!o->message || strcmp(o->message->backup_restored.context_identifier,
		                           w->message->backup_restored.context_identifier) == 0))
			return true;
	return false;
}

static void work_on(struct intake *in, struct waiting *w, int64_t now_ms)
{
	if (w->again_ms > now_ms)
		return;
	if (w->stage == STAGE_DECODE)
		decode(in, w);
	if (w->stage == STAGE_STORE && !must_wait(in, w))
		store(in, w);
	if (w->stage == STAGE_BURY)
		publish(in, w);
}

/* The offset stands behind the last record before which all are done. */
static void commit(struct intake *in)
{
	for (struct waiting **at = &in->first; *at;) {
		struct waiting *w = *at;
		const struct bus_position next = { w->at.topic, w->at.partition, w->at.offset + 1 };
		struct err e = { 0 };
		bool is_first = true;

		for (const struct waiting *o = in->first; o != w && is_first; o = o->next)
			is_first = !same_partition(&o->at, &w->at);
		if (w->stage != STAGE_DONE || !is_first) {
			at = &w->next;
			continue;
		}
		in->p->bus->commit(in->p->bus, &next, &e); /* refused: it is another's, who will read it again */
		drop(in, at);
	}
}

static void say_lag(void *arg, const struct bus_position *at, int64_t records)
{
	metrics_set(arg, METRIC_LAG, at->topic, (size_t)at->partition, records);
}

static void turn(struct intake *in)
{
	int64_t now_ms = notifier_now_ms();

	atomic_store(in->p->alive_ms, now_ms);
	take_events(in);
	for (struct waiting *w = in->first; w && !*in->p->stop; w = w->next)
		work_on(in, w, now_ms);
	commit(in);
	in->p->bus->lags(in->p->bus, say_lag, in->p->metrics);
}

static void sleep_until_woken(const struct intake *in)
{
	struct pollfd watched[] = { { .fd = in->p->bus->fd(in->p->bus), .events = POLLIN },
		{ .fd = in->p->wake_fd, .events = POLLIN } };
	uint64_t count;

	if (poll(watched, 2, SLEEP_MAX_MS) > 0 && watched[1].revents && read(in->p->wake_fd, &count, sizeof count) < 0)
		return; /* somebody else was faster */
}

bool intake_run(const struct intake_parts *parts, struct err *e)
{
	struct intake in = { .p = parts, .mem = arena_new(NOTICE_MAX_BYTES), .e = e };

	if (!in.mem)
		return err_set(e, ERR_TRANSIENT, 0, "start", "out of memory");
	in.last = &in.first;
	while (!*parts->stop && !in.failed) {
		turn(&in);
		sleep_until_woken(&in);
	}
	while (in.first)
		drop(&in, &in.first);
	arena_free(&in.mem);
	return !in.failed;
}
