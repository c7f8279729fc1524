/* SPDX-License-Identifier: Apache-2.0
 * Our topics' settings on the brokers: looked at and changed for `sandboxctl topics`. Blocking. */
#ifndef SANDBOX_KAFKA_TOPICS_H
#define SANDBOX_KAFKA_TOPICS_H

#include "consumer/adapters/kafka/kafka_admin.h"

/* kafka_describe, and the settings of those topics that exist. The embedded broker cannot tell them: TRANSIENT or
 * REFUSED. */
bool kafka_topics_look(const struct kafka_settings *s, int within_ms, struct kafka_facts *facts_r, struct err *e);

/* Carries out those changes that are not TOPIC_BY_HAND; `replicas` is for topics that are made. Settings of a topic that
 * are not ours stay. UNSURE when the brokers did not say in time whether it was done: look again. */
bool kafka_topics_apply(const struct kafka_settings *s, const struct topic_change *changes, size_t count, int replicas,
			int within_ms, struct err *e);

#endif
