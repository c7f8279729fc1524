/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/utf8.h"

#include <stdbool.h>

static bool is_tail(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length of the character at text, 0 when it is none. */
static size_t character(const unsigned char *text, size_t len)
{
	unsigned char first = text[0], second = len > 1 ? text[1] : 0;

	if (first < 0x80)
		return first ? 1 : 0;
	if (first < 0xc2 || first > 0xf4 || !is_tail(second))
		return 0;
	if (first < 0xe0)
		return 2;
	if (len < 3 || !is_tail(text[2]))
		return 0;
	if (first < 0xf0)
		return (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ? 0 : 3;
	if (len < 4 || !is_tail(text[3]))
		return 0;
	return (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f) ? 0 : 4;
}

size_t utf8_good_bytes(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t step = character((const unsigned char *)text + at, len - at);

		if (step == 0)
			break;
		at += step;
	}
	return at;
}
