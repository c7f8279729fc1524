/* SPDX-License-Identifier: Apache-2.0
 * SuperID, the central sign-in service (schemas/superid.openapi.yaml). Errors as in tenant.h. */
#ifndef SANDBOX_PORTS_IDENTITY_H
#define SANDBOX_PORTS_IDENTITY_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stddef.h>

/* SuperID's own tenant state, not one of the eleven of the state API (domain 2.4). */
enum identity_state { IDENTITY_UNSET, IDENTITY_NORMAL, IDENTITY_IN_MIGRATION };

/* "Normal", "In migration"; "" unset. */
const char *identity_state_name(enum identity_state state);

struct identity_tenant {
	char ctx[CTX_MAX + 1];
	char name[256];
	char serial[220];
	char test_of[CTX_MAX + 1];     /* source this tenant is the test environment of; "" none */
	char test_tenant[CTX_MAX + 1]; /* the test environment of this tenant; "" none */
	enum identity_state state;
};

struct identity_user { /* a sign-in account linked to an associate of the tenant */
	const char *login;
	long associate_id;
};

struct identity_users {
	const struct identity_user *users;
	size_t count;
};

struct identity_port {
	/* *found_r false when the tenant is not registered; that is no error. */
	bool (*get)(struct identity_port *self, const char *ctx, bool *found_r, struct identity_tenant *tenant_r,
	            struct err *e);
	bool (*put)(struct identity_port *self, const struct fence *f, const char *ctx, const char *name,
	            const char *serial, struct err *e);
	/* Makes target the test environment of source, replacing the former link of that source's tenant. */
	bool (*link_test)(struct identity_port *self, const struct fence *f, const char *source_ctx,
	                  const char *target_ctx, struct err *e);
	bool (*set_state)(struct identity_port *self, const struct fence *f, const char *ctx, enum identity_state state,
	                  struct err *e);
	/* Users sorted by login; memory from mem; at most 100,000 or REFUSED. */
	bool (*list_users)(struct identity_port *self, const char *ctx, struct arena *mem, struct identity_users *users_r,
	                   struct err *e);
	/* Replaces the tenant's whole user list by this one. */
	bool (*put_users)(struct identity_port *self, const struct fence *f, const char *ctx,
	                  const struct identity_users *users, struct err *e);
};

#endif
