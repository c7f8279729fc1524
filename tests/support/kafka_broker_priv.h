/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the brokers: kafka_broker.c is the embedded one, kafka_real.c the real one. */
#ifndef SANDBOX_TEST_KAFKA_BROKER_PRIV_H
#define SANDBOX_TEST_KAFKA_BROKER_PRIV_H

#include "tests/support/kafka_broker.h"

/* A file of the broker's folder. */
void kafka_broker_file(const struct kafka_broker *b, const char *name, char *path_r, size_t size);
/* A temporary folder, and nothing else yet. */
bool kafka_broker_make_folder(struct kafka_broker *b);
/* The bootstrap address is the only line of that file in the folder. */
bool kafka_broker_read_address(struct kafka_broker *b, const char *name);

/* For kafka_broker_start and kafka_broker_say: the one that runs in that folder, with its topics empty; "down" and "up". */
bool kafka_real_take(struct kafka_broker *b, const char *folder, int partitions);
bool kafka_real_say(struct kafka_broker *b, const char *words);

#endif
