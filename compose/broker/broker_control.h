/* SPDX-License-Identifier: Apache-2.0
 * The broker's control words, by which a test makes it fail. */
#ifndef SANDBOX_BROKER_CONTROL_H
#define SANDBOX_BROKER_CONTROL_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdbool.h>
#include <stddef.h>

enum { CONTROL_LINE_MAX = 256 };

/* To be called between two acts on the cluster: in librdkafka 2.0.2 an order that comes while the one before is being
 * finished is seen only a second later. */
void control_settle(void);

/* A listening unix socket at that path, which an earlier socket may have left; -1 when it cannot be made. */
int control_listen(const char *path);

/* Reads what has come on a connection and answers every whole line with "ok" or "no: reason". False: it is over. */
struct control {
	rd_kafka_mock_cluster_t *cluster;
	int brokers;
	int fd; /* -1: nobody is connected */
	char line[CONTROL_LINE_MAX];
	size_t len;
};

bool control_serve(struct control *c);

#endif
