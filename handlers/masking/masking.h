/* SPDX-License-Identifier: Apache-2.0
 * Addresses out of texts: pure functions, no I/O (design section 7; rules and vectors: domain 3.4 and 3.5).
 *
 * john.doe@company.com becomes john.doe_company.com@<domain>. Idempotent, the same in every table, injective for legal
 * hosts, never longer than its column or than SMTP allows: then a head of the local part, '~' and 8 hex digits.
 * With a keyed hash it becomes m<26 hex digits>@<domain> instead, and nothing of the name is left. */
#ifndef SANDBOX_MASKING_H
#define SANDBOX_MASKING_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mask_policy;

enum { MASK_HASH_TEXT = 65 };

/* A keyed hash of two texts as 64 lower-case hex digits; the same for the same texts, whichever thread asks. False when
 * it cannot be made now. */
typedef bool mask_hash_fn(void *arg, const char *before, const char *part, char hex_r[MASK_HASH_TEXT]);

struct mask_choices {
	const char *domain;             /* where masked addresses end */
	const char *const *keep;        /* whole addresses that stay, compared without case; others in it keep nothing */
	size_t keep_count;
	mask_hash_fn *hash;             /* hides the names; NULL: they are kept inside the masked address */
	void *hash_arg;                 /* must outlive the policy */
};

struct mask_counts {
	int64_t addresses;     /* rewritten */
	int64_t already;       /* were in the domain before (and of the hash's form, when names are hidden) */
	int64_t kept;          /* on the keep list */
	int64_t shortened;     /* took the short form */
	int64_t odd;           /* an address column held something that is none */
	int64_t blanked;       /* columns whose rule is to empty them */
	int64_t unknown_cells; /* addresses found in columns that nobody listed */
};

struct scan_counts { /* what the proof found */
	int64_t cells, bytes;
	int64_t addresses; /* all that look like one */
	int64_t left;      /* outside the domain and the keep list, or in it and not hidden: must be 0 */
	char first_table[64], first_column[64]; /* where the first of them is; never the text itself */
};

/* A legal mask domain: LDH labels, at least two, no empty or overlong one, 1..190 octets, not all numeric. Fills *e
 * (REFUSED) with a sentence otherwise. */
bool mask_domain_check(const char *domain, struct err *e);
/* Is it one of the public inboxes anybody can read (mailinator.com and its like)? Allowed, with a recorded warning. */
bool mask_domain_is_public(const char *domain);

/* Copies what it needs of choices. NULL and *e filled when the domain is illegal or memory is short. */
struct mask_policy *mask_policy_new(const struct mask_choices *choices, struct err *e);
void mask_policy_free(struct mask_policy **p);

enum mask_result { MASK_SAME, MASK_CHANGED, MASK_BLANK };

/* One address, nothing around it, that must fit max_chars characters (0: no limit) after the rule. MASK_CHANGED: the
 * new address is in *out. MASK_SAME also for what is no address. MASK_BLANK: no masked address fits; when out->failed
 * is set, it could not be made, and the caller should fail instead. */
enum mask_result mask_address(const struct mask_policy *p, const char *text, size_t len, size_t max_chars,
                              struct buf *out, struct mask_counts *counts);

/* Any text cell by the class of its column (email-columns.csv; a column that nobody listed is free text). width_chars
 * is the declared width, 0 when none. MASK_CHANGED: the new text is in *out. MASK_BLANK: the cell must become ""; when
 * out->failed is set, that is only because *out could not hold the text or a hash could not be made, and the caller
 * should fail instead. */
enum mask_result mask_cell(const struct mask_policy *p, const char *table, const char *column, size_t width_chars,
                           const char *text, size_t len, struct buf *out, struct mask_counts *counts);

/* The proof's second opinion: written apart from mask_cell, shares no scanner with it. Adds what it finds to *counts.
 * Columns whose rule is to leave message ids alone are counted by their host only when they are no message id. */
void scan_cell(const struct mask_policy *p, const char *table, const char *column, const char *text, size_t len,
               struct scan_counts *counts);

#endif
