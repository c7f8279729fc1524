/* SPDX-License-Identifier: Apache-2.0
 * The loop around the engine (design section 3): gathers what is ready, feeds it, carries out all wanted effects as one
 * batch, sleeps until the next thing. One thread; handlers run on a pool of workers. */
#ifndef SANDBOX_RUNTIME_LOOP_H
#define SANDBOX_RUNTIME_LOOP_H

#include "consumer/core/engine.h"
#include "consumer/core/events.h"
#include "consumer/core/log.h"
#include "consumer/core/metrics.h"
#include "consumer/core/request.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/store.h"
#include "consumer/ports/world.h"
#include "consumer/runtime/rebuilder.h"
#include "consumer/runtime/sweeper.h"

#include <signal.h>

struct loop_parts { /* all borrowed; they must outlive the loop */
	struct engine_policy policy;
	uint64_t seed;
	int workers;
	struct bus_port *bus;
	struct store_port *store;
	struct codec_port *codec;
	struct world_port *world;
	struct request_rules rules;
	struct event_facts facts;
	bool (*domain_is_denied)(const char *domain); /* NULL: none is */
	struct rebuilder *rebuilder; /* may be NULL when the store never answers STORE_EMPTY */
	struct sweeper *sweeper; /* may be NULL: nobody looks for what may be swept */
	struct log *log;
	struct metrics *metrics;
	const volatile sig_atomic_t *stop; /* counts SIGTERMs: 1 drains, 2 ends at once */
	_Atomic int64_t *alive_ms;         /* set on each turn, for /healthz; may be NULL */
	_Atomic bool *ready;               /* for /readyz; may be NULL */
};

/* Runs until it has drained after a stop, or until the bus is beyond help (*e filled, false). */
bool loop_run(const struct loop_parts *parts, struct err *e);

/* Monotonic milliseconds, the clock of alive_ms. */
int64_t loop_now_ms(void);

#endif
