/* SPDX-License-Identifier: Apache-2.0
 * What a partner app gets: one JSON object with exactly the six documented members (domain 2.2). */
#ifndef SANDBOX_NOTIFIER_NOTICE_BODY_H
#define SANDBOX_NOTIFIER_NOTICE_BODY_H

#include "consumer/ports/deliveries.h"
#include "handlers/base/buf.h"

enum { NOTICE_FIELD_MAX = 512, NOTICE_TOKEN_MAX = 4096 }; /* so that the body stays below POST_BODY_MAX */

/* Appends the body; token is the signed JWT. REFUSED when there is no tenant or a field is longer than it may be. */
bool notice_body(const struct notice *notice, const char *token, struct buf *out, struct err *e);

#endif
