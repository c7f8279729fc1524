/* SPDX-License-Identifier: Apache-2.0
 * The encoded events this process has recorded or loaded and that have not reached their topics yet. The store has them
 * too; this is what they are sent from. */
#ifndef SANDBOX_RUNTIME_OUTBOX_H
#define SANDBOX_RUNTIME_OUTBOX_H

#include "consumer/core/engine.h"

struct outbox;

struct outbox_entry {
	uint64_t sequence;
	char *data; /* an envelope */
	size_t len;
};

struct outbox *outbox_new(void);
void outbox_free(struct outbox **o);

/* Copies the envelope. One of that sequence is replaced. False: memory is short. */
bool outbox_put(struct outbox *o, const char *clone_id, uint64_t sequence, const void *data, size_t len);
/* NULL when there is none. */
const struct outbox_entry *outbox_get(const struct outbox *o, const char *clone_id, uint64_t sequence);
/* All of a clone, by rising sequence; borrowed until the next change. */
const struct outbox_entry *outbox_all(const struct outbox *o, const char *clone_id, size_t *count_r);
/* How many clones have any. */
size_t outbox_clones(const struct outbox *o);
/* Drops those up to and including sequence; UINT64_MAX drops the clone. */
void outbox_forget(struct outbox *o, const char *clone_id, uint64_t sequence);

#endif
