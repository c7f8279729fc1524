/* SPDX-License-Identifier: Apache-2.0
 * Events of many clones that run at once, as consumers tell them, published at a given rate. */
#ifndef SANDBOX_BENCH_STATE_EVENTS_H
#define SANDBOX_BENCH_STATE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>

struct state_events;

/* Of clones into Cust1 .. Cust<tenants>, so many of them under way at a time. NULL: said on stderr why not. */
struct state_events *state_events_open(const char *bootstrap, int tenants, int under_way);
void state_events_close(struct state_events **e);

/* The next `count` events; with a rate not faster than that, over a whole number of seconds. Waits until they are
 * delivered. */
bool state_events_publish(struct state_events *e, size_t count, double rate);
size_t state_events_published(const struct state_events *e);

#endif
