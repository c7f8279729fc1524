/* SPDX-License-Identifier: Apache-2.0
 * When the store turns out to have lost everything while the loop runs: rebuilds it on a thread of its own, because
 * reading the topics takes its time. Until it is done nobody gets a lease (STORE_EMPTY). */
#ifndef SANDBOX_RUNTIME_REBUILDER_H
#define SANDBOX_RUNTIME_REBUILDER_H

#include "consumer/core/log.h"
#include "handlers/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>

struct rebuilder;

/* Rebuilds by rebuild_store() with a store, a codec and a reader of its own: called on another thread than the loop's.
 * *stop becomes true when it shall end early. */
typedef bool rebuild_fn(void *arg, const atomic_bool *stop, struct err *e);

/* All borrowed; they must outlive it. NULL and *e when the thread cannot be started. */
struct rebuilder *rebuilder_new(rebuild_fn *fn, void *arg, struct log *log, struct err *e);
/* Stops what is under way. NULL-safe; *r becomes NULL. */
void rebuilder_free(struct rebuilder **r);

/* The store is empty. Cheap, for any thread; does nothing while a rebuild is under way, or shortly after one failed. */
void rebuilder_wake(struct rebuilder *r);

#endif
