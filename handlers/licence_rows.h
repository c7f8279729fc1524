/* SPDX-License-Identifier: Apache-2.0
 * The licence of the test tenant as rows of the clone: ModuleOwner and ModuleLicense (domain section 3.3). */
#ifndef SANDBOX_LICENCE_ROWS_H
#define SANDBOX_LICENCE_ROWS_H

#include "handlers/step.h"

/* Are the rows exactly the licence's modules, in order, each signed for this target? */
bool licence_rows_are_right(struct step_ctx *c, const struct licence *licence, bool *right_r);

/* How many changes licence_rows_changes makes of that licence. */
size_t licence_rows_count(const struct licence *licence);
/* Fills changes_r: who holds which licence is cleared, old rows go, the licence's come. */
bool licence_rows_changes(struct step_ctx *c, const struct licence *licence, struct sql_change *changes_r);

#endif
