/* SPDX-License-Identifier: Apache-2.0
 * The notices port on the deliveries that sandbox-notifier keeps in Redis. */
#ifndef SANDBOX_REDIS_NOTICES_H
#define SANDBOX_REDIS_NOTICES_H

#include "consumer/adapters/redis/redis_settings.h"
#include "handlers/base/err.h"
#include "handlers/ports/notices.h"

/* Connects when it is first asked. NULL with *e when memory is short or a setting is wrong. */
struct notices_port *redis_notices_new(const struct redis_settings *settings, struct err *e);
void redis_notices_free(struct notices_port **port); /* NULL-safe */

#endif
