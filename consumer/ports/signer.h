/* SPDX-License-Identifier: Apache-2.0
 * Keys that never leave their adapter: what proves to a partner app that a notice is ours. Any thread. */
#ifndef SANDBOX_PORTS_SIGNER_H
#define SANDBOX_PORTS_SIGNER_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { SIGNER_KEYS_MAX = 8, SIGNER_KID_TEXT = 44 };

struct signer_port {
	/* Appends header.payload.signature: RS256 with the first key, its kid in the header (RFC 7515, 7638). */
	bool (*jwt)(struct signer_port *self, const char *payload_json, struct buf *out, struct err *e);
	/* Appends the key set with the public half of every key: {"keys":[...]} (RFC 7517). */
	bool (*jwks)(struct signer_port *self, struct buf *out, struct err *e);
	/* Appends "v1,<base64>" of HMAC-SHA256 over text, with a secret as Standard Webhooks writes it ("whsec_..."). REFUSED
	 * when it is none: 24 to 64 bytes in base64. */
	bool (*hmac)(struct signer_port *self, const char *secret, const void *text, size_t len, struct buf *out, struct err *e);
	/* Appends " v1a,<base64>" for each ed25519 key of ours; nothing when there is none. */
	bool (*ed25519)(struct signer_port *self, const void *text, size_t len, struct buf *out, struct err *e);
	/* Appends the public ed25519 keys as "whpk_...", one a line. */
	bool (*public_keys)(struct signer_port *self, struct buf *out, struct err *e);
	void (*close)(struct signer_port *self);
};

#endif
