/* SPDX-License-Identifier: Apache-2.0
 * Names to addresses without blocking: a bounded pool of threads with getaddrinfo. Each name is asked for once at a
 * time, however many wait for it, and what was found is kept for seconds. Names that took long last time share half of
 * the threads, so that dead name servers do not keep the others waiting. */
#ifndef SANDBOX_HTTP_POSTER_LOOKUP_H
#define SANDBOX_HTTP_POSTER_LOOKUP_H

#include "consumer/notifier/address_rules.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOOKUP_ADDRESSES_MAX = 8,
	LOOKUP_NAME_MAX = 253,
	LOOKUP_NAMES_MAX = 8192, /* remembered */
	LOOKUP_KEPT_MS = 30 * 1000,
	LOOKUP_FAILURE_KEPT_MS = 5 * 1000,
	LOOKUP_SLOW_MS = 1000,
};

struct lookup_found {
	struct net_address addresses[LOOKUP_ADDRESSES_MAX]; /* in the order to try them */
	size_t count;
	const char *failure; /* a sentence; NULL when count > 0 */
};

struct lookup_name;

struct lookup_waiter { /* part of what waits; zeroed while it does not */
	struct lookup_waiter *next, *prev;
	struct lookup_name *name;
};

struct lookups;

/* NULL and *e on failure. Everything but the threads inside belongs to the thread that calls. */
struct lookups *lookups_new(size_t threads_max, struct err *e);
/* Does not wait for threads that are in the middle of a look-up: they end by themselves. NULL-safe. */
void lookups_free(struct lookups **l);
/* Readable when there is something for lookups_take. */
int lookups_fd(const struct lookups *l);

/* What is known, valid until the next call; or NULL: the waiter waits until it is taken or withdrawn. When memory is
 * short that is told as a failure. */
const struct lookup_found *lookups_ask(struct lookups *l, const char *name, int64_t now_ms, struct lookup_waiter *w);
/* A waiter whose name was found out, or not, with what to tell it (valid until the next call); NULL: there is none. */
struct lookup_waiter *lookups_take(struct lookups *l, int64_t now_ms, const struct lookup_found **found_r);
void lookups_withdraw(struct lookup_waiter *w);
/* How many threads there are. */
size_t lookups_threads(struct lookups *l);

#endif
