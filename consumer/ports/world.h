/* SPDX-License-Identifier: Apache-2.0
 * Where steps act: opens the outside systems for one call of one handler. Called from worker threads. */
#ifndef SANDBOX_PORTS_WORLD_H
#define SANDBOX_PORTS_WORLD_H

#include "handlers/step.h"

struct world_session;

struct world_port {
	const struct step_settings *settings;
	/* The ports for one call, for that job only. They stop early, with ERR_CODE_ABORTED, when *stop becomes true. */
	bool (*open)(struct world_port *self, const struct step_job *job, const struct fence *fence, const atomic_bool *stop,
	             struct step_ports *ports_r, struct world_session **session_r, struct err *e);
	/* From another thread, while the call runs: ends what blocks. */
	void (*abort)(struct world_port *self, struct world_session *session);
	void (*close)(struct world_port *self, struct world_session *session);
	/* Runs the handler of that step; STEP_END is what runs beside the plan, named by the fence. */
	enum step_outcome (*run)(struct world_port *self, enum step_id step, struct step_ctx *c);
	/* sweep_survey over this world, on the caller's thread. NULL when it has none. */
	bool (*survey)(struct world_port *self, const atomic_bool *stop, sweep_fn *fn, void *arg, struct err *e);
};

#endif
