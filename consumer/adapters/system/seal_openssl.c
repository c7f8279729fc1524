/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/seal_openssl.h"

#include "consumer/adapters/system/secret_file.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BYTES = 32 };

struct seal_openssl {
	struct seal_port port;
	struct buf key;
	EVP_MAC *mac;
};

static bool failed(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "seal", "the crypto library could not make a hash");
}

/* The length goes in front in eight bytes, so that no two lists of parts give the same bytes. */
static bool add_part(EVP_MAC_CTX *ctx, const char *part)
{
	uint64_t len = strlen(part);
	unsigned char head[8];

	for (int i = 0; i < 8; i++)
		head[i] = (unsigned char)(len >> (56 - 8 * i));
	return EVP_MAC_update(ctx, head, sizeof head) && EVP_MAC_update(ctx, (const unsigned char *)part, len);
}

static bool hash(EVP_MAC_CTX *ctx, const struct buf *key, const char *const *parts, size_t count,
                 unsigned char hash_r[HASH_BYTES])
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		                OSSL_PARAM_construct_end() };
	bool ok = EVP_MAC_init(ctx, (const unsigned char *)key->data, key->len, params);
	size_t len;

	for (size_t i = 0; ok && i < count; i++)
		ok = add_part(ctx, parts[i]);
	return ok && EVP_MAC_final(ctx, hash_r, &len, HASH_BYTES) && len == HASH_BYTES;
}

static bool seal(struct seal_port *self, const char *const *parts, size_t count, char out_r[SEAL_TEXT], struct err *e)
{
	struct seal_openssl *s = (struct seal_openssl *)self;
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(s->mac);
	unsigned char bytes[HASH_BYTES];
	bool ok = ctx && hash(ctx, &s->key, parts, count, bytes);

	EVP_MAC_CTX_free(ctx);
	if (!ok)
		return failed(e);
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(out_r + 2 * i, 3, "%02x", bytes[i]);
	return true;
}

static bool take_key(struct seal_openssl *s, const char *key_file, struct err *e)
{
	if (!secret_file_read(key_file, &s->key, e))
		return false;
	return s->key.len >= SEAL_KEY_MIN ||
	       err_set(e, ERR_REFUSED, 0, "seal", "the key file %.120s holds %zu bytes; at least %d are needed", key_file,
	               s->key.len, SEAL_KEY_MIN);
}

struct seal_port *seal_openssl_new(const char *key_file, struct err *e)
{
	struct seal_openssl *s = calloc(1, sizeof *s);
	struct seal_port *port = (struct seal_port *)s;

	if (!s) {
		failed(e);
		return NULL;
	}
	s->port.seal = seal;
	buf_init(&s->key, SECRET_MAX_BYTES);
	s->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if ((!s->mac && !failed(e)) || !take_key(s, key_file, e))
		seal_openssl_free(&port);
	return port;
}

void seal_openssl_free(struct seal_port **seal_port)
{
	struct seal_openssl *s = seal_port ? (struct seal_openssl *)*seal_port : NULL;

	if (!s)
		return;
	EVP_MAC_free(s->mac);
	secret_done(&s->key);
	free(s);
	*seal_port = NULL;
}
