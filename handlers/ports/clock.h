/* SPDX-License-Identifier: Apache-2.0
 * Wall clock for stamps and rows; never for deadlines. */
#ifndef SANDBOX_PORTS_CLOCK_H
#define SANDBOX_PORTS_CLOCK_H

#include <stdint.h>

struct clock_port {
	/* Milliseconds since 1970-01-01 UTC. */
	int64_t (*utc_ms)(struct clock_port *self);
};

#endif
