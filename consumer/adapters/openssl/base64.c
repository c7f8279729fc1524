/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/openssl/base64.h"

#include <stdint.h>
#include <string.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Three bytes make four digits; the last group has a digit more than it has bytes. */
static bool add(struct buf *out, const unsigned char *data, size_t len, const char *digits, bool padded)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t bytes = len - i < 3 ? len - i : 3;
		uint32_t group = (uint32_t)data[i] << 16;
		char four[4] = { '=', '=', '=', '=' };

		if (bytes > 1)
			group |= (uint32_t)data[i + 1] << 8;
		if (bytes > 2)
			group |= data[i + 2];
		for (size_t d = 0; d <= bytes; d++)
			four[d] = digits[group >> (18 - 6 * d) & 63];
		buf_add(out, four, padded ? 4 : bytes + 1);
	}
	return !out->failed;
}

bool base64_add(struct buf *out, const void *data, size_t len)
{
	return add(out, data, len, plain, true);
}

bool base64url_add(struct buf *out, const void *data, size_t len)
{
	return add(out, data, len, for_urls, false);
}

size_t base64_read(const char *text, size_t len, unsigned char *bytes_r, size_t max)
{
	size_t digits = len, count = 0;

	while (digits && len - digits < 2 && text[digits - 1] == '=')
		digits--;
	if (len % 4 != 0 || digits / 4 * 3 + (digits % 4 ? digits % 4 - 1 : 0) > max)
		return 0;
	for (size_t i = 0, bits = 0; i < digits; i++) {
		const char *digit = text[i] ? strchr(plain, text[i]) : NULL;

		if (!digit)
			return 0;
		bits = bits << 6 | (size_t)(digit - plain);
		if (i % 4 != 0)
			bytes_r[count++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return count;
}
