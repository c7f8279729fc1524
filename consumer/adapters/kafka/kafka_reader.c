/* SPDX-License-Identifier: Apache-2.0
 * Partitions are started by hand into one queue, which needs neither a group nor rights on one. */
#include "consumer/adapters/kafka/kafka_reader.h"

#include "consumer/adapters/kafka/kafka_priv.h"

#include <stdlib.h>
#include <string.h>

enum { DESTROY_WITHIN_MS = 3000, IDLE_MS = 200, METADATA_SLICE_MS = 2000 };

struct kafka_reader {
	rd_kafka_t *client;
	rd_kafka_queue_t *queue;
	rd_kafka_topic_t *topics[TOPIC_END];
};

/* One partition that is being read. */
struct part {
	enum topic topic;
	int partition;
	int64_t start, end;
	bool running, done;
};

struct reading {
	struct kafka_reader *reader;
	const struct kafka_read *what;
	kafka_record_fn *fn;
	void *arg;
	struct part *parts;
	size_t count, left; /* left: not yet at their end */
	int64_t deadline_ms;
	bool stopped; /* the caller has seen enough */
};

struct kafka_reader *kafka_reader_new(const struct kafka_settings *s, struct err *e)
{
	struct kafka_reader *r = calloc(1, sizeof *r);

	if (!r) {
		err_set(e, ERR_TRANSIENT, 0, "kafka", "no memory for the reader");
		return NULL;
	}
	r->client = kafka_client_new(s, KAFKA_ROLE_READER, e);
	if (!r->client) {
		free(r);
		return NULL;
	}
	r->queue = rd_kafka_queue_new(r->client);
	return r;
}

void kafka_reader_free(struct kafka_reader **rp)
{
	struct kafka_reader *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	rd_kafka_queue_destroy(r->queue);
	for (int topic = 0; topic < TOPIC_END; topic++)
		if (r->topics[topic])
			rd_kafka_topic_destroy(r->topics[topic]);
	kafka_clients_destroy(r->client, NULL, DESTROY_WITHIN_MS);
	free(r);
}

static bool late(const struct reading *g)
{
	return g->deadline_ms && kafka_left_ms(g->deadline_ms, 1) == 0;
}

static int left_ms(const struct reading *g, int slice_ms)
{
	return g->deadline_ms ? kafka_left_ms(g->deadline_ms, slice_ms) : slice_ms;
}

static bool no_answer(const struct reading *g, struct err *e)
{
	rd_kafka_poll(g->reader->client, 0);
	return kafka_trouble_err(g->reader->client, RD_KAFKA_RESP_ERR__TIMED_OUT,
				 "the Kafka brokers did not answer in time", e);
}

static bool ask_metadata(struct reading *g, const rd_kafka_metadata_t **metadata_r, struct err *e)
{
	rd_kafka_t *client = g->reader->client;

	do {
		if (!rd_kafka_metadata(client, 0, NULL, metadata_r, left_ms(g, METADATA_SLICE_MS) + 1))
			return true;
		rd_kafka_poll(client, 0);
	} while (!late(g) && !kafka_trouble_is_certain(client));
	return no_answer(g, e);
}

static bool add_part(struct reading *g, enum topic topic, int partition, struct err *e)
{
	struct part *grown = realloc(g->parts, (g->count + 1) * sizeof *grown);

	if (!grown)
		return err_set(e, ERR_TRANSIENT, 0, "kafka", "no memory for the partitions");
	g->parts = grown;
	g->parts[g->count++] = (struct part){ .topic = topic, .partition = partition };
	return true;
}

static bool add_topic(struct reading *g, enum topic topic, const rd_kafka_metadata_t *metadata, struct err *e)
{
	const rd_kafka_metadata_topic_t *facts = kafka_metadata_topic(metadata, topic_name(topic));
	bool found = false;

	if (!facts || facts->err)
		return kafka_err_set(e, facts ? facts->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "kafka",
				     topic_name(topic));
	for (int i = 0; i < facts->partition_cnt; i++) {
		if (g->what->partition >= 0 && g->what->partition != facts->partitions[i].id)
			continue;
		found = true;
		if (!add_part(g, topic, facts->partitions[i].id, e))
			return false;
	}
	return found ||
	       err_set(e, ERR_REFUSED, 0, "kafka", "%s has no partition %d", topic_name(topic), g->what->partition);
}

static bool find_parts(struct reading *g, struct err *e)
{
	const rd_kafka_metadata_t *metadata;
	struct kafka_reader *r = g->reader;
	bool ok = true;

	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++)
		if (g->what->topics[topic] && !r->topics[topic])
			r->topics[topic] = rd_kafka_topic_new(r->client, topic_name((enum topic)topic), NULL);
	if (!ask_metadata(g, &metadata, e))
		return false;
	for (int topic = TOPIC_UNSET + 1; ok && topic < TOPIC_END; topic++)
		if (g->what->topics[topic])
			ok = add_topic(g, (enum topic)topic, metadata, e);
	rd_kafka_metadata_destroy(metadata);
	return ok;
}

static int64_t start_of(const struct kafka_read *what, int64_t low, int64_t high)
{
	int64_t start = what->from == KAFKA_FROM_END      ? high
			: what->from == KAFKA_FROM_OFFSET ? what->number
			: what->from == KAFKA_FROM_LAST   ? high - what->number
							  : low;

	return start < low ? low : start > high ? high : start;
}

static bool find_offsets(struct reading *g, struct part *p, struct err *e)
{
	rd_kafka_resp_err_t code;
	int64_t low, high;

	do {
		code = rd_kafka_query_watermark_offsets(g->reader->client, topic_name(p->topic), p->partition, &low,
							&high, left_ms(g, METADATA_SLICE_MS) + 1);
		if (!code) {
			p->start = start_of(g->what, low, high);
			p->end = high;
			return true;
		}
		if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
			return kafka_err_set(e, code, "kafka", topic_name(p->topic));
	} while (!late(g));
	return no_answer(g, e);
}

static bool start_part(struct reading *g, struct part *p, struct err *e)
{
	p->done = p->start >= p->end && !g->what->follow;
	if (p->done)
		return true;
	if (rd_kafka_consume_start_queue(g->reader->topics[p->topic], p->partition, p->start, g->reader->queue))
		return kafka_err_set(e, rd_kafka_last_error(), "kafka", topic_name(p->topic));
	p->running = true;
	g->left++;
	return true;
}

static void stop_parts(struct reading *g)
{
	for (size_t i = 0; i < g->count; i++)
		if (g->parts[i].running)
			rd_kafka_consume_stop(g->reader->topics[g->parts[i].topic], g->parts[i].partition);
}

static struct part *part_of(struct reading *g, const rd_kafka_message_t *message)
{
	enum topic topic = kafka_topic_by_name(rd_kafka_topic_name(message->rkt));

	for (size_t i = 0; i < g->count; i++)
		if (g->parts[i].topic == topic && g->parts[i].partition == message->partition)
			return &g->parts[i];
	return NULL;
}

/* The end is known in two ways: by the offset, and by the broker's word when the last offsets hold no record for us. */
static void reached(struct reading *g, struct part *p, int64_t next_offset)
{
	if (g->what->follow || p->done || next_offset < p->end)
		return;
	p->done = true;
	g->left--;
}

static bool take(struct reading *g, const rd_kafka_message_t *message, struct err *e)
{
	struct part *p = message->rkt ? part_of(g, message) : NULL;
	struct bus_record record;

	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && p) {
		reached(g, p, message->offset);
		return true;
	}
	if (message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
		return kafka_err_set(e, message->err, "kafka", p ? topic_name(p->topic) : "a topic");
	if (message->err || !p) {
		/* librdkafka tries again by itself */
		kafka_trouble_hear(g->reader->client, message->err, rd_kafka_message_errstr(message));
		return true;
	}
	if (!p->done) {
		kafka_record_fill(&record, message);
		g->stopped = !g->fn(g->arg, &record);
		reached(g, p, message->offset + 1);
	}
	return true;
}

static bool run(struct reading *g, struct err *e)
{
	while (!g->stopped && (g->left > 0 || g->what->follow)) {
		rd_kafka_message_t *message = rd_kafka_consume_queue(g->reader->queue, left_ms(g, IDLE_MS));
		bool ok = !message || take(g, message, e);

		if (message)
			rd_kafka_message_destroy(message);
		else if (g->what->follow)
			g->stopped = !g->fn(g->arg, NULL);
		rd_kafka_poll(g->reader->client, 0);
		if (!ok)
			return false;
		if (late(g) && !g->stopped && g->left > 0)
			return g->what->follow ||
			       err_set(e, ERR_TRANSIENT, 0, "kafka",
				       "%zu of %zu partitions were not read to their end in time", g->left, g->count);
	}
	return true;
}

bool kafka_read(struct kafka_reader *r, const struct kafka_read *what, kafka_record_fn *fn, void *arg, struct err *e)
{
	struct reading g = { .reader = r, .what = what, .fn = fn, .arg = arg };
	bool ok;

	if (what->within_ms > 0 || !what->follow)
		g.deadline_ms = kafka_clock_ms() + what->within_ms;
	ok = find_parts(&g, e);
	for (size_t i = 0; ok && i < g.count; i++)
		ok = find_offsets(&g, &g.parts[i], e);
	for (size_t i = 0; ok && i < g.count; i++)
		ok = start_part(&g, &g.parts[i], e);
	ok = ok && run(&g, e);
	stop_parts(&g);
	free(g.parts);
	return ok;
}
