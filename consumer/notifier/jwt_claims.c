/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/jwt_claims.h"

#include "consumer/core/json_text.h"

#include <inttypes.h>
#include <string.h>

static void add_text(struct buf *out, const char *before, const char *text)
{
	buf_add_text(out, before);
	json_text_add(out, text, strlen(text));
}

static bool is_whole(const struct jwt_claims *c)
{
	return c->issuer[0] && c->audience[0] && c->subject[0] && c->id[0] && c->life_ms >= 1000;
}

bool jwt_claims(const struct jwt_claims *c, struct buf *out, struct err *e)
{
	int64_t now_s = c->now_ms / 1000, begin_s = now_s - JWT_BACKDATED_S;

	if (!is_whole(c))
		return err_set(e, ERR_MISUSE, 0, "jwt", "a claim of the token is missing, or it lives less than a second");
	add_text(out, "{\"iss\":", c->issuer);
	add_text(out, ",\"aud\":", c->audience);
	add_text(out, ",\"sub\":", c->subject);
	buf_printf(out, ",\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64, begin_s, begin_s,
	           now_s + c->life_ms / 1000);
	add_text(out, ",\"jti\":", c->id);
	return buf_add_text(out, "}") || err_set(e, ERR_TRANSIENT, 0, "jwt", "there is no room for the claims");
}
