/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/history.h"

#include <stdlib.h>
#include <string.h>

enum { READ_WITHIN_MS = 600000 };

const char *history_event_id(const struct message *m)
{
	return m->kind == MESSAGE_STEP_COMPLETED ? m->step_completed.event_id :
		m->kind == MESSAGE_BACKUP_RESTORED ? m->backup_restored.event_id : m->state.event_id;
}

const char *history_clone_id(const struct message *m)
{
	return m->kind == MESSAGE_STEP_COMPLETED ? m->step_completed.clone_id :
		m->kind == MESSAGE_BACKUP_RESTORED ? m->backup_restored.clone_id : m->state.clone_id;
}

int64_t history_sequence(const struct message *m)
{
	return m->kind == MESSAGE_STEP_COMPLETED ? m->step_completed.sequence :
		m->kind == MESSAGE_BACKUP_RESTORED ? m->backup_restored.sequence : m->state.sequence;
}

int64_t history_time_ms(const struct message *m)
{
	return m->kind == MESSAGE_STEP_COMPLETED ? m->step_completed.finished_at_ms :
		m->kind == MESSAGE_BACKUP_RESTORED ? m->backup_restored.occurred_at_ms : m->state.updated_at_ms;
}

enum message_kind history_kind(enum topic topic)
{
	switch (topic) {
	case TOPIC_STEP_COMPLETED:
		return MESSAGE_STEP_COMPLETED;
	case TOPIC_BACKUP_RESTORED:
		return MESSAGE_BACKUP_RESTORED;
	case TOPIC_STATE:
		return MESSAGE_STATE;
	default:
		return MESSAGE_UNSET;
	}
}

/* The key tells most foreign records without decoding them. */
static bool may_be_ours(const struct history *h, const struct bus_record *record)
{
	const char *key = record->at.topic == TOPIC_STATE ? h->clone_id : h->target_ctx;

	return !record->key || !*key ||
	       (record->key_len == strlen(key) && memcmp(record->key, key, record->key_len) == 0);
}

static bool was_seen(const struct history *h, const char *event_id)
{
	for (size_t i = h->count; i > 0; i--)
		if (strcmp(history_event_id(h->events[i - 1].message), event_id) == 0)
			return true;
	return false;
}

/* The same record once more, when a topic is read twice. */
static bool was_read(const struct history *h, const struct bus_position *at)
{
	for (size_t i = h->count; i > 0; i--) {
		const struct bus_position *p = &h->events[i - 1].at;

		if (p->topic == at->topic && p->partition == at->partition && p->offset == at->offset)
			return true;
	}
	return false;
}

static bool grow(struct history *h)
{
	size_t size = h->size ? h->size * 2 : 128;
	struct history_event *events = h->count < HISTORY_MAX ? realloc(h->events, size * sizeof *events) : NULL;

	if (!events)
		return false;
	h->events = events;
	h->size = size;
	return true;
}

const struct history_event *history_take(struct history *h, struct codec_port *codec, const struct bus_record *record)
{
	struct history_event event = { .at = record->at };
	struct err e = { 0 };

	if (!record->value || !may_be_ours(h, record)) /* no value: a tombstone of the state topic */
		return NULL;
	if (codec->decode(codec, history_kind(record->at.topic), record, &event.message, &e) != CODEC_OK) {
		h->unreadable++;
		return NULL;
	}
	if (strcmp(history_clone_id(event.message), h->clone_id) != 0 || was_read(h, &record->at)) {
		message_free(&event.message);
		return NULL;
	}
	if (h->count == h->size && !grow(h)) {
		message_free(&event.message);
		h->failed = true;
		return NULL;
	}
	event.is_repeat = was_seen(h, history_event_id(event.message));
	h->events[h->count] = event;
	return &h->events[h->count++];
}

static int by_sequence(const void *a, const void *b)
{
	const struct history_event *x = a, *y = b;
	int64_t left = history_sequence(x->message), right = history_sequence(y->message);

	if (left != right)
		return left < right ? -1 : 1;
	return (int)x->is_repeat - (int)y->is_repeat;
}

void history_sort(struct history *h)
{
	if (h->count)
		qsort(h->events, h->count, sizeof *h->events, by_sequence);
}

int64_t history_gap(const struct history *h)
{
	int64_t at = 0;

	for (size_t i = 0; i < h->count; i++) {
		int64_t sequence = history_sequence(h->events[i].message);

		if (sequence > at + 1)
			return at + 1;
		at = sequence;
	}
	return 0;
}

void history_done(struct history *h)
{
	for (size_t i = 0; i < h->count; i++)
		message_free(&h->events[i].message);
	free(h->events);
	h->events = NULL;
	h->count = h->size = 0;
}

struct reading {
	struct history *history;
	struct codec_port *codec;
};

static bool take(void *arg, const struct bus_record *record)
{
	struct reading *r = arg;

	history_take(r->history, r->codec, record);
	return !r->history->failed;
}

bool history_read(struct ctl *c, struct history *h, struct err *e)
{
	const struct desk_read what = { .topics = { [TOPIC_STEP_COMPLETED] = true, [TOPIC_BACKUP_RESTORED] = true,
		[TOPIC_STATE] = true }, .partition = -1, .offset = -1, .within_ms = READ_WITHIN_MS };
	struct reading r = { h, c->desk->codec(c->desk, e) };

	if (!r.codec || !c->desk->read(c->desk, &what, take, &r, e))
		return false;
	if (h->failed)
		return err_set(e, ERR_TRANSIENT, 0, "history", "the clone has more than %d events, or memory is short",
			HISTORY_MAX);
	history_sort(h);
	return true;
}
