/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/openssl/hmac_sha256.h"

#include <openssl/hmac.h>

bool hmac_sha256(const void *key, size_t key_len, const void *text, size_t len, unsigned char hash_r[HMAC_SHA256_BYTES],
                 struct err *e)
{
	return HMAC(EVP_sha256(), key, (int)key_len, text, len, hash_r, NULL) ||
	       err_set(e, ERR_TRANSIENT, 0, "openssl", "could not make a hash");
}
