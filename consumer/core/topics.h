/* SPDX-License-Identifier: Apache-2.0
 * What our topics must be on a cluster, as one table, and how what is there differs from it. */
#ifndef SANDBOX_CORE_TOPICS_H
#define SANDBOX_CORE_TOPICS_H

#include "consumer/ports/messages.h"

#include <stdbool.h>
#include <stddef.h>

enum topic_setting {
	TOPIC_CLEANUP_POLICY,
	TOPIC_RETENTION_MS,
	TOPIC_MESSAGE_BYTES,
	TOPIC_MIN_IN_SYNC,
	TOPIC_SETTING_END
};

enum { TOPIC_VALUE_MAX = 40, TOPIC_PARTITIONS_MAX = 10000, TOPIC_CHANGES_MAX = TOPIC_END * (TOPIC_SETTING_END + 2) };

extern const char *const topic_setting_names[TOPIC_SETTING_END]; /* "cleanup.policy", ... */

struct topic_facts {
	bool exists;
	int partitions;
	int replicas, in_sync; /* of the partition that has the fewest */
	int without_leader;    /* partitions that nobody serves now */
	char settings[TOPIC_SETTING_END][TOPIC_VALUE_MAX]; /* as the brokers say them; "" was not asked */
};

struct topic_wishes {
	int partitions; /* at least; 0: any number that is there, TOPIC_PARTITIONS for new ones */
	int replicas;   /* at least */
	bool grow;      /* partitions of a keyed topic may become more */
};

enum { TOPIC_PARTITIONS = 4 };

enum topic_remedy {
	TOPIC_MAKE,    /* the topic is not there */
	TOPIC_GROW,    /* more partitions */
	TOPIC_SET,     /* a setting, and nothing that is kept gets lost by it */
	TOPIC_BY_HAND, /* somebody must decide; `why` says what about */
};

struct topic_change {
	enum topic topic;
	enum topic_remedy remedy;
	enum topic_setting setting; /* of TOPIC_SET */
	const char *what;           /* "partitions", "retention.ms" ... */
	char is[TOPIC_VALUE_MAX], wanted[TOPIC_VALUE_MAX];
	const char *why; /* "" when there is nothing to say */
};

/* The value a topic is made with; "" when the brokers' own will do. */
const char *topic_standard(enum topic topic, enum topic_setting setting, int replicas);
/* Does the place of a record depend on the number of partitions, and its order on its place? */
bool topic_is_keyed(enum topic topic);

/* Everything that differs, by topic. More than what is wanted is well: longer kept, more replicas, more partitions. */
size_t topics_compare(const struct topic_facts facts[TOPIC_END], const struct topic_wishes *wishes,
		      struct topic_change changes_r[TOPIC_CHANGES_MAX]);

#endif
