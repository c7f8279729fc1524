/* SPDX-License-Identifier: Apache-2.0
 * Going over all texts of a generation: mask_next and scan_next. */
#ifndef SANDBOX_LIBPQ_SWEEP_H
#define SANDBOX_LIBPQ_SWEEP_H

#include "consumer/adapters/libpq/session.h"

bool pg_mask_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e);
bool pg_scan_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e);

#endif
