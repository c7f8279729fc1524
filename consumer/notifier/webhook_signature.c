/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/webhook_signature.h"

#include <inttypes.h>
#include <string.h>

enum { SIGNED_MAX = WEBHOOK_ID_MAX + 32 + POST_BODY_MAX, SIGNATURES_MAX = 2048 };

static bool is_id(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++)
		if (id[i] <= ' ' || id[i] > '~' || id[i] == '.')
			return false;
	return len > 0 && len <= WEBHOOK_ID_MAX;
}

static bool no_room(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "webhook", "there is no room for the signatures of the notice");
}

static bool add_signatures(struct signer_port *signer, const struct webhook *w, const struct buf *text,
                           struct buf *signatures, struct err *e)
{
	for (size_t i = 0; i < w->secret_count; i++) {
		if (i > 0 && !buf_add_text(signatures, " "))
			return no_room(e);
		if (!signer->hmac(signer, w->secrets[i], text->data, text->len, signatures, e))
			return false;
	}
	return signer->ed25519(signer, text->data, text->len, signatures, e);
}

static bool fill(const struct webhook *w, const char *signatures, struct arena *mem,
                 struct post_header headers_r[WEBHOOK_HEADERS], size_t *count_r, struct err *e)
{
	signatures += *signatures == ' '; /* each of ours comes with a blank before it */
	headers_r[0] = (struct post_header){ "webhook-id", arena_text(mem, w->id, strlen(w->id)) };
	headers_r[1] = (struct post_header){ "webhook-timestamp", arena_printf(mem, "%" PRId64, w->now_ms / 1000) };
	headers_r[2] = (struct post_header){ "webhook-signature", arena_text(mem, signatures, strlen(signatures)) };
	*count_r = *signatures ? 3 : 2;
	return (headers_r[0].value && headers_r[1].value && headers_r[2].value) || no_room(e);
}

bool webhook_sign(struct signer_port *signer, const struct webhook *w, struct arena *mem,
                  struct post_header headers_r[WEBHOOK_HEADERS], size_t *count_r, struct err *e)
{
	struct buf text, signatures;
	bool ok;

	*count_r = 0;
	if (!is_id(w->id))
		return err_set(e, ERR_REFUSED, 0, "webhook",
		               "the webhook-id is empty, too long, or has a blank, a full stop or another forbidden character");
	buf_init(&text, SIGNED_MAX);
	buf_init(&signatures, SIGNATURES_MAX);
	buf_printf(&text, "%s.%" PRId64 ".", w->id, w->now_ms / 1000);
	ok = (buf_add(&text, w->body, w->body_len) || no_room(e)) && add_signatures(signer, w, &text, &signatures, e) &&
	     fill(w, buf_text(&signatures), mem, headers_r, count_r, e);
	buf_done(&signatures);
	buf_done(&text);
	return ok;
}
