/* SPDX-License-Identifier: Apache-2.0
 * What the Token of a notice says (RFC 7519): who made it, for which app, about which tenant, for how long. */
#ifndef SANDBOX_NOTIFIER_JWT_CLAIMS_H
#define SANDBOX_NOTIFIER_JWT_CLAIMS_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Tokens are dated back so far, because a partner's clock may be behind ours and libraries refuse what begins in the
 * future. */
enum { JWT_BACKDATED_S = 60 };

struct jwt_claims {
	const char *issuer;   /* our base URL: the keys are below it */
	const char *audience; /* client id of the app: it must refuse what is meant for another */
	const char *subject;  /* the tenant */
	const char *id;       /* of the event: the same on every try */
	int64_t now_ms, life_ms;
};

/* Appends {"iss","aud","sub","iat","nbf","exp","jti"}. MISUSE when one is missing or the life is less than a second. */
bool jwt_claims(const struct jwt_claims *claims, struct buf *out, struct err *e);

#endif
