/* SPDX-License-Identifier: Apache-2.0
 * Looks now and then for what a sweep may drop, on a thread of its own because databases and registries block. What it
 * finds are wishes for the engine, which takes the lease and decides. */
#ifndef SANDBOX_RUNTIME_SWEEPER_H
#define SANDBOX_RUNTIME_SWEEPER_H

#include "consumer/core/engine.h"
#include "consumer/core/log.h"
#include "consumer/ports/world.h"

struct sweeper;

/* The first survey comes after one period, so that a restart sweeps nothing at once. All borrowed; they must outlive it.
 * NULL and *e when the thread cannot be started. */
struct sweeper *sweeper_new(struct world_port *world, int64_t every_ms, struct log *log, struct err *e);
/* Ends a survey that runs. NULL-safe; *s becomes NULL. */
void sweeper_free(struct sweeper **s);

/* The next target that has something to sweep; false when there is none now. */
bool sweeper_next(struct sweeper *s, struct sweep_wish *wish_r);

#endif
