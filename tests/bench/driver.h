/* SPDX-License-Identifier: Apache-2.0
 * Publishes requests and waits for the clones to end, never with more than so many under way: a closed loop. */
#ifndef SANDBOX_BENCH_DRIVER_H
#define SANDBOX_BENCH_DRIVER_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct driver;

struct driver_subject { /* borrowed for the driver's life */
	const char *request_topic, *done_topic;
	size_t done_records; /* so many on the done topic, and a clone has ended */
	/* Key and value of the request of clone number n. */
	bool (*request)(void *arg, size_t n, struct buf *key, struct buf *value);
	/* The clone number of a record on the done topic; SIZE_MAX: none of ours. */
	size_t (*number_of)(void *arg, const char *key, size_t len);
	void *arg;
};

/* Clone numbers go up to `clones`. NULL: said on stderr why not. */
struct driver *driver_open(const char *bootstrap, const struct driver_subject *subject, size_t clones);
void driver_close(struct driver **d);

/* Clones from..to-1, so many in flight. False when nothing ended for 60 seconds. */
bool driver_run(struct driver *d, size_t from, size_t to, size_t in_flight);
/* Publishes them all and waits until each has so many records on the done topic. */
bool driver_publish(struct driver *d, size_t from, size_t to, size_t records);

#endif
