/* SPDX-License-Identifier: Apache-2.0
 * Copies of records that cannot be taken yet, in the order they came: their schema, or the store, is not to be had. */
#ifndef SANDBOX_TENANT_RAW_QUEUE_H
#define SANDBOX_TENANT_RAW_QUEUE_H

#include "consumer/ports/bus.h"

struct raw_record;

struct raw_queue {
	struct raw_record *first, *last;
	size_t count;
};

/* False: no memory. */
bool raw_queue_add(struct raw_queue *q, const struct bus_record *record);
/* The oldest, borrowed until it is dropped; NULL none. */
const struct bus_record *raw_queue_first(const struct raw_queue *q);
void raw_queue_drop(struct raw_queue *q);
void raw_queue_clear(struct raw_queue *q);

#endif
