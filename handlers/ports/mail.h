/* SPDX-License-Identifier: Apache-2.0
 * The mail provider's incoming routes (schemas/mail.openapi.yaml). Routes are named by exact id, never by a
 * prefix: "acme" must not take "acme-2" with it. Errors as in tenant.h. */
#ifndef SANDBOX_PORTS_MAIL_H
#define SANDBOX_PORTS_MAIL_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stddef.h>

struct mail_route {
	const char *id;
	const char *address;    /* recipient pattern the route matches */
	const char *tenant_ctx; /* where the mail goes */
};

struct mail_routes {
	const struct mail_route *routes;
	size_t count;
};

struct mail_port {
	/* Routes of exactly this tenant, sorted by id; at most 10,000 or REFUSED. */
	bool (*list)(struct mail_port *self, const char *ctx, struct arena *mem, struct mail_routes *routes_r,
	             struct err *e);
	/* True also when there was no such route. */
	bool (*remove)(struct mail_port *self, const struct fence *f, const char *route_id, struct err *e);
	/* Creates or replaces the route of that id for fence's target. */
	bool (*put)(struct mail_port *self, const struct fence *f, const char *route_id, const char *address,
	            struct err *e);
};

#endif
