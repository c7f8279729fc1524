/* SPDX-License-Identifier: Apache-2.0
 * The same adapter on a real Apache Kafka, and what the embedded broker cannot show: topics that are missing or made, a
 * commit between revocation and release, a broker that was killed and comes back with its data. Skipped, with a line
 * that says so, where Java or the jars cannot be had. */
#include "consumer/adapters/kafka/kafka_topics.h"
#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/kafka/kafka_priv.h"
#include "consumer/adapters/kafka/kafka_reader.h"
#include "tests/support/kafka_broker.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { PARTITIONS = 4, JOIN_MS = 20000, ARRIVE_MS = 10000, CLOSE_MS = 5000 };

static struct kafka_broker broker;

static struct bus_port *member(const char *group, enum topic topic)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap, .group_id = group, .client_id = "test" };
	struct err e = { 0 };
	struct bus_port *bus;

	s.reads[topic] = s.writes[topic] = true;
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	ck_assert_msg(kafka_bus_start(bus, 10000, &e), "%s", e.text);
	return bus;
}

static void publish(struct bus_port *bus, enum topic topic, const char *key, const char *value, uint64_t tag)
{
	struct bus_message m = { .topic = topic, .key = key, .key_len = strlen(key), .value = value };
	struct err e = { 0 };

	m.value_len = value ? strlen(value) : 0;
	m.headers[0] = (struct bus_header){ "ce_id", key, strlen(key) };
	m.header_count = 1;
	ck_assert_msg(bus->publish(bus, &m, tag, &e), "%s", e.text);
}

static void commit(struct bus_port *bus, struct bus_position at)
{
	struct err e = { 0 };

	at.offset++;
	ck_assert_msg(bus->commit(bus, &at, &e), "%s", e.text);
}

static void await_value(struct bus_port *bus, const char *value, struct bus_event *ev)
{
	ck_assert_msg(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, ev), "%s did not arrive", value);
	ck_assert_uint_eq(ev->record.value_len, strlen(value));
	ck_assert_mem_eq(ev->record.value, value, strlen(value));
	ck_assert_uint_eq(ev->record.header_count, 1);
}

START_TEST(records_go_round_and_a_restart_goes_on_at_the_committed_offset)
{
	struct bus_port *bus = member("round", TOPIC_REQUESTED);
	struct bus_event ev;
	int assigned = 0;

	while (assigned < PARTITIONS && bus_wait_for(bus, BUS_ASSIGNED, JOIN_MS, &ev))
		assigned++;
	ck_assert_int_eq(assigned, PARTITIONS);
	publish(bus, TOPIC_REQUESTED, "k", "one", 11);
	ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev));
	ck_assert(ev.ok && ev.tag == 11);
	await_value(bus, "one", &ev);
	commit(bus, ev.at);
	bus->pause(bus, true);
	publish(bus, TOPIC_REQUESTED, "k", "two", 12);
	ck_assert(!bus_wait_for(bus, BUS_RECORD, 700, &ev));
	bus->pause(bus, false);
	await_value(bus, "two", &ev);
	bus->close(bus, CLOSE_MS);

	bus = member("round", TOPIC_REQUESTED);
	await_value(bus, "two", &ev);
	publish(bus, TOPIC_REQUESTED, "k", NULL, 13);
	ck_assert(bus_wait_for(bus, BUS_RECORD, ARRIVE_MS, &ev));
	ck_assert(ev.record.value == NULL && ev.record.key_len == 1);
	bus->close(bus, CLOSE_MS);
}
END_TEST

/* The partition with the record goes from one member to the other; what was committed while the group waited counts. */
START_TEST(a_commit_between_revocation_and_release_counts)
{
	struct bus_port *a = member("hand-over", TOPIC_REPLAY), *b;
	struct bus_event ev;
	struct bus_position at;

	publish(a, TOPIC_REPLAY, "k", "first", 1);
	await_value(a, "first", &ev);
	at = ev.at;
	b = member("hand-over", TOPIC_REPLAY);
	for (int i = 0; i < PARTITIONS; i++)
		ck_assert(bus_wait_for(a, BUS_REVOKED, JOIN_MS, &ev));
	ck_assert(!bus_wait_for(b, BUS_ASSIGNED, 1500, &ev));
	commit(a, at);
	a->release_revoked(a);
	a->close(a, CLOSE_MS);
	publish(b, TOPIC_REPLAY, "k", "second", 2);
	await_value(b, "second", &ev);
	b->close(b, CLOSE_MS);
}
END_TEST

static bool see(void *arg, const struct bus_record *record)
{
	char *text = arg;

	if (record)
		snprintf(text + strlen(text), 64 - strlen(text), "%.*s=%.*s ", (int)record->key_len,
			 (const char *)record->key, (int)record->value_len, (const char *)record->value);
	return true;
}

START_TEST(a_killed_broker_comes_back_and_nothing_acknowledged_is_lost)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap, .client_id = "test" };
	const struct kafka_read what = { .partition = -1, .within_ms = 20000, .topics[TOPIC_STATE] = true };
	struct bus_port *bus = member("crash", TOPIC_STATE);
	struct kafka_reader *reader;
	struct bus_event ev;
	struct err e = { 0 };
	char seen[64] = "";

	publish(bus, TOPIC_STATE, "k", "1", 1);
	ck_assert(bus_wait_for(bus, BUS_DELIVERED, ARRIVE_MS, &ev) && ev.ok);
	ck_assert(kafka_real_kill(&broker, 0));
	publish(bus, TOPIC_STATE, "k", "2", 2);
	ck_assert(kafka_real_again(&broker));
	ck_assert(bus_wait_for(bus, BUS_DELIVERED, 30000, &ev) && ev.ok && ev.tag == 2);
	reader = kafka_reader_new(&s, &e);
	ck_assert_msg(reader && kafka_read(reader, &what, see, seen, &e), "%s", e.text);
	ck_assert_str_eq(seen, "k=1 k=2 ");
	kafka_reader_free(&reader);
	bus->close(bus, CLOSE_MS);
}
END_TEST

static size_t look(const struct kafka_settings *s, struct kafka_facts *facts, const struct topic_wishes *wishes,
		   struct topic_change *changes)
{
	struct err e = { 0 };

	ck_assert_msg(kafka_topics_look(s, 10000, facts, &e), "%s", e.text);
	return topics_compare(facts->topics, wishes, changes);
}

static void apply(const struct kafka_settings *s, const struct topic_change *changes, size_t count)
{
	struct err e = { 0 };

	ck_assert_msg(kafka_topics_apply(s, changes, count, 1, 20000, &e), "%s", e.text);
}

/* What kafka_real.sh made by `sandboxctl topics apply` is as it must be; what is spoilt is put right, what others have set
 * stays as it is. */
START_TEST(topics_are_made_and_put_right)
{
	const struct kafka_settings s = { .bootstrap_servers = broker.bootstrap, .client_id = "test" };
	const struct topic_wishes as_made = { .replicas = 1 }, more = { PARTITIONS + 1, 1, false };
	struct topic_change changes[TOPIC_CHANGES_MAX];
	/* The brokers' side of a spoilt topic, by the same road. */
	struct topic_change spoil = { .topic = TOPIC_CONTROL, .remedy = TOPIC_SET, .setting = TOPIC_RETENTION_MS, .wanted = "5000" };
	struct kafka_facts facts;

	ck_assert_uint_eq(look(&s, &facts, &as_made, changes), 0);
	ck_assert_int_eq(facts.topics[TOPIC_STATE].partitions, PARTITIONS);
	ck_assert_str_eq(facts.topics[TOPIC_STATE].settings[TOPIC_CLEANUP_POLICY], "compact");
	apply(&s, &spoil, 1);
	ck_assert_uint_eq(look(&s, &facts, &as_made, changes), 1);
	ck_assert_str_eq(changes[0].is, "5000");
	ck_assert_str_eq(facts.topics[TOPIC_CONTROL].settings[TOPIC_MESSAGE_BYTES], "131072"); /* not the brokers' own */
	apply(&s, changes, 1);
	ck_assert_uint_eq(look(&s, &facts, &as_made, changes), 0);
	ck_assert_uint_eq(look(&s, &facts, &more, changes), TOPIC_END - 1);
	apply(&s, changes, TOPIC_END - 1); /* of these only the dead letters grow */
	look(&s, &facts, &as_made, changes);
	ck_assert_int_eq(facts.topics[TOPIC_STATE].partitions, PARTITIONS);
	ck_assert_int_eq(facts.topics[TOPIC_DEAD_LETTER].partitions, PARTITIONS + 1);
}
END_TEST

/* As an operator runs it; its exit status. */
static int ctl(const char *words, char *said_r, size_t size)
{
	char command[1024];
	size_t len;
	int status;
	FILE *f;

	snprintf(command, sizeof command, "SANDBOX_KAFKA__BOOTSTRAP_SERVERS=%s '%s/consumer/programs/sandboxctl' topics %s 2>&1",
		 broker.bootstrap, getenv("BUILD_DIR"), words);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	len = fread(said_r, 1, size - 1, f);
	said_r[len] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ctl_ends(const char *words, int status, const char *sentence)
{
	char said[8192];
	int ended = ctl(words, said, sizeof said);

	ck_assert_msg(ended == status && strstr(said, sentence), "topics %s ends with %d, not %d and \"%s\": %s", words, ended,
		      status, sentence, said);
}

/* What only a cluster can lack, replicas and min.insync.replicas, shows test_kafka_cluster. */
START_TEST(the_program_tells_what_differs_and_puts_it_right)
{
	const struct kafka_settings s = { .bootstrap_servers = broker.bootstrap, .client_id = "test" };
	struct topic_change spoil[] = {
		{ .topic = TOPIC_REQUESTED, .remedy = TOPIC_SET, .setting = TOPIC_RETENTION_MS, .wanted = "5000" },
		{ .topic = TOPIC_STATE, .remedy = TOPIC_SET, .setting = TOPIC_CLEANUP_POLICY, .wanted = "delete" },
		{ .topic = TOPIC_STEP_COMPLETED, .remedy = TOPIC_SET, .setting = TOPIC_CLEANUP_POLICY, .wanted = "compact" },
	};

	ctl_ends("check", 0, "All 8 topics are as they must be.");
	apply(&s, spoil, 3);
	ctl_ends("check", 1, "records would be gone too early");
	ctl_ends("check", 1, "records of it would be deleted by their age");
	ctl_ends("check", 1, "changing it deletes records that are older than the retention");
	ctl_ends("apply", 1, "1 difference is left");
	ctl_ends("check", 1, "by hand");
	strcpy(spoil[2].wanted, "delete");
	apply(&s, &spoil[2], 1);
	ctl_ends("check", 0, "All 8 topics are as they must be.");
	ctl_ends("check --partitions 9", 1, "with more partitions a key changes its place");
	ctl_ends("check --replicas 3", 2, "3 replicas need as many brokers, and there are 1");
}
END_TEST

/* The adapter has no way to delete a topic, and needs none. */
static void drop(const struct kafka_settings *s, enum topic topic)
{
	struct err e = { 0 };
	rd_kafka_t *client = kafka_client_new(s, KAFKA_ROLE_ASKER, &e);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	rd_kafka_DeleteTopic_t *order = rd_kafka_DeleteTopic_new(topic_name(topic));
	rd_kafka_event_t *event;

	rd_kafka_DeleteTopics(client, &order, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, ARRIVE_MS);
	ck_assert(event && !rd_kafka_event_error(event));
	rd_kafka_event_destroy(event);
	rd_kafka_DeleteTopic_destroy(order);
	rd_kafka_queue_destroy(queue);
	ck_assert(kafka_clients_destroy(client, NULL, CLOSE_MS));
}

/* Last of all: nothing is made by looking, starting or reading. */
START_TEST(a_missing_topic_is_refused_and_not_made)
{
	struct kafka_settings s = { .bootstrap_servers = broker.bootstrap, .client_id = "test", .group_id = "missing" };
	const struct kafka_read what = { .partition = -1, .within_ms = 10000, .topics[TOPIC_DEAD_LETTER] = true };
	struct kafka_reader *reader;
	struct kafka_facts facts;
	struct bus_port *bus;
	struct err e = { 0 };
	char seen[64] = "";

	drop(&s, TOPIC_DEAD_LETTER);
	s.writes[TOPIC_DEAD_LETTER] = true;
	bus = kafka_bus_new(&s, &e);
	ck_assert_msg(bus != NULL, "%s", e.text);
	ck_assert(!kafka_bus_start(bus, 10000, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(e.text, topic_name(TOPIC_DEAD_LETTER)));
	bus->close(bus, CLOSE_MS);
	err_clear(&e);
	reader = kafka_reader_new(&s, &e);
	ck_assert(!kafka_read(reader, &what, see, seen, &e));
	ck_assert_int_eq(e.class, ERR_REFUSED);
	kafka_reader_free(&reader);
	err_clear(&e);
	ck_assert_msg(kafka_describe(&s, 10000, &facts, &e), "%s", e.text);
	ck_assert(!facts.topics[TOPIC_DEAD_LETTER].exists);
	ck_assert(facts.topics[TOPIC_STATE].exists);
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("kafka_real");
	TCase *tests = tcase_create("on a real Kafka");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, records_go_round_and_a_restart_goes_on_at_the_committed_offset);
	tcase_add_test(tests, a_commit_between_revocation_and_release_counts);
	tcase_add_test(tests, a_killed_broker_comes_back_and_nothing_acknowledged_is_lost);
	tcase_add_test(tests, the_program_tells_what_differs_and_puts_it_right);
	tcase_add_test(tests, topics_are_made_and_put_right);
	tcase_add_test(tests, a_missing_topic_is_refused_and_not_made);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

int main(void)
{
	return KAFKA_REAL_MAIN(&broker, "start", run_tests);
}
