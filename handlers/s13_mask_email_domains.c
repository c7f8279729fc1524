/* SPDX-License-Identifier: Apache-2.0
 * s13: no text in the clone holds an address outside the mask domain and the keep list, and the stamp bears the proof.
 *
 * Look: is there a proof of this clone in the stamp? Then scan every text cell again all the same.
 * Act:  when 08 masked in flight, scan: mostly that is the proof already. Else, and when something is left, rewrite page
 *       after page what is still outside, scan, write the proof.
 * Safe to repeat because a masked address lies inside the mask domain (and bears no name, when names are hidden), so
 * no page changes it again. */
#include "handlers/mask_filter.h"
#include "handlers/proof.h"
#include "handlers/words.h"

#include <inttypes.h>
#include <string.h>

enum { PAGES_A_CALL = 64 };

static bool mask_pages(struct step_ctx *c, const struct mask_filter *mask, struct sql_pages *pages)
{
	struct sql_port *sql = c->ports->sql;
	struct sql_ledger ledger;

	if (!sql->ledger(sql, &c->fence, &ledger, c->err))
		return false;
	if (ledger.found)
		memcpy(pages->cursor, ledger.cursor, sizeof pages->cursor);
	for (int i = 0; i < PAGES_A_CALL && !pages->finished; i++) {
		if (!step_may_act(c) || !sql->mask_next(sql, &c->fence, &mask->filter, pages, c->err))
			return false;
		step_pages(c, pages);
	}
	c->acted |= pages->cells_changed > 0;
	return true;
}

static bool add_masked(void *arg, const struct sql_row *row, struct err *e)
{
	int64_t *masked = arg;

	(void)e;
	*masked += row->count > 3 ? row->values[3].number : 0;
	return true;
}

/* One look at everything less. A copy that a server made by itself is always rewritten: its pages hold what was deleted
 * too. */
static bool look_first(struct step_ctx *c, struct scan_counts *counts_r, bool *clean_r)
{
	struct sql_port *sql = c->ports->sql;
	const struct sql_args none = { 0 };
	struct sql_ledger ledger;
	int64_t masked = 0;

	*clean_r = false;
	if (!sql->ledger(sql, &c->fence, &ledger, c->err) ||
	    !sql->rows(sql, SQL_TARGET, "s08_tables", &none, add_masked, &masked, c->err))
		return false;
	if (ledger.found || masked == 0)
		return true;
	if (!proof_try(c, counts_r))
		return false;
	*clean_r = counts_r->left == 0;
	return true;
}

static enum step_outcome prove(struct step_ctx *c, const struct scan_counts *counts, bool had_proof)
{
	const char *warning = mask_domain_is_public(c->job->mask_domain) ? "; the mask domain is a public inbox" : "";

	step_detail(c, "%" PRId64 " addresses in %" PRId64 " texts, 0 outside the mask domain%s%s", counts->addresses,
		    counts->cells, c->job->mask_mode == MASK_HASH ? ", names hidden" : "", warning);
	c->rows = counts->cells;
	c->bytes = counts->bytes;
	if (had_proof)
		return step_so(c);
	c->acted = true;
	return proof_put(c, counts) ? STEP_DONE : step_failed(c);
}

static enum step_outcome scan_and_prove(struct step_ctx *c, bool had_proof)
{
	struct scan_counts counts;

	return proof_scan(c, true, &counts) ? prove(c, &counts, had_proof) : step_failed(c);
}

enum step_outcome s13_mask_email_domains(struct step_ctx *c)
{
	struct sql_pages pages = { 0 };
	struct scan_counts counts;
	struct mask_filter mask;
	bool proved = false, clean, ok;

	if (!proof_has(c, &proved))
		return step_failed(c);
	if (!c->job->mask_enabled)
		return proved || proof_put(c, NULL) ? step_skipped(c, "mask disabled by request") : step_failed(c);
	if (proved)
		return scan_and_prove(c, true);
	if (!look_first(c, &counts, &clean))
		return step_failed(c);
	if (clean)
		return prove(c, &counts, false);
	ok = mask_filter_init(&mask, c) && mask_pages(c, &mask, &pages);
	mask_filter_done(&mask, c->err);
	if (!ok)
		return step_failed(c);
	return pages.finished ? scan_and_prove(c, false) : step_again(c);
}
