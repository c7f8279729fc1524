/* SPDX-License-Identifier: Apache-2.0
 * The licence server (schemas/licence.openapi.yaml). Errors as in tenant.h. */
#ifndef SANDBOX_PORTS_LICENCE_H
#define SANDBOX_PORTS_LICENCE_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stddef.h>

struct licence_module {
	const char *name;   /* for example ten-salesservicemarketing */
	int type;           /* 1 site, 2 satellite, 3 user (domain 3.3) */
	int count;          /* seats */
	bool is_user_plan;
	const char *set;    /* comma list of hidden licences the plan turns on; "" none */
};

struct licence {
	const char *owner;  /* company name on the licence, without the "Test Env - " prefix */
	const char *serial;
	const struct licence_module *modules;
	size_t count;
};

struct company_info { /* what step 26 writes outward from the clone's company row */
	const char *company, *serial, *database;
	long users_with_plan;
};

struct licence_port {
	/* The licence of the tenant; REFUSED when it has none; at most 1,000 modules. */
	bool (*get)(struct licence_port *self, const char *ctx, struct arena *mem, struct licence *licence_r,
	            struct err *e);
	bool (*get_company)(struct licence_port *self, const char *ctx, struct arena *mem, bool *found_r,
	                    struct company_info *info_r, struct err *e);
	bool (*put_company)(struct licence_port *self, const struct fence *f, const char *ctx,
	                    const struct company_info *info, struct err *e);
};

#endif
