/* SPDX-License-Identifier: Apache-2.0
 * The state of a tenant, from what is known of the clones that were made into it. Pure: the same facts give the same
 * row, in whatever order they came. */
#ifndef SANDBOX_TENANT_FOLD_H
#define SANDBOX_TENANT_FOLD_H

#include "consumer/tenant/facts.h"

struct tenant_row {
	char ctx[CTX_MAX + 1];
	enum tenant_state state;      /* TENANT_UNKNOWN: no clone has touched it as far as was told */
	enum identity_state superid;  /* never IDENTITY_UNSET */
	int64_t since_ms;             /* when the state became so; 0 with TENANT_UNKNOWN */
	/* The clone that has or had the tenant last; all empty when a cancelled one gave it back and there is no other. */
	char clone_id[CLONE_ID_MAX + 1];
	enum clone_status status;
	int run, step_no, total_steps;
	int64_t sequence;             /* of the last event of that clone */
	char step[SLUG_MAX + 1];      /* the step that failed or waits, else the one told last; "" none */
	char host[FACTS_HOST_MAX + 1];            /* public host name; "" not told yet */
	char version_name[FACTS_VERSION_MAX + 1]; /* "" not told yet */
	char file_version[FACTS_FILE_VERSION_MAX + 1];
	char cause[FACTS_CAUSE_MAX + 1];          /* why it is not as it should be; "" it is */
	char next_command[FACTS_COMMAND_MAX + 1]; /* sandboxctl command to run next; "" none */
};

/* The row of tenant ctx. clones are all that is known about it, in any order, which is changed. */
void tenant_fold(const char *ctx, const struct clone_facts **clones, size_t count, struct tenant_row *row_r);

/* Of the clones in the order tenant_fold has left them in: how many, from *first_r on, are older than a complete one and
 * can never change the row again. */
size_t tenant_fold_past(const struct clone_facts *const *clones, size_t count, size_t *first_r);

/* "Normal", "In migration" (domain 2.4). */
const char *superid_state_name(enum identity_state state);

#endif
