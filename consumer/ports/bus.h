/* SPDX-License-Identifier: Apache-2.0
 * Messages in and out. Never blocks; used from the loop's thread only. */
#ifndef SANDBOX_PORTS_BUS_H
#define SANDBOX_PORTS_BUS_H

#include "consumer/ports/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BUS_HEADERS_MAX = 16 };

struct bus_header {
	const char *name;
	const void *value;
	size_t len;
};

struct bus_position {
	enum topic topic;
	int partition;
	int64_t offset;
};

struct bus_record {
	struct bus_position at;
	const void *key, *value; /* NULL when the record has none */
	size_t key_len, value_len;
	struct bus_header headers[BUS_HEADERS_MAX]; /* the first ones; more are ignored */
	size_t header_count;
	int64_t timestamp_ms;
};

struct bus_message {
	enum topic topic;
	const void *key, *value;
	size_t key_len, value_len;
	struct bus_header headers[BUS_HEADERS_MAX];
	size_t header_count;
};

enum bus_event_kind {
	BUS_NOTHING,
	BUS_RECORD,    /* record, borrowed until the next call of next() */
	BUS_ASSIGNED,  /* at: topic, partition; reading goes on from the committed offset */
	BUS_REVOKED,   /* at: topic, partition; commits for it are still taken until release_revoked() */
	BUS_LOST,      /* at: topic, partition; it is somebody else's already */
	BUS_DELIVERED, /* tag; ok */
	BUS_FATAL,     /* text: the process must end and be started again */
};

struct bus_event {
	enum bus_event_kind kind;
	struct bus_record record;
	struct bus_position at;
	uint64_t tag;
	bool ok;
	char text[256];
};

struct bus_port {
	/* Readable when next() may have something. */
	int (*fd)(struct bus_port *self);
	/* The next event; BUS_NOTHING when there is none now. */
	void (*next)(struct bus_port *self, struct bus_event *event_r);
	/* Copies and queues a message; BUS_DELIVERED with the tag follows when all in-sync replicas have it or when it was
	 * given up. TRANSIENT when the queue is full. Order is kept per key. */
	bool (*publish)(struct bus_port *self, const struct bus_message *message, uint64_t tag, struct err *e);
	/* Says that everything below `next.offset` of that partition is dealt with. Asynchronous; the last one wins. */
	bool (*commit)(struct bus_port *self, const struct bus_position *next, struct err *e);
	/* Stops or resumes fetching of the partitions held now and later; polling goes on. */
	void (*pause)(struct bus_port *self, bool paused);
	/* Tells for each partition held how many records lie behind the last commit, where that is known. Never asks the
	 * broker. */
	void (*lags)(struct bus_port *self, void (*fn)(void *arg, const struct bus_position *at, int64_t records), void *arg);
	/* The clones of revoked partitions are released: let the rebalance go on. */
	void (*release_revoked)(struct bus_port *self);
	/* Flushes for at most that long, leaves the group and frees. */
	void (*close)(struct bus_port *self, int64_t within_ms);
};

#endif
