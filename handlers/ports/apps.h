/* SPDX-License-Identifier: Apache-2.0
 * App authorisations of a tenant, held outside its database (schemas/apps.openapi.yaml; domain section 5).
 * Read only: the source's authorisations are never copied. Errors as in tenant.h. */
#ifndef SANDBOX_PORTS_APPS_H
#define SANDBOX_PORTS_APPS_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { APP_SECRETS_MAX = 4 };

/* How a clone treats an app that has not answered its notice: not at all, waits for it until a moment, or for ever. */
enum ack_policy { ACK_NONE, ACK_WAIT, ACK_HOLD };

enum app_status { APP_STATUS_UNSET, APP_ACTIVE, APP_EXPIRED, APP_REVOKED };

struct app_authorisation {
	const char *client_id;
	const char *name;
	const char *partner;
	enum app_status status;
	const char *system_user_token; /* "" when the app has no system user; a secret: never logged */
	const char *state_change_url;  /* "" when the app gave none */
	/* "whsec_..." each, several while the app changes from one to another; secrets: never logged */
	const char *webhook_secrets[APP_SECRETS_MAX];
	size_t webhook_secret_count;
	enum ack_policy acknowledgement;
	int64_t acknowledge_within_ms; /* of ACK_WAIT */
};

struct app_authorisations {
	const struct app_authorisation *apps;
	size_t count;
};

struct apps_port {
	/* Sorted by client_id; at most 10,000 or REFUSED. */
	bool (*list)(struct apps_port *self, const char *ctx, struct arena *mem, struct app_authorisations *apps_r,
	             struct err *e);
};

#endif
