/* SPDX-License-Identifier: Apache-2.0
 * The table of topics. A request must outlive the longest outage of the consumer, a dead letter the longest holiday. The
 * state topic keeps the last word on each clone for ever. What comes in from outside may be no larger than what would
 * be decoded. */
#include "consumer/core/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_30_MS "2592000000"
#define DAYS_90_MS "7776000000"
#define REQUEST_BYTES "131072"

const char *const topic_setting_names[TOPIC_SETTING_END] = {
	[TOPIC_CLEANUP_POLICY] = "cleanup.policy",
	[TOPIC_RETENTION_MS] = "retention.ms",
	[TOPIC_MESSAGE_BYTES] = "max.message.bytes",
	[TOPIC_MIN_IN_SYNC] = "min.insync.replicas",
};

static const struct {
	const char *cleanup, *retention, *bytes; /* NULL: the brokers' own will do */
	bool is_keyed;
} rows[TOPIC_END] = {
	[TOPIC_REQUESTED] = { "delete", DAYS_30_MS, REQUEST_BYTES, true },
	[TOPIC_REPLAY] = { "delete", DAYS_30_MS, REQUEST_BYTES, true },
	[TOPIC_CONTROL] = { "delete", DAYS_30_MS, REQUEST_BYTES, true },
	[TOPIC_STEP_COMPLETED] = { "delete", DAYS_30_MS, NULL, true },
	[TOPIC_BACKUP_RESTORED] = { "delete", DAYS_30_MS, NULL, true },
	[TOPIC_STATE] = { "compact", NULL, NULL, true },
	[TOPIC_DEAD_LETTER] = { "delete", DAYS_90_MS, NULL, false },
	[TOPIC_NOTIFIER_DEAD_LETTER] = { "delete", DAYS_90_MS, NULL, false },
};

bool topic_is_keyed(enum topic topic)
{
	return rows[topic].is_keyed;
}

const char *topic_standard(enum topic topic, enum topic_setting setting, int replicas)
{
	const char *const values[TOPIC_SETTING_END] = {
		[TOPIC_CLEANUP_POLICY] = rows[topic].cleanup,
		[TOPIC_RETENTION_MS] = rows[topic].retention,
		[TOPIC_MESSAGE_BYTES] = rows[topic].bytes,
		/* One broker may be away, and an event still lies on two. */
		[TOPIC_MIN_IN_SYNC] = replicas > 2 ? "2" : NULL,
	};

	return values[setting] ? values[setting] : "";
}

struct comparison {
	enum topic topic;
	struct topic_change *changes;
	size_t count;
};

static struct topic_change *add(struct comparison *c, enum topic_remedy remedy, const char *what, const char *why)
{
	struct topic_change *change = &c->changes[c->count++];

	*change = (struct topic_change){ .topic = c->topic, .remedy = remedy, .what = what, .why = why };
	return change;
}

static void add_number(struct comparison *c, enum topic_remedy remedy, const char *what, int is, int wanted, const char *why)
{
	struct topic_change *change = add(c, remedy, what, why);

	snprintf(change->is, sizeof change->is, "%d", is);
	snprintf(change->wanted, sizeof change->wanted, "%d", wanted);
}

static void add_setting(struct comparison *c, enum topic_setting setting, enum topic_remedy remedy, const char *is,
			const char *wanted, const char *why)
{
	struct topic_change *change = add(c, remedy, topic_setting_names[setting], why);

	change->setting = setting;
	snprintf(change->is, sizeof change->is, "%s", is);
	snprintf(change->wanted, sizeof change->wanted, "%s", wanted);
}

/* Of retention: -1 is for ever. */
static bool is_less(const char *is, const char *wanted)
{
	long long n = strtoll(is, NULL, 10);

	return n >= 0 && n < strtoll(wanted, NULL, 10);
}

static void compare_cleanup(struct comparison *c, const char *is, const char *wanted)
{
	if (strcmp(is, wanted) == 0)
		return;
	if (strcmp(wanted, "compact") == 0)
		add_setting(c, TOPIC_CLEANUP_POLICY, TOPIC_SET, is, wanted, "records of it would be deleted by their age");
	else
		add_setting(c, TOPIC_CLEANUP_POLICY, TOPIC_BY_HAND, is, wanted,
			    "changing it deletes records that are older than the retention: save them first");
}

static void compare_setting(struct comparison *c, enum topic_setting setting, const char *is, const char *wanted,
			    const struct topic_facts *facts)
{
	if (!*is || !*wanted)
		return;
	if (setting == TOPIC_CLEANUP_POLICY) {
		compare_cleanup(c, is, wanted);
	} else if (setting == TOPIC_MIN_IN_SYNC && is_less(is, wanted)) {
		if (facts->replicas > 2)
			add_setting(c, setting, TOPIC_SET, is, wanted, "an event could lie on one broker only");
		else
			add_setting(c, setting, TOPIC_BY_HAND, is, wanted,
				    "with so few replicas nothing could be written while one is away: add replicas first");
	} else if (is_less(is, wanted)) {
		add_setting(c, setting, TOPIC_SET, is, wanted,
			    setting == TOPIC_RETENTION_MS ? "records would be gone too early" : "requests would be refused");
	} else if (setting == TOPIC_MESSAGE_BYTES && strcmp(is, wanted) != 0) {
		add_setting(c, setting, TOPIC_BY_HAND, is, wanted,
			    "larger records become dead letters; lowering it refuses them at their senders");
	}
}

static void compare_partitions(struct comparison *c, const struct topic_facts *facts, const struct topic_wishes *w)
{
	const bool may = w->grow || !topic_is_keyed(c->topic);

	if (facts->partitions >= w->partitions)
		return;
	add_number(c, may ? TOPIC_GROW : TOPIC_BY_HAND, "partitions", facts->partitions, w->partitions,
		   !topic_is_keyed(c->topic) ? ""
		   : may ? "records of one key lie in two partitions from then on"
			 : "with more partitions a key changes its place: apply --grow-partitions while nothing is under way");
}

static void compare_topic(struct comparison *c, const struct topic_facts *facts, const struct topic_wishes *w)
{
	if (!facts->exists) {
		add_number(c, TOPIC_MAKE, "topic", 0, w->partitions ? w->partitions : TOPIC_PARTITIONS, "");
		snprintf(c->changes[c->count - 1].is, TOPIC_VALUE_MAX, "missing");
		return;
	}
	compare_partitions(c, facts, w);
	if (facts->replicas < w->replicas)
		add_number(c, TOPIC_BY_HAND, "replicas", facts->replicas, w->replicas,
			   "move the partitions with kafka-reassign-partitions.sh");
	for (enum topic_setting s = TOPIC_CLEANUP_POLICY; s < TOPIC_SETTING_END; s++)
		compare_setting(c, s, facts->settings[s], topic_standard(c->topic, s, w->replicas), facts);
}

size_t topics_compare(const struct topic_facts facts[TOPIC_END], const struct topic_wishes *wishes,
		      struct topic_change changes_r[TOPIC_CHANGES_MAX])
{
	struct comparison c = { .changes = changes_r };

	for (c.topic = TOPIC_REQUESTED; c.topic < TOPIC_END; c.topic++)
		compare_topic(&c, &facts[c.topic], wishes);
	return c.count;
}
