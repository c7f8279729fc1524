/* SPDX-License-Identifier: Apache-2.0
 * Breaking a step at one of its effects, as if the process died right after it. */
#ifndef SANDBOX_TESTS_WORLD_BREAK_H
#define SANDBOX_TESTS_WORLD_BREAK_H

#include "tests/support/world.h"

/* From now on the nth effect on any port (counted from 1; 0: none) happens and its answer is lost; every later one does
 * not happen, as in a process that is dead. One world at a time. */
void world_break_at(struct world *w, int nth);
/* How many effects were asked for since. */
int world_effects(void);

#endif
