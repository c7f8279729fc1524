/* SPDX-License-Identifier: Apache-2.0
 * What operation center and licence server are told of a tenant: read from its database by 26, and put back by the undo
 * of 26. */
#ifndef SANDBOX_COMPANY_INFO_H
#define SANDBOX_COMPANY_INFO_H

#include "handlers/step.h"

/* company and serial are NULL when the database has no company row. Texts live in the step's arena; info_r->database is
 * left to the caller. */
bool company_info_of(struct step_ctx *c, enum sql_place place, struct company_info *info_r);
bool company_info_equal(const struct company_info *a, const struct company_info *b);

#endif
