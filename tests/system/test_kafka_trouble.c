/* SPDX-License-Identifier: Apache-2.0
 * The bus when the broker goes away, comes back, answers with errors or never; and its end, which is always in time. */
#include "consumer/adapters/kafka/kafka_admin.h"
#include "consumer/adapters/kafka/kafka_bus_priv.h"
#include "tests/support/kafka_suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { JOIN_MS = 15000, ARRIVE_MS = 8000, CLOSE_MS = 1500, CLOSE_MARGIN_MS = 500 };

static struct kafka_broker broker;

static const struct kafka_property properties[] = { { "session.timeout.ms", "6000" },
						    { "reconnect.backoff.max.ms", "200" },
						    { "fetch.wait.max.ms", "10" } };

static struct kafka_settings settings(void)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap,
				    .group_id = "trouble",
				    .client_id = "test",
				    .properties = properties,
				    .property_count = 3,
				    .create_topics = true };

	s.reads[TOPIC_REQUESTED] = s.writes[TOPIC_REQUESTED] = true;
	return s;
}

static struct bus_port *started(bool reading)
{
	struct kafka_settings s = settings();
	struct err e = { 0 };
	struct bus_port *bus;

	s.reads[TOPIC_REQUESTED] = reading;
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	ck_assert_msg(kafka_bus_start(bus, 10000, &e), "%s", e.text);
	return bus;
}

static void publish(struct bus_port *bus, const char *value, uint64_t tag)
{
	const struct bus_message m = {
		.topic = TOPIC_REQUESTED, .key = "k", .key_len = 1, .value = value, .value_len = strlen(value)
	};
	struct err e = { 0 };

	ck_assert_msg(bus->publish(bus, &m, tag, &e), "%s", e.text);
}

static void await_record(struct bus_port *bus, const char *value)
{
	struct bus_event ev;

	ck_assert_msg(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev), "%s did not arrive", value);
	ck_assert_uint_eq(ev.record.value_len, strlen(value));
	ck_assert_mem_eq(ev.record.value, value, strlen(value));
}

static void close_in_time(struct bus_port *bus)
{
	int64_t start = kafka_clock_ms();

	bus->close(bus, CLOSE_MS);
	ck_assert_int_le(kafka_clock_ms() - start, CLOSE_MS + CLOSE_MARGIN_MS);
}

START_TEST(what_was_sent_while_the_broker_was_down_arrives_once_it_is_back)
{
	struct bus_port *bus = started(true);
	struct bus_event ev;

	ck_assert(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev));
	publish(bus, "before", 1);
	await_record(bus, "before");
	ck_assert(kafka_broker_say(&broker, "down"));
	publish(bus, "one", 2);
	publish(bus, "two", 3);
	ck_assert(!bus_wait_for(bus, BUS_RECORD, 500, &ev));
	ck_assert(kafka_broker_say(&broker, "up"));
	await_record(bus, "one");
	await_record(bus, "two");
	close_in_time(bus);
}
END_TEST

START_TEST(passing_errors_of_the_broker_are_gone_through)
{
	struct bus_port *bus = started(false);
	struct bus_event ev;

	ck_assert(kafka_broker_say(&broker, "errors 0 7 3")); /* Produce: REQUEST_TIMED_OUT */
	publish(bus, "x", 1);
	ck_assert(kafka_broker_say(&broker, "errors 0 6 2")); /* Produce: NOT_LEADER_OR_FOLLOWER */
	publish(bus, "y", 2);
	for (uint64_t tag = 1; tag <= 2; tag++) {
		ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev));
		ck_assert(ev.ok);
		ck_assert_uint_eq(ev.tag, tag);
	}
	close_in_time(bus);
}
END_TEST

START_TEST(what_the_broker_refuses_is_reported_as_not_delivered)
{
	struct bus_port *bus = started(false);
	struct bus_event ev;

	ck_assert(kafka_broker_say(&broker, "errors 0 10 1")); /* Produce: MSG_SIZE_TOO_LARGE */
	publish(bus, "x", 7);
	ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev));
	ck_assert(!ev.ok);
	ck_assert_uint_eq(ev.tag, 7);
	ck_assert_ptr_nonnull(strstr(ev.text, "size too large"));
	publish(bus, "y", 8);
	ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev));
	ck_assert(ev.ok);
	close_in_time(bus);
}
END_TEST

START_TEST(a_fatal_error_of_the_producer_asks_for_a_new_process)
{
	struct bus_port *bus = started(false);
	struct bus_event ev;

	rd_kafka_test_fatal_error(((struct kafka_bus *)bus)->out.client, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
				  "made by the test");
	ck_assert(bus_wait_for(bus, BUS_FATAL, ARRIVE_MS, &ev));
	ck_assert_ptr_nonnull(strstr(ev.text, "made by the test"));
	close_in_time(bus);
}
END_TEST

START_TEST(a_bus_closes_in_time_with_messages_that_nobody_takes)
{
	struct bus_port *bus = started(true);
	struct bus_event ev;

	ck_assert(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev));
	publish(bus, "seen", 1);
	ck_assert(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev)); /* the record stays lent */
	ck_assert(kafka_broker_say(&broker, "down"));
	for (int i = 0; i < 1000; i++)
		publish(bus, "unseen", 2);
	close_in_time(bus);
}
END_TEST

/* A list that librdkafka gave away and never got back keeps rd_kafka_destroy() of 2.0.2 from ever ending. */
START_TEST(a_bus_closes_in_time_even_when_librdkafka_hangs)
{
	static rd_kafka_topic_partition_list_t *kept;
	struct bus_port *bus = started(true);
	struct bus_event ev;

	ck_assert(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev));
	ck_assert(!rd_kafka_assignment(((struct kafka_bus *)bus)->in.client, &kept));
	close_in_time(bus);
	rd_kafka_topic_partition_list_destroy(kept);
}
END_TEST

START_TEST(a_bus_without_a_broker_says_so_in_time)
{
	struct kafka_settings s = settings();
	struct kafka_facts facts;
	struct err e = { 0 };
	struct bus_port *bus;
	int64_t start;

	s.bootstrap_servers = "127.0.0.1:1";
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	start = kafka_clock_ms();
	ck_assert(!kafka_bus_start(bus, 600, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_int_lt(kafka_clock_ms() - start, 2000);
	close_in_time(bus);
	err_clear(&e);
	ck_assert(!kafka_describe(&s, 600, &facts, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_ptr_null(strstr(e.text, "127.0.0.1"));
}
END_TEST

START_TEST(the_brokers_and_topics_are_described)
{
	struct kafka_settings s = settings();
	struct kafka_facts facts;
	struct err e = { 0 };

	ck_assert_msg(kafka_describe(&s, 5000, &facts, &e), "%s", e.text);
	ck_assert_int_eq(facts.brokers, 1);
	for (int topic = TOPIC_UNSET + 1; topic < TOPIC_END; topic++) {
		ck_assert(facts.topics[topic].exists);
		ck_assert_int_eq(facts.topics[topic].partitions, 1);
		ck_assert_int_eq(facts.topics[topic].replicas, 1);
		ck_assert_int_eq(facts.topics[topic].without_leader, 0);
	}
}
END_TEST

int main(void)
{
	return KAFKA_SUITE("kafka_trouble", &broker, 1,
		what_was_sent_while_the_broker_was_down_arrives_once_it_is_back,
		passing_errors_of_the_broker_are_gone_through,
		what_the_broker_refuses_is_reported_as_not_delivered,
		a_fatal_error_of_the_producer_asks_for_a_new_process,
		a_bus_closes_in_time_with_messages_that_nobody_takes,
		a_bus_closes_in_time_even_when_librdkafka_hangs,
		a_bus_without_a_broker_says_so_in_time,
		the_brokers_and_topics_are_described);
}
