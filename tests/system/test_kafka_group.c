/* SPDX-License-Identifier: Apache-2.0
 * Two members of a group, and a member that is thrown out: who holds a partition, from when, until when. */
#include "consumer/adapters/kafka/kafka_bus_priv.h"
#include "tests/support/kafka_suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARTITIONS = 4, JOIN_MS = 30000, ARRIVE_MS = 30000, CLOSE_MS = 5000, REVOKE_WAIT_MS = 1500 };

static struct kafka_broker broker;

static const struct kafka_property properties[] = { { "session.timeout.ms", "3000" },
						    { "heartbeat.interval.ms", "200" },
						    { "max.poll.interval.ms", "3000" },
						    { "fetch.wait.max.ms", "10" } };

static struct bus_port *member(const char *group, int revoke_wait_ms)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap,
				    .group_id = group,
				    .client_id = "test",
				    .properties = properties,
				    .property_count = 4,
				    .create_topics = true,
				    .revoke_wait_ms = revoke_wait_ms };
	struct err e = { 0 };
	struct bus_port *bus;

	s.reads[TOPIC_REQUESTED] = s.writes[TOPIC_REQUESTED] = true;
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	ck_assert_msg(kafka_bus_start(bus, 10000, &e), "%s", e.text);
	return bus;
}

/* One message into each partition is not promised by keys; many keys reach them all. */
static void publish_many(struct bus_port *bus, int count)
{
	for (int i = 0; i < count; i++) {
		char key[16];
		struct bus_message m = { .topic = TOPIC_REQUESTED, .key = key, .value = "v", .value_len = 1 };
		struct err e = { 0 };

		m.key_len = (size_t)snprintf(key, sizeof key, "key %d", i);
		ck_assert_msg(bus->publish(bus, &m, 0, &e), "%s", e.text);
	}
}

static void await_each(struct bus_port *bus, enum bus_event_kind kind, int count, bool *parts_r)
{
	struct bus_event ev;

	for (int i = 0; i < count; i++) {
		ck_assert_msg(bus_wait_for(bus, kind, JOIN_MS, &ev), "event %d of %d of kind %d never came", i, count,
			      kind);
		ck_assert_int_eq(ev.at.topic, TOPIC_REQUESTED);
		ck_assert(!parts_r[ev.at.partition]);
		parts_r[ev.at.partition] = true;
	}
}

/* Lives a little: keeps the list of what the member holds, releases what is asked back. */
static void live(struct bus_port *bus, bool *held, struct bus_event *first_record)
{
	struct bus_event ev;

	if (!bus_wait(bus, 10, &ev))
		return;
	if (ev.kind == BUS_ASSIGNED)
		held[ev.at.partition] = true;
	if (ev.kind == BUS_REVOKED || ev.kind == BUS_LOST)
		held[ev.at.partition] = false;
	if (ev.kind == BUS_REVOKED)
		bus->release_revoked(bus);
	if (ev.kind == BUS_RECORD && first_record->kind == BUS_NOTHING)
		*first_record = ev;
}

static int count(const bool *held)
{
	int n = 0;

	for (int i = 0; i < PARTITIONS; i++)
		n += held[i];
	return n;
}

/* Until the broker has answered every commit. */
static void await_commits(struct bus_port *bus)
{
	struct bus_event ev;

	for (int tries = 0; ((struct kafka_bus *)bus)->in.commits_in_flight > 0 && tries < 500; tries++)
		bus_wait(bus, 10, &ev);
	ck_assert_int_eq(((struct kafka_bus *)bus)->in.commits_in_flight, 0);
}

/* That a commit between revocation and release counts is shown on the real broker: the mock refuses it. */
START_TEST(a_rebalance_waits_for_the_release)
{
	struct bus_port *a = member("hand-over", 5000), *b;
	bool all[PARTITIONS] = { false }, revoked[PARTITIONS] = { false };
	bool of_a[PARTITIONS] = { false }, of_b[PARTITIONS] = { false };
	struct bus_position next = { TOPIC_REQUESTED, 0, 1 };
	struct bus_event ev, first = { 0 }, ignored = { 0 };
	struct err e = { 0 };

	await_each(a, BUS_ASSIGNED, PARTITIONS, all);
	publish_many(a, 40);
	for (int i = 0; i < 40; i++)
		ck_assert(bus_wait_for(a, BUS_RECORD, ARRIVE_MS, &ev));
	for (; next.partition < PARTITIONS; next.partition++)
		ck_assert_msg(a->commit(a, &next, &e), "%s", e.text);
	await_commits(a);
	b = member("hand-over", 5000);
	await_each(a, BUS_REVOKED, PARTITIONS, revoked);
	ck_assert(!bus_wait_for(b, BUS_ASSIGNED, 300, &ev)); /* nothing is given before it is released */
	a->release_revoked(a);
	for (int tries = 0; tries < 1000 && (count(of_a) != PARTITIONS / 2 || count(of_b) != PARTITIONS / 2); tries++) {
		live(a, of_a, &ignored);
		live(b, of_b, &first);
	}
	for (int i = 0; i < PARTITIONS; i++)
		ck_assert_int_ne(of_a[i], of_b[i]);
	ck_assert(first.kind == BUS_RECORD || bus_wait_for(b, BUS_RECORD, ARRIVE_MS, &first));
	ck_assert_int_eq(first.at.offset, 1); /* what a had committed counts for b */
	ck_assert(of_b[first.at.partition]);
	a->close(a, CLOSE_MS);
	b->close(b, CLOSE_MS);
}
END_TEST

START_TEST(partitions_that_are_not_released_are_lost_in_the_end)
{
	struct bus_port *a = member("stubborn", REVOKE_WAIT_MS), *b;
	bool all[PARTITIONS] = { false }, revoked[PARTITIONS] = { false }, lost[PARTITIONS] = { false };
	struct bus_position next = { TOPIC_REQUESTED, 0, 1 };
	struct bus_event ev;
	struct err e = { 0 };

	await_each(a, BUS_ASSIGNED, PARTITIONS, all);
	b = member("stubborn", REVOKE_WAIT_MS);
	await_each(a, BUS_REVOKED, PARTITIONS, revoked);
	await_each(a, BUS_LOST, PARTITIONS, lost);
	ck_assert(!a->commit(a, &next, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	a->release_revoked(a); /* too late, and harmless */
	ck_assert(bus_wait_for(b, BUS_ASSIGNED, JOIN_MS, &ev));
	a->close(a, CLOSE_MS);
	b->close(b, CLOSE_MS);
}
END_TEST

START_TEST(a_commit_of_an_old_generation_loses_everything_and_joins_again)
{
	struct bus_port *bus = member("thrown-out", 5000);
	bool first[PARTITIONS] = { false }, lost[PARTITIONS] = { false }, again[PARTITIONS] = { false };
	struct bus_position next;
	struct bus_event ev;
	struct err e = { 0 };

	if (broker.is_real) /* it refuses no commit on demand */
		return;
	await_each(bus, BUS_ASSIGNED, PARTITIONS, first);
	publish_many(bus, 1);
	ck_assert(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev));
	next = ev.record.at;
	next.offset++;
	ck_assert(kafka_broker_say(&broker, "errors 8 22 1")); /* OffsetCommit: ILLEGAL_GENERATION */
	ck_assert(bus->commit(bus, &next, &e));
	await_each(bus, BUS_LOST, PARTITIONS, lost);
	await_each(bus, BUS_ASSIGNED, PARTITIONS, again);
	ck_assert_msg(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev), "the uncommitted record did not come again");
	ck_assert_int_eq(ev.at.offset, next.offset - 1);
	bus->close(bus, CLOSE_MS);
}
END_TEST

START_TEST(a_member_with_nothing_to_do_stays_and_a_stuck_one_is_put_out)
{
	struct bus_port *bus = member("idle", 5000);
	bool all[PARTITIONS] = { false }, lost[PARTITIONS] = { false };
	struct bus_event ev;

	await_each(bus, BUS_ASSIGNED, PARTITIONS, all);
	ck_assert(!bus_wait(bus, 3400, &ev)); /* longer than max.poll.interval.ms: the descriptor woke us in between */
	usleep(3300 * 1000);
	await_each(bus, BUS_LOST, PARTITIONS, lost);
	bus->close(bus, CLOSE_MS);
}
END_TEST

int main(void)
{
	return KAFKA_SUITE("kafka_group", &broker, PARTITIONS,
		a_rebalance_waits_for_the_release,
		partitions_that_are_not_released_are_lost_in_the_end,
		a_commit_of_an_old_generation_loses_everything_and_joins_again,
		a_member_with_nothing_to_do_stays_and_a_stuck_one_is_put_out);
}
