/* SPDX-License-Identifier: Apache-2.0
 * Which offset of a partition may be committed: never one that passes a record whose work is not at rest, though
 * later records may be finished before it (design section 4). */
#ifndef SANDBOX_CORE_OFFSETS_H
#define SANDBOX_CORE_OFFSETS_H

#include "consumer/ports/bus.h"

#include <stdbool.h>
#include <stdint.h>

struct offsets;

struct offsets *offsets_new(void);
void offsets_free(struct offsets **o);

/* The partition is ours from now on. What was known of an earlier ownership is forgotten. False: memory is short. */
bool offsets_assign(struct offsets *o, enum topic topic, int partition);
void offsets_drop(struct offsets *o, enum topic topic, int partition);

/* The partition goes when its work is at rest: it is told of as before, until offsets_drop_revoked() drops all such. One
 * that is assigned anew before that is ours again. */
void offsets_revoke(struct offsets *o, enum topic topic, int partition);
void offsets_drop_revoked(struct offsets *o);

/* A record was taken in / its work is at rest. A position of a partition that is not ours is passed over. A record
 * that is under way already (read again after a rebalance) is counted once. */
bool offsets_begin(struct offsets *o, const struct bus_position *at);
void offsets_end(struct offsets *o, const struct bus_position *at);

/* The next partition whose committable offset has moved since the last call for it; at_r->offset is the one to
 * commit: the first not dealt with. False when there is none. */
bool offsets_next_commit(struct offsets *o, struct bus_position *at_r);

#endif
