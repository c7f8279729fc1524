/* SPDX-License-Identifier: Apache-2.0
 * From BackupRestored events to stored deliveries: each event is decoded, the apps its tenant approves are asked for,
 * and when a delivery for each is stored the offset moves. Events of a tenant are stored in their order; one that cannot
 * be stored yet holds up its tenant only. What cannot be used goes to a topic of its own. One thread. */
#ifndef SANDBOX_NOTIFIER_INTAKE_H
#define SANDBOX_NOTIFIER_INTAKE_H

#include "consumer/core/log.h"
#include "consumer/core/metrics.h"
#include "consumer/notifier/directory.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/deliveries.h"

#include <signal.h>

struct intake_parts {
	struct bus_port *bus;
	struct codec_port *codec;
	struct deliveries_port *deliveries; /* of this thread alone */
	struct directory *directory;
	struct log *log;
	struct metrics *metrics;
	int wake_fd; /* an eventfd: the directory has news */
	void (*stored)(void *arg); /* something new is due */
	void *stored_arg;
	const volatile sig_atomic_t *stop; /* not 0: end */
	_Atomic int64_t *alive_ms;
};

/* Returns when it is told to stop, or false with *e when the bus is lost for good. Nothing is under way then but
 * commits; the bus is the caller's to close. */
bool intake_run(const struct intake_parts *parts, struct err *e);

#endif
