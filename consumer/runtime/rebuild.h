/* SPDX-License-Identifier: Apache-2.0
 * When the store has lost everything: what the topics tell is folded into it again before anybody gets a lease, so that
 * clones go on where they were, nothing that ended begins again and no older clone takes a newer one's target (design
 * section 4). */
#ifndef SANDBOX_RUNTIME_REBUILD_H
#define SANDBOX_RUNTIME_REBUILD_H

#include "consumer/core/log.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/store.h"

#include <stdatomic.h>

typedef bool rebuild_record_fn(void *arg, const struct bus_record *record);

struct rebuild_parts { /* all borrowed */
	struct store_port *store;
	struct codec_port *codec;
	struct log *log;
	/* Reads sandbox.clone.requested, .step.completed, .backup-restored and .state from their beginning to their end. */
	bool (*read_topics)(void *arg, rebuild_record_fn *fn, void *fn_arg, struct err *e);
	void *read_arg;
	int64_t within_ms;
	const atomic_bool *stop; /* looked at now and then; may be NULL */
};

/* Does nothing when the store bears the mark of a rebuild (STORE_MARK_CLONE). One process does it, others wait for it.
 * Blocking. False and *e when the store or the topics cannot be reached in time, or when it was stopped. */
bool rebuild_store(const struct rebuild_parts *parts, struct err *e);

#endif
