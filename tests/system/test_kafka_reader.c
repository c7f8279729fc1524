/* SPDX-License-Identifier: Apache-2.0
 * Reading without a group: from the beginning, the last ones, from an offset, following, and what goes wrong. */
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/kafka/kafka_reader.h"
#include "tests/support/kafka_suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 3, COUNT = 60, WITHIN_MS = 5000 };

static struct kafka_broker broker;

static const struct kafka_property quick = { "fetch.wait.max.ms", "10" };

static struct kafka_settings settings(void)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap,
				    .client_id = "test",
				    .properties = &quick,
				    .property_count = 1,
				    .create_topics = true };

	s.writes[TOPIC_STATE] = true;
	return s;
}

static void fill(int from, int to)
{
	struct kafka_settings s = settings();
	struct err e = { 0 };
	struct bus_port *bus = kafka_bus_new(&s, &e);
	struct bus_event ev;

	ck_assert_msg(bus && kafka_bus_start(bus, WITHIN_MS, &e), "%s", e.text);
	for (int i = from; i < to; i++) {
		char key[16], value[16];
		struct bus_message m = { .topic = TOPIC_STATE, .key = key, .value = value };

		m.key_len = (size_t)snprintf(key, sizeof key, "k%d", i % 10);
		m.value_len = (size_t)snprintf(value, sizeof value, "%d", i);
		ck_assert_msg(bus->publish(bus, &m, 0, &e), "%s", e.text);
	}
	for (int i = from; i < to; i++)
		ck_assert(bus_wait_for(bus, BUS_DELIVERED, WITHIN_MS, &ev) && ev.ok);
	bus->close(bus, WITHIN_MS);
}

struct seen {
	int count, last[10], stop_at, idle;
	int64_t lowest[PARTITIONS];
	bool ordered;
};

static bool take(void *arg, const struct bus_record *record)
{
	struct seen *seen = arg;
	char text[16] = "";
	int value;

	if (!record) {
		seen->idle++;
		if (seen->idle == 1)
			fill(COUNT, COUNT + 10);
		return seen->idle < 10;
	}
	memcpy(text, record->value, record->value_len);
	value = atoi(text);
	if (value <= seen->last[value % 10])
		seen->ordered = false;
	seen->last[value % 10] = value;
	if (record->at.offset < seen->lowest[record->at.partition])
		seen->lowest[record->at.partition] = record->at.offset;
	seen->count++;
	return seen->count != seen->stop_at;
}

static bool read_with(struct kafka_read what, struct seen *seen, struct err *e)
{
	struct kafka_settings s = settings();
	struct kafka_reader *reader = kafka_reader_new(&s, e);
	bool ok;

	ck_assert_msg(reader != NULL, "%s", e->text);
	*seen = (struct seen){ .stop_at = seen->stop_at, .ordered = true };
	for (int i = 0; i < 10; i++)
		seen->last[i] = -1;
	for (int i = 0; i < PARTITIONS; i++)
		seen->lowest[i] = INT64_MAX;
	what.topics[TOPIC_STATE] = true;
	what.within_ms = WITHIN_MS;
	ok = kafka_read(reader, &what, take, seen, e);
	kafka_reader_free(&reader);
	ck_assert_ptr_null(reader);
	return ok;
}

START_TEST(everything_is_read_once_in_order)
{
	struct seen seen = { 0 };
	struct err e = { 0 };

	ck_assert_msg(read_with((struct kafka_read){ .partition = -1 }, &seen, &e), "%s", e.text);
	ck_assert_int_eq(seen.count, 0); /* empty topics end at once */
	fill(0, COUNT);
	ck_assert_msg(read_with((struct kafka_read){ .partition = -1 }, &seen, &e), "%s", e.text);
	ck_assert_int_eq(seen.count, COUNT);
	ck_assert(seen.ordered);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(seen.last[i], COUNT - 10 + i);
	seen.stop_at = 7;
	ck_assert_msg(read_with((struct kafka_read){ .partition = -1 }, &seen, &e), "%s", e.text);
	ck_assert_int_eq(seen.count, 7);
}
END_TEST

START_TEST(the_last_ones_or_those_from_an_offset_can_be_read)
{
	struct kafka_read what = { .partition = -1, .from = KAFKA_FROM_LAST, .number = 2 };
	struct seen seen = { 0 }, one = { 0 };
	struct err e = { 0 };

	fill(0, COUNT);
	ck_assert_msg(read_with(what, &seen, &e), "%s", e.text);
	ck_assert_int_eq(seen.count, 2 * PARTITIONS);
	what = (struct kafka_read){ .partition = 1, .from = KAFKA_FROM_OFFSET, .number = seen.lowest[1] };
	ck_assert_msg(read_with(what, &one, &e), "%s", e.text);
	ck_assert_int_eq(one.count, 2);
	ck_assert_int_eq(one.lowest[1], seen.lowest[1]);
	what = (struct kafka_read){ .partition = -1, .from = KAFKA_FROM_END };
	ck_assert_msg(read_with(what, &one, &e), "%s", e.text);
	ck_assert_int_eq(one.count, 0);
	what.partition = PARTITIONS;
	ck_assert(!read_with(what, &one, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
}
END_TEST

START_TEST(following_goes_on_with_what_comes_later)
{
	struct seen seen = { 0 };
	struct err e = { 0 };

	fill(0, COUNT);
	ck_assert_msg(read_with((struct kafka_read){ .partition = -1, .follow = true }, &seen, &e), "%s", e.text);
	ck_assert_int_eq(seen.count, COUNT + 10); /* ten more were sent at the first quiet moment */
	ck_assert(seen.ordered);
	ck_assert_int_eq(seen.idle, 10);
}
END_TEST

START_TEST(a_dead_broker_ends_the_reading_in_time)
{
	struct kafka_settings s = settings();
	struct kafka_read what = { .partition = -1, .within_ms = 800, .topics[TOPIC_STATE] = true };
	struct kafka_reader *reader;
	struct seen seen = { .ordered = true };
	struct err e = { 0 };

	fill(0, COUNT);
	reader = kafka_reader_new(&s, &e);
	ck_assert_msg(reader != NULL, "%s", e.text);
	ck_assert(kafka_broker_say(&broker, "down"));
	ck_assert(!kafka_read(reader, &what, take, &seen, &e));
	ck_assert_int_eq(e.class, ERR_TRANSIENT);
	ck_assert_int_eq(seen.count, 0);
	kafka_reader_free(&reader);
}
END_TEST

int main(void)
{
	return KAFKA_SUITE("kafka_reader", &broker, PARTITIONS,
		everything_is_read_once_in_order,
		the_last_ones_or_those_from_an_offset_can_be_read,
		following_goes_on_with_what_comes_later,
		a_dead_broker_ends_the_reading_in_time);
}
