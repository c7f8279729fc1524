/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/cloud_events.h"

#include "consumer/core/log_text.h"
#include "consumer/core/trace.h"

#include <inttypes.h>
#include <string.h>

struct cloud_event {
	const char *type, *source, *id, *subject, *key;
	int64_t time_ms;
};

static const char *clone_source(struct arena *mem, const char *clone_id, int run)
{
	if (run <= 0)
		return arena_printf(mem, "/clones/%s", clone_id);
	return arena_printf(mem, "/clones/%s/runs/%d", clone_id, run);
}

static void describe_step(const struct step_completed *s, struct arena *mem, struct cloud_event *c)
{
	c->type = "sandbox.clone.step.completed.v1";
	c->source = clone_source(mem, s->clone_id, s->run);
	c->id = s->event_id;
	c->subject = c->key = s->target_ctx;
	c->time_ms = s->finished_at_ms;
}

static void describe_backup(const struct backup_restored *b, struct arena *mem, struct cloud_event *c)
{
	c->type = "sandbox.clone.backup-restored.v1";
	c->source = clone_source(mem, b->clone_id, b->run);
	c->id = b->event_id;
	c->subject = c->key = b->context_identifier;
	c->time_ms = b->occurred_at_ms;
}

/* The topic is compacted by clone. */
static void describe_state(const struct clone_state *s, struct arena *mem, struct cloud_event *c)
{
	c->type = "sandbox.clone.state.v1";
	c->source = clone_source(mem, s->clone_id, s->run);
	c->id = s->event_id;
	c->subject = s->target_ctx;
	c->key = s->clone_id;
	c->time_ms = s->updated_at_ms;
}

static void describe_dead_letter(const struct dead_letter *d, struct arena *mem, struct cloud_event *c)
{
	c->type = "sandbox.clone.dead-letter.v1";
	c->source = arena_printf(mem, "/topics/%s/%d", d->origin_topic, d->origin_partition);
	c->id = arena_printf(mem, "%s/%d/%" PRId64, d->origin_topic, d->origin_partition, d->origin_offset);
	c->subject = d->reason_code;
	c->time_ms = d->at_ms;
}

static void describe_incoming(const struct message *m, int64_t now_ms, struct arena *mem, struct cloud_event *c)
{
	c->time_ms = now_ms;
	if (m->kind == MESSAGE_REQUEST) {
		c->type = "sandbox.clone.requested.v1";
		c->source = clone_source(mem, m->request.job.clone_id, 0);
		c->id = arena_printf(mem, "%s/requested", m->request.job.clone_id);
		c->subject = m->request.job.target_ctx;
		c->time_ms = m->request.requested_at_ms;
	} else if (m->kind == MESSAGE_REPLAY) {
		c->type = "sandbox.clone.replay.v1";
		c->source = clone_source(mem, m->replay.clone_id, 0);
		c->id = arena_printf(mem, "%s/replay/%" PRId64, m->replay.clone_id, now_ms);
		c->subject = m->replay.target_ctx;
	} else {
		c->type = "sandbox.clone.control.v1";
		c->source = clone_source(mem, m->control.clone_id, 0);
		c->id = arena_printf(mem, "%s/%s/%" PRId64, m->control.clone_id, control_verb_name(m->control.verb),
		                     now_ms);
		c->subject = m->control.target_ctx;
	}
	c->key = c->subject;
}

static bool describe(const struct message *m, int64_t now_ms, struct arena *mem, struct cloud_event *c)
{
	switch (m->kind) {
	case MESSAGE_REQUEST:
	case MESSAGE_REPLAY:
	case MESSAGE_CONTROL:
		describe_incoming(m, now_ms, mem, c);
		break;
	case MESSAGE_STEP_COMPLETED:
		describe_step(&m->step_completed, mem, c);
		break;
	case MESSAGE_BACKUP_RESTORED:
		describe_backup(&m->backup_restored, mem, c);
		break;
	case MESSAGE_STATE:
		describe_state(&m->state, mem, c);
		break;
	case MESSAGE_DEAD_LETTER:
		describe_dead_letter(&m->dead_letter, mem, c);
		break;
	default:
		return false;
	}
	return true;
}

/* RFC 3339 in UTC with milliseconds; NULL when the time is out of its range. */
static const char *time_text(struct arena *mem, int64_t utc_ms)
{
	const int64_t end_of_9999 = INT64_C(253402300800000);
	char text[LOG_TIME_TEXT];

	if (utc_ms < 0 || utc_ms >= end_of_9999)
		return NULL;
	log_time_text(utc_ms, text);
	return arena_text(mem, text, strlen(text));
}

struct headers {
	struct bus_header *headers;
	size_t count;
};

/* What has no value gets no header. */
static void add(struct headers *h, const char *name, const char *value)
{
	if (value && value[0])
		h->headers[h->count++] = (struct bus_header){ .name = name, .value = value, .len = strlen(value) };
}

bool cloud_event_headers(const struct message *message, const char *traceparent, int64_t now_ms, struct arena *mem,
                         struct bus_header *headers_r, size_t *count_r, struct err *e)
{
	struct headers h = { .headers = headers_r };
	struct cloud_event c = { 0 };
	char origin[TRACEPARENT_TEXT], hop[TRACEPARENT_TEXT];

	if (!describe(message, now_ms, mem, &c))
		return err_set(e, ERR_MISUSE, 0, "headers", "there is no message kind %d", (int)message->kind);
	if (!c.source || !c.id || !c.id[0])
		return err_set(e, ERR_MISUSE, 0, "headers", "the event has no id, or memory is short");
	add(&h, "ce_specversion", "1.0");
	add(&h, "ce_type", c.type);
	add(&h, "ce_source", c.source);
	add(&h, "ce_id", c.id);
	add(&h, "ce_subject", c.subject);
	add(&h, "ce_time", time_text(mem, c.time_ms));
	add(&h, "ce_partitionkey", c.key);
	add(&h, "content-type", "application/avro");
	if (traceparent_read(traceparent, strlen(traceparent), origin) && traceparent_child(origin, c.id, hop)) {
		add(&h, "ce_traceparent", arena_text(mem, origin, strlen(origin)));
		add(&h, "traceparent", arena_text(mem, hop, strlen(hop)));
	}
	*count_r = h.count;
	return true;
}
