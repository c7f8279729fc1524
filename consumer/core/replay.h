/* SPDX-License-Identifier: Apache-2.0
 * What a replay does again (design section 5): pure, for the engine, and for whoever tells an operator beforehand. */
#ifndef SANDBOX_CORE_REPLAY_H
#define SANDBOX_CORE_REPLAY_H

#include "consumer/core/plan.h"
#include "consumer/ports/messages.h"

/* Where it begins: the step it names, else the failed one (-1 none). STEP_END: nowhere, what is missing is done. */
enum step_id replay_begins(const struct clone_replay *r, int failed_step);

/* The steps whose outcome counts no more: those from where it begins, and those that have used an input which it changes.
 * `was` is the request before the change; NULL: not known, then all that it gives counts as changed. */
step_set replay_clears(enum plan_order order, const struct clone_replay *r, const struct step_job *was, int failed_step);

#endif
