/* SPDX-License-Identifier: Apache-2.0
 * Everything around sandbox-notifier for one test: broker, Redis, the store of approvals, a partner's server, keys, and
 * real processes of the program that can be killed and started again. What cannot be set up fails the test at once. */
#ifndef SANDBOX_TESTS_NOTIFIER_WORLD_H
#define SANDBOX_TESTS_NOTIFIER_WORLD_H

#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/deliveries.h"
#include "tests/support/kafka_broker.h"
#include "tests/support/partner_server.h"
#include "tests/support/redis_server.h"
#include "tests/support/stub_server.h"
#include "tests/support/told_events.h"

#include <check.h>

enum { NOTIFIERS_MAX = 2 };

struct notifier_world {
	char folder[64]; /* n.ini, keys, redis, notifier-<n>.log */
	struct kafka_broker broker;
	struct redis_server *redis;
	struct stub_server *stubs;
	struct partner_server *partner;
	struct bus_port *bus;
	struct codec_port *codec;
	struct deliveries_port *deliveries;
	struct arena *mem;
	json_t *authorisations; /* what the store of approvals is seeded with */
	pid_t notifiers[NOTIFIERS_MAX];
	int http_port;
};

/* Broker, Redis, partner and keys; then apps are approved, and notifier_world_open() does the rest. */
struct notifier_world *notifier_world_new(void);
void notifier_world_free(struct notifier_world **w); /* NULL-safe */

/* The app is approved by that tenant, told at that door and path of the partner; secret: "whsec_..." or "". */
void approve(struct notifier_world *w, const char *ctx, const char *client_id, enum partner_door door, const char *path,
             const char *secret);
/* The approvals are as they are now, also when they were others before; `more` is lines of [notifier]. */
void notifier_world_open(struct notifier_world *w, const char *more);
void approvals_changed(struct notifier_world *w);

void notifier_start(struct notifier_world *w, int n);
void notifier_kill(struct notifier_world *w, int n); /* SIGKILL */
/* SIGTERM; the exit status, -1 when it did not end in time and was killed. */
int notifier_stop(struct notifier_world *w, int n, int within_ms);
bool notifier_runs(struct notifier_world *w, int n);
/* Does the log of the nth hold that text? */
bool notifier_said(struct notifier_world *w, int n, const char *text);
_Noreturn void notifier_failed(struct notifier_world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Publishes BackupRestored number n of the tenant, event id "clone-<ctx>/<n>/backup-restored"; waits for delivery. */
void tell_restored(struct notifier_world *w, const char *ctx, int n);
void tell_bytes(struct notifier_world *w, const char *key, const void *value, size_t len);
/* Publishes what an engine told, in that order; waits until all of it is delivered. */
void tell_events(struct notifier_world *w, const struct told_event *const *events, size_t count);
/* The answer, head and body, to a GET at the program's own server, to be freed; NULL when it is not 200. */
char *notifier_get(struct notifier_world *w, const char *path);
/* The state of the delivery, UNSET when it is not known or Redis does not answer. */
enum delivery_state delivery_state_of(struct notifier_world *w, const char *ctx, int n, const char *client_id);
void wait_ms(int ms);
int64_t steady_ms(void);

#endif
