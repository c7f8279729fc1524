/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/key_maker.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

/* Keys are made before the tests begin as well, where nothing may be asserted. */
static void write_pem(EVP_PKEY *key, struct buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len = 0;

	if (key && bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		len = BIO_get_mem_data(bio, &text);
	buf_clear(pem);
	if (len <= 0 || !buf_add(pem, text, (size_t)len)) {
		fprintf(stderr, "key_maker: no key could be made\n");
		abort();
	}
	BIO_free(bio);
	EVP_PKEY_free(key);
}

void make_rsa_key(struct buf *pem, unsigned bits)
{
	write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits), pem);
}

void make_ed25519_key(struct buf *pem)
{
	write_pem(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), pem);
}
