/* SPDX-License-Identifier: Apache-2.0
 * A pool of threads that run handlers, because databases and HTTP block. */
#ifndef SANDBOX_RUNTIME_WORKERS_H
#define SANDBOX_RUNTIME_WORKERS_H

#include "consumer/core/engine.h"
#include "consumer/ports/world.h"

struct workers;

struct work { /* one call of one handler */
	struct work *next; /* the pool's */
	struct work *peer, **peer_at; /* the loop's list of what is with the pool */
	clone_ref ref;
	enum step_id step;
	const struct step_job *job; /* borrowed: the engine keeps the request while a step of it runs */
	struct fence fence;         /* its texts live in `texts` */
	char texts[3][DATABASE_MAX + 1];
	int attempt;
	bool acted, raise_token;    /* raise_token: the first call under a new lease */
	atomic_bool stop;
	struct step_progress progress;
	int64_t seen_rows, seen_bytes; /* the loop's: what it saw of the progress last */
	bool noted;                    /* the loop's: people can see that it is under way */
	char waited_on[sizeof((struct step_result *)NULL)->waiting_on]; /* the loop's: what was noted of it before */
	_Atomic(struct world_session *) session; /* while the ports are open */
	bool token_raised;
	struct step_result result;
};

/* count threads; NULL and *e when they cannot be made. */
struct workers *workers_new(struct world_port *world, int count, struct err *e);
/* Waits for running handlers; give each a stop before. */
void workers_free(struct workers **w);

/* Readable when workers_take has something. */
int workers_fd(const struct workers *w);
/* work belongs to the pool until workers_take gives it back. It is run after the next workers_start. */
void workers_give(struct workers *w, struct work *work);
void workers_start(struct workers *w);
/* The next call that came back; NULL when there is none. */
struct work *workers_take(struct workers *w);
/* Makes a running call end early: it still comes back. */
void workers_abort(struct workers *w, struct work *work);

#endif
