/* SPDX-License-Identifier: Apache-2.0
 * The scripts by which the server changes what belongs together all at once. */
#ifndef SANDBOX_REDIS_SCRIPTS_H
#define SANDBOX_REDIS_SCRIPTS_H

#include "handlers/base/buf.h"

enum redis_script {
	REDIS_SCRIPT_ACQUIRE,
	REDIS_SCRIPT_RENEW,
	REDIS_SCRIPT_RELEASE,
	REDIS_SCRIPT_READERS,
	REDIS_SCRIPT_RECORD,
	REDIS_SCRIPT_REJECT,
	REDIS_SCRIPT_DELIVERIES, /* of the notifier */
	REDIS_SCRIPT_END
};

/* Appends one SCRIPT LOAD for each script, in the order of the enum; REDIS_SCRIPT_END answers follow. */
void redis_script_loads(struct buf *out);

#endif
