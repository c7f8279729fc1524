/* SPDX-License-Identifier: Apache-2.0
 * The events of one clone, out of the topics: all of them, in order, each once. */
#ifndef SANDBOX_CTL_HISTORY_H
#define SANDBOX_CTL_HISTORY_H

#include "consumer/ctl/ctl.h"

enum { HISTORY_MAX = 100000 };

struct history_event {
	struct message *message; /* MESSAGE_STEP_COMPLETED, MESSAGE_BACKUP_RESTORED or MESSAGE_STATE */
	struct bus_position at;
	bool is_repeat; /* one with the same event id came before */
};

struct history {
	const char *clone_id, *target_ctx; /* target "" not known: then every record is decoded */
	struct history_event *events;
	size_t count, size;
	size_t unreadable; /* records that no schema of ours reads */
	bool failed;       /* memory was short, or there were more than HISTORY_MAX */
};

/* What all three kinds have. */
const char *history_event_id(const struct message *m);
const char *history_clone_id(const struct message *m);
int64_t history_sequence(const struct message *m);
int64_t history_time_ms(const struct message *m);
enum message_kind history_kind(enum topic topic); /* MESSAGE_UNSET when it bears no events */

/* Takes one record in when it is of that clone and was not read before; the event kept, or NULL. */
const struct history_event *history_take(struct history *h, struct codec_port *codec, const struct bus_record *record);
/* By sequence, repeats behind the first. */
void history_sort(struct history *h);
/* The first sequence that is missing before the last event; 0 none. An older state that compaction removed looks like
 * one too. */
int64_t history_gap(const struct history *h);
void history_done(struct history *h);

/* Reads all there is of the clone, sorted. */
bool history_read(struct ctl *c, struct history *h, struct err *e);

#endif
