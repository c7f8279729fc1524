/* SPDX-License-Identifier: Apache-2.0
 * The table `sequence`: the next free key of each table. A busy source is copied while it hands out keys, so the copy
 * can lag behind its own rows (domain 6.1). */
#ifndef SANDBOX_SEQUENCE_H
#define SANDBOX_SEQUENCE_H

#include "handlers/step.h"

/* Moves every lagging row of the generation's `sequence` past its table's keys; *moved_r says how many there were.
 * Sets c->acted when it moved one. */
bool sequence_catch_up(struct step_ctx *c, int64_t *moved_r);

#endif
