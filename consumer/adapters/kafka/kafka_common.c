/* SPDX-License-Identifier: Apache-2.0
 * Small things that the bus, the reader and the questions have in common. */
#include "consumer/adapters/kafka/kafka_priv.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t kafka_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int kafka_left_ms(int64_t deadline_ms, int slice_ms)
{
	int64_t left = deadline_ms - kafka_clock_ms();

	return left <= 0 ? 0 : left < slice_ms ? (int)left : slice_ms;
}

enum topic kafka_topic_by_name(const char *name)
{
	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++)
		if (strcmp(topic_name((enum topic)topic), name) == 0)
			return (enum topic)topic;
	return TOPIC_UNSET;
}

const rd_kafka_metadata_topic_t *kafka_metadata_topic(const rd_kafka_metadata_t *metadata, const char *name)
{
	for (int i = 0; i < metadata->topic_cnt; i++)
		if (strcmp(metadata->topics[i].topic, name) == 0)
			return &metadata->topics[i];
	return NULL;
}

static void fill_headers(struct bus_record *record, const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers;

	record->header_count = 0;
	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	while (record->header_count < BUS_HEADERS_MAX) {
		struct bus_header *h = &record->headers[record->header_count];

		if (rd_kafka_header_get_all(headers, record->header_count, &h->name, &h->value, &h->len))
			return;
		record->header_count++;
	}
}

void kafka_record_fill(struct bus_record *record, const rd_kafka_message_t *message)
{
	record->at.topic = kafka_topic_by_name(rd_kafka_topic_name(message->rkt));
	record->at.partition = message->partition;
	record->at.offset = message->offset;
	record->key = message->key;
	record->key_len = message->key_len;
	record->value = message->payload;
	record->value_len = message->len;
	record->timestamp_ms = rd_kafka_message_timestamp(message, NULL);
	fill_headers(record, message);
}

static enum err_class class_of(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__FATAL:
		return ERR_REFUSED;
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
		return ERR_MISUSE;
	default:
		return ERR_TRANSIENT;
	}
}

static bool is_about_rights(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
	       code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
	       code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
	       code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED || code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

bool kafka_err_set(struct err *e, rd_kafka_resp_err_t code, const char *where, const char *what)
{
	return err_set(e, class_of(code), is_about_rights(code) ? ERR_CODE_AUTH : (int)code, where, "%s: %s", what,
		       rd_kafka_err2str(code));
}

struct destruction {
	rd_kafka_t *clients[2];
};

/* Its trouble last of all: until then a thread of librdkafka may have something to tell it. */
static void destroy(rd_kafka_t *client)
{
	struct kafka_trouble *trouble = client ? rd_kafka_opaque(client) : NULL;

	if (client)
		rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	free(trouble);
}

static void *destroy_both(void *arg)
{
	struct destruction *d = arg;

	for (int i = 0; i < 2; i++)
		destroy(d->clients[i]);
	free(d);
	return NULL;
}

bool kafka_clients_destroy(rd_kafka_t *first, rd_kafka_t *second, int64_t within_ms)
{
	struct destruction *d = malloc(sizeof *d);
	struct timespec until;
	pthread_t thread;

	if (!d)
		return false;
	*d = (struct destruction){ { first, second } };
	if (pthread_create(&thread, NULL, destroy_both, d)) {
		free(d);
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += within_ms / 1000;
	until.tv_nsec += within_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		return true;
	pthread_detach(thread);
	return false;
}
