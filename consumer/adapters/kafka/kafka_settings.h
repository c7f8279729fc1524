/* SPDX-License-Identifier: Apache-2.0
 * How Kafka is reached: the same for the bus, the reader and the questions an operator asks. */
#ifndef SANDBOX_KAFKA_SETTINGS_H
#define SANDBOX_KAFKA_SETTINGS_H

#include "consumer/ports/messages.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KAFKA_CLIENT_ID_MAX = 32 }; /* longer ones made librdkafka 2.0.2 crash (its #4689) */

struct kafka_property {
	const char *name, *value;
};

/* Strings are borrowed by the constructors only; `note` must stay valid for the life of what was made. */
struct kafka_settings {
	const char *bootstrap_servers; /* host:port,host:port */
	const char *group_id;          /* needed when a topic is read through the bus */
	const char *client_id;         /* at most KAFKA_CLIENT_ID_MAX characters */
	/* Any property of librdkafka; wins over our defaults, but not over a promise: docs/kafka.md. */
	const struct kafka_property *properties;
	size_t property_count;
	bool reads[TOPIC_END];  /* all false: produce only, no group is joined */
	bool writes[TOPIC_END]; /* publish() takes only these */
	bool create_topics;     /* let the broker make a missing topic with its defaults; for trials only */
	/* Where the reading of a partition that becomes ours begins, for those who keep that beside what they made of the
	 * records: *offset_r, -1 its beginning. False: not known now, asked again within a second, and nothing is read
	 * meanwhile. NULL: it begins at the committed offset. From the thread that polls. */
	bool (*start_at)(void *arg, enum topic topic, int partition, int64_t *offset_r);
	void *start_arg;
	bool fetches_ahead;     /* many small records, read at full speed: more memory for what waits here */
	int revoke_wait_ms;     /* how long a rebalance waits for release_revoked(); 0 means 5000 */
	/* Told what librdkafka wants an operator to know, from the thread that polls; severity as in syslog.
	 * May hold host names, never secrets. NULL: nobody is told. */
	void (*note)(void *arg, int severity, const char *text);
	void *note_arg;
};

#endif
