/* SPDX-License-Identifier: Apache-2.0
 * The state of a tenant, from what is known of the clones that were made into it. Pure: the same facts give the same
 * row, in whatever order they came. */
#ifndef SANDBOX_TENANT_FOLD_H
#define SANDBOX_TENANT_FOLD_H

#include "consumer/tenant/facts.h"

/* The row of tenant ctx. clones are all that is known about it, in any order, which is changed. */
void tenant_fold(const char *ctx, const struct clone_facts **clones, size_t count, struct tenant_row *row_r);

/* Of the clones in the order tenant_fold has left them in: how many, from *first_r on, are so old that they can never
 * change the row again. */
size_t tenant_fold_past(const struct clone_facts *const *clones, size_t count, size_t *first_r);

#endif
