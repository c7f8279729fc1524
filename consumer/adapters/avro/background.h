/* SPDX-License-Identifier: Apache-2.0
 * A registry that is asked by a thread of its own, so that whoever wants a schema never waits: he is told "later", puts
 * his record aside and asks again. */
#ifndef SANDBOX_AVRO_BACKGROUND_H
#define SANDBOX_AVRO_BACKGROUND_H

#include "consumer/adapters/avro/registry.h"

struct background;

/* From here on the thread alone calls settings->fetch. NULL and *e when it cannot be made. */
struct background *background_new(const struct registry_settings *settings, struct err *e);
/* Stops a running fetch and waits for it. NULL-safe. */
void background_free(struct background **b);

/* As schema_fetch, at once: TRANSIENT while the answer is not there, or when too many questions are open. An answer is
 * handed over once. One thread asks. */
bool background_fetch(struct background *b, const char *path, const char *post, struct buf *answer, int *status_r,
                      struct err *e);

#endif
