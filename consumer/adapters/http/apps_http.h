/* SPDX-License-Identifier: Apache-2.0
 * The apps port over HTTP (schemas/apps.openapi.yaml). */
#ifndef SANDBOX_APPS_HTTP_H
#define SANDBOX_APPS_HTTP_H

#include "consumer/adapters/http/http_client.h"
#include "handlers/ports/apps.h"

/* One for each running step and thread. Settings are copied; stop as in http_client_new. NULL on failure. */
struct apps_port *apps_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e);
void apps_http_free(struct apps_port **p);

#endif
