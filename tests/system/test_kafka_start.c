/* SPDX-License-Identifier: Apache-2.0
 * A member that keeps its offsets elsewhere: it is asked where to begin, waits until that is known, and what the group
 * has committed does not matter. */
#include "consumer/adapters/kafka/kafka_bus.h"
#include "tests/support/kafka_suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 10, JOIN_MS = 30000, ARRIVE_MS = 15000, CLOSE_MS = 5000 };

static struct kafka_broker broker;

struct place {
	int64_t offset;
	int unknown; /* so many times it is not known */
	int asked;
};

static bool start_at(void *arg, enum topic topic, int partition, int64_t *offset_r)
{
	struct place *p = arg;

	ck_assert_int_eq(topic, TOPIC_STATE);
	ck_assert_int_eq(partition, 0);
	p->asked++;
	if (p->unknown-- > 0)
		return false;
	*offset_r = p->offset;
	return true;
}

static struct bus_port *member(const char *group, struct place *place)
{
	static const struct kafka_property properties[] = { { "session.timeout.ms", "3000" },
		{ "heartbeat.interval.ms", "200" }, { "fetch.wait.max.ms", "10" } };
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap, .group_id = group, .client_id = "test",
		.properties = properties, .property_count = 3, .create_topics = true };
	struct err e = { 0 };
	struct bus_port *bus;

	s.reads[TOPIC_STATE] = s.writes[TOPIC_STATE] = true;
	if (place) {
		s.start_at = start_at;
		s.start_arg = place;
	}
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	ck_assert_msg(kafka_bus_start(bus, 10000, &e), "%s", e.text);
	return bus;
}

static void publish_some(struct bus_port *bus)
{
	struct bus_event ev;

	for (uint64_t i = 0; i < RECORDS; i++) {
		const struct bus_message m = { .topic = TOPIC_STATE, .key = "k", .key_len = 1, .value = "v", .value_len = 1 };
		struct err e = { 0 };

		ck_assert_msg(bus->publish(bus, &m, i, &e), "%s", e.text);
		ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev));
	}
}

static void commit(struct bus_port *bus, int64_t offset)
{
	const struct bus_position next = { TOPIC_STATE, 0, offset };
	struct err e = { 0 };

	ck_assert_msg(bus->commit(bus, &next, &e), "%s", e.text);
}

/* Where the reading of a member begins. */
static int64_t first_of(struct bus_port *bus)
{
	struct bus_event ev;

	ck_assert(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev));
	ck_assert_int_eq(ev.at.topic, TOPIC_STATE);
	ck_assert(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev));
	return ev.at.offset;
}

START_TEST(it_begins_where_it_is_told)
{
	struct place at_seven = { .offset = 7 }, at_the_beginning = { .offset = -1 };
	struct bus_port *bus = member("g", NULL);
	struct bus_event ev;

	ck_assert(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev));
	publish_some(bus);
	commit(bus, 5);
	bus->close(bus, CLOSE_MS);
	bus = member("g", NULL);
	ck_assert_int_eq(first_of(bus), 5);
	bus->close(bus, CLOSE_MS);
	bus = member("g", &at_seven);
	ck_assert_int_eq(first_of(bus), 7);
	ck_assert_int_eq(at_seven.asked, 1);
	commit(bus, 8);
	bus->close(bus, CLOSE_MS);
	bus = member("g", &at_the_beginning);
	ck_assert_int_eq(first_of(bus), 0);
	bus->close(bus, CLOSE_MS);
	bus = member("g", NULL);
	ck_assert_int_eq(first_of(bus), 8);
	bus->close(bus, CLOSE_MS);
}
END_TEST

START_TEST(nothing_is_read_until_it_is_known)
{
	struct place place = { .offset = 3, .unknown = 2 }, never = { .unknown = 1000 };
	struct bus_port *bus = member("h", NULL);
	struct bus_event ev;

	ck_assert(bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev));
	publish_some(bus);
	bus->close(bus, CLOSE_MS);
	bus = member("h", &place);
	ck_assert_int_eq(first_of(bus), 3);
	ck_assert_int_eq(place.asked, 3);
	bus->close(bus, CLOSE_MS);
	bus = member("h", &never);
	for (int i = 0; i < 200 && never.asked < 2; i++)
		if (bus_wait(bus, 100, &ev))
			ck_assert_int_eq(ev.kind, BUS_NOTHING);
	ck_assert_int_ge(never.asked, 2);
	bus->close(bus, CLOSE_MS); /* while it waits */
}
END_TEST

int main(void)
{
	return KAFKA_SUITE("kafka_start", &broker, 1, it_begins_where_it_is_told, nothing_is_read_until_it_is_known);
}
