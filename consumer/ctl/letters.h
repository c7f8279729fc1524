/* SPDX-License-Identifier: Apache-2.0
 * Reading the dead-letter topics. A letter's id is where it lies: "partition:offset" in the consumers' topic,
 * "notifier:partition:offset" in the notifier's. */
#ifndef SANDBOX_CTL_LETTERS_H
#define SANDBOX_CTL_LETTERS_H

#include "consumer/ctl/ctl.h"

enum { LETTER_ID_TEXT = 48 };

struct letter {
	struct bus_position at; /* TOPIC_DEAD_LETTER or TOPIC_NOTIFIER_DEAD_LETTER */
	struct message *message; /* the reader's to free */
};

/* "3:1042", "notifier:3:1042"; false when it is no such id. */
bool letter_id_read(const char *text, struct bus_position *at_r);
const char *letter_id(const struct letter *letter, char id_r[LETTER_ID_TEXT]);

/* Called for each letter, which is taken over; false ends the reading. */
typedef bool letter_fn(void *arg, struct letter *letter);

/* All of both topics; the notifier's may not be there. What cannot be decoded is said and passed over. */
bool letters_read(struct ctl *c, letter_fn *fn, void *arg, struct err *e);
/* From one place on. */
bool letters_read_from(struct ctl *c, const struct bus_position *at, letter_fn *fn, void *arg, struct err *e);

/* Is there a letter since then about a request with that clone id? Then why_r is its reason. */
bool letters_about(struct ctl *c, const char *clone_id, int64_t since_ms, char *why_r, size_t size, struct err *e);

/* The topic of that name that our programs read; TOPIC_UNSET none. */
enum topic letter_origin(const struct dead_letter *d);
/* What a record of that topic is decoded as; MESSAGE_UNSET none. */
enum message_kind letter_kind(enum topic origin);
/* Does it take requests, replays or controls, which may be sent again? */
bool letter_may_return(enum topic origin);

#endif
