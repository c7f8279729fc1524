/* SPDX-License-Identifier: Apache-2.0
 * The proof before every destructive act (design section 6): production is never harmed. */
#ifndef SANDBOX_GUARD_H
#define SANDBOX_GUARD_H

#include "handlers/step.h"

/* True when the registry says that the job's target is a test tenant linked to its source, neither is on the deny
 * list as a target, names are well formed, and no newer clone has built on the target. Fills c->err (REFUSED)
 * otherwise. record_r may be NULL. */
bool guard_target(struct step_ctx *c, struct tenant_record *record_r);

/* guard_target, and: the database is not the source's by the server's own identity, belongs to the target by name
 * (it is the target's own or one of its generations), and bears a stamp of this target with a token not newer than
 * ours, or the request approves the target by name. The lease must still be ours. */
bool guard_database(struct step_ctx *c, const char *database);

/* Does that text name a generation of that target: <target>__g<base 36 digits>? */
bool guard_is_generation_of(const char *database, const char *target_ctx);

#endif
