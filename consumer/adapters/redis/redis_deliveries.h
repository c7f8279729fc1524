/* SPDX-License-Identifier: Apache-2.0
 * The deliveries port on Redis (consumer/ports/deliveries.h). What Redis knows is changed by one script. */
#ifndef SANDBOX_REDIS_DELIVERIES_H
#define SANDBOX_REDIS_DELIVERIES_H

#include "consumer/adapters/redis/redis_settings.h"
#include "consumer/ports/deliveries.h"
#include "handlers/base/err.h"

/* Connects; keep_ms of the settings is how long ended deliveries are remembered, owner is not needed. NULL with *e when
 * it cannot be reached in time, refuses us, or may not hold what must not be lost. */
struct deliveries_port *redis_deliveries_new(const struct redis_settings *settings, struct err *e);
/* The same without connecting: that comes with the first call. */
struct deliveries_port *redis_deliveries_later(const struct redis_settings *settings, struct err *e);

#endif
