/* SPDX-License-Identifier: Apache-2.0
 * From stored deliveries to posts and back: heads of queues that are due are claimed, each app's approval is looked at
 * again, the notice is rendered and signed, posted, and what came of it is settled. One thread, which never waits for a
 * partner: that is the poster's business. */
#ifndef SANDBOX_NOTIFIER_SENDING_H
#define SANDBOX_NOTIFIER_SENDING_H

#include "consumer/core/log.h"
#include "consumer/core/metrics.h"
#include "consumer/notifier/directory.h"
#include "consumer/ports/deliveries.h"
#include "consumer/ports/poster.h"
#include "consumer/ports/signer.h"

#include <signal.h>
#include <stdatomic.h>

struct sending_settings {
	const char *issuer;
	int64_t token_life_ms;
	int64_t lease_ms;   /* longer than the longest post with all around it */
	int64_t drain_ms;   /* for posts under way at the end */
	int64_t recheck_ms; /* how old what is known of a tenant's approvals may be */
	size_t limit, limit_slow, limit_app;
	uint64_t chance; /* seed of the jitter */
};

struct sending_parts {
	struct sending_settings settings;
	struct deliveries_port *deliveries; /* of this thread alone */
	struct poster_port *poster;
	struct signer_port *signer;
	struct directory *directory;
	struct log *log;
	struct metrics *metrics;
	atomic_bool *news;                 /* something may be due; whoever sets it wakes the poster */
	const volatile sig_atomic_t *stop; /* 1: end what is under way; more: end at once */
	const atomic_bool *broken;         /* the intake ended by itself: the same as 1 */
	_Atomic int64_t *alive_ms;
};

/* Returns when it was told to stop and the posts under way have ended or had their time. What was claimed and not settled
 * then is claimed again when its lease is over. False with *e when memory is short. */
bool sending_run(const struct sending_parts *parts, struct err *e);

#endif
