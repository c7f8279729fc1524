/* SPDX-License-Identifier: Apache-2.0
 * What is known of one clone that matters to its tenant's state: of each kind of event the last one, by the clone's own
 * sequence. Pure. The topics have no common order and events come more than once; folding them in any order, any
 * number of times, gives the same facts. */
#ifndef SANDBOX_TENANT_FACTS_H
#define SANDBOX_TENANT_FACTS_H

#include "consumer/ports/tenants.h"

/* The clone and the target a message is about. False: it is none of the three events, a rejection (which never was a
 * clone of anybody), or names nobody. Borrowed from the message. */
bool facts_names(const struct message *m, const char **ctx_r, const char **clone_id_r);

void facts_init(struct clone_facts *f, const char *ctx, const char *clone_id);
/* Takes in an event about that clone; false when it says nothing new. */
bool facts_fold(struct clone_facts *f, const struct message *m);

#endif
