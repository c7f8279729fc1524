/* SPDX-License-Identifier: Apache-2.0
 * What an operator may see of the store: the clones, one clone, who holds a target, how the server is. Only looks, and
 * may block for as long as the store's time-outs say. All that is handed out lives in the arena given. */
#ifndef SANDBOX_PORTS_INSPECT_H
#define SANDBOX_PORTS_INSPECT_H

#include "consumer/ports/store.h"
#include "handlers/base/arena.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSPECT_LIST_MAX = 1000 };

struct inspect_clone {
	const char *clone_id, *target_ctx;
	int64_t requested_at_ms;
	const struct store_pair *fields; /* as core/marker wrote them; none when they expired. Values end with a NUL */
	size_t field_count;
	const struct store_pair *note; /* progress for people */
	size_t note_count;
	size_t outbox_length; /* messages that have not reached the topics yet */
};

struct inspect_lease {
	bool is_held;
	const char *owner, *clone_id;
	uint64_t token;
	int64_t remaining_ms; /* -1: it never ends, so none of us took it */
};

struct inspect_health {
	const char *version, *role, *maxmemory_policy;
	bool aof_enabled;
	int64_t latency_us;  /* of one round trip, the best of three */
	const char *problem; /* why the server is not fit for us, "" when it is */
	const char *warning; /* what an operator should know, "" nothing */
};

struct inspect_port {
	/* The clones of the index, newest first, at most limit (and INSPECT_LIST_MAX). */
	bool (*list)(struct inspect_port *self, size_t limit, struct arena *mem, const struct inspect_clone **clones_r,
		     size_t *count_r, struct err *e);
	/* The one clone whose id is, or else begins with, that text. REFUSED when there is none or more than one. */
	bool (*clone)(struct inspect_port *self, const char *id_or_prefix, struct arena *mem,
		      struct inspect_clone *clone_r, struct err *e);
	/* The generation that the record of that clone on that target names; "" when there is no such record. */
	bool (*generation)(struct inspect_port *self, const char *target_ctx, const char *clone_id,
			   char generation_r[DATABASE_MAX + 1], struct err *e);
	bool (*lease)(struct inspect_port *self, const char *target_ctx, struct arena *mem,
		      struct inspect_lease *lease_r, struct err *e);
	bool (*health)(struct inspect_port *self, struct arena *mem, struct inspect_health *health_r, struct err *e);
	void (*close)(struct inspect_port *self);
};

#endif
