/* SPDX-License-Identifier: Apache-2.0
 * What an operator asks of the brokers: are they there, are our topics there. Blocking. */
#ifndef SANDBOX_KAFKA_ADMIN_H
#define SANDBOX_KAFKA_ADMIN_H

#include "consumer/adapters/kafka/kafka_settings.h"
#include "consumer/core/topics.h"

struct kafka_facts {
	int brokers;
	struct topic_facts topics[TOPIC_END];
};

/* Asks any broker; settings of topics are not asked for. TRANSIENT: none answered in time. Makes no topic. */
bool kafka_describe(const struct kafka_settings *s, int within_ms, struct kafka_facts *facts_r, struct err *e);

#endif
