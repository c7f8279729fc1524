/* SPDX-License-Identifier: Apache-2.0
 * The proof: counts every address of a cell that is neither in the mask domain nor on the keep list.
 *
 * A second opinion on text.c, so it is written apart: it judges each at sign alone, reads code points and not bytes,
 * takes a host apart from its front, and never asks where a local part begins. Where the two could differ it is the
 * stricter one for what masking leaves, never the laxer. */
#include "handlers/masking/masking_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { STRIDE = 128, LOOK_BACK_MAX = 256, ESCAPES_MAX = 4, DOTS_MAX = 64 };

struct eye {
	const struct mask_policy *policy;
	const char *t;
	size_t len;
	size_t plain, coded; /* the next at sign of either kind, len when there is none */
	size_t coded_len;
	size_t only;         /* the one at sign of an address column's cell that is one word; SIZE_MAX otherwise */
	size_t last;         /* end of that word */
};

/* ---- characters ---- */
static bool is_letter(unsigned char c)
{
	return c >= 0x80 || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(unsigned char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '+' || c == '~';
}

static bool is_host(unsigned char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool is_separator(uint32_t code)
{
	return (code >= 0x80 && code <= 0xBF) || (code >= 0x2000 && code <= 0x207F) ||
	       (code >= 0x3000 && code <= 0x303F) || (code >= 0xFF00 && code <= 0xFF0F) ||
	       (code >= 0xFF1A && code <= 0xFF20) || code == 0xFEFF || code == 0xFFFD;
}

/* The code point of two or three bytes at i; 0 for any other length or broken bytes. */
static uint32_t code_at(const struct eye *eye, size_t i, size_t *size_r)
{
	const unsigned char *c = (const unsigned char *)eye->t + i;
	size_t left = eye->len - i;

	if (left >= 2 && (c[0] & 0xE0) == 0xC0 && (c[1] & 0xC0) == 0x80) {
		*size_r = 2;
		return (uint32_t)(c[0] & 0x1F) << 6 | (c[1] & 0x3F);
	}
	if (left >= 3 && (c[0] & 0xF0) == 0xE0 && c[0] > 0xE0 && (c[1] & 0xC0) == 0x80 && (c[2] & 0xC0) == 0x80) {
		*size_r = 3;
		return (uint32_t)(c[0] & 0x0F) << 12 | (uint32_t)(c[1] & 0x3F) << 6 | (c[2] & 0x3F);
	}
	*size_r = 1;
	return 0;
}

static bool separator_at(const struct eye *eye, size_t i)
{
	size_t size;

	return (unsigned char)eye->t[i] >= 0x80 && is_separator(code_at(eye, i, &size));
}

static bool separator_before(const struct eye *eye, size_t end)
{
	for (size_t size = 2; size <= 3 && size <= end && (unsigned char)eye->t[end - 1] >= 0x80; size++) {
		size_t found;

		if (is_separator(code_at(eye, end - size, &found)) && found == size)
			return true;
	}
	return false;
}

/* ---- at signs ---- */
static const char *const codings[] = { "%40", "%2540", "\\u0040", "\\U0040", "&#64;", "&#x40;", "&#X40;" };

static size_t coded_before(const struct eye *eye, size_t end)
{
	if (!end || (eye->t[end - 1] != '0' && eye->t[end - 1] != ';'))
		return 0;
	for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
		size_t n = strlen(codings[i]);

		if (n <= end && memcmp(eye->t + end - n, codings[i], n) == 0)
			return n;
	}
	return 0;
}

/* Counting over a fixed stride keeps the common case, nothing there, in vector registers. */
static bool stride_is_empty(const char *t)
{
	unsigned char hits = 0;

	for (size_t i = 0; i < STRIDE; i++)
		hits |= (unsigned char)(((t[i] == '4') & (t[i + 1] == '0')) | ((t[i] == '6') & (t[i + 1] == '4')));
	return hits == 0;
}

static void seek_coded(struct eye *eye, size_t from)
{
	size_t i = from;

	eye->coded = eye->len;
	while (i + 2 < eye->len) {
		if (i + STRIDE < eye->len && stride_is_empty(eye->t + i)) {
			i += STRIDE;
			continue;
		}
		for (size_t stop = i + STRIDE; i < stop && i + 2 <= eye->len; i++) {
			size_t end = i + 2, n;

			if (eye->t[i + 1] != '0' && eye->t[i + 1] != '4')
				continue;
			n = coded_before(eye, end);
			if (!n && end < eye->len)
				n = coded_before(eye, ++end);
			if (n && end - n >= from) {
				eye->coded = end - n;
				eye->coded_len = n;
				return;
			}
		}
	}
}

static void seek_plain(struct eye *eye, size_t from)
{
	const char *at = memchr(eye->t + from, '@', eye->len - from);

	eye->plain = at ? (size_t)(at - eye->t) : eye->len;
}

/* ---- the left side: does the at sign belong to somebody? ---- */
static bool ends_quotation(const struct eye *eye, size_t end)
{
	size_t i = end - 1, escapes = 0;
	unsigned char c;

	if (eye->t[i] != '"' && eye->t[i] != ')')
		return false;
	while (eye->t[end - 1] == '"' && escapes < ESCAPES_MAX && i > 0 && eye->t[i - 1] == '\\') {
		escapes++;
		i--;
	}
	if (i == 0)
		return false;
	c = (unsigned char)eye->t[i - 1];
	if (c >= 0x80)
		return !separator_before(eye, i);
	return c > ' ' && c != 0x7F && !memchr(":=,[({>;\"\\<@", c, 12);
}

static bool has_owner(const struct eye *eye, size_t at)
{
	size_t i = at;
	bool dot = false;

	while (i > 0 && at - i < LOOK_BACK_MAX) {
		size_t n = eye->t[i - 1] == '.' || eye->t[i - 1] == '@' ? 1 : coded_before(eye, i);

		if (!n)
			break;
		dot = eye->t[i - 1] == '.';
		i -= n;
	}
	if (i == 0)
		return false;
	if (is_name((unsigned char)eye->t[i - 1]))
		return !separator_before(eye, i);
	return !dot && ends_quotation(eye, i);
}

/* ---- the right side: where does the host end? ---- */
static size_t literal_end(const struct eye *eye, size_t from)
{
	static const char legal[] = "0123456789abcdefABCDEF.:";
	size_t i = from, digits;

	if (from >= eye->len || eye->t[i++] != '[')
		return 0;
	if (eye->len - i > 5 && strncasecmp(eye->t + i, "ipv6:", 5) == 0)
		i += 5;
	for (digits = i; digits < eye->len && digits - from < 48; digits++)
		if (!memchr(legal, eye->t[digits], sizeof legal - 1))
			break;
	if (digits - from < 3 || digits >= eye->len || eye->t[digits] != ']')
		return 0;
	for (i = digits + 1; i < eye->len && is_host((unsigned char)eye->t[i]) && !separator_at(eye, i); i++)
		;
	return i;
}

static bool is_top(const struct eye *eye, size_t from, size_t *end)
{
	const unsigned char *c = (const unsigned char *)eye->t;

	while (*end > from && (c[*end - 1] == '-' || c[*end - 1] == '_'))
		(*end)--;
	return *end - from >= 2 && is_letter(c[from]) && is_letter(c[from + 1]) &&
	       !mask_is_file_ending(eye->t + from, *end - from);
}

/* In a masked clone nearly every host is the mask domain, so that is asked first. */
static size_t domain_end(const struct eye *eye, size_t from)
{
	size_t n = eye->policy->domain_len;

	if (eye->len - from < n || memcmp(eye->t + from, eye->policy->domain, n) != 0)
		return 0;
	return from + n == eye->len || !is_host((unsigned char)eye->t[from + n]) ? from + n : 0;
}

/* Reads label after label and remembers the last that could be a top-level one. */
static size_t host_end(const struct eye *eye, size_t from)
{
	size_t good = domain_end(eye, from), label = from, i = from;
	bool named = false;

	if (!good)
		good = literal_end(eye, from);
	if (good)
		return good;
	for (;; i++) {
		size_t end = i;

		if (i < eye->len && eye->t[i] != '.' && is_host((unsigned char)eye->t[i]) && !separator_at(eye, i))
			continue;
		if (named && is_top(eye, label, &end))
			good = end;
		named |= i > label;
		if (i >= eye->len || eye->t[i] != '.')
			break;
		label = i + 1;
	}
	return good && mask_is_content_id(eye->t + from, good - from) ? 0 : good;
}

/* ---- the verdict ---- */
/* Is the letter before i the end of an escape like \n or \u003c? */
static bool ends_escape(const struct eye *eye, size_t i)
{
	const char *t = eye->t;

	if (i >= 2 && t[i - 2] == '\\' && memchr("nrtbf", t[i - 1], 5))
		return true;
	if (i < 6 || t[i - 6] != '\\' || t[i - 5] != 'u')
		return false;
	for (size_t k = i - 4; k < i; k++)
		if (!memchr("0123456789abcdefABCDEF", t[k], 22))
			return false;
	return true;
}

/* Or of a blank or a sign of punctuation as a URL writes it, %2C or %252C? Asked only where names are hidden: elsewhere
 * the escape is taken for a part of the name. */
static bool ends_percent(const struct eye *eye, size_t i)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	const char *t = eye->t;

	if (!eye->policy->hash || i < 3 || !memchr("0123", t[i - 2], 4) || !memchr(hex, t[i - 1], sizeof hex - 1))
		return false;
	if (t[i - 2] == '3' && is_digit((unsigned char)t[i - 1]))
		return false;
	return t[i - 3] == '%' || (i >= 5 && memcmp(t + i - 5, "%25", 3) == 0);
}

/* What stands before a kept or hashed address must not be part of a longer one; dots alone are none. */
static bool begins_there(const struct eye *eye, size_t i)
{
	size_t dots = 0;

	for (; i > 0 && eye->t[i - 1] == '.'; i--)
		if (++dots > DOTS_MAX)
			return true;
	if (i == 0 || !is_name((unsigned char)eye->t[i - 1]))
		return true;
	return separator_before(eye, i) || coded_before(eye, i) || ends_escape(eye, i) || ends_percent(eye, i);
}

/* Length of the at sign that ends before i; 0 when none does. */
static size_t at_before(const struct eye *eye, size_t i)
{
	return i && eye->t[i - 1] == '@' ? 1 : coded_before(eye, i);
}

/* A '~' belongs to no host: directly behind another address it begins a new one. */
static bool follows_host(const struct eye *eye, size_t i)
{
	while (i > 0 && is_host((unsigned char)eye->t[i - 1]) && !separator_before(eye, i) && !coded_before(eye, i))
		i--;
	return at_before(eye, i) > 0;
}

/* Is the name before the at sign a keyed hash and nothing else? */
static bool is_hashed(const struct eye *eye, size_t at)
{
	size_t digits = 0, sign, dots, n;

	while (digits < at && digits <= HASHED_DIGITS && memchr("0123456789abcdef", eye->t[at - 1 - digits], 16))
		digits++;
	if (digits == at || digits < HASHED_DIGITS_MIN || digits > HASHED_DIGITS)
		return false;
	sign = at - 1 - digits;
	if (eye->t[sign] != (digits == HASHED_DIGITS ? 'm' : '~'))
		return false;
	if (eye->t[sign] == '~')
		return begins_there(eye, sign) || follows_host(eye, sign);
	for (dots = sign; dots > 0 && eye->t[dots - 1] == '.'; dots--)
		;
	n = at_before(eye, dots);
	return begins_there(eye, sign) && !(n && has_owner(eye, dots - n));
}

static bool is_kept(const struct eye *eye, size_t at, const char *host, size_t host_len)
{
	for (size_t k = 0; k < eye->policy->keep_count; k++) {
		const char *keep = eye->policy->keep[k], *keep_at = strrchr(keep, '@');
		size_t local_len = (size_t)(keep_at - keep);

		if (strlen(keep_at + 1) == host_len && strncasecmp(keep_at + 1, host, host_len) == 0 && local_len <= at &&
		    strncasecmp(keep, eye->t + at - local_len, local_len) == 0 && begins_there(eye, at - local_len))
			return true;
	}
	return false;
}

static bool is_left(const struct eye *eye, size_t at, size_t at_len, size_t end)
{
	const char *host = eye->t + at + at_len;
	size_t host_len = end - at - at_len;

	if (host_len == eye->policy->domain_len && (memcmp(host, eye->policy->domain, host_len) == 0 ||
	                                            strncasecmp(host, eye->policy->domain, host_len) == 0) &&
	    (!eye->policy->hash || is_hashed(eye, at)))
		return false;
	return !is_kept(eye, at, host, host_len);
}

/* A cell of an address column that is one word with one at sign is an address whatever its local part is made of, but
 * for the signs that must be quoted there. */
static void find_only(struct eye *eye)
{
	size_t from = 0, to = eye->len;
	const char *at;

	eye->only = SIZE_MAX;
	while (from < to && (unsigned char)eye->t[from] <= ' ')
		from++;
	while (to > from && (unsigned char)eye->t[to - 1] <= ' ')
		to--;
	at = memchr(eye->t + from, '@', to - from);
	if (!at || at == eye->t + from || memchr(at + 1, '@', (size_t)(eye->t + to - at - 1)))
		return;
	for (size_t i = from; eye->t + i < at; i++)
		if ((unsigned char)eye->t[i] <= ' ' || eye->t[i] == 0x7F || memchr("\"(),:;<>[\\]", eye->t[i], 11) ||
		    separator_before(eye, i + 1) || coded_before(eye, i + 1))
			return;
	eye->only = (size_t)(at - eye->t);
	eye->last = to;
}

static void judge_all(struct eye *eye, bool header, struct scan_counts *counts)
{
	struct mask_id_lines lines = { .line_end = 0 };

	seek_plain(eye, 0);
	seek_coded(eye, 0);
	while (eye->plain < eye->len || eye->coded < eye->len) {
		bool is_plain = eye->plain < eye->coded;
		size_t at = is_plain ? eye->plain : eye->coded, at_len = is_plain ? 1 : eye->coded_len;
		size_t end = host_end(eye, at + at_len);

		if (end && (has_owner(eye, at) || (at == eye->only && end == eye->last)) &&
		    !(header && mask_id_end(&lines, eye->t, eye->len, at))) {
			counts->addresses++;
			counts->left += is_left(eye, at, at_len, end);
		}
		if (is_plain)
			seek_plain(eye, at + 1);
		else
			seek_coded(eye, at + at_len);
	}
}

void scan_cell(const struct mask_policy *p, const char *table, const char *column, const char *text, size_t len,
               struct scan_counts *counts)
{
	enum mask_class class = mask_columns_find(p->columns, table, column).class;
	struct eye eye = { .policy = p, .t = text, .len = len, .only = SIZE_MAX };
	bool first = counts->left == 0;

	counts->cells++;
	counts->bytes += (int64_t)len;
	if (len == 0 || class == MASK_CLASS_BLOB)
		return;
	if (class == MASK_CLASS_MESSAGE_ID && mask_is_message_ids(text, len))
		return;
	if (class == MASK_CLASS_ADDRESS)
		find_only(&eye);
	judge_all(&eye, class == MASK_CLASS_HEADER, counts);
	if (first && counts->left) {
		snprintf(counts->first_table, sizeof counts->first_table, "%s", table);
		snprintf(counts->first_column, sizeof counts->first_column, "%s", column);
	}
}
