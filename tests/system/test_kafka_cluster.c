/* SPDX-License-Identifier: Apache-2.0
 * A clone on three brokers, the one that leads its events killed in the middle: the clone ends as one that nothing happened
 * to, with every event there once in effect. `sandboxctl topics apply` made three replicas of which two must be in sync. Two
 * more JVMs than a test should have: only on demand, with SANDBOX_TEST_CLUSTER=1. */
#include "consumer/adapters/kafka/kafka_topics.h"
#include "tests/support/installation.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKERS = 3, CLONE_WITHIN_MS = 180000, TOLD_WITHIN_MS = 60000, ASK_WITHIN_MS = 10000, HALF_WAY = 12 };

static const char first[] = "0198f0c2-0001-7c5b-9a54-000000000001", second[] = "0198f0c2-0002-7c5b-9a54-000000000002";

static struct kafka_broker kafka;

static struct kafka_settings settings(void)
{
	return (struct kafka_settings){ .bootstrap_servers = kafka.bootstrap, .client_id = "test" };
}

START_TEST(topics_have_three_replicas)
{
	const struct kafka_settings s = settings();
	const struct topic_wishes wishes = { .replicas = BROKERS };
	struct topic_change changes[TOPIC_CHANGES_MAX];
	struct kafka_facts facts;
	struct err e = { 0 };

	ck_assert_msg(kafka_topics_look(&s, ASK_WITHIN_MS, &facts, &e), "%s", e.text);
	ck_assert_int_eq(facts.brokers, BROKERS);
	ck_assert_uint_eq(topics_compare(facts.topics, &wishes, changes), 0);
	for (int t = TOPIC_UNSET + 1; t < TOPIC_END; t++) {
		ck_assert_int_eq(facts.topics[t].replicas, BROKERS);
		ck_assert_str_eq(facts.topics[t].settings[TOPIC_MIN_IN_SYNC], "2");
	}
}
END_TEST

/* Who leads the partitions that this key's events go to is asked of a broker: the first of the topic will do. */
static int leader_of(enum topic topic)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const rd_kafka_metadata_t *metadata;
	rd_kafka_topic_t *handle;
	rd_kafka_t *client;
	int leader;

	rd_kafka_conf_set(conf, "bootstrap.servers", kafka.bootstrap, NULL, 0);
	client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
	ck_assert_ptr_nonnull(client);
	handle = rd_kafka_topic_new(client, topic_name(topic), NULL);
	ck_assert_int_eq(rd_kafka_metadata(client, 0, handle, &metadata, ASK_WITHIN_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	ck_assert_int_eq(metadata->topic_cnt, 1);
	leader = metadata->topics[0].partitions[0].leader;
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(handle);
	rd_kafka_destroy(client);
	return leader;
}

static void look(struct installation *i, const char *id, const char *target, struct buf out[3])
{
	await(i, id, CLONE_COMPLETED, CLONE_WITHIN_MS);
	snapshot_target(i, target, &out[0]);
	snapshot_events(i, id, target, false, &out[1]);
	snapshot_calls(i, id, target, &out[2]);
}

START_TEST(a_broker_dies_in_the_middle)
{
	static const char *const what[] = { "the world", "the events", "the effects outside" };
	struct installation *i =
	    installation_new(&(struct installation_options){ .targets = 2, .own_sources = true, .kafka = &kafka });
	struct buf wanted[3], found[3];
	struct events events;

	for (int n = 0; n < 3; n++) {
		buf_init(&wanted[n], WORLD_TEXT_MAX);
		buf_init(&found[n], WORLD_TEXT_MAX);
	}
	consumer_start(i, 0);
	send_request(i, first, TARGET);
	look(i, first, TARGET, wanted);
	send_request(i, second, "Cust70002");
	await_steps(i, second, HALF_WAY, CLONE_WITHIN_MS);
	ck_assert_int_lt(look_at(i, second).steps_done, STEP_END);
	ck_assert(kafka_real_kill(&kafka, leader_of(TOPIC_STEP_COMPLETED)));
	look(i, second, "Cust70002", found);
	for (int n = 0; n < 3; n++) {
		check_same(&wanted[n], &found[n], what[n]);
		buf_done(&wanted[n]);
		buf_done(&found[n]);
	}
	ck_assert_str_eq(left_over_databases(i), "");
	await_committed(i, TOLD_WITHIN_MS);
	events_read(i, &events);
	check_sequence(&events, second);
	ck_assert_uint_eq(events_count(&events, MESSAGE_STEP_COMPLETED, second), STEP_END);
	ck_assert_uint_eq(events_count(&events, MESSAGE_BACKUP_RESTORED, second), 1);
	events_free(&events);
	ck_assert_int_eq(consumer_stop(i, 0, TOLD_WITHIN_MS), 0);
	installation_free(&i);
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("kafka_cluster");
	TCase *tc = tcase_create("kafka_cluster");

	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, topics_have_three_replicas);
	tcase_add_test(tc, a_broker_dies_in_the_middle);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}

int main(void)
{
	if (!getenv("SANDBOX_TEST_CLUSTER"))
		return puts("SKIPPED: three brokers are started only with SANDBOX_TEST_CLUSTER=1") < 0;
	return KAFKA_REAL_MAIN(&kafka, "cluster", run_tests);
}
