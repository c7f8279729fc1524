/* SPDX-License-Identifier: Apache-2.0
 * A broker of a test's own in a temporary folder, embedded or real, and waiting for what a bus has to say. */
#ifndef SANDBOX_TEST_KAFKA_BROKER_H
#define SANDBOX_TEST_KAFKA_BROKER_H

#include "consumer/ports/bus.h"

#include <stdbool.h>
#include <sys/types.h>

struct kafka_broker {
	pid_t pid;
	int control; /* connection to its control socket */
	bool is_real;
	int victim; /* of a cluster: the one that went down last */
	char folder[64];
	char bootstrap[256];
};

/* Starts $BUILD_DIR/compose/broker/sandbox-broker with that many partitions a topic. False: said on stderr why not.
 * With SANDBOX_TEST_BROKER=DIR the real one, or cluster, that kafka_real.sh runs in DIR is taken instead, with its topics
 * made anew: tests/support/on_kafka.sh. */
bool kafka_broker_start(struct kafka_broker *b, int partitions);
/* Sends control words ("down", "up", "errors 8 22 1") and waits until they are done. A real one only goes down, by SIGKILL,
 * and up; of a cluster another one each time, so that the rest goes on. */
bool kafka_broker_say(struct kafka_broker *b, const char *words);
/* Ends it by its process id and removes the folder. */
void kafka_broker_stop(struct kafka_broker *b);

enum kafka_real_result {
	KAFKA_REAL_STARTED,
	KAFKA_REAL_ABSENT, /* Java or the jars cannot be had on this machine: skip, it was said why */
	KAFKA_REAL_FAILED,
};

/* A real Apache Kafka by kafka_real.sh, which says what it does as "start", "cluster" or "secure"; bootstrap and folder are
 * filled. Needs SOURCE_DIR and BUILD_DIR. */
enum kafka_real_result kafka_real_start(struct kafka_broker *b, const char *as);
void kafka_real_stop(struct kafka_broker *b);
/* Kills it with SIGKILL, of a cluster the nth from 1 (0: there is only one); starts that one again with its data and its
 * address. */
bool kafka_real_kill(const struct kafka_broker *b, int n);
bool kafka_real_again(const struct kafka_broker *b);
/* host:port of a listener of a secure one ("SCRAM"); false: there is none of that name. */
bool kafka_real_listener(const struct kafka_broker *b, const char *name, char *address_r, size_t size);
/* main of a test program on a real one: starts it, runs, stops it. Where it cannot be had the program is skipped. */
int kafka_real_main(struct kafka_broker *b, const char *as, int (*run)(void));
#define KAFKA_REAL_MAIN(broker, as, run)                                                                               \
	(setenv("BUILD_DIR", BUILD_DIR, 0), setenv("SOURCE_DIR", SOURCE_DIR, 0), kafka_real_main(broker, as, run))

/* Waits for the next event of the bus, the way the loop does: on its descriptor. False: none came in time. */
bool bus_wait(struct bus_port *bus, int within_ms, struct bus_event *event_r);
/* The same for an event of that kind; all others are passed over. */
bool bus_wait_for(struct bus_port *bus, enum bus_event_kind kind, int within_ms, struct bus_event *event_r);

#endif
