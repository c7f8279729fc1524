/* SPDX-License-Identifier: Apache-2.0
 * The store (consumer/ports/store.h) in a Redis server. docs/redis.md has the keys and what is asked of the server. */
#ifndef SANDBOX_REDIS_STORE_H
#define SANDBOX_REDIS_STORE_H

#include "consumer/adapters/redis/redis_settings.h"
#include "consumer/ports/store.h"
#include "handlers/base/err.h"

/* Connects and checks the server before it returns. NULL with *e: TRANSIENT when it cannot be reached in time or is
 * loading, REFUSED when it is not fit (replica, evicts keys, wrong password) or the settings are wrong.
 * fd() stays the same for the store's life and covers writing too, so wants_write() is always false. */
struct store_port *redis_store_new(const struct redis_settings *settings, struct err *e);

/* What an operator should know of the server that was last greeted; "" nothing. Constant text. */
const char *redis_store_warnings(const struct store_port *store);

#endif
