/* SPDX-License-Identifier: Apache-2.0
 * The sweep (docs/decisions/0007-the-sweep.md): what a target no longer needs is dropped. */
#ifndef SANDBOX_SWEEP_H
#define SANDBOX_SWEEP_H

#include "handlers/step.h"

enum sweep_kind {
	SWEEP_KIND_UNSET,
	SWEEP_ORPHAN,   /* a generation that nobody's record names */
	SWEEP_PREVIOUS, /* kept for a rollback; whether its time is over is asked under the lease */
};

struct sweep_found {
	enum sweep_kind kind;
	const char *target_ctx, *source_ctx;
	const char *clone_id; /* that built on the target last: in its name the target is swept */
	const char *database;
};

typedef bool sweep_fn(void *arg, const struct sweep_found *found, struct err *e); /* false ends the survey */

/* Looks over all databases of the server and tells of those that a sweep may drop. Changes nothing and needs no lease.
 * c has ports, settings, memory, stop and err; no job and no fence. */
bool sweep_survey(struct step_ctx *c, sweep_fn *fn, void *arg);

#endif
