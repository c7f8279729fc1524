/* SPDX-License-Identifier: Apache-2.0
 * The notifier's keys, by OpenSSL (consumer/ports/signer.h). */
#ifndef SANDBOX_OPENSSL_SIGNER_H
#define SANDBOX_OPENSSL_SIGNER_H

#include "consumer/ports/signer.h"

enum { SIGNER_RSA_BITS_MIN = 2048, SIGNER_RSA_BITS_MAX = 8192 };

struct signer_key { /* content of a secret file */
	const char *name; /* what an error calls it: where it was read from */
	const char *text;
	size_t len;
};

/* The first of each kind is the newest. All RSA keys are published, the first one signs; all ed25519 keys sign. */
struct signer_keys {
	struct signer_key rsa[SIGNER_KEYS_MAX]; /* private keys as PEM without a password; at least one */
	size_t rsa_count;
	struct signer_key ed25519[SIGNER_KEYS_MAX]; /* PEM, or "whsk_..." as Standard Webhooks writes it */
	size_t ed25519_count;
};

/* NULL, and REFUSED with the key's name, when one is damaged, of another kind, too short, or there twice. Nothing is
 * borrowed afterwards: the caller wipes the texts. */
struct signer_port *signer_openssl_new(const struct signer_keys *keys, struct err *e);

#endif
