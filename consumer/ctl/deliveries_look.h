/* SPDX-License-Identifier: Apache-2.0
 * Words and JSON of deliveries, shared by the commands that show them. */
#ifndef SANDBOX_CTL_DELIVERIES_LOOK_H
#define SANDBOX_CTL_DELIVERIES_LOOK_H

#include "consumer/ctl/ctl.h"
#include "consumer/ctl/js.h"
#include "consumer/ports/deliveries.h"

#define DELIVERY_STATES "waiting|done|given-up|parked|withdrawn"

const char *delivery_state_name(enum delivery_state state);
/* DELIVERY_UNSET when there is no such name. */
enum delivery_state delivery_state_by_name(const char *name);
void delivery_json(struct js *j, const struct delivery_record *r, bool with_log);

/* "2h", "7d", or a time as RFC 3339 in UTC writes it. REFUSED when it is neither. */
bool delivery_since(struct ctl *c, const char *text, int64_t *since_ms_r, struct err *e);

/* Says what went wrong; what was refused ends with that code. */
int delivery_fail(struct ctl *c, const struct err *e, enum ctl_exit refused);

/* The deliveries of a run of a clone, counted: told of all, and those whose app has not answered though the clone was
 * to wait for it. False when the notifier does not know the run (yet), or cannot be asked. */
struct delivery_count {
	size_t told, all, unanswered;
	const struct delivery_record *waiting_for; /* `unanswered` of them */
};
bool delivery_count(struct ctl *c, const char *clone_id, int run, struct delivery_count *count_r);

#endif
