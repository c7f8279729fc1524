/* SPDX-License-Identifier: Apache-2.0
 * Whether partner apps have answered what they were told of a clone. Only looks. TRANSIENT when it cannot be told. */
#ifndef SANDBOX_PORTS_NOTICES_H
#define SANDBOX_PORTS_NOTICES_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTICE_APP_TEXT = 64 };

struct notices_waited { /* apps that the clone waits for: policy hold, or wait and its time is not over */
	bool is_stored;  /* false: the notifier has not taken the event in yet, so nobody knows */
	size_t count;
	char first[NOTICE_APP_TEXT]; /* client id of one, perhaps cut; "" none */
};

struct notices_port {
	/* Of what the latest run up to `run` told. */
	bool (*waited_for)(struct notices_port *self, const char *clone_id, int run, int64_t now_ms,
	                   struct notices_waited *waited_r, struct err *e);
};

#endif
