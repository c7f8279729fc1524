/* SPDX-License-Identifier: Apache-2.0
 * What is remembered of clones: asked by the sweep before it takes a database for nobody's. */
#ifndef SANDBOX_PORTS_RECORDS_H
#define SANDBOX_PORTS_RECORDS_H

#include "handlers/base/err.h"

#include <stdbool.h>

struct records_port {
	/* Is there a record of that clone on that target, and does it name that generation? TRANSIENT when nobody knows
	 * now. */
	bool (*names)(struct records_port *self, const char *target_ctx, const char *clone_id, const char *generation,
	              bool *so_r, struct err *e);
};

#endif
