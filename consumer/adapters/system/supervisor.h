/* SPDX-License-Identifier: Apache-2.0
 * Tells the service manager that started this program how it is: the protocol of sd_notify(3), spoken without its library
 * (standards.md). Without a service manager nothing happens. */
#ifndef SANDBOX_SYSTEM_SUPERVISOR_H
#define SANDBOX_SYSTEM_SUPERVISOR_H

#include "handlers/base/err.h"

#include <signal.h>
#include <stdbool.h>

struct supervisor_settings {
	bool (*is_alive)(void *arg); /* asked from a thread of the supervisor */
	bool (*is_ready)(void *arg);
	const volatile sig_atomic_t *stop; /* not 0: the program is ending */
	void *arg;
};

struct supervisor;

/* Says READY=1 when the program is ready for the first time, STATUS= when that changes, STOPPING=1 when it ends, and
 * WATCHDOG=1 twice in each period of WATCHDOG_USEC as long as it is alive. *s_r is NULL, and the answer true, when no
 * service manager listens (NOTIFY_SOCKET); false when its address is none (MISUSE). */
bool supervisor_start(const struct supervisor_settings *settings, struct supervisor **s_r, struct err *e);
/* NULL-safe; *s becomes NULL. */
void supervisor_stop(struct supervisor **s);

#endif
