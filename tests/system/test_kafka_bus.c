/* SPDX-License-Identifier: Apache-2.0
 * The bus on the embedded broker: what goes out comes in as it was, pausing, committing, coming back. */
#include "consumer/adapters/kafka/kafka_bus.h"
#include "tests/support/kafka_suite.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOIN_MS = 30000, ARRIVE_MS = 30000, QUIET_MS = 400, CLOSE_MS = 5000 };

static struct kafka_broker broker;

/* The mock answers a second joining only after the session time-out, and an empty fetch only after its whole wait. */
static const struct kafka_property properties[] = { { "session.timeout.ms", "3000" },
						    { "heartbeat.interval.ms", "300" },
						    { "fetch.wait.max.ms", "10" } };

static void print_note(void *arg, int severity, const char *text)
{
	(void)arg;
	if (severity <= 5)
		fprintf(stderr, "note %d: %s\n", severity, text);
}

static struct bus_port *bus_of_group(const char *group, bool reading)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap,
				    .group_id = group,
				    .client_id = "test",
				    .properties = properties,
				    .property_count = 3,
				    .create_topics = true,
				    .note = print_note };
	struct err e = { 0 };
	struct bus_port *bus;

	s.reads[TOPIC_REQUESTED] = s.reads[TOPIC_CONTROL] = reading;
	s.writes[TOPIC_REQUESTED] = s.writes[TOPIC_CONTROL] = s.writes[TOPIC_STATE] = true;
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	ck_assert_msg(kafka_bus_start(bus, 10000, &e), "%s", e.text);
	return bus;
}

static void publish(struct bus_port *bus, enum topic topic, const char *key, const char *value, uint64_t tag)
{
	struct bus_message m = { .topic = topic, .key = key, .value = value };
	struct err e = { 0 };

	m.key_len = key ? strlen(key) : 0;
	m.value_len = value ? strlen(value) : 0;
	ck_assert_msg(bus->publish(bus, &m, tag, &e), "%s", e.text);
}

static void commit(struct bus_port *bus, const struct bus_record *record)
{
	struct bus_position next = record->at;
	struct err e = { 0 };

	next.offset++;
	ck_assert_msg(bus->commit(bus, &next, &e), "%s", e.text);
}

static void await_assigned(struct bus_port *bus, int count)
{
	struct bus_event ev;

	for (int i = 0; i < count; i++)
		ck_assert_msg(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev), "partition %d of %d never came", i, count);
}

static void await_value(struct bus_port *bus, const char *value, struct bus_event *ev)
{
	ck_assert_msg(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, ev), "%s did not arrive", value);
	ck_assert_uint_eq(ev->record.value_len, strlen(value));
	ck_assert_mem_eq(ev->record.value, value, strlen(value));
}

static void check_shape(struct bus_port *bus, const struct bus_message *sent)
{
	struct bus_event ev;
	struct err e = { 0 };

	ck_assert_msg(bus->publish(bus, sent, 1, &e), "%s", e.text);
	ck_assert(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev));
	ck_assert_int_eq(ev.record.at.topic, sent->topic);
	ck_assert_int_eq(ev.record.key == NULL, sent->key == NULL);
	ck_assert_int_eq(ev.record.value == NULL, sent->value == NULL);
	ck_assert_uint_eq(ev.record.key_len, sent->key_len);
	ck_assert_uint_eq(ev.record.value_len, sent->value_len);
	if (sent->key_len)
		ck_assert_mem_eq(ev.record.key, sent->key, sent->key_len);
	if (sent->value_len)
		ck_assert_mem_eq(ev.record.value, sent->value, sent->value_len);
	ck_assert_uint_eq(ev.record.header_count, sent->header_count);
	for (size_t i = 0; i < sent->header_count; i++) {
		ck_assert_str_eq(ev.record.headers[i].name, sent->headers[i].name);
		ck_assert_uint_eq(ev.record.headers[i].len, sent->headers[i].len);
		if (sent->headers[i].len)
			ck_assert_mem_eq(ev.record.headers[i].value, sent->headers[i].value, sent->headers[i].len);
	}
	ck_assert_int_gt(ev.record.timestamp_ms, 1600000000000);
}

START_TEST(every_shape_of_a_record_arrives_as_it_was)
{
	static const char binary[] = "a\0b\xff\n";
	static char big[120000]; /* a real broker takes 131,072 bytes there */
	struct bus_port *bus = bus_of_group("shapes", true);
	const struct bus_header headers[] = { { "ce_type", "a.b", 3 }, { "ce_id", "", 0 }, { "ce_type", binary, 5 } };
	struct bus_message m = { .topic = TOPIC_REQUESTED, .key = "k", .key_len = 1, .value = binary, .value_len = 5 };

	memset(big, 'x', sizeof big);
	await_assigned(bus, 8);
	check_shape(bus, &m);
	memcpy(m.headers, headers, sizeof headers);
	m.header_count = 3;
	check_shape(bus, &m);
	m.value = NULL;
	m.value_len = 0;
	check_shape(bus, &m);
	m.key = NULL;
	m.key_len = 0;
	check_shape(bus, &m);
	m.key = m.value = "";
	check_shape(bus, &m);
	m = (struct bus_message){
		.topic = TOPIC_CONTROL, .key = binary, .key_len = 5, .value = big, .value_len = sizeof big
	};
	check_shape(bus, &m);
	bus->close(bus, CLOSE_MS);
}
END_TEST

START_TEST(every_message_is_reported_with_its_tag_and_keeps_its_order)
{
	enum { COUNT = 2000 };
	struct bus_port *bus = bus_of_group("", false);
	bool seen[COUNT] = { false };
	int64_t last[4] = { -1, -1, -1, -1 };
	struct bus_event ev;
	char value[16];

	for (uint64_t tag = 0; tag < COUNT; tag++) {
		snprintf(value, sizeof value, "%d", (int)tag);
		publish(bus, TOPIC_STATE, "one key", value, tag | UINT64_C(1) << 63);
	}
	for (int i = 0; i < COUNT; i++) {
		uint64_t tag;

		ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev));
		tag = ev.tag & ~(UINT64_C(1) << 63);
		ck_assert(ev.ok && ev.tag >> 63 == 1 && tag < COUNT && !seen[tag]);
		seen[tag] = true;
		ck_assert_int_eq(ev.at.topic, TOPIC_STATE);
		ck_assert_int_gt(ev.at.offset, last[ev.at.partition]);
		last[ev.at.partition] = ev.at.offset;
	}
	bus->next(bus, &ev);
	ck_assert_int_eq(ev.kind, BUS_NOTHING);
	bus->close(bus, CLOSE_MS);
}
END_TEST

START_TEST(what_cannot_be_sent_is_refused_at_once)
{
	static char huge[2000000];
	struct bus_port *bus = bus_of_group("", false);
	struct bus_message m = { .topic = TOPIC_STATE, .value = huge, .value_len = sizeof huge };
	struct err e = { 0 };

	ck_assert(!bus->publish(bus, &m, 1, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	err_clear(&e);
	m.topic = TOPIC_DEAD_LETTER;
	ck_assert(!bus->publish(bus, &m, 1, &e));
	ck_assert_int_eq(e.class, ERR_MISUSE);
	bus->close(bus, CLOSE_MS);
}
END_TEST

/* Nothing comes to a bus that only produces; without the ring the membership of an idle one would end. */
START_TEST(the_descriptor_rings_every_second_and_is_quiet_in_between)
{
	struct bus_port *bus = bus_of_group("", false);
	struct pollfd readable = { bus->fd(bus), POLLIN, 0 };
	struct bus_event ev;

	bus_wait(bus, 50, &ev);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(poll(&readable, 1, 1200), 1);
		do
			bus->next(bus, &ev);
		while (ev.kind != BUS_NOTHING);
		ck_assert_int_eq(poll(&readable, 1, 300), 0);
	}
	bus->close(bus, CLOSE_MS);
}
END_TEST

START_TEST(a_paused_bus_gives_nothing_and_loses_nothing)
{
	struct bus_port *bus = bus_of_group("pausing", true);
	struct bus_event ev;
	char value[8];

	bus->pause(bus, true); /* before the assignment: it must hold for what is assigned later */
	await_assigned(bus, 8);
	for (int i = 0; i < 20; i++) {
		snprintf(value, sizeof value, "%d", i);
		publish(bus, TOPIC_REQUESTED, "k", value, 0);
	}
	ck_assert(!bus_wait_for(bus, BUS_RECORD, QUIET_MS, &ev));
	for (int i = 0; i < 20; i++) { /* paused again and again between the records, which are prefetched */
		bus->pause(bus, false);
		snprintf(value, sizeof value, "%d", i);
		await_value(bus, value, &ev);
		bus->pause(bus, true);
	}
	ck_assert(!bus_wait_for(bus, BUS_RECORD, QUIET_MS, &ev));
	bus->close(bus, CLOSE_MS);
}
END_TEST

START_TEST(a_restart_goes_on_at_the_committed_offset)
{
	struct bus_port *bus = bus_of_group("restart", true);
	struct bus_position foreign = { TOPIC_STATE, 0, 1 };
	struct bus_event ev;
	struct err e = { 0 };

	await_assigned(bus, 8);
	publish(bus, TOPIC_REQUESTED, "k", "one", 0);
	publish(bus, TOPIC_REQUESTED, "k", "two", 0);
	publish(bus, TOPIC_REQUESTED, "k", "three", 0);
	await_value(bus, "one", &ev);
	commit(bus, &ev.record);
	await_value(bus, "two", &ev);
	commit(bus, &ev.record); /* while the first is under way: the last one wins */
	await_value(bus, "three", &ev);
	ck_assert(!bus->commit(bus, &foreign, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	bus->close(bus, CLOSE_MS);

	bus = bus_of_group("restart", true);
	await_value(bus, "three", &ev);
	ck_assert(!bus_wait_for(bus, BUS_RECORD, QUIET_MS, &ev));
	bus->close(bus, CLOSE_MS);
}
END_TEST

int main(void)
{
	return KAFKA_SUITE("kafka_bus", &broker, 4,
		every_shape_of_a_record_arrives_as_it_was,
		every_message_is_reported_with_its_tag_and_keeps_its_order,
		what_cannot_be_sent_is_refused_at_once,
		the_descriptor_rings_every_second_and_is_quiet_in_between,
		a_paused_bus_gives_nothing_and_loses_nothing,
		a_restart_goes_on_at_the_committed_offset);
}
