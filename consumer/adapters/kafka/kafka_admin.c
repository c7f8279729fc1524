/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/kafka/kafka_admin.h"

#include "consumer/adapters/kafka/kafka_priv.h"

#include <string.h>

enum { DESTROY_WITHIN_MS = 3000, METADATA_SLICE_MS = 2000 };

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

/* Until they answer, the time is over, or it is certain that none will let us in. */
static rd_kafka_resp_err_t ask_metadata(rd_kafka_t *client, int within_ms, const rd_kafka_metadata_t **metadata_r)
{
	int64_t deadline_ms = kafka_clock_ms() + within_ms;
	rd_kafka_resp_err_t code;

	do {
		code = rd_kafka_metadata(client, 1, NULL, metadata_r, kafka_left_ms(deadline_ms, METADATA_SLICE_MS) + 1);
		if (code)
			rd_kafka_poll(client, 0);
	} while (code && !kafka_trouble_is_certain(client) && kafka_left_ms(deadline_ms, 1) > 0);
	return code;
}

/* All topics of the cluster are asked for: a question about single ones could make the broker create them. */
static bool ask(rd_kafka_t *client, int within_ms, struct kafka_facts *facts_r, struct err *e)
{
	const rd_kafka_metadata_t *metadata;
	rd_kafka_resp_err_t code = ask_metadata(client, within_ms, &metadata);

	if (code)
		return kafka_trouble_err(client, code, "no Kafka broker answers", e);
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
	rd_kafka_t *client = kafka_client_new(s, KAFKA_ROLE_ASKER, e);
	bool ok;

	memset(facts_r, 0, sizeof *facts_r);
	if (!client)
		return false;
	ok = ask(client, within_ms, facts_r, e);
	kafka_clients_destroy(client, NULL, DESTROY_WITHIN_MS);
	return ok;
}
