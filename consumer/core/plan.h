/* SPDX-License-Identifier: Apache-2.0
 * What may run when: the `after` column of steps.def as a graph, and its pictures. */
#ifndef SANDBOX_CORE_PLAN_H
#define SANDBOX_CORE_PLAN_H

#include "handlers/base/buf.h"
#include "handlers/step.h"

enum { PLAN_VERSION = 1 }; /* goes up when a step is added, removed or moved; a run keeps the one it began with */

enum plan_order { PLAN_PARALLEL, PLAN_STRICT };

#define ALL_STEPS ((STEP_BIT(STEP_END)) - 1)

/* Steps that may start: everything they come after is in done. Strict: the first one not done, alone. */
step_set plan_ready(enum plan_order order, step_set done);
/* The step and all that depends on it, near or far (strict: all that come later). */
step_set plan_descendants(enum plan_order order, enum step_id step);
/* The step and all that it depends on, near or far (strict: all that come before). */
step_set plan_ancestors(enum plan_order order, enum step_id step);

/* 31 or 33, as the wizard's users know it: the document steps count only when documents are cloned. */
int plan_total_steps(enum documents_choice documents);
/* How many of the counted steps are in done. */
int plan_counted(enum documents_choice documents, step_set done);

enum plan_format { PLAN_TEXT, PLAN_JSON, PLAN_MERMAID };
bool plan_print(enum plan_order order, enum plan_format format, struct buf *out);

#endif
