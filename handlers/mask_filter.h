/* SPDX-License-Identifier: Apache-2.0
 * Binds the masking rules to the SQL port: what a copied, masked or scanned text cell becomes, and which addresses
 * stay as they are. */
#ifndef SANDBOX_MASK_FILTER_H
#define SANDBOX_MASK_FILTER_H

#include "handlers/masking/masking.h"
#include "handlers/step.h"

/* What hides names: the installation's key. */
struct mask_key {
	struct seal_port *seal;
	struct err err; /* why a hash could not be made */
};

struct mask_filter {
	struct mask_policy *policy;
	struct mask_key key;
	struct mask_counts counts;
	struct sql_filter filter; /* give &filter to the SQL port; bound to this struct, which must not move */
};

/* The address of the one mailbox the sandbox has; NULL with c->err filled. */
const char *test_mail_address(struct step_ctx *c);

/* The policy of this clone: the request's domain and mode, and as kept addresses the request's, the sign-in names of
 * users who get a plan, and the test mailbox. Fills *key, which must outlive it. NULL with c->err filled. */
struct mask_policy *mask_policy_of(struct step_ctx *c, struct mask_key *key);

/* Fills *m; false with c->err filled. mask_filter_done always, also after a failure. */
bool mask_filter_init(struct mask_filter *m, struct step_ctx *c);
/* When *e holds what a page said that failed for want of a hash, puts why there was none in its place. */
void mask_filter_done(struct mask_filter *m, struct err *e);

#endif
