/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/openssl/keys.h"

#include "consumer/adapters/openssl/base64.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

/* "RSA" and "ED25519" are what the library calls them. */
static const char rsa[] = "RSA", ed25519[] = "ED25519";

bool crypto_failed(struct err *e, const char *what)
{
	ERR_clear_error();
	return err_set(e, ERR_TRANSIENT, 0, "signer", "the crypto library could not %s", what);
}

static void refuse(const struct signer_key *key, const char *why, struct err *e)
{
	ERR_clear_error();
	err_set(e, ERR_REFUSED, 0, "signer", "the key %.120s %s", key->name, why);
}

static const EVP_MD *hash_of(EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, rsa) ? EVP_sha256() : NULL;
}

bool key_sign(EVP_PKEY *key, const void *text, size_t len, unsigned char *signature_r, size_t max, size_t *len_r,
              struct err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	*len_r = max;
	ok = ctx && EVP_DigestSignInit(ctx, NULL, hash_of(key), NULL, key) == 1 &&
	     EVP_DigestSign(ctx, signature_r, len_r, text, len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok || crypto_failed(e, "sign");
}

/* ---- reading ---- */

/* Without this the library would ask on the terminal. */
static int no_password(char *password, int size, int for_writing, void *arg)
{
	(void)password, (void)size, (void)for_writing, (void)arg;
	return -1;
}

static EVP_PKEY *read_pem(const struct signer_key *key, struct err *e)
{
	BIO *bio = key->len <= INT_MAX ? BIO_new_mem_buf(key->text, (int)key->len) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

	BIO_free(bio);
	if (pkey)
		return pkey;
	if (memmem(key->text, key->len, "ENCRYPTED", strlen("ENCRYPTED")))
		refuse(key, "is locked with a password; take it off (openssl pkey): its file is readable by its owner only", e);
	else
		refuse(key, "is no private key in PEM form", e);
	return NULL;
}

/* A damaged key may still load; what it signs would be refused by everybody. */
static bool signs_rightly(EVP_PKEY *key, struct err *e)
{
	static const unsigned char text[] = "the public half accepts what the private one signs";
	unsigned char signature[SIGNER_RSA_BITS_MAX / 8];
	EVP_MD_CTX *ctx;
	size_t len;
	bool ok;

	if (!key_sign(key, text, sizeof text, signature, sizeof signature, &len, e))
		return false;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestVerifyInit(ctx, NULL, hash_of(key), NULL, key) == 1 &&
	     EVP_DigestVerify(ctx, signature, len, text, sizeof text) == 1;
	EVP_MD_CTX_free(ctx);
	return ok || crypto_failed(e, "verify");
}

/* The key itself when it is sound; otherwise it is freed. */
static EVP_PKEY *keep_sound(const struct signer_key *key, EVP_PKEY *pkey, struct err *e)
{
	struct err ignored = { 0 };

	if (signs_rightly(pkey, &ignored))
		return pkey;
	EVP_PKEY_free(pkey);
	refuse(key, "is damaged: its public half does not accept what it signs", e);
	return NULL;
}

EVP_PKEY *rsa_key_read(const struct signer_key *key, struct err *e)
{
	EVP_PKEY *pkey = read_pem(key, e);
	int bits;

	if (!pkey)
		return NULL;
	bits = EVP_PKEY_get_bits(pkey);
	if (!EVP_PKEY_is_a(pkey, rsa))
		refuse(key, "is no RSA key", e);
	else if (bits < SIGNER_RSA_BITS_MIN)
		refuse(key, "is an RSA key of less than 2048 bits, which can be broken", e);
	else if (bits > SIGNER_RSA_BITS_MAX)
		refuse(key, "is an RSA key of more than 8192 bits, which takes too long", e);
	else
		return keep_sound(key, pkey, e);
	EVP_PKEY_free(pkey);
	return NULL;
}

/* 32 bytes are the seed; some tools write the public half behind it, which must then be its own. */
static EVP_PKEY *from_bytes(const unsigned char *bytes, size_t len)
{
	unsigned char half[ED25519_BYTES];
	size_t half_len = sizeof half;
	EVP_PKEY *pkey = NULL;

	if (len == ED25519_BYTES || len == 2 * ED25519_BYTES)
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, ED25519_BYTES);
	if (!pkey || len == ED25519_BYTES)
		return pkey;
	if (EVP_PKEY_get_raw_public_key(pkey, half, &half_len) == 1 && memcmp(half, bytes + ED25519_BYTES, sizeof half) == 0)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

static const char whsk[] = "whsk_";

static EVP_PKEY *read_whsk(const struct signer_key *key, struct err *e)
{
	const size_t prefix = sizeof whsk - 1;
	unsigned char bytes[2 * ED25519_BYTES];
	size_t len = key->len;
	EVP_PKEY *pkey;

	while (len && strchr(" \t\r\n", key->text[len - 1]))
		len--;
	pkey = from_bytes(bytes, base64_read(key->text + prefix, len - prefix, bytes, sizeof bytes));
	explicit_bzero(bytes, sizeof bytes);
	if (!pkey)
		refuse(key, "is no ed25519 key: whsk_ and 32 bytes in base64 are expected", e);
	return pkey;
}

EVP_PKEY *ed25519_key_read(const struct signer_key *key, struct err *e)
{
	const size_t prefix = sizeof whsk - 1;
	EVP_PKEY *pkey;

	if (key->len > prefix && memcmp(key->text, whsk, prefix) == 0)
		pkey = read_whsk(key, e);
	else
		pkey = read_pem(key, e);
	if (!pkey)
		return NULL;
	if (EVP_PKEY_is_a(pkey, ed25519))
		return keep_sound(key, pkey, e);
	refuse(key, "is no ed25519 key", e);
	EVP_PKEY_free(pkey);
	return NULL;
}

/* ---- the public half ---- */

static bool add_number(EVP_PKEY *key, const char *which, struct buf *out)
{
	unsigned char bytes[SIGNER_RSA_BITS_MAX / 8];
	BIGNUM *number = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, which, &number) == 1 && BN_num_bytes(number) <= (int)sizeof bytes &&
	          base64url_add(out, bytes, (size_t)BN_bn2bin(number, bytes));

	BN_free(number);
	return ok;
}

static bool add_point(EVP_PKEY *key, bool (*add)(struct buf *, const void *, size_t), struct buf *out)
{
	unsigned char point[ED25519_BYTES];
	size_t len = sizeof point;

	return EVP_PKEY_get_raw_public_key(key, point, &len) == 1 && add(out, point, len);
}

/* Only the members that make the key, in the order of their names, without blanks: this is what is hashed. */
static bool add_members(EVP_PKEY *key, struct buf *out)
{
	if (EVP_PKEY_is_a(key, rsa))
		return buf_add_text(out, "\"e\":\"") && add_number(key, OSSL_PKEY_PARAM_RSA_E, out) &&
		       buf_add_text(out, "\",\"kty\":\"RSA\",\"n\":\"") && add_number(key, OSSL_PKEY_PARAM_RSA_N, out) &&
		       buf_add_text(out, "\"");
	return buf_add_text(out, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"") && add_point(key, base64url_add, out) &&
	       buf_add_text(out, "\"");
}

bool key_id(EVP_PKEY *key, char kid_r[SIGNER_KID_TEXT], struct err *e)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_len;
	struct buf jwk, kid;
	bool ok;

	buf_init(&jwk, 4096);
	buf_init(&kid, SIGNER_KID_TEXT);
	ok = buf_add_text(&jwk, "{") && add_members(key, &jwk) && buf_add_text(&jwk, "}") &&
	     EVP_Digest(jwk.data, jwk.len, hash, &hash_len, EVP_sha256(), NULL) == 1 && base64url_add(&kid, hash, hash_len) &&
	     kid.len == SIGNER_KID_TEXT - 1;
	if (ok)
		memcpy(kid_r, kid.data, SIGNER_KID_TEXT);
	buf_done(&kid);
	buf_done(&jwk);
	return ok || crypto_failed(e, "name a key");
}

bool key_public_jwk(EVP_PKEY *key, const char *kid, struct buf *out, struct err *e)
{
	const char *algorithm = EVP_PKEY_is_a(key, rsa) ? "RS256" : "EdDSA";

	return (buf_add_text(out, "{") && add_members(key, out) &&
	        buf_printf(out, ",\"kid\":\"%s\",\"use\":\"sig\",\"alg\":\"%s\"}", kid, algorithm)) ||
	       crypto_failed(e, "tell the public half of a key");
}

bool key_public_text(EVP_PKEY *key, struct buf *out, struct err *e)
{
	return (buf_add_text(out, "whpk_") && add_point(key, base64_add, out)) ||
	       crypto_failed(e, "tell the public half of a key");
}
