/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/state_events.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/system/clock_system.h"
#include "tests/bench/measure.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_A_CLONE = STEP_END + 3, VALUE_MAX = 4096, START_WITHIN_MS = 30000, BURST_MS = 5 };

struct state_events {
	struct bus_port *bus;
	struct codec_port *codec;
	struct clock_port clock;
	int tenants, under_way;
	size_t published, delivered;
};

struct state_events *state_events_open(const char *bootstrap, int tenants, int under_way)
{
	static const struct kafka_property properties[] = { { "queue.buffering.max.messages", "1000000" }, { "linger.ms", "100" } };
	struct state_events *s = calloc(1, sizeof *s);
	struct avro_codec_settings codec = { .clock = &s->clock };
	struct kafka_settings settings = { .bootstrap_servers = bootstrap, .client_id = "bench", .properties = properties,
		.property_count = 2, .create_topics = true,
		.writes = { [TOPIC_STATE] = true, [TOPIC_STEP_COMPLETED] = true, [TOPIC_BACKUP_RESTORED] = true } };
	struct err e = { 0 };

	s->clock = clock_system();
	s->tenants = tenants;
	s->under_way = under_way;
	s->codec = avro_codec_new(&codec, &e);
	s->bus = s->codec ? kafka_bus_new(&settings, &e) : NULL;
	if (s->bus && kafka_bus_start(s->bus, START_WITHIN_MS, &e))
		return s;
	fprintf(stderr, "bench: %s\n", e.text);
	state_events_close(&s);
	return NULL;
}

void state_events_close(struct state_events **s)
{
	if (!*s)
		return;
	if ((*s)->bus)
		(*s)->bus->close((*s)->bus, 3000);
	if ((*s)->codec)
		(*s)->codec->close((*s)->codec);
	free(*s);
	*s = NULL;
}

/* Event number n: the clones under way take turns; when all have ended the next ones begin. */
struct place {
	size_t clone;
	int event; /* of the clone, from 0 */
	char id[CLONE_ID_MAX + 1], ctx[CTX_MAX + 1], generation[DATABASE_MAX + 1], event_id[80];
};

static void find_place(const struct state_events *s, size_t n, struct place *p)
{
	size_t at_once = (size_t)s->under_way, round = n / (at_once * EVENTS_A_CLONE), within = n % (at_once * EVENTS_A_CLONE);

	p->clone = round * at_once + within % at_once;
	p->event = (int)(within / at_once);
	snprintf(p->id, sizeof p->id, "0198f0c2-0000-7000-8000-%012zu", p->clone);
	snprintf(p->ctx, sizeof p->ctx, "Cust%zu", 1 + p->clone % (size_t)s->tenants);
	snprintf(p->generation, sizeof p->generation, "%s__g%012zu", p->ctx, p->clone);
	snprintf(p->event_id, sizeof p->event_id, "%s/1/%d", p->id, p->event);
}

static struct message state_of(const struct place *p, int64_t now_ms, enum clone_status status)
{
	return (struct message){ .kind = MESSAGE_STATE, .state = { .event_id = p->event_id, .clone_id = p->id,
		.source_ctx = "Cust70000", .target_ctx = p->ctx, .generation = p->generation, .status = status, .run = 1,
		.steps_done = p->event ? STEP_END : 0, .total_steps = STEP_END, .sequence = p->event + 1,
		.requested_at_ms = now_ms, .updated_at_ms = now_ms, .step = "", .cause = "", .error_class = "",
		.next_command = "", .token = p->clone + 1, .leaves = TENANT_RUNNING } };
}

static struct message step_of(const struct place *p, int64_t now_ms, int step)
{
	return (struct message){ .kind = MESSAGE_STEP_COMPLETED, .step_completed = { .event_id = p->event_id, .clone_id = p->id,
		.source_ctx = "Cust70000", .target_ctx = p->ctx, .run = 1, .sequence = p->event + 1, .step_no = step + 1,
		.slug = steps[step].slug, .total_steps = STEP_END, .attempt = 1, .started_at_ms = now_ms, .finished_at_ms = now_ms,
		.outcome = STEP_DONE, .detail = "it is so now" } };
}

static struct message event_of(const struct place *p, int64_t now_ms)
{
	if (p->event == 0)
		return state_of(p, now_ms, CLONE_RUNNING);
	if (p->event == EVENTS_A_CLONE - 1)
		return state_of(p, now_ms, CLONE_COMPLETED);
	if (p->event <= STEP_notify_partner_apps + 1)
		return step_of(p, now_ms, p->event - 1);
	if (p->event > STEP_notify_partner_apps + 2)
		return step_of(p, now_ms, p->event - 2);
	return (struct message){ .kind = MESSAGE_BACKUP_RESTORED, .backup_restored = { .event_id = p->event_id, .change_type = 1,
		.context_identifier = p->ctx, .version_name = "Release_11.12", .file_version = "11.12.675.0", .token = "",
		.public_endpoint = "online4.example", .clone_id = p->id, .source_ctx = "Cust70000",
		.generation = p->generation, .mask_domain = "", .proof = "", .run = 1, .sequence = p->event + 1,
		.occurred_at_ms = now_ms } };
}

static void hear(struct state_events *s)
{
	struct bus_event event;

	for (s->bus->next(s->bus, &event); event.kind != BUS_NOTHING; s->bus->next(s->bus, &event))
		s->delivered += event.kind == BUS_DELIVERED && event.ok;
}

static bool publish_one(struct state_events *s)
{
	struct bus_message record = { 0 };
	struct err e = { 0 };
	struct place p;
	struct message m;
	struct buf value;
	bool ok;

	find_place(s, s->published, &p);
	m = event_of(&p, measure_now_ns() / 1000000);
	buf_init(&value, VALUE_MAX);
	record.topic = m.kind == MESSAGE_STATE ? TOPIC_STATE : m.kind == MESSAGE_STEP_COMPLETED ? TOPIC_STEP_COMPLETED :
		TOPIC_BACKUP_RESTORED;
	record.key = m.kind == MESSAGE_STATE ? p.id : p.ctx;
	record.key_len = strlen(record.key);
	ok = s->codec->encode(s->codec, &m, &value, &e);
	record.value = value.data;
	record.value_len = value.len;
	ok = ok && s->bus->publish(s->bus, &record, 0, &e);
	buf_done(&value);
	s->published += ok;
	if (!ok)
		fprintf(stderr, "bench: %s\n", e.text);
	return ok;
}

bool state_events_publish(struct state_events *s, size_t count, double rate)
{
	int64_t start = measure_now_ns(), until;
	size_t first = s->published;

	while (s->published - first < count) {
		double seconds = (double)(measure_now_ns() - start) / 1e9;
		size_t due = rate > 0 && seconds * rate < (double)count ? (size_t)(seconds * rate) : count;

		while (s->published - first < due) {
			if (!publish_one(s))
				return false;
			if (s->published % 1000 == 0)
				hear(s);
		}
		hear(s);
		if (s->published - first < count)
			poll(NULL, 0, BURST_MS);
	}
	for (until = measure_now_ns() + INT64_C(30000000000); s->delivered < s->published && measure_now_ns() < until; hear(s))
		poll(NULL, 0, BURST_MS);
	return s->delivered == s->published || fprintf(stderr, "bench: events could not be delivered\n") < 0;
}

size_t state_events_published(const struct state_events *s)
{
	return s->published;
}
