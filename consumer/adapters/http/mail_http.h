/* SPDX-License-Identifier: Apache-2.0
 * The mail port over HTTP (schemas/mail.openapi.yaml). */
#ifndef SANDBOX_MAIL_HTTP_H
#define SANDBOX_MAIL_HTTP_H

#include "consumer/adapters/http/http_client.h"
#include "handlers/ports/mail.h"

/* One for each running step and thread. Settings are copied; stop as in http_client_new. NULL on failure. */
struct mail_port *mail_http_new(const struct http_settings *s, const atomic_bool *stop, struct err *e);
void mail_http_free(struct mail_port **p);

#endif
