/* SPDX-License-Identifier: Apache-2.0
 * Which bytes belong to an address in text, and where the at signs are.
 *
 * Bytes from 0x80 on belong to words, so that IDN hosts and UTF-8 local parts stay whole and broken UTF-8 hides
 * nothing; only Unicode's own punctuation and blanks end a word. */
#include "handlers/masking/masking_priv.h"

#include <string.h>

enum { LOCAL_RUN_MAX = 320, BLOCK = 16 };

typedef char block __attribute__((vector_size(BLOCK)));

#define WORD (BYTE_HOST | BYTE_LOCAL | BYTE_ATEXT | BYTE_LETTER)

const uint8_t bytes_kinds[256] = {
	['a' ... 'z'] = WORD,
	['A' ... 'Z'] = WORD,
	[0x80 ... 0xFF] = WORD,
	['0' ... '9'] = BYTE_HOST | BYTE_LOCAL | BYTE_ATEXT,
	['.'] = BYTE_HOST | BYTE_LOCAL,
	['-'] = BYTE_HOST | BYTE_LOCAL | BYTE_ATEXT,
	['_'] = BYTE_HOST | BYTE_LOCAL | BYTE_ATEXT,
	['+'] = BYTE_LOCAL | BYTE_ATEXT,
	['~'] = BYTE_LOCAL | BYTE_ATEXT,
	['!'] = BYTE_ATEXT,
	['#' ... '\''] = BYTE_ATEXT,
	['*'] = BYTE_ATEXT,
	['/'] = BYTE_ATEXT,
	['='] = BYTE_ATEXT,
	['?'] = BYTE_ATEXT,
	['^'] = BYTE_ATEXT,
	['`'] = BYTE_ATEXT,
	['{' ... '}'] = BYTE_ATEXT,
};

static bool is_continuation(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* U+0080-00BF, U+2000-207F, U+3000-303F, the full-width signs before and after the digits, byte order mark, U+FFFD. */
static size_t punctuation(const unsigned char *p, size_t left)
{
	if (left >= 2 && p[0] == 0xC2 && is_continuation(p[1]))
		return 2;
	if (left < 3 || !is_continuation(p[1]) || !is_continuation(p[2]))
		return 0;
	if (p[0] == 0xE2)
		return p[1] == 0x80 || p[1] == 0x81 ? 3 : 0;
	if (p[0] == 0xE3)
		return p[1] == 0x80 ? 3 : 0;
	if (p[0] != 0xEF)
		return 0;
	if (p[1] == 0xBC)
		return p[2] <= 0x8F || (p[2] >= 0x9A && p[2] <= 0xA0) ? 3 : 0;
	return (p[1] == 0xBB && p[2] == 0xBF) || (p[1] == 0xBF && p[2] == 0xBD) ? 3 : 0;
}

bool bytes_ends_punctuation(const char *text, size_t end)
{
	const unsigned char *t = (const unsigned char *)text;

	if (end < 2 || !is_continuation(t[end - 1]))
		return false;
	return punctuation(t + end - 2, 2) == 2 || (end >= 3 && punctuation(t + end - 3, 3) == 3);
}

size_t bytes_host_run(const char *text, size_t from, size_t len)
{
	const unsigned char *t = (const unsigned char *)text;
	size_t i;

	for (i = from; i < len && (bytes_kinds[t[i]] & BYTE_HOST); i++)
		if (t[i] >= 0xC2 && punctuation(t + i, len - i))
			break;
	return i;
}

static bool joins_word(const unsigned char *t, size_t floor, size_t i, size_t end)
{
	return t[i] == '\'' && i > floor && i + 1 < end && (bytes_kinds[t[i - 1]] & BYTE_LETTER) &&
	       (bytes_kinds[t[i + 1]] & BYTE_LETTER);
}

size_t bytes_local_run(const char *text, size_t floor, size_t end)
{
	const unsigned char *t = (const unsigned char *)text;
	size_t i;

	for (i = end; i > floor && end - i < LOCAL_RUN_MAX; i--) {
		if (!(bytes_kinds[t[i - 1]] & BYTE_LOCAL) && !joins_word(t, floor, i - 1, end))
			break;
		if (t[i - 1] >= 0x80 && bytes_ends_punctuation(text, i))
			break;
	}
	if (end - i == LOCAL_RUN_MAX) /* the cap must not split a character */
		while (i < end && is_continuation(t[i]))
			i++;
	return i;
}

size_t bytes_utf8(const char *p, size_t left)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xC2 ? 0 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : u[0] < 0xF5 ? 4 : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!is_continuation(u[i]))
			return 0;
	if ((u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xED && u[1] > 0x9F) || (u[0] == 0xF0 && u[1] < 0x90) ||
	    (u[0] == 0xF4 && u[1] > 0x8F))
		return 0;
	return n;
}

size_t bytes_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; count++) {
		size_t n = (unsigned char)text[i] < 0x80 ? 1 : bytes_utf8(text + i, len - i);

		i += n ? n : 1;
	}
	return count;
}

struct spelling {
	const char *text;
	size_t len;
};

static const struct spelling spellings[] = {
	{ "%40", 3 }, { "%2540", 5 }, { "\\u0040", 6 }, { "\\U0040", 6 }, { "&#64;", 5 }, { "&#x40;", 6 }, { "&#X40;", 6 },
};

size_t bytes_is_at(const char *text, size_t at, size_t len)
{
	if (at < len && text[at] == '@')
		return 1;
	if (len - at < 3 || (text[at] != '%' && text[at] != '\\' && text[at] != '&'))
		return 0;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
		if (spellings[i].len <= len - at && memcmp(text + at, spellings[i].text, spellings[i].len) == 0)
			return spellings[i].len;
	return 0;
}

size_t bytes_was_at(const char *text, size_t end)
{
	if (end && text[end - 1] == '@')
		return 1;
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
		if (spellings[i].len <= end && memcmp(text + end - spellings[i].len, spellings[i].text, spellings[i].len) == 0)
			return spellings[i].len;
	return 0;
}

/* Every spelling holds "40" or "64", so one look at a block finds all that is worth a closer one: the offset of the first
 * such byte, BLOCK when there is none. Reads one byte behind the block. Vector types of the compiler, no instruction
 * set: on a machine without vectors it makes plain code of them. */
static size_t block_first(const char *p)
{
	block here, next;
	uint64_t half[2];

	memcpy(&here, p, BLOCK);
	memcpy(&next, p + 1, BLOCK);
	here = (block)((here == '@') | ((here == '4') & (next == '0')) | ((here == '6') & (next == '4')));
	memcpy(half, &here, BLOCK);
	if (!(half[0] | half[1]))
		return BLOCK;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return half[0] ? (size_t)__builtin_ctzll(half[0]) / 8 : 8 + (size_t)__builtin_ctzll(half[1]) / 8;
#else
	return half[0] ? (size_t)__builtin_clzll(half[0]) / 8 : 8 + (size_t)__builtin_clzll(half[1]) / 8;
#endif
}

/* The spelling whose "40" or "64" begins at i. */
static bool spelled_around(const char *text, size_t from, size_t i, size_t len, size_t *at_r, size_t *at_len_r)
{
	for (size_t back = 1; back <= 4 && i >= from + back; back++) {
		size_t n = bytes_is_at(text, i - back, len);

		if (n > back + 1) {
			*at_r = i - back;
			*at_len_r = n;
			return true;
		}
	}
	return false;
}

bool bytes_find_at(const char *text, size_t from, size_t len, size_t *at_r, size_t *at_len_r)
{
	for (size_t i = from; i < len; i++) {
		if (i + BLOCK < len) {
			size_t first = block_first(text + i);

			i += first;
			if (first == BLOCK) {
				i--;
				continue;
			}
		}
		if (text[i] == '@') {
			*at_r = i;
			*at_len_r = 1;
			return true;
		}
		if ((text[i] == '4' || text[i] == '6') && spelled_around(text, from, i, len, at_r, at_len_r))
			return true;
	}
	return false;
}
