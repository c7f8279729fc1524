/* SPDX-License-Identifier: Apache-2.0
 * The state API as answers of plain values (schemas/tenant.openapi.yaml); HTTP is somebody else's. Any thread. */
#ifndef SANDBOX_TENANT_STATE_API_H
#define SANDBOX_TENANT_STATE_API_H

#include "consumer/tenant/board.h"
#include "handlers/base/buf.h"

struct state_api {
	struct board *board;
	int64_t valid_running_ms; /* how far ahead ValidUntil lies while the tenant answers calls */
	int64_t valid_offline_ms; /* and while it does not */
};

struct state_answer {
	int status; /* 200, 304, 400 */
	const char *problem; /* of a 400: a constant sentence; NULL otherwise */
	char etag[24];
	int64_t max_age_s;     /* whole seconds until ValidUntil */
	int64_t retry_after_s; /* 0: it answers calls */
};

/* One tenant, with exactly the documented fields, appended to body. if_none_match is the request's header or "". */
struct state_answer state_api_get(const struct state_api *api, const char *ctx, const char *if_none_match, int64_t utc_ms,
                                  struct buf *body);

enum { STATE_LIST_DEFAULT = 100, STATE_LIST_MAX = 1000 };

struct state_list_query { /* parameters as they came; "" not given */
	const char *context, *after, *changed_after, *stuck, *limit;
};

/* The rows of many tenants, for operators. status is 200, or 400 with the problem, or 503 when memory is short. */
struct state_answer state_api_list(const struct state_api *api, const struct state_list_query *query, struct buf *body);

#endif
