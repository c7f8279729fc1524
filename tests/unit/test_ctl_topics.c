/* SPDX-License-Identifier: Apache-2.0
 * topics check and apply: what counts as a difference, what is changed, and what never is. */
#include "ctl_fixture.h"

static void set(struct topic_facts *topic, enum topic_setting setting, const char *value)
{
	snprintf(topic->settings[setting], TOPIC_VALUE_MAX, "%s", value);
}

START_TEST(all_well)
{
	ends("topics check", CTL_OK);
	ck_has(&fake.talk, "All 8 topics are as they must be.");
	ends("topics apply", CTL_OK);
	ck_assert_int_eq(fake.topics_changed, 0);
	ends("topics check -o json", CTL_OK);
	ck_has(&fake.out, "\"differences\":[]");
	fake.no_brokers = true;
	ends("topics check", CTL_UNAVAILABLE);
}
END_TEST

static void lengthen(struct topic_facts *topics)
{
	set(&topics[TOPIC_REQUESTED], TOPIC_RETENTION_MS, "-1");
	set(&topics[TOPIC_DEAD_LETTER], TOPIC_RETENTION_MS, "31536000000");
	set(&topics[TOPIC_STATE], TOPIC_MIN_IN_SYNC, "3");
	topics[TOPIC_REPLAY].partitions = 40;
}

START_TEST(more_is_well)
{
	fake.spoil_topics = lengthen;
	ends("topics check --partitions 4 --replicas 2", CTL_OK);
}
END_TEST

static void spoil(struct topic_facts *topics)
{
	topics[TOPIC_CONTROL].exists = false;
	set(&topics[TOPIC_REQUESTED], TOPIC_RETENTION_MS, "604800000");
	set(&topics[TOPIC_REQUESTED], TOPIC_MIN_IN_SYNC, "1");
	set(&topics[TOPIC_STATE], TOPIC_CLEANUP_POLICY, "delete");
}

START_TEST(what_is_safe_is_done)
{
	fake.spoil_topics = spoil;
	ends("topics check", CTL_FAILED);
	ck_has(&fake.out, "TOPIC                    WHAT");
	ck_has(&fake.out, "retention.ms         604800000  2592000000  set");
	ck_has(&fake.out, "sandbox.clone.control    topic                missing    there       make");
	ck_has(&fake.talk, "Next: sandboxctl topics apply");
	ends("topics apply --dry-run", CTL_OK);
	ck_assert_int_eq(fake.topics_changed, 0);
	ck_has(&fake.talk, "Nothing was changed");
	ends("topics apply -o json", CTL_OK);
	ck_assert_int_eq(fake.topics_changed, 4);
	ck_assert_int_eq(fake.new_replicas, 3);
	ck_has(&fake.out, "\"changed\":true");
	ck_has(&fake.out, "\"what\":\"cleanup.policy\",\"is\":\"delete\",\"wanted\":\"compact\",\"remedy\":\"set\"");
	fake.unsure = true;
	ends("topics apply", CTL_UNAVAILABLE);
}
END_TEST

static void spoil_badly(struct topic_facts *topics)
{
	set(&topics[TOPIC_REQUESTED], TOPIC_CLEANUP_POLICY, "compact");
	set(&topics[TOPIC_REPLAY], TOPIC_MESSAGE_BYTES, "1048588");
	topics[TOPIC_STATE].replicas = 1;
	set(&topics[TOPIC_STATE], TOPIC_MIN_IN_SYNC, "1");
}

START_TEST(what_could_lose_something_is_left)
{
	fake.spoil_topics = spoil_badly;
	ends("topics apply", CTL_FAILED);
	ck_assert_int_eq(fake.topics_changed, 0);
	ck_has(&fake.out, "by hand");
	ck_has(&fake.out, "kafka-reassign-partitions.sh");
	ck_has(&fake.talk, "4 differences are left");
}
END_TEST

START_TEST(keyed_topics_do_not_grow_by_accident)
{
	ends("topics apply --partitions 8", CTL_FAILED);
	ck_assert_int_eq(fake.topics_changed, 2); /* the dead letters, which have no order */
	ck_has(&fake.out, "--grow-partitions");
	fake.topics_changed = 0;
	ends("topics apply --partitions 8 --grow-partitions", CTL_OK);
	ck_assert_int_eq(fake.topics_changed, TOPIC_END - 1);
	ck_has(&fake.talk, "Warning: sandbox.clone.requested gets 8 partitions");
	ck_has_not(&fake.talk, "Warning: sandbox.clone.dead-letter");
}
END_TEST

START_TEST(wishes_that_cannot_be)
{
	ends("topics apply --replicas 5", CTL_USAGE);
	ck_has(&fake.talk, "5 replicas need as many brokers, and there are 3");
	ends("topics apply --partitions 0", CTL_USAGE);
	ends("topics apply --partitions many", CTL_USAGE);
	ends("topics check --grow-partitions", CTL_USAGE);
	ck_assert_int_eq(fake.topics_changed, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_topics");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, CASES("topics", all_well, more_is_well, what_is_safe_is_done, what_could_lose_something_is_left,
				     keyed_topics_do_not_grow_by_accident, wishes_that_cannot_be));
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
