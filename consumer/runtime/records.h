/* SPDX-License-Identifier: Apache-2.0
 * The bytes of input records whose work is not at rest: a record that is refused late must still reach the dead-letter
 * topic with its bytes. */
#ifndef SANDBOX_RUNTIME_RECORDS_H
#define SANDBOX_RUNTIME_RECORDS_H

#include "consumer/ports/bus.h"

enum { RECORD_KEEP_MAX_BYTES = 256 * 1024 }; /* of a larger value only so much is kept */

struct kept_record {
	struct bus_position at;
	int64_t value_size; /* of the whole value; more than what is kept when it was cut */
	char *data;         /* an envelope: key, value, headers */
	size_t len;
};

struct records;

struct records *records_new(void);
void records_free(struct records **r);

/* Copies; one of the same position is kept once. False: memory is short. */
bool records_keep(struct records *r, const struct bus_record *record);
/* NULL when it is not kept. */
const struct kept_record *records_find(const struct records *r, const struct bus_position *at);
/* The record again, borrowed from what is kept. */
bool records_read(const struct kept_record *kept, struct bus_record *record_r);
/* The offset was committed: what lies below it is not needed any more. */
void records_forget_below(struct records *r, const struct bus_position *at);
/* The partition is somebody else's. */
void records_forget_partition(struct records *r, const struct bus_position *at);

#endif
