/* SPDX-License-Identifier: Apache-2.0
 * What was in service before this clone: dropping it for good, database and files. Used by 05, 32 and the sweep. */
#ifndef SANDBOX_PREVIOUS_H
#define SANDBOX_PREVIOUS_H

#include "handlers/step.h"

/* Drops a database after guard_database; true also when it is gone already. */
bool drop_guarded(struct step_ctx *c, const char *database);

/* Removes a file tree that is the target's by its name and not in service, from both stores. target is the registry's
 * record. */
bool remove_root_guarded(struct step_ctx *c, const struct tenant_record *target, const char *root);

/* Drops the previous database and its file trees and makes the registry forget them. target is the registry's
 * record; true at once when it names nothing previous. */
bool drop_previous(struct step_ctx *c, const struct tenant_record *target);

#endif
