/* SPDX-License-Identifier: Apache-2.0
 * The bus port on Kafka through librdkafka: a group member that reads the wished topics and an idempotent producer. */
#ifndef SANDBOX_KAFKA_BUS_H
#define SANDBOX_KAFKA_BUS_H

#include "consumer/adapters/kafka/kafka_settings.h"
#include "consumer/ports/bus.h"

/* A bus that is not yet connected: nothing is read before kafka_bus_start(). Never blocks. NULL and *e (MISUSE: a
 * setting) when it cannot be made. Its fd is readable at least once a second, and next() must be called then: that is
 * the sign of life that keeps the group membership. */
struct bus_port *kafka_bus_new(const struct kafka_settings *s, struct err *e);

/* Waits until all wished topics are known with a leader for every partition, so that the first event meets no cold
 * metadata; then joins the group. TRANSIENT: no broker answered in time, call again. REFUSED: a topic does not exist.
 */
bool kafka_bus_start(struct bus_port *bus, int within_ms, struct err *e);

#endif
