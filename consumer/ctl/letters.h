/* SPDX-License-Identifier: Apache-2.0
 * Reading the dead-letter topic. A letter's id is where it lies there: "partition:offset". */
#ifndef SANDBOX_CTL_LETTERS_H
#define SANDBOX_CTL_LETTERS_H

#include "consumer/ctl/ctl.h"

struct letter {
	int partition;
	int64_t offset;
	struct message *message; /* the reader's to free */
};

/* "3:1042"; false when it is no such id. */
bool letter_id_read(const char *text, int *partition_r, int64_t *offset_r);

/* Called for each letter, which is taken over; false ends the reading. */
typedef bool letter_fn(void *arg, struct letter *letter);

/* All of them (partition -1), or from one place on. What cannot be decoded is said and passed over. */
bool letters_read(struct ctl *c, int partition, int64_t offset, int64_t last, letter_fn *fn, void *arg, struct err *e);

/* Is there a letter since then about a request with that clone id? Then why_r is its reason. */
bool letters_about(struct ctl *c, const char *clone_id, int64_t since_ms, char *why_r, size_t size, struct err *e);

/* The topic of that name that takes requests, replays or controls; TOPIC_UNSET none. */
enum topic letter_origin(const struct dead_letter *d);
/* What a record of that topic is decoded as; MESSAGE_UNSET none. */
enum message_kind letter_kind(enum topic origin);

#endif
