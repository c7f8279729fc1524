/* SPDX-License-Identifier: Apache-2.0
 * Reads topics without a group, blocking: for an operator's eyes and for building state up again. */
#ifndef SANDBOX_KAFKA_READER_H
#define SANDBOX_KAFKA_READER_H

#include "consumer/adapters/kafka/kafka_settings.h"
#include "consumer/ports/bus.h"

#include <stdint.h>

struct kafka_reader;

enum kafka_from {
	KAFKA_FROM_BEGINNING,
	KAFKA_FROM_LAST,   /* `number` records before the end, of each partition */
	KAFKA_FROM_OFFSET, /* at offset `number` of each partition */
	KAFKA_FROM_END,    /* only what comes from now on */
};

struct kafka_read {
	bool topics[TOPIC_END];
	int partition; /* -1: all */
	enum kafka_from from;
	int64_t number;
	bool follow;       /* goes on after the end that was seen at the start */
	int64_t within_ms; /* for the whole call; 0 with follow: without end */
};

/* Called for each record, in order within a partition; the record is borrowed. In follow mode it is called with NULL
 * five times a second while nothing comes. False ends the reading, which counts as success. */
typedef bool kafka_record_fn(void *arg, const struct bus_record *record);

/* Uses bootstrap_servers, client_id, properties and create_topics of the settings. Never blocks. */
struct kafka_reader *kafka_reader_new(const struct kafka_settings *s, struct err *e);
/* Ends within three seconds; *r becomes NULL; NULL-safe. */
void kafka_reader_free(struct kafka_reader **r);

/* Reads up to the end offsets seen at the start; with follow until told to stop or until the time is over. TRANSIENT:
 * no answer, or the end was not reached in time. REFUSED: a topic does not exist or may not be read. */
bool kafka_read(struct kafka_reader *r, const struct kafka_read *what, kafka_record_fn *fn, void *arg, struct err *e);

#endif
