/* SPDX-License-Identifier: Apache-2.0
 * The rows of all tenants in memory, for many readers and one writer: what the state API answers from. */
#ifndef SANDBOX_TENANT_BOARD_H
#define SANDBOX_TENANT_BOARD_H

#include "consumer/ports/tenants.h"

struct board;

/* NULL: no memory. */
struct board *board_new(void);
void board_free(struct board **b);

/* What the state API tells of a tenant. */
struct board_state {
	enum tenant_state state;
	char host[FACTS_HOST_MAX + 1];
	char version_name[FACTS_VERSION_MAX + 1];
};

/* False: no such tenant. Any thread. */
bool board_state(struct board *b, const char *ctx, struct board_state *state_r);

struct board_query {
	const char *ctx;      /* only this tenant; "" all */
	const char *after;    /* only those whose name comes behind it; "" from the first */
	int64_t changed_after; /* only those changed by a later change; -1 all */
	bool only_stuck;      /* only those that a clone at rest has left offline or In migration */
	size_t limit;
};

/* fn for each row in the order of names, with the number of the change it is from; returns how many match in all.
 * Readers and the writer do not wait for fn. Any thread. False: no memory. */
typedef void board_row_fn(void *arg, const struct tenant_row *row, int64_t changed);
bool board_list(struct board *b, const struct board_query *query, board_row_fn *fn, void *arg, size_t *total_r);

/* One writer: begin, puts, end; readers see all or nothing of it. put returns false when memory is short. */
void board_begin(struct board *b);
bool board_put(struct board *b, const struct tenant_row *row, int64_t changed);
void board_end(struct board *b);
/* NULL: no such tenant. Only for the writer's thread; borrowed until it writes again. */
const struct tenant_row *board_row(const struct board *b, const char *ctx);

size_t board_count(struct board *b);
/* Tenants that need an operator. */
size_t board_stuck(struct board *b);

/* Was it left offline, or In migration, by a clone that does not go on by itself? */
bool tenant_is_stuck(const struct tenant_row *row);

#endif
