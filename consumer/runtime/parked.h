/* SPDX-License-Identifier: Apache-2.0
 * Records that wait for their schema, and those behind them in their partitions: the order of a partition holds. What
 * they say is in records.h. */
#ifndef SANDBOX_RUNTIME_PARKED_H
#define SANDBOX_RUNTIME_PARKED_H

#include "consumer/ports/bus.h"

/* With so many the reading of all partitions should pause until some could be taken. */
enum { PARKED_MANY = 1000 };

struct parked;

struct parked *parked_new(void);
void parked_free(struct parked **p);

/* Does a record of that partition wait? Then later ones must, too. */
bool parked_holds(const struct parked *p, const struct bus_position *at);
/* Behind all others of its partition. False: memory is short. */
bool parked_add(struct parked *p, const struct bus_position *at);
size_t parked_count(const struct parked *p);
/* The partition is somebody else's: whoever has it now reads them. */
void parked_forget_partition(struct parked *p, const struct bus_position *at);

/* Tries each record in turn; take says false when it must go on waiting, and then those behind it are not tried. */
void parked_retry(struct parked *p, bool (*take)(void *arg, const struct bus_position *at), void *arg);

#endif
