/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/log_text.h"

#include "consumer/core/log.h"

#include <string.h>

static const char hidden[] = "[address]";

/* ---- UTF-8 ---- */

size_t text_next_char(const char *p, size_t left, uint32_t *code_r)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)p;
	size_t len = u[0] < 0x80 ? 1 : (u[0] & 0xe0) == 0xc0 ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : (u[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t code = len == 1 ? u[0] : len ? u[0] & (0x7fU >> len) : 0;

	*code_r = 0xfffd;
	if (len == 0 || len > left)
		return 1;
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 1;
		code = code << 6 | (u[i] & 0x3fU);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 1;
	*code_r = code;
	return len;
}

bool text_is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x200e && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void add_char(struct buf *out, const char *p, size_t len, uint32_t code)
{
	if (code == '"' || code == '\\')
		buf_printf(out, "\\%c", (char)code);
	else if (code == '\n')
		buf_add_text(out, "\\n");
	else if (text_is_unsafe(code) || (code == 0xfffd && len == 1))
		buf_printf(out, "\\u%04x", code);
	else
		buf_add(out, p, len);
}

/* ---- addresses ---- */

/* An '@' as it may be written: plain, in a URL, or as its full-width sister. */
static size_t at_sign(const char *p, size_t left)
{
	if (*p == '@')
		return 1;
	if (left >= 3 && p[0] == '%' && p[1] == '4' && p[2] == '0')
		return 3;
	return left >= 3 && memcmp(p, "\xef\xbc\xa0", 3) == 0 ? 3 : 0;
}

static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || strchr("<>()[]{},;|", c) != NULL;
}

/* Where the word around an '@' begins; a quoted local part may hold blanks. */
static size_t word_start(const char *text, size_t at, size_t floor)
{
	size_t start = at;

	if (start > floor && text[start - 1] == '"') {
		start--;
		while (start > floor && text[start - 1] != '"')
			start--;
		start -= start > floor;
	}
	while (start > floor && !ends_word(text[start - 1]))
		start--;
	return start;
}

static size_t word_end(const char *text, size_t at, size_t len)
{
	while (at < len && !ends_word(text[at]))
		at++;
	return at;
}

/* The next word with an '@' in text[from..len); false when there is none. */
static bool find_address(const char *text, size_t from, size_t len, size_t *start_r, size_t *end_r)
{
	for (size_t i = from; i < len; i++) {
		size_t sign = at_sign(text + i, len - i);

		if (sign) {
			*start_r = word_start(text, i, from);
			*end_r = word_end(text, i + sign, len);
			return true;
		}
	}
	return false;
}

static size_t plain_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] >= ' ' && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

static void add_plain(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = plain_run(text + i, len - i);
		uint32_t code;

		if (n) {
			buf_add(out, text + i, n);
		} else {
			n = text_next_char(text + i, len - i, &code);
			add_char(out, text + i, n, code);
		}
		i += n;
	}
}

static void add_without_addresses(struct buf *out, const char *text, size_t len)
{
	size_t at = 0, start, end;

	while (find_address(text, at, len, &start, &end)) {
		add_plain(out, text + at, start - at);
		buf_add_text(out, hidden);
		at = end;
	}
	add_plain(out, text + at, len - at);
}

/* ---- a value ---- */

static bool needs_quotes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"=\\@%", c))
			return true;
	}
	return len == 0;
}

/* Where to cut a long text: not inside a character, and before a word that could be the head of an address. */
static size_t cut_at(const char *text)
{
	enum { ADDRESS_MAX = 320 };
	size_t len = LOG_VALUE_MAX, word;

	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	for (word = len; word > len - ADDRESS_MAX; word--) {
		if (ends_word(text[word - 1]))
			return word;
	}
	return len;
}

void log_text_add(struct buf *out, const char *text, bool json)
{
	size_t len = strnlen(text, LOG_VALUE_MAX + 1);
	bool cut = len > LOG_VALUE_MAX, quotes;

	if (cut)
		len = cut_at(text);
	quotes = json || cut || needs_quotes(text, len);
	if (quotes)
		buf_add_text(out, "\"");
	add_without_addresses(out, text, len);
	if (cut)
		buf_add_text(out, "...");
	if (quotes)
		buf_add_text(out, "\"");
}

/* ---- time ---- */

struct date {
	int64_t year;
	int month, day;
};

/* Days since 1970-01-01 to a date of the Gregorian calendar: years are counted from March, so that the leap day is
 * the last of its year, in eras of 400 years. */
static struct date date_of(int64_t days)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	struct date d;

	d.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	d.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	d.year = yoe + era * 400 + (d.month <= 2);
	return d;
}

/* Writes the number with that many digits and what stands behind it; returns where it goes on. */
static char *put_digits(char *at, int64_t number, int digits, char behind)
{
	for (int i = digits - 1; i >= 0; i--, number /= 10)
		at[i] = (char)('0' + number % 10);
	at[digits] = behind;
	return at + digits + 1;
}

void log_time_text(int64_t utc_ms, char text_r[LOG_TIME_TEXT])
{
	const int64_t day_ms = 86400000;
	int64_t days = utc_ms / day_ms - (utc_ms % day_ms < 0), rest = utc_ms - days * day_ms;
	struct date d = date_of(days);
	char *at = text_r;

	at = put_digits(at, d.year, 4, '-');
	at = put_digits(at, d.month, 2, '-');
	at = put_digits(at, d.day, 2, 'T');
	at = put_digits(at, rest / 3600000, 2, ':');
	at = put_digits(at, rest / 60000 % 60, 2, ':');
	at = put_digits(at, rest / 1000 % 60, 2, '.');
	at = put_digits(at, rest % 1000, 3, 'Z');
	*at = '\0';
}
