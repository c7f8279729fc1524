/* SPDX-License-Identifier: Apache-2.0
 * What an operator asks of the brokers: are they there, are our topics there, make them. Blocking. */
#ifndef SANDBOX_KAFKA_ADMIN_H
#define SANDBOX_KAFKA_ADMIN_H

#include "consumer/adapters/kafka/kafka_settings.h"

struct kafka_topic_facts {
	bool exists;
	int partitions;
	int replicas, in_sync; /* of the partition that has the fewest */
	int without_leader;    /* partitions that nobody serves now */
};

struct kafka_facts {
	int brokers;
	struct kafka_topic_facts topics[TOPIC_END];
};

/* Asks any broker. TRANSIENT: none answered in time. Makes no topic. */
bool kafka_describe(const struct kafka_settings *s, int within_ms, struct kafka_facts *facts_r, struct err *e);

/* Makes those of our topics that do not exist, with the retention and compaction that docs/kafka.md lists. What exists
 * is left as it is. The embedded broker cannot do this and need not. */
bool kafka_topics_create(const struct kafka_settings *s, int partitions, int replicas, int within_ms, struct err *e);

#endif
