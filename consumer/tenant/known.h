/* SPDX-License-Identifier: Apache-2.0
 * The facts of all clones in memory, as the store has them, with a change on top that is taken over whole or dropped. */
#ifndef SANDBOX_TENANT_KNOWN_H
#define SANDBOX_TENANT_KNOWN_H

#include "consumer/ports/tenants.h"

struct known;

/* NULL: no memory. */
struct known *known_new(void);
void known_free(struct known **k);

/* What the store says; false: no memory. Not while there is a change. */
bool known_set(struct known *k, const struct clone_facts *facts);

/* Folds an event into the change. False: no memory. An event that says nothing new, or that names nobody, is true as
 * well. */
bool known_fold(struct known *k, const struct message *m);

/* What the change is, tenant by tenant: new facts, facts that no longer count, and the row. False: fn said so. */
struct known_changes {
	bool (*clone)(void *arg, const struct clone_facts *facts);
	bool (*past)(void *arg, const struct clone_facts *facts);
	bool (*row)(void *arg, const struct tenant_row *row);
};
bool known_each_change(struct known *k, const struct known_changes *fns, void *arg);
/* The rows of the tenants whose facts known_set has changed since the last call; then they are no longer told. */
bool known_each_set(struct known *k, bool (*row)(void *arg, const struct tenant_row *row), void *arg);

void known_take_over(struct known *k);
void known_drop(struct known *k);

#endif
