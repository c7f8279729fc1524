/* SPDX-License-Identifier: Apache-2.0
 * The identity port over HTTP (schemas/superid.openapi.yaml). */
#ifndef SANDBOX_IDENTITY_HTTP_H
#define SANDBOX_IDENTITY_HTTP_H

#include "consumer/adapters/http/http_client.h"
#include "handlers/ports/identity.h"

/* One for each running step and thread. Settings are copied; stop as in http_client_new. NULL on failure. */
struct identity_port *identity_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e);
void identity_http_free(struct identity_port **p);

#endif
