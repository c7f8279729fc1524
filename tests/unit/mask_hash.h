/* SPDX-License-Identifier: Apache-2.0
 * The keyed hash that hides names, made by OpenSSL directly: no code of ours decides what the right answer is. */
#ifndef SANDBOX_TEST_MASK_HASH_H
#define SANDBOX_TEST_MASK_HASH_H

#include "handlers/masking/masking.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

#define MASK_TEST_KEY "0123456789abcdef0123456789abcdef"

static inline size_t mask_test_part(unsigned char *to, const char *text)
{
	size_t len = strlen(text);

	memset(to, 0, 8);
	to[6] = (unsigned char)(len >> 8);
	to[7] = (unsigned char)len;
	memcpy(to + 8, text, len);
	return 8 + len;
}

/* HMAC-SHA256 over "mask address", before and part, each with its length in eight bytes in front. arg counts the calls,
 * when it is there; the call that takes the count to 0 fails. */
static inline bool mask_test_hash(void *arg, const char *before, const char *part, char hex_r[MASK_HASH_TEXT])
{
	unsigned char bytes[2048], hash[32];
	size_t len = mask_test_part(bytes, "mask address");

	if (arg && --*(int *)arg == 0)
		return false;
	len += mask_test_part(bytes + len, before);
	len += mask_test_part(bytes + len, part);
	if (!HMAC(EVP_sha256(), MASK_TEST_KEY, sizeof MASK_TEST_KEY - 1, bytes, len, hash, NULL))
		return false;
	for (int i = 0; i < 32; i++)
		snprintf(hex_r + 2 * i, 3, "%02x", hash[i]);
	return true;
}

#endif
