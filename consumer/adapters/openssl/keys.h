/* SPDX-License-Identifier: Apache-2.0
 * Private keys from their texts, checked, and how their public halves are told. */
#ifndef SANDBOX_OPENSSL_KEYS_H
#define SANDBOX_OPENSSL_KEYS_H

#include "consumer/adapters/openssl/signer_openssl.h"

#include <openssl/evp.h>
#include <stdbool.h>

enum { ED25519_BYTES = 32, ED25519_SIGNATURE_BYTES = 64 };

/* The private key, which the caller frees; NULL and REFUSED, with its name, when it is none or signs nothing that its
 * public half accepts. */
EVP_PKEY *rsa_key_read(const struct signer_key *key, struct err *e);
EVP_PKEY *ed25519_key_read(const struct signer_key *key, struct err *e);

/* RFC 7638: what the key is called, by its public half. */
bool key_id(EVP_PKEY *key, char kid_r[SIGNER_KID_TEXT], struct err *e);
/* Appends the public half as a JWK (RFC 7517, 7518, 8037). */
bool key_public_jwk(EVP_PKEY *key, const char *kid, struct buf *out, struct err *e);
/* Appends "whpk_..." of an ed25519 key. */
bool key_public_text(EVP_PKEY *key, struct buf *out, struct err *e);

/* RS256 with an RSA key, ed25519 with the other; signature_r has room for max bytes. */
bool key_sign(EVP_PKEY *key, const void *text, size_t len, unsigned char *signature_r, size_t max, size_t *len_r,
              struct err *e);

/* Always false: the library failed where it should not. */
bool crypto_failed(struct err *e, const char *what);

#endif
