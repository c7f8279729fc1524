/* SPDX-License-Identifier: Apache-2.0
 * HMAC-SHA256 with a key of bytes. */
#ifndef SANDBOX_OPENSSL_HMAC_SHA256_H
#define SANDBOX_OPENSSL_HMAC_SHA256_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { HMAC_SHA256_BYTES = 32 };

/* False with *e when the library failed, which it should not. */
bool hmac_sha256(const void *key, size_t key_len, const void *text, size_t len, unsigned char hash_r[HMAC_SHA256_BYTES],
                 struct err *e);

#endif
