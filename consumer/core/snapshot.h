/* SPDX-License-Identifier: Apache-2.0
 * What is remembered of one clone: its status, its run, its step markers. The engine thinks in this struct; the
 * store keeps it as fields of a hash; after a total loss of the store it is folded again from the events. */
#ifndef SANDBOX_CORE_SNAPSHOT_H
#define SANDBOX_CORE_SNAPSHOT_H

#include "consumer/core/plan.h"
#include "consumer/ports/messages.h"
#include "consumer/ports/store.h"

struct input_mark { /* the last record of a topic that was applied to the clone */
	int partition;
	int64_t offset; /* -1 none */
};

struct clone_snapshot {
	enum clone_status status;
	int run;
	int plan_version;
	uint64_t sequence; /* of the last event recorded */
	uint64_t token;    /* of the lease under which that was */
	uint64_t state_sequence; /* folding only: of the last state event taken in */
	int restored_run;        /* folding only: the last run whose BackupRestored was told */
	uint64_t fingerprint;
	char source_ctx[CTX_MAX + 1];
	char generation[DATABASE_MAX + 1]; /* "" until the run was first recorded */
	unsigned char outcome[STEP_END];   /* enum step_outcome of steps done, 0 otherwise */
	step_set scope;                    /* the steps this run does: all but what lies behind `until` */
	int64_t requested_at_ms, started_at_ms, ended_at_ms;
	int failed_step; /* enum step_id, -1 none */
	char error_class[16];
	char cause[200];
	bool cancel_begun; /* from then on it can only be cancelled: its database may be gone */
	enum tenant_state left_in; /* of a clone cancelled or rolled back: what its target was left in */
	struct input_mark control, replay;
};

void snapshot_init(struct clone_snapshot *s);
step_set snapshot_done(const struct clone_snapshot *s);

/* ---- as fields of a hash ---- */

enum { SNAPSHOT_PAIRS_MAX = 64, SNAPSHOT_TEXT_MAX = 2048 };

struct snapshot_fields {
	struct store_pair pairs[SNAPSHOT_PAIRS_MAX];
	size_t count;
	char text[SNAPSHOT_TEXT_MAX]; /* the values; the pairs point into it */
	size_t used;
};

/* Writes all scalar fields and the markers of the steps in `marks`. */
void snapshot_write(const struct clone_snapshot *s, step_set marks, struct snapshot_fields *fields_r);
/* The markers alone: enough when snapshot_fingerprint() says that no scalar field but the sequence has changed. */
void snapshot_write_marks(const struct clone_snapshot *s, step_set marks, struct snapshot_fields *fields_r);
uint64_t snapshot_fingerprint(const struct clone_snapshot *s);
/* Unknown fields are passed over, so that a newer version's hash can be read. False when what is there makes no
 * sense; the sentence says which field. */
bool snapshot_read(const struct store_pair *pairs, size_t count, struct clone_snapshot *s_r, struct err *e);
/* "m:<slug>": the marker's field name, at most SLUG_MAX + 2 characters. */
const char *snapshot_marker_field(enum step_id step);

/* ---- from the events ---- */

/* Folds one event into the snapshot of its clone: order-proof by sequence, idempotent. */
void snapshot_fold_step(struct clone_snapshot *s, const struct step_completed *event);
void snapshot_fold_state(struct clone_snapshot *s, const struct clone_state *event);
void snapshot_fold_restored(struct clone_snapshot *s, const struct backup_restored *event);
/* After the last event: a step of a clone under way that told one of its two events only is done again. */
void snapshot_fold_end(struct clone_snapshot *s);

#endif
