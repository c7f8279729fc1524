/* SPDX-License-Identifier: Apache-2.0
 * Fast memory: leases, markers, outbox. All operations are sent without waiting; answers come back by tag, in any
 * order. Everything sent between two flushes travels as one pipeline. Loop's thread only.
 *
 * Per target there is a lease (who works on it), a small hash of the target (which clone is active, the generation
 * last made, the last token), one hash per clone (status, run, markers; the field names are core/marker's business)
 * and one outbox per clone. A change of a clone is one atomic step that first checks the lease: marker and event
 * never part. */
#ifndef SANDBOX_PORTS_STORE_H
#define SANDBOX_PORTS_STORE_H

#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_pair {
	const char *name;
	const void *value;
	size_t len;
};

struct store_entry { /* of an outbox: an encoded message, opaque to the store */
	uint64_t sequence;
	const void *data;
	size_t len;
};

enum store_op_kind {
	STORE_OP_UNSET,
	STORE_ACQUIRE, /* take the lease on target and a read lease on source; load the clone */
	STORE_RENEW,   /* prove that the lease is still ours and prolong it */
	STORE_RELEASE, /* give both leases back; only if still ours */
	STORE_RECORD,  /* change clone and target hash and append to the outbox; only under our lease */
	STORE_INTRODUCE, /* without a lease: make a clone known with these fields, unless the store knows it with another
	                  * status or somebody is about to begin it (then FENCED). For rejections, which a consumer that slept
	                  * over them must find when it wakes, and for what a rebuild remembers from the topics */
	STORE_DELIVERED, /* entries delivered_from..delivered_to have reached the topics: drop them */
	STORE_NOTE,    /* progress for people, lost without harm: clone fields in a separate hash */
	STORE_OP_END
};

struct store_op {
	enum store_op_kind kind;
	uint64_t tag;
	const char *target_ctx, *source_ctx, *clone_id;
	uint64_t token;       /* RENEW RELEASE RECORD */
	uint64_t least_token; /* ACQUIRE: the new token is greater than this too (the target's stamp) */
	int64_t ttl_ms;       /* ACQUIRE RENEW */
	int64_t utc_us;       /* ACQUIRE: microseconds now, floor of the new token */
	/* RECORD: applies only if the clone's stored sequence is sequence_before; a stored sequence of sequence_after
	 * means it was applied already and is OK. */
	uint64_t sequence_before, sequence_after;
	const struct store_pair *clone_set, *target_set; /* RECORD, NOTE (clone_set only) */
	size_t clone_set_count, target_set_count;
	const char *const *clone_clear; /* RECORD: fields to remove */
	size_t clone_clear_count;
	const struct store_entry *entries; /* RECORD */
	size_t entry_count;
	/* RECORD, DELIVERED: entries that have reached the topics and are never loaded again; the first is the one behind
	 * the last that an earlier operation named. to 0: none. */
	uint64_t delivered_from, delivered_to;
};

enum store_status {
	STORE_OK,
	STORE_HELD,        /* ACQUIRE: somebody else has it; try again after retry_ms */
	STORE_FENCED,      /* RENEW RELEASE RECORD: the lease is not ours any more */
	STORE_BEHIND,      /* RECORD: the stored sequence is another: the store went back in time */
	STORE_UNAVAILABLE, /* no answer, loading, read-only, out of memory: may or may not have happened */
	STORE_EMPTY,       /* ACQUIRE INTRODUCE: it has lost what it knew; nobody gets a lease until it is rebuilt */
};

/* A clone on a target that no tenant can be named like: who has rebuilt the store records it as the last thing. A store
 * without it has lost what it knew, or is new. It never expires. */
#define STORE_MARK_TARGET "_store"
#define STORE_MARK_CLONE "rebuilt"

struct store_answer {
	uint64_t tag;
	enum store_op_kind kind;
	enum store_status status;
	int64_t retry_ms;
	char held_by[CLONE_ID_MAX + 1]; /* ACQUIRE with HELD: the clone whose lease it is; "" when readers are in the way */
	/* ACQUIRE with OK or HELD (then without token and entries); borrowed until the next call of next(). found is false
	 * when the clone is unknown. */
	uint64_t token;
	bool found;
	const struct store_pair *clone, *target;
	size_t clone_count, target_count;
	const struct store_entry *entries; /* undelivered, by rising sequence */
	size_t entry_count;
	char text[160];
};

struct store_port {
	/* Readable (or writable, as the adapter asked) when next() may have something. */
	int (*fd)(struct store_port *self);
	bool (*wants_write)(struct store_port *self);
	/* Queues; copies what it needs. TRANSIENT when too much is under way. */
	bool (*submit)(struct store_port *self, const struct store_op *op, struct err *e);
	/* Sends what is queued. Connects again by itself; while there is no connection every operation is answered
	 * UNAVAILABLE within its time-out. */
	void (*flush)(struct store_port *self);
	/* The next answer, false when there is none now. */
	bool (*next)(struct store_port *self, struct store_answer *answer_r);
	/* Milliseconds until the adapter wants flush() called again (time-outs, reconnects); -1 none. */
	int64_t (*timeout_ms)(struct store_port *self);
	void (*close)(struct store_port *self);
};

#endif
