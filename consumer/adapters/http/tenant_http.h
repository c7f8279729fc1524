/* SPDX-License-Identifier: Apache-2.0
 * The tenant port over HTTP (schemas/hosting.openapi.yaml). */
#ifndef SANDBOX_TENANT_HTTP_H
#define SANDBOX_TENANT_HTTP_H

#include "consumer/adapters/http/http_client.h"
#include "handlers/ports/tenant.h"

/* One for each running step and thread. Settings are copied; stop as in http_client_new. NULL on failure. */
struct tenant_port *tenant_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e);
void tenant_http_free(struct tenant_port **p);

#endif
