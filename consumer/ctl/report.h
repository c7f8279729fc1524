/* SPDX-License-Identifier: Apache-2.0
 * What came of a clone, as people want it in the end: folded from its events alone. */
#ifndef SANDBOX_CTL_REPORT_H
#define SANDBOX_CTL_REPORT_H

#include "consumer/ctl/history.h"
#include "consumer/ctl/js.h"

struct report {
	const struct clone_state *state;             /* the last one; NULL none came */
	const struct backup_restored *restored;      /* of the last run that told it; NULL none */
	const struct step_completed *steps[STEP_END]; /* the last one of each step; NULL none */
	int runs, ended, skipped, failed;
	int64_t rows_copied, files, file_bytes, addresses_left; /* addresses_left -1: nothing proves it */
	int64_t began_ms, ended_ms;
	bool is_public, is_unmasked;
	bool is_told_known; /* by the caller, from the delivery log: apps_told of apps_all */
	size_t apps_told, apps_all;
};

/* What it points to belongs to the history. */
void report_make(const struct history *h, struct report *r_r);
/* Is there nothing that speaks against handing the sandbox out? */
bool report_is_good(const struct report *r);

struct report_style {
	bool colors, utf8;
};

void report_print(const struct report *r, const struct report_style *style, struct buf *out);
void report_json(const struct report *r, struct js *j);

#endif
