/* SPDX-License-Identifier: Apache-2.0
 * The producer: idempotent, so what is published for one key arrives once and in order. */
#include "consumer/adapters/kafka/kafka_bus_priv.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

static_assert(sizeof(void *) >= sizeof(uint64_t), "a tag travels through librdkafka as a pointer");

bool kafka_out_open(struct kafka_bus *bus, const struct kafka_settings *s, struct err *e)
{
	struct kafka_out *out = &bus->out;
	const uint64_t one = 1;

	out->client = kafka_client_new(s, KAFKA_ROLE_PRODUCER, e);
	if (!out->client)
		return false;
	rd_kafka_set_log_queue(out->client, NULL);
	out->queue = rd_kafka_queue_get_main(out->client);
	rd_kafka_queue_io_event_enable(out->queue, bus->wake_fd, &one, sizeof one);
	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++)
		if (s->writes[topic])
			out->topics[topic] = rd_kafka_topic_new(out->client, topic_name((enum topic)topic), NULL);
	return true;
}

static rd_kafka_headers_t *headers_of(const struct bus_message *message)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(message->header_count);

	for (size_t i = 0; i < message->header_count; i++) {
		const struct bus_header *h = &message->headers[i];

		rd_kafka_header_add(headers, h->name, -1, h->value, (ssize_t)h->len);
	}
	return headers;
}

bool kafka_out_publish(struct kafka_bus *bus, const struct bus_message *message, uint64_t tag, struct err *e)
{
	rd_kafka_topic_t *topic =
	    message->topic > TOPIC_UNSET && message->topic < TOPIC_END ? bus->out.topics[message->topic] : NULL;
	rd_kafka_headers_t *headers;
	rd_kafka_resp_err_t code;

	if (!topic || message->header_count > BUS_HEADERS_MAX)
		return err_set(e, ERR_MISUSE, 0, "kafka",
			       "this program does not publish to that topic, or with that many headers");
	headers = headers_of(message);
	code = rd_kafka_producev(bus->out.client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				 RD_KAFKA_V_KEY(message->key, message->key_len),
				 RD_KAFKA_V_VALUE((void *)(uintptr_t)message->value, message->value_len),
				 RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE((void *)(uintptr_t)tag), RD_KAFKA_V_END);
	if (!code)
		return true;
	rd_kafka_headers_destroy(headers);
	return kafka_err_set(e, code, "kafka", topic_name(message->topic));
}

/* The next report of the batch at hand. */
static bool tell_delivery(struct kafka_out *out, struct bus_event *event_r)
{
	const rd_kafka_message_t *message = out->reports ? rd_kafka_event_message_next(out->reports) : NULL;

	if (!message) {
		rd_kafka_event_destroy(out->reports);
		out->reports = NULL;
		return false;
	}
	event_r->kind = BUS_DELIVERED;
	event_r->tag = (uint64_t)(uintptr_t)message->_private;
	event_r->ok = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
	event_r->at.topic = kafka_topic_by_name(rd_kafka_topic_name(message->rkt));
	event_r->at.partition = message->partition;
	event_r->at.offset = message->offset;
	if (!event_r->ok)
		snprintf(event_r->text, sizeof event_r->text, "%s", rd_kafka_err2str(message->err));
	return true;
}

bool kafka_out_poll(struct kafka_bus *bus, struct bus_event *event_r)
{
	rd_kafka_event_t *event;

	if (tell_delivery(&bus->out, event_r))
		return true;
	while ((event = rd_kafka_queue_poll(bus->out.queue, 0))) {
		bool told;

		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
			bus->out.reports = event;
			if (tell_delivery(&bus->out, event_r))
				return true;
			continue;
		}
		told = kafka_bus_take_trouble(bus, bus->out.client, event, event_r);
		rd_kafka_event_destroy(event);
		if (told)
			return true;
	}
	return false;
}

/* Nobody listens any more: reports are only counted off. What is not out in time is published again from the outbox. */
void kafka_out_flush(struct kafka_bus *bus, int64_t deadline_ms)
{
	rd_kafka_event_destroy(bus->out.reports);
	bus->out.reports = NULL;
	while (rd_kafka_outq_len(bus->out.client) > 0 && kafka_left_ms(deadline_ms, 1) > 0)
		rd_kafka_event_destroy(rd_kafka_queue_poll(bus->out.queue, kafka_left_ms(deadline_ms, 100)));
}

void kafka_out_free(struct kafka_bus *bus)
{
	if (!bus->out.client)
		return;
	rd_kafka_event_destroy(bus->out.reports);
	rd_kafka_purge(bus->out.client,
		       RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
	for (int topic = 0; topic < TOPIC_END; topic++)
		if (bus->out.topics[topic])
			rd_kafka_topic_destroy(bus->out.topics[topic]);
}
