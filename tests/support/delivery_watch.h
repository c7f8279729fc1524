/* SPDX-License-Identifier: Apache-2.0
 * What the store knows of one app's deliveries, for tests that wait for all of them: how many there are, which are not
 * done and why, and the operator's way to try again what waits for the next try of its schedule. */
#ifndef SANDBOX_TESTS_DELIVERY_WATCH_H
#define SANDBOX_TESTS_DELIVERY_WATCH_H

#include "tests/support/notifier_world.h"

struct delivery_counts {
	size_t all, done;
	size_t waiting; /* of these: */
	size_t failed;  /* heads of queues that were tried, failed, and wait for a later try */
	size_t never;   /* heads of queues or what stands behind one, not tried yet */
	size_t other;   /* given up, parked, withdrawn: not what a test of healthy apps wants */
};

/* Of all notices. Fails the test when the store cannot be asked. */
struct delivery_counts deliveries_count(struct notifier_world *w, const char *client_id);
/* One line on stderr for each that is not done: its state, its tries and what came of them. */
void deliveries_say(struct notifier_world *w, const char *client_id);
/* What `sandboxctl partner enable` does: heads that wait for a later try are due now. What is lost stays lost: nothing
 * is entered, and a claim under way is left alone. */
void deliveries_try_now(struct notifier_world *w, const char *client_id);

#endif
