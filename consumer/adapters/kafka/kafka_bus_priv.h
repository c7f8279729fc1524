/* SPDX-License-Identifier: Apache-2.0
 * The bus is cut in three by meaning: kafka_bus.c is the port and its life, kafka_in.c the group member,
 * kafka_out.c the producer. */
#ifndef SANDBOX_KAFKA_BUS_PRIV_H
#define SANDBOX_KAFKA_BUS_PRIV_H

#include "consumer/adapters/kafka/kafka_bus.h"
#include "consumer/adapters/kafka/kafka_priv.h"

/* A partition that is ours, with what is to be committed for it. */
struct kafka_part {
	enum topic topic;
	int partition;
	int64_t next_offset; /* to be committed; -1 none yet */
	bool dirty;          /* not yet sent */
};

/* Partitions an event of the group names, told one by one. */
struct kafka_telling {
	enum bus_event_kind kind;
	rd_kafka_topic_partition_list_t *list; /* NULL: nothing to tell */
	int next;
};

struct kafka_in {
	rd_kafka_t *client; /* NULL: produce only */
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *lent; /* the record that the last next() lent out */
	struct kafka_part *parts;
	size_t part_count;
	struct kafka_telling telling;
	bool (*start_at)(void *arg, enum topic topic, int partition, int64_t *offset_r); /* NULL: as committed */
	void *start_arg;
	rd_kafka_topic_partition_list_t *waiting; /* assigned, but nobody knows where to begin; NULL none */
	bool paused;
	bool revoking; /* the group waits for release_revoked() */
	int revoke_wait_ms;
	int64_t revoke_until_ms;
	int commits_in_flight;
	int64_t commit_until_ms; /* when the newest of them has an answer, or will have none */
};

struct kafka_out {
	rd_kafka_t *client;
	rd_kafka_queue_t *queue;
	rd_kafka_topic_t *topics[TOPIC_END]; /* NULL: not one we publish to */
	rd_kafka_event_t *reports;           /* deliveries being told */
};

struct kafka_bus {
	struct bus_port port;
	struct kafka_in in;
	struct kafka_out out;
	bool reads[TOPIC_END];
	bool started, create_topics;
	int wake_fd;          /* librdkafka writes to it when a queue is no longer empty */
	int timer_fd;         /* once a second: sign of life, deadlines, retried commits */
	int poll_fd;          /* both of them */
	int64_t next_ring_ms; /* of the timer */
	void (*note)(void *arg, int severity, const char *text);
	void *note_arg;
};

enum { KAFKA_TICK_MS = 1000 };

void kafka_bus_note(const struct kafka_bus *bus, int severity, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What both queues bring: logs and errors. True when it became an event (BUS_FATAL). */
bool kafka_bus_take_trouble(struct kafka_bus *bus, rd_kafka_t *client, rd_kafka_event_t *event, struct bus_event *event_r);

bool kafka_in_open(struct kafka_bus *bus, const struct kafka_settings *s, struct err *e);
bool kafka_in_subscribe(struct kafka_bus *bus, struct err *e);
/* Each: the next thing to say, from the state of the group / from the queue. False: nothing. */
bool kafka_in_tell(struct kafka_bus *bus, struct bus_event *event_r);
bool kafka_in_poll(struct kafka_bus *bus, struct bus_event *event_r);
/* Ends the loan of the last record. */
void kafka_in_take_back(struct kafka_bus *bus);
/* Commits that failed before are sent again, and where to begin is asked again. */
void kafka_in_tick(struct kafka_bus *bus);
bool kafka_in_commit(struct kafka_bus *bus, const struct bus_position *next, struct err *e);
void kafka_in_pause(struct kafka_bus *bus, bool paused);
void kafka_in_release(struct kafka_bus *bus);
void kafka_in_lags(struct kafka_bus *bus, void (*fn)(void *arg, const struct bus_position *at, int64_t records),
		   void *arg);
/* Commits what is left and leaves the group. */
void kafka_in_leave(struct kafka_bus *bus, int64_t deadline_ms);
void kafka_in_free(struct kafka_bus *bus);

bool kafka_out_open(struct kafka_bus *bus, const struct kafka_settings *s, struct err *e);
bool kafka_out_publish(struct kafka_bus *bus, const struct bus_message *message, uint64_t tag, struct err *e);
bool kafka_out_poll(struct kafka_bus *bus, struct bus_event *event_r);
void kafka_out_flush(struct kafka_bus *bus, int64_t deadline_ms);
void kafka_out_free(struct kafka_bus *bus);

#endif
