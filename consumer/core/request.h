/* SPDX-License-Identifier: Apache-2.0
 * What a clone request may ask for (domain 1.3): pure rules, checked before anything is touched. Whether the target
 * is a sandbox of that source, and whether the licence has the seats, only the world knows: the steps look. */
#ifndef SANDBOX_CORE_REQUEST_H
#define SANDBOX_CORE_REQUEST_H

#include "consumer/ports/messages.h"

#include <stdbool.h>
#include <stdint.h>

enum { REQUEST_USERS_MAX = 10000, REQUEST_KEEP_MAX = 1000, REQUEST_SCHEDULES_MAX = 10000 };

struct request_rules {
	/* Is that a legal mask domain? Fills *e otherwise. handlers/masking has it; core may not see it. */
	bool (*domain_check)(const char *domain, struct err *e);
	bool allow_unmasked; /* the installation accepts clones with real addresses */
};

/* False, and one sentence that names the field in *e (REFUSED), when the request breaks a rule. The sentence quotes
 * nothing of the request. Texts that are NULL count as empty. */
bool request_check(const struct clone_request *r, const struct request_rules *rules, struct err *e);

/* Of all that is wished for. When it was asked and in which trace is left out: a second send of the same wishes is a
 * duplicate, not a conflict. */
uint64_t request_fingerprint(const struct clone_request *r);

/* Puts the changed inputs of a replay into the request and renews its fingerprint; the new texts are borrowed from
 * replay. REFUSED, with r as it was, when the replay is about another clone or target, or has an unknown mask mode.
 * Check the request again afterwards. */
bool request_apply_replay(struct clone_request *r, const struct clone_replay *replay, struct err *e);

#endif
