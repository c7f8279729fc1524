/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_CTL_CMD_WATCH_H
#define SANDBOX_CTL_CMD_WATCH_H

#include "consumer/ctl/ctl.h"

/* "90s", "1h30m" ... of --timeout in milliseconds, 0 when it was not given. False with *e when it is no duration. */
bool watch_timeout(struct ctl *c, int64_t *within_ms_r, struct err *e);

struct watch_wish {
	const char *id;
	bool is_new;         /* it was asked for just now: wait until somebody knows it */
	bool may_be_none;    /* ... but not for ever: nobody saw the request go out */
	int after_run;       /* wait for a run after this one */
	bool is_status_exit; /* the exit code is the clone's */
	int64_t within_ms;   /* 0: without end */
};

/* Follows a clone until it is at rest, and says what it was. The exit code. */
int watch_clone(struct ctl *c, const struct watch_wish *wish);

#endif
