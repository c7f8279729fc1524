/* SPDX-License-Identifier: Apache-2.0
 * The proof: an independent pass over every text cell of the generation that must find no address outside the mask
 * domain and the keep list (design section 7). 13 makes it, 32 makes it again. */
#ifndef SANDBOX_PROOF_H
#define SANDBOX_PROOF_H

#include "handlers/masking/masking.h"
#include "handlers/step.h"

/* Scans the whole generation; with by_table what each table holds goes to c->tables. False with c->err filled: TRANSIENT
 * when stopped in the middle, REFUSED when an address is left, with the table and column of the first one, never the
 * address. */
bool proof_scan(struct step_ctx *c, bool by_table, struct scan_counts *counts_r);
/* The same by table, but it ends well, and early, when an address is left: counts_r->left says so. */
bool proof_try(struct step_ctx *c, struct scan_counts *counts_r);

/* Writes what was counted into the stamp; counts NULL says that masking was off by request. */
bool proof_put(struct step_ctx *c, const struct scan_counts *counts);

/* *has_r: does the generation's stamp bear a proof of this clone that fits what the request wants? */
bool proof_has(struct step_ctx *c, bool *has_r);

#endif
