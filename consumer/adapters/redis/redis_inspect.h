/* SPDX-License-Identifier: Apache-2.0
 * The operator's read side of the Redis store (consumer/ports/inspect.h). */
#ifndef SANDBOX_REDIS_INSPECT_H
#define SANDBOX_REDIS_INSPECT_H

#include "consumer/adapters/redis/redis_settings.h"
#include "consumer/ports/inspect.h"
#include "handlers/base/err.h"

/* Connects; any Redis server will do, health() says whether it is fit. owner is not needed. NULL with *e when it
 * cannot be reached in time or refuses us. */
struct inspect_port *redis_inspect_new(const struct redis_settings *settings, struct err *e);

#endif
