/* SPDX-License-Identifier: Apache-2.0
 * sandbox-notifier as a whole: the intake in one thread, the posts in another, asking for approvals in a third. */
#ifndef SANDBOX_NOTIFIER_NOTIFIER_H
#define SANDBOX_NOTIFIER_NOTIFIER_H

#include "consumer/core/log.h"
#include "consumer/core/metrics.h"
#include "consumer/notifier/sending.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/codec.h"
#include "consumer/ports/deliveries.h"
#include "consumer/ports/poster.h"
#include "consumer/ports/signer.h"
#include "handlers/ports/apps.h"

#include <signal.h>
#include <stdatomic.h>

struct notifier_parts { /* all of it is the caller's, before and after */
	struct sending_settings settings;
	struct bus_port *bus;
	struct codec_port *codec;
	struct deliveries_port *intake_store, *sending_store; /* one for each thread */
	struct apps_port *apps;
	struct poster_port *poster;
	struct signer_port *signer;
	struct log *log;
	struct metrics *metrics;
	const volatile sig_atomic_t *stop; /* 1: end what is under way; more: end at once */
	_Atomic int64_t *intake_alive_ms, *sending_alive_ms; /* of notifier_now_ms; kept up to date */
	atomic_bool *ready;
};

/* Runs until it is told to stop. False with *e when something was lost that only a new start can mend. */
bool notifier_run(const struct notifier_parts *parts, struct err *e);

#endif
