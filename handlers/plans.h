/* SPDX-License-Identifier: Apache-2.0
 * Who holds which licence in the clone: the wizard's user map turned into rows of LicenseAssocLink. */
#ifndef SANDBOX_PLANS_H
#define SANDBOX_PLANS_H

#include "handlers/step.h"

struct licence_link {
	int64_t associate, module;
};

struct licence_links { /* sorted by associate and module, each once */
	struct licence_link *links;
	size_t count;
	int64_t *associates; /* the users with a plan, each once */
	size_t associate_count;
};

/* The links the request wants: for each user its plan and the hidden licences the plan turns on. REFUSED when a user or
 * a plan is not there, a plan has too few seats, or no administrator gets a plan. */
bool plans_wanted(struct step_ctx *c, struct licence_links *wanted_r);

/* Are the clone's rows of LicenseAssocLink exactly these? */
bool plans_are_held(struct step_ctx *c, const struct licence_links *wanted, bool *held_r);

/* How many changes plans_changes makes of them. */
size_t plans_count(const struct licence_links *wanted);
/* Fills changes_r: all assignments are cleared and the wanted ones written, each sealed for this target. */
bool plans_changes(struct step_ctx *c, const struct licence_links *wanted, struct sql_change *changes_r);

#endif
