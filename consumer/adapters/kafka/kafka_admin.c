/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/kafka/kafka_admin.h"

#include "consumer/adapters/kafka/kafka_priv.h"

#include <string.h>

enum { DESTROY_WITHIN_MS = 3000 };

static void remember_error(rd_kafka_t *client, int code, const char *text, void *opaque)
{
	(void)client;
	(void)text;
	*(rd_kafka_resp_err_t *)opaque = (rd_kafka_resp_err_t)code;
}

static void fill_topic(struct topic_facts *facts, const rd_kafka_metadata_topic_t *topic)
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
