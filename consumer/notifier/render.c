/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/render.h"

#include "consumer/core/trace.h"
#include "consumer/notifier/jwt_claims.h"
#include "consumer/notifier/notice_body.h"
#include "consumer/notifier/webhook_signature.h"

#include <string.h>

enum { CLAIMS_MAX = 4096 };

static bool make_token(const struct render_settings *settings, struct signer_port *signer, const struct notice *notice,
                       const char *client_id, int64_t now_ms, struct buf *token, struct err *e)
{
	const struct jwt_claims claims = { .issuer = settings->issuer, .audience = client_id, .subject = notice->ctx,
		.id = notice->event_id, .now_ms = now_ms, .life_ms = settings->token_life_ms };
	struct buf payload;
	bool ok;

	buf_init(&payload, CLAIMS_MAX);
	ok = jwt_claims(&claims, &payload, e) && signer->jwt(signer, buf_text(&payload), token, e);
	buf_done(&payload);
	return ok;
}

static bool make_body(const struct render_settings *settings, struct signer_port *signer, const struct notice *notice,
                      const char *client_id, int64_t now_ms, struct buf *body, struct err *e)
{
	struct buf token;
	bool ok;

	buf_init(&token, NOTICE_TOKEN_MAX);
	ok = make_token(settings, signer, notice, client_id, now_ms, &token, e) &&
	     notice_body(notice, buf_text(&token), body, e);
	buf_done(&token);
	return ok;
}

static void add_header(struct post *post, const char *name, const char *value)
{
	post->headers[post->header_count++] = (struct post_header){ name, value };
}

static bool fill(const struct render_app *app, struct signer_port *signer, const struct notice *notice, int64_t now_ms,
                 struct arena *mem, struct post *post, struct err *e)
{
	const struct webhook webhook = { .id = notice->event_id, .now_ms = now_ms, .body = post->body,
		.body_len = post->body_len, .secrets = app->secrets, .secret_count = app->secret_count };
	char *trace = arena_take(mem, TRACEPARENT_TEXT);
	size_t signatures = 0;

	_Static_assert((int)WEBHOOK_HEADERS + 2 <= (int)POST_HEADERS_MAX, "all headers have room");
	post->url = app->url;
	if (!trace)
		return err_set(e, ERR_TRANSIENT, 0, "notice", "out of memory");
	if (!webhook_sign(signer, &webhook, mem, post->headers, &signatures, e))
		return false;
	post->header_count = signatures;
	add_header(post, "content-type", "application/json");
	if (traceparent_child(notice->traceparent, notice->event_id, trace))
		add_header(post, "traceparent", trace);
	return true;
}

bool render_post(const struct render_settings *settings, struct signer_port *signer, const struct notice *notice,
                 const struct render_app *app, int64_t now_ms, struct arena *mem, struct post *post, struct err *e)
{
	struct buf body;
	bool ok;

	*post = (struct post){ 0 };
	buf_init(&body, POST_BODY_MAX);
	ok = make_body(settings, signer, notice, app->client_id, now_ms, &body, e);
	if (ok) {
		post->body = arena_text(mem, body.data, body.len);
		post->body_len = body.len;
		ok = post->body || err_set(e, ERR_TRANSIENT, 0, "notice", "out of memory");
	}
	buf_done(&body);
	return ok && fill(app, signer, notice, now_ms, mem, post, e);
}
