/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/kafka/kafka_admin.h"

#include "consumer/adapters/kafka/kafka_priv.h"

#include <string.h>

#define DAYS_30_MS "2592000000"
#define DAYS_90_MS "7776000000"

enum { CONFIGS_MAX = 3, DESTROY_WITHIN_MS = 3000 };

struct topic_config {
	const char *name, *value;
};

/* A request must outlive the longest outage of the consumer; a dead letter the longest holiday. The state topic keeps
 * the last word on each clone for ever. What comes in from outside may be no larger than what would be decoded. */
static const struct topic_config configs[TOPIC_END][CONFIGS_MAX] = {
	[TOPIC_REQUESTED] = { { "retention.ms", DAYS_30_MS }, { "max.message.bytes", "131072" } },
	[TOPIC_REPLAY] = { { "retention.ms", DAYS_30_MS }, { "max.message.bytes", "131072" } },
	[TOPIC_CONTROL] = { { "retention.ms", DAYS_30_MS }, { "max.message.bytes", "131072" } },
	[TOPIC_STEP_COMPLETED] = { { "retention.ms", DAYS_30_MS } },
	[TOPIC_BACKUP_RESTORED] = { { "retention.ms", DAYS_30_MS } },
	[TOPIC_STATE] = { { "cleanup.policy", "compact" } },
	[TOPIC_DEAD_LETTER] = { { "retention.ms", DAYS_90_MS } },
	[TOPIC_NOTIFIER_DEAD_LETTER] = { { "retention.ms", DAYS_90_MS } },
};

static void remember_error(rd_kafka_t *client, int code, const char *text, void *opaque)
{
	(void)client;
	(void)text;
	*(rd_kafka_resp_err_t *)opaque = (rd_kafka_resp_err_t)code;
}

static void fill_topic(struct kafka_topic_facts *facts, const rd_kafka_metadata_topic_t *topic)
{
	if (topic->err)
		return;
	facts->exists = topic->partition_cnt > 0;
	facts->partitions = topic->partition_cnt;
	for (int i = 0; i < topic->partition_cnt; i++) {
		const rd_kafka_metadata_partition_t *p = &topic->partitions[i];

		if (i == 0 || p->replica_cnt < facts->replicas)
			facts->replicas = p->replica_cnt;
		if (i == 0 || p->isr_cnt < facts->in_sync)
			facts->in_sync = p->isr_cnt;
		if (p->leader < 0)
			facts->without_leader++;
	}
}

/* All topics of the cluster are asked for: a question about single ones could make the broker create them. */
static bool ask(rd_kafka_t *client, int within_ms, const rd_kafka_resp_err_t *last, struct kafka_facts *facts_r,
		struct err *e)
{
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t code = rd_kafka_metadata(client, 1, NULL, &metadata, within_ms);

	if (code) {
		rd_kafka_poll(client, 0);
		return kafka_err_set(e, *last ? *last : code, "kafka", "no Kafka broker answers");
	}
	facts_r->brokers = metadata->broker_cnt;
	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++) {
		const rd_kafka_metadata_topic_t *found = kafka_metadata_topic(metadata, topic_name((enum topic)topic));

		if (found)
			fill_topic(&facts_r->topics[topic], found);
	}
	rd_kafka_metadata_destroy(metadata);
	return true;
}

bool kafka_describe(const struct kafka_settings *s, int within_ms, struct kafka_facts *facts_r, struct err *e)
{
	rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_t *client = kafka_client_new(s, KAFKA_ROLE_ASKER, remember_error, &last, e);
	bool ok;

	memset(facts_r, 0, sizeof *facts_r);
	if (!client)
		return false;
	ok = ask(client, within_ms, &last, facts_r, e);
	kafka_clients_destroy(client, NULL, DESTROY_WITHIN_MS);
	return ok;
}

static size_t plan_topics(rd_kafka_NewTopic_t **plan, int partitions, int replicas)
{
	char ignored[8];
	size_t count = 0;

	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++) {
		rd_kafka_NewTopic_t *t =
		    rd_kafka_NewTopic_new(topic_name((enum topic)topic), partitions, replicas, ignored, sizeof ignored);

		if (!t)
			continue;
		for (int i = 0; i < CONFIGS_MAX && configs[topic][i].name; i++)
			rd_kafka_NewTopic_set_config(t, configs[topic][i].name, configs[topic][i].value);
		if (replicas > 2)
			rd_kafka_NewTopic_set_config(t, "min.insync.replicas", "2");
		plan[count++] = t;
	}
	return count;
}

static bool check_result(rd_kafka_event_t *event, struct err *e)
{
	const rd_kafka_topic_result_t **results;
	size_t count;

	if (!event)
		return err_set(e, ERR_UNSURE, 0, "kafka",
			       "the Kafka brokers did not say in time whether the topics were made");
	if (rd_kafka_event_error(event))
		return kafka_err_set(e, rd_kafka_event_error(event), "kafka", "the topics could not be made");
	results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
	for (size_t i = 0; i < count; i++) {
		rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);

		if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
			return kafka_err_set(e, code, "kafka", rd_kafka_topic_result_name(results[i]));
	}
	return true;
}

static bool create(rd_kafka_t *client, int partitions, int replicas, int within_ms, struct err *e)
{
	rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	rd_kafka_NewTopic_t *plan[TOPIC_END];
	size_t count = plan_topics(plan, partitions, replicas);
	rd_kafka_event_t *event;
	char ignored[8];
	bool ok;

	rd_kafka_AdminOptions_set_request_timeout(options, within_ms, ignored, sizeof ignored);
	rd_kafka_AdminOptions_set_operation_timeout(options, within_ms, ignored, sizeof ignored);
	rd_kafka_CreateTopics(client, plan, count, options, queue);
	event = rd_kafka_queue_poll(queue, within_ms);
	ok = check_result(event, e);
	rd_kafka_event_destroy(event);
	rd_kafka_NewTopic_destroy_array(plan, count);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	return ok;
}

bool kafka_topics_create(const struct kafka_settings *s, int partitions, int replicas, int within_ms, struct err *e)
{
	rd_kafka_resp_err_t last = RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_t *client;
	bool ok;

	if (partitions < 1 || replicas < 1)
		return err_set(e, ERR_MISUSE, 0, "kafka", "a topic needs at least one partition and one replica");
	client = kafka_client_new(s, KAFKA_ROLE_ASKER, remember_error, &last, e);
	if (!client)
		return false;
	ok = create(client, partitions, replicas, within_ms, e);
	kafka_clients_destroy(client, NULL, DESTROY_WITHIN_MS);
	return ok;
}
