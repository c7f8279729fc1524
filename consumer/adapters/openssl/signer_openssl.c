/* SPDX-License-Identifier: Apache-2.0
 * Everything but the signing itself is made once: nothing changes afterwards, so any thread may use it. */
#include "consumer/adapters/openssl/signer_openssl.h"

#include "consumer/adapters/openssl/base64.h"
#include "consumer/adapters/openssl/hmac_sha256.h"
#include "consumer/adapters/openssl/keys.h"

#include <stdlib.h>
#include <string.h>

enum { SECRET_BYTES_MIN = 24, SECRET_BYTES_MAX = 64, KEY_SET_MAX = 64 * 1024 };

struct signer_openssl {
	struct signer_port port;
	EVP_PKEY *rsa; /* the first, which signs; of the others only the public half is kept, in key_set */
	EVP_PKEY *ed25519[SIGNER_KEYS_MAX];
	size_t ed25519_count;
	struct buf head; /* of every JWT, encoded, with its full stop */
	struct buf key_set, public_keys;
};

static struct signer_openssl *of(struct signer_port *port)
{
	return (struct signer_openssl *)port;
}

/* What a failed call began to append must not stay. */
static bool undo(struct buf *out, size_t len)
{
	out->len = len;
	if (out->data)
		out->data[len] = '\0';
	return false;
}

static bool no_room(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, 0, "signer", "there is no room for what is signed");
}

/* ---- the port ---- */

static bool add_signature(EVP_PKEY *key, const char *text, size_t len, struct buf *out, struct err *e)
{
	unsigned char signature[SIGNER_RSA_BITS_MAX / 8];
	size_t signature_len;

	return key_sign(key, text, len, signature, sizeof signature, &signature_len, e) &&
	       ((buf_add_text(out, ".") && base64url_add(out, signature, signature_len)) || no_room(e));
}

static bool jwt(struct signer_port *self, const char *payload_json, struct buf *out, struct err *e)
{
	struct signer_openssl *s = of(self);
	const size_t start = out->len;

	if (!buf_add(out, s->head.data, s->head.len) || !base64url_add(out, payload_json, strlen(payload_json)))
		return undo(out, start) || no_room(e);
	return add_signature(s->rsa, out->data + start, out->len - start, out, e) || undo(out, start);
}

static bool jwks(struct signer_port *self, struct buf *out, struct err *e)
{
	struct signer_openssl *s = of(self);

	return buf_add(out, s->key_set.data, s->key_set.len) || no_room(e);
}

/* The bytes of "whsec_..."; 0 when it is none. */
static size_t read_secret(const char *secret, unsigned char bytes_r[SECRET_BYTES_MAX])
{
	static const char whsec[] = "whsec_";
	const size_t prefix = sizeof whsec - 1;
	size_t len;

	if (strncmp(secret, whsec, prefix) != 0)
		return 0;
	len = base64_read(secret + prefix, strlen(secret + prefix), bytes_r, SECRET_BYTES_MAX);
	return len >= SECRET_BYTES_MIN ? len : 0;
}

static bool hmac(struct signer_port *self, const char *secret, const void *text, size_t len, struct buf *out,
                 struct err *e)
{
	unsigned char bytes[SECRET_BYTES_MAX], hash[HMAC_SHA256_BYTES];
	size_t secret_len = read_secret(secret, bytes), start = out->len;
	bool ok;

	(void)self;
	if (!secret_len)
		return err_set(e, ERR_REFUSED, 0, "signer",
		               "the app's webhook secret is none: whsec_ and 24 to 64 bytes in base64 are expected");
	ok = hmac_sha256(bytes, secret_len, text, len, hash, e);
	explicit_bzero(bytes, sizeof bytes);
	if (!ok)
		return false;
	return (buf_add_text(out, "v1,") && base64_add(out, hash, sizeof hash)) || undo(out, start) || no_room(e);
}

static bool add_ed25519(EVP_PKEY *key, const void *text, size_t len, struct buf *out, struct err *e)
{
	unsigned char signature[ED25519_SIGNATURE_BYTES];
	size_t signature_len;

	return key_sign(key, text, len, signature, sizeof signature, &signature_len, e) &&
	       ((buf_add_text(out, " v1a,") && base64_add(out, signature, signature_len)) || no_room(e));
}

static bool ed25519(struct signer_port *self, const void *text, size_t len, struct buf *out, struct err *e)
{
	struct signer_openssl *s = of(self);
	const size_t start = out->len;

	for (size_t i = 0; i < s->ed25519_count; i++)
		if (!add_ed25519(s->ed25519[i], text, len, out, e))
			return undo(out, start);
	return true;
}

static bool public_keys(struct signer_port *self, struct buf *out, struct err *e)
{
	struct signer_openssl *s = of(self);

	return buf_add_text(out, buf_text(&s->public_keys)) || no_room(e);
}

static void close_signer(struct signer_port *self)
{
	struct signer_openssl *s = of(self);

	EVP_PKEY_free(s->rsa);
	for (size_t i = 0; i < s->ed25519_count; i++)
		EVP_PKEY_free(s->ed25519[i]);
	buf_done(&s->head);
	buf_done(&s->key_set);
	buf_done(&s->public_keys);
	free(s);
}

/* ---- making it ---- */

/* A key that is there twice is a slip of whoever changes keys: the one that should be there is not. */
static bool publish(struct signer_openssl *s, const struct signer_key *key, EVP_PKEY *pkey, char kid_r[SIGNER_KID_TEXT],
                    struct err *e)
{
	if (!key_id(pkey, kid_r, e))
		return false;
	if (strstr(buf_text(&s->key_set), kid_r))
		return err_set(e, ERR_REFUSED, 0, "signer", "the key %.120s is there twice", key->name);
	return (s->key_set.len == 0 ? buf_add_text(&s->key_set, "{\"keys\":[") : buf_add_text(&s->key_set, ",")) &&
	       key_public_jwk(pkey, kid_r, &s->key_set, e);
}

static bool make_head(struct signer_openssl *s, const char *kid, struct err *e)
{
	struct buf json;
	bool ok;

	buf_init(&json, 256);
	ok = buf_printf(&json, "{\"alg\":\"RS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", kid) &&
	     base64url_add(&s->head, json.data, json.len) && buf_add_text(&s->head, ".");
	buf_done(&json);
	return ok || no_room(e);
}

static bool take_rsa(struct signer_openssl *s, const struct signer_key *key, struct err *e)
{
	EVP_PKEY *pkey = rsa_key_read(key, e);
	char kid[SIGNER_KID_TEXT];
	bool is_first = !s->rsa, ok;

	if (!pkey)
		return false;
	ok = publish(s, key, pkey, kid, e) && (!is_first || make_head(s, kid, e));
	if (is_first)
		s->rsa = pkey;
	else
		EVP_PKEY_free(pkey);
	return ok;
}

static bool take_ed25519(struct signer_openssl *s, const struct signer_key *key, struct err *e)
{
	EVP_PKEY *pkey = ed25519_key_read(key, e);
	char kid[SIGNER_KID_TEXT];

	if (!pkey)
		return false;
	s->ed25519[s->ed25519_count++] = pkey;
	return publish(s, key, pkey, kid, e) && key_public_text(pkey, &s->public_keys, e) &&
	       (buf_add_text(&s->public_keys, "\n") || no_room(e));
}

static bool take_keys(struct signer_openssl *s, const struct signer_keys *keys, struct err *e)
{
	if (keys->rsa_count == 0)
		return err_set(e, ERR_REFUSED, 0, "signer", "there is no RSA key to sign tokens with");
	if (keys->rsa_count > SIGNER_KEYS_MAX || keys->ed25519_count > SIGNER_KEYS_MAX)
		return err_set(e, ERR_REFUSED, 0, "signer", "there are more than %d keys of a kind", SIGNER_KEYS_MAX);
	for (size_t i = 0; i < keys->rsa_count; i++)
		if (!take_rsa(s, &keys->rsa[i], e))
			return false;
	for (size_t i = 0; i < keys->ed25519_count; i++)
		if (!take_ed25519(s, &keys->ed25519[i], e))
			return false;
	return buf_add_text(&s->key_set, "]}") || no_room(e);
}

struct signer_port *signer_openssl_new(const struct signer_keys *keys, struct err *e)
{
	struct signer_openssl *s = calloc(1, sizeof *s);

	if (!s) {
		no_room(e);
		return NULL;
	}
	s->port = (struct signer_port){ jwt, jwks, hmac, ed25519, public_keys, close_signer };
	buf_init(&s->head, 256);
	buf_init(&s->key_set, KEY_SET_MAX);
	buf_init(&s->public_keys, 1024);
	if (take_keys(s, keys, e))
		return &s->port;
	close_signer(&s->port);
	return NULL;
}
