/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/seal_openssl.h"

#include "consumer/adapters/system/secret_file.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BYTES = 32 };

struct seal_openssl {
	struct seal_port port;
	EVP_MAC_CTX *ready; /* has taken the key in, and is only copied from then on: any thread may */
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

static bool hash(EVP_MAC_CTX *ctx, const char *const *parts, size_t count, unsigned char hash_r[HASH_BYTES])
{
	bool ok = true;
	size_t len;

	for (size_t i = 0; ok && i < count; i++)
		ok = add_part(ctx, parts[i]);
	return ok && EVP_MAC_final(ctx, hash_r, &len, HASH_BYTES) && len == HASH_BYTES;
}

static bool seal(struct seal_port *self, const char *const *parts, size_t count, char out_r[SEAL_TEXT], struct err *e)
{
	struct seal_openssl *s = (struct seal_openssl *)self;
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(s->ready);
	unsigned char bytes[HASH_BYTES];
	bool ok = ctx && hash(ctx, parts, count, bytes);

	EVP_MAC_CTX_free(ctx);
	if (!ok)
		return failed(e);
	for (size_t i = 0; i < HASH_BYTES; i++) {
		out_r[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out_r[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	out_r[SEAL_TEXT - 1] = '\0';
	return true;
}

static bool take_key(struct seal_openssl *s, const char *key_file, const struct buf *key, struct err *e)
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		                OSSL_PARAM_construct_end() };
	EVP_MAC *mac;

	if (key->len < SEAL_KEY_MIN)
		return err_set(e, ERR_REFUSED, 0, "seal", "the key file %.120s holds %zu bytes; at least %d are needed",
		               key_file, key->len, SEAL_KEY_MIN);
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	s->ready = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	return (s->ready && EVP_MAC_init(s->ready, (const unsigned char *)key->data, key->len, params)) || failed(e);
}

struct seal_port *seal_openssl_new(const char *key_file, struct err *e)
{
	struct seal_openssl *s = calloc(1, sizeof *s);
	struct seal_port *port = (struct seal_port *)s;
	struct buf key;

	if (!s) {
		failed(e);
		return NULL;
	}
	s->port.seal = seal;
	buf_init(&key, SECRET_MAX_BYTES);
	if (!secret_file_read(key_file, &key, e) || !take_key(s, key_file, &key, e))
		seal_openssl_free(&port);
	secret_done(&key);
	return port;
}

void seal_openssl_free(struct seal_port **seal_port)
{
	struct seal_openssl *s = seal_port ? (struct seal_openssl *)*seal_port : NULL;

	if (!s)
		return;
	EVP_MAC_CTX_free(s->ready); /* which wipes what it made of the key */
	free(s);
	*seal_port = NULL;
}
