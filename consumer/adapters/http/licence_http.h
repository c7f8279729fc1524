/* SPDX-License-Identifier: Apache-2.0
 * The licence port over HTTP (schemas/licence.openapi.yaml). */
#ifndef SANDBOX_LICENCE_HTTP_H
#define SANDBOX_LICENCE_HTTP_H

#include "consumer/adapters/http/http_client.h"
#include "handlers/ports/licence.h"

/* One for each running step and thread. Settings are copied; stop as in http_client_new. NULL on failure. */
struct licence_port *licence_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e);
void licence_http_free(struct licence_port **p);

#endif
