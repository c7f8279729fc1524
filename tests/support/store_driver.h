/* SPDX-License-Identifier: Apache-2.0
 * Waits for answers of a store, which itself never waits. */
#ifndef SANDBOX_TESTS_STORE_DRIVER_H
#define SANDBOX_TESTS_STORE_DRIVER_H

#include "consumer/ports/store.h"

/* The next answer within that time; false when none came. */
bool store_wait(struct store_port *store, int64_t within_ms, struct store_answer *answer_r);
/* Submits, flushes and waits up to ten seconds for the answer with that tag; answers to others are thrown away.
 * An operation that could not be submitted, or never answered, has the status of UNAVAILABLE and says so. */
struct store_answer store_ask(struct store_port *store, const struct store_op *op);

#endif
