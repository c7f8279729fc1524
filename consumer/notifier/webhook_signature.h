/* SPDX-License-Identifier: Apache-2.0
 * The headers of Standard Webhooks 1.0.0: webhook-id, -timestamp and -signature over "id.timestamp.body". */
#ifndef SANDBOX_NOTIFIER_WEBHOOK_SIGNATURE_H
#define SANDBOX_NOTIFIER_WEBHOOK_SIGNATURE_H

#include "consumer/ports/poster.h"
#include "consumer/ports/signer.h"
#include "handlers/base/arena.h"

enum { WEBHOOK_HEADERS = 3, WEBHOOK_ID_MAX = 256 };

struct webhook {
	const char *id;   /* the same on every try: the receiver's key to drop repeats */
	int64_t now_ms;   /* of this try */
	const char *body; /* as it will be sent, byte for byte */
	size_t body_len;
	const char *const *secrets; /* "whsec_..." of the app, all of them while it changes from one to another */
	size_t secret_count;
};

/* Fills headers_r, whose texts live in mem, and their count: without the signature's when the app has no secret and we
 * have no ed25519 key. REFUSED when a secret is none, or the id is empty, too long, or has a character other than
 * printable ASCII without blanks and full stops (a full stop could move the borders of what is signed). */
bool webhook_sign(struct signer_port *signer, const struct webhook *webhook, struct arena *mem,
                  struct post_header headers_r[WEBHOOK_HEADERS], size_t *count_r, struct err *e);

#endif
