/* SPDX-License-Identifier: Apache-2.0
 * What the files of this adapter share about librdkafka. */
#ifndef SANDBOX_KAFKA_PRIV_H
#define SANDBOX_KAFKA_PRIV_H

#include "consumer/adapters/kafka/kafka_settings.h"
#include "consumer/ports/bus.h"

#include <librdkafka/rdkafka.h>

enum kafka_role {
	KAFKA_ROLE_PRODUCER,
	KAFKA_ROLE_CONSUMER, /* member of the group */
	KAFKA_ROLE_READER,   /* reads without a group */
	KAFKA_ROLE_ASKER,    /* metadata and topic administration only */
	KAFKA_ROLE_END
};

/* A new client with our defaults, then the operator's properties, checked. Its opaque is its struct kafka_trouble. NULL
 * and *e when a property is unknown, wrong or breaks a promise. End it with kafka_clients_destroy. */
rd_kafka_t *kafka_client_new(const struct kafka_settings *s, enum kafka_role role, struct err *e);

/* Destroys both (either may be NULL) in a thread of its own and waits at most that long: rd_kafka_destroy() of 2.0.2 is
 * known to hang. False: it did not end, the threads and the memory are left behind. */
bool kafka_clients_destroy(rd_kafka_t *first, rd_kafka_t *second, int64_t within_ms);

/* TOPIC_UNSET when it is none of ours. */
enum topic kafka_topic_by_name(const char *name);

/* Makes a record of a message; everything is borrowed from the message. */
void kafka_record_fill(struct bus_record *record, const rd_kafka_message_t *message);

/* Fills *e with a class that fits what librdkafka says. Always false. */
bool kafka_err_set(struct err *e, rd_kafka_resp_err_t code, const char *where, const char *what);

/* ---- why no broker lets us in ---- */

struct kafka_trouble;

/* NULL when memory is short. Freed by free(). */
struct kafka_trouble *kafka_trouble_new(const struct kafka_settings *s);
/* The client of conf tells it what is wrong with certificates, and by_callback all other trouble, too. */
void kafka_trouble_watch(rd_kafka_conf_t *conf, struct kafka_trouble *t, bool by_callback);
/* What librdkafka reports. True: it is news, and kafka_trouble_sentence says what it means. */
bool kafka_trouble_hear(rd_kafka_t *client, rd_kafka_resp_err_t code, const char *text);
/* The same from what it logs. */
void kafka_trouble_read_log(const rd_kafka_t *client, const char *facility, const char *text);
/* What is wrong and what to look at, with *more_r behind it; NULL: nothing that we know of. */
const char *kafka_trouble_sentence(rd_kafka_t *client, const char **more_r);
/* Did every broker turn us away for a reason that waiting does not change? */
bool kafka_trouble_is_certain(rd_kafka_t *client);
/* Fills *e with the sentence, else with `what` and the last thing librdkafka reported, else with code. Always false. */
bool kafka_trouble_err(rd_kafka_t *client, rd_kafka_resp_err_t code, const char *what, struct err *e);

/* Milliseconds of a clock that never jumps. */
int64_t kafka_clock_ms(void);
/* What is left until then, from 0 to at most the given slice. */
int kafka_left_ms(int64_t deadline_ms, int slice_ms);

/* What metadata says about one topic by that name; NULL when it is not in there. */
const rd_kafka_metadata_topic_t *kafka_metadata_topic(const rd_kafka_metadata_t *metadata, const char *name);

#endif
