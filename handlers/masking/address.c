/* SPDX-License-Identifier: Apache-2.0
 * One address: what its host is, whether a whole text is one, and its masked form. */
#include "handlers/masking/masking_priv.h"

#include <string.h>
#include <strings.h>

enum { HASH_LEN = 8, SHORT_TAIL = HASH_LEN + 1, LITERAL_MAX = 48 };

/* The end of the label without the hyphens and underscores that markup and sentences put behind it; 0 when it cannot be
 * a top-level label. It must only begin with two letters: "company.com-urgent" is an address all the same. */
static size_t top_label_end(const char *text, size_t label, size_t end)
{
	while (end > label && (text[end - 1] == '-' || text[end - 1] == '_'))
		end--;
	if (end - label < 2 || !(bytes_kind(text[label]) & BYTE_LETTER) ||
	    !(bytes_kind(text[label + 1]) & BYTE_LETTER) || mask_is_file_ending(text + label, end - label))
		return 0;
	return end;
}

size_t address_host_end(const char *text, size_t from, size_t run_end)
{
	size_t first = from, end = run_end;

	while (first < run_end && text[first] == '.')
		first++;
	while (end > first) {
		size_t label = end, top;

		while (label > first && text[label - 1] != '.')
			label--;
		if (label == first) /* nothing before it: no dot */
			return 0;
		top = top_label_end(text, label, end);
		if (top)
			return mask_is_content_id(text + from, top - from) ? 0 : top;
		end = label - 1;
	}
	return 0;
}

size_t address_literal_end(const char *text, size_t from, size_t len)
{
	size_t i = from + 1;

	if (from >= len || text[from] != '[')
		return 0;
	if (len - i > 5 && strncasecmp(text + i, "IPv6:", 5) == 0)
		i += 5;
	for (; i < len && i - from < LITERAL_MAX; i++)
		if (!strchr("0123456789abcdefABCDEF.:", text[i]) || !text[i])
			break;
	if (i >= len || text[i] != ']' || i - from < 3)
		return 0;
	return bytes_host_run(text, i + 1, len);
}

static size_t parse_quoted(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '"')
			return i + 1;
		if (text[i] == '\\')
			i++;
	}
	return 0;
}

/* A dot-string or a quoted string. Punctuation of Unicode or an at sign like %40 in it means that this is text. */
static size_t parse_local(const char *text, size_t len)
{
	size_t i = 0;

	if (len && text[0] == '"')
		return parse_quoted(text, len);
	for (; i < len && ((bytes_kind(text[i]) & BYTE_ATEXT) || text[i] == '.'); i++)
		if (bytes_is_at(text, i, len) || ((unsigned char)text[i] >= 0x80 && bytes_ends_punctuation(text, i + 1)))
			return 0;
	return i;
}

bool address_parse(const char *text, size_t len, struct address *a)
{
	size_t at = parse_local(text, len), host = at + 1, end;

	if (at == 0 || at >= len || text[at] != '@')
		return false;
	end = address_literal_end(text, host, len);
	if (!end)
		end = address_host_end(text, host, bytes_host_run(text, host, len));
	if (end != len)
		return false;
	*a = (struct address){ text, text + at, text + host, at, 1, len - host, false };
	return true;
}

/* Is there an address inside the local part, as in "a@b.no"@c.org or a%40b.no@c.org? */
static bool hides_another(const struct mask_policy *p, const struct address *a)
{
	struct text_walk walk = { a->local, a->local_len + a->at_len + a->host_len, 0, NULL };
	struct piece piece;
	size_t at, at_len;

	if (a->local[0] != '"' || !bytes_find_at(a->local, 0, a->local_len, &at, &at_len))
		return false; /* address_parse lets no at sign into any other local part */
	while (text_next(p, &walk, &piece))
		if (piece.kind == PIECE_REWRITE)
			return true;
	return false;
}

/* Did we put it at the mask domain? What text leaves before a hash may read as one address with it: judge it alike. */
static bool is_ours(const struct mask_policy *p, const struct address *a)
{
	struct text_walk walk = { a->local, a->local_len + a->at_len + a->host_len, 0, NULL };
	struct piece piece;

	if (!p->hash || hashed_tail(a->local, a->local_len) == a->local_len)
		return true;
	return text_next(p, &walk, &piece) && piece.kind == PIECE_ALREADY && piece.end == walk.len;
}

enum piece_kind address_judge(const struct mask_policy *p, const struct address *a)
{
	enum piece_kind kind = PIECE_REWRITE;

	if (mask_is_domain(p, a->host, a->host_len) && is_ours(p, a))
		kind = PIECE_ALREADY;
	else if (mask_is_kept(p, a->local, a->local_len, a->host, a->host_len))
		kind = PIECE_KEPT;
	return kind != PIECE_REWRITE && hides_another(p, a) ? PIECE_REWRITE : kind;
}

static size_t char_len(const char *text, size_t left)
{
	return (unsigned char)text[0] < 0x80 ? 1 : bytes_utf8(text, left);
}

/* An at sign like the %40 of a%40b would make what follows look like its host. */
static bool local_is_plain(const char *local, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = char_len(local + i, len - i);
		bool dot = local[i] == '.';

		if (n == 0 || (dot && (i == 0 || local[i - 1] == '.')))
			return false;
		if (!dot && !(bytes_kind(local[i]) & BYTE_ATEXT))
			return false;
		if (bytes_is_at(local, i, len))
			return false;
		i += n;
	}
	return true;
}

static bool host_is_plain(const char *host, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = char_len(host + i, len - i);
		bool begins = i == 0 || host[i - 1] == '.', ends = i + 1 == len || host[i + 1] == '.';

		if (n == 0 || host[i] == '_' || host[i] == '[' || (host[i] == '.' && begins))
			return false;
		if (host[i] == '-' && (begins || ends))
			return false;
		i += n;
	}
	return true;
}

/* Only legal addresses take the long form: there the last underscore splits, so that two never become one. */
static bool is_plain(const struct address *a)
{
	return local_is_plain(a->local, a->local_len) && host_is_plain(a->host, a->host_len);
}

static uint64_t hash_byte(uint64_t h, unsigned char c)
{
	return (h ^ c) * UINT64_C(0x100000001b3);
}

/* FNV-1a over local@host, the host in lower case, then mixed so that the upper half depends on every bit. Backslashes
 * of a quoted local part are left out: JSON doubles them. */
static uint32_t address_hash(const struct address *a)
{
	bool quoted = a->local_len && (a->local[0] == '"' || a->local[0] == '\\');
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < a->local_len; i++)
		if (!quoted || a->local[i] != '\\')
			h = hash_byte(h, (unsigned char)a->local[i]);
	h = hash_byte(h, '@');
	for (size_t i = 0; i < a->host_len; i++) {
		unsigned char c = (unsigned char)a->host[i];

		h = hash_byte(h, c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c);
	}
	h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
	h = (h ^ (h >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(h >> 32);
}

struct head {
	char text[MASK_LOCAL_MAX];
	size_t len, chars, max_len, max_chars;
};

static bool head_add(struct head *h, const char *text, size_t n)
{
	if (h->len + n > h->max_len || h->chars + 1 > h->max_chars)
		return false;
	memcpy(h->text + h->len, text, n);
	h->len += n;
	h->chars++;
	return true;
}

/* As much of the text as fits; every byte that could end an address, or begin another, becomes an underscore. */
static bool head_fill(struct head *h, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = char_len(text + i, len - i);
		bool dot = text[i] == '.';
		bool good = n && (bytes_kind(text[i]) & BYTE_LOCAL) &&
		            !(n > 1 && bytes_ends_punctuation(text, i + n));

		if (dot && (h->len == 0 || h->text[h->len - 1] == '.'))
			good = false;
		if (!head_add(h, good ? text + i : "_", good ? n : 1))
			return false;
		i += n ? n : 1;
	}
	return true;
}

static void unquote(const char **text, size_t *len)
{
	while (*len && (**text == '\\' || **text == '"')) {
		(*text)++;
		(*len)--;
	}
	while (*len && ((*text)[*len - 1] == '\\' || (*text)[*len - 1] == '"'))
		(*len)--;
}

/* The masked address while it is put together: local part, at sign (as long as six bytes), domain. */
struct form {
	char text[MASK_LOCAL_MAX + 8 + MASK_DOMAIN_MAX];
	size_t len;
};

static void form_add(struct form *f, const char *text, size_t len)
{
	memcpy(f->text + f->len, text, len);
	f->len += len;
}

static void form_add_hash(struct form *f, uint32_t hash)
{
	f->text[f->len++] = '~';
	for (int shift = 28; shift >= 0; shift -= 4)
		f->text[f->len++] = "0123456789abcdef"[hash >> shift & 15];
}

static bool short_form(const struct mask_policy *p, const struct address *a, size_t max_chars, struct form *f)
{
	size_t room = MASK_ADDRESS_MAX - 1 - p->domain_len, around = a->at_len + p->domain_len + SHORT_TAIL;
	struct head head = { .len = 0 };
	const char *local = a->local;
	size_t local_len = a->local_len;

	if (max_chars && max_chars < around)
		return false;
	head.max_len = (room < MASK_LOCAL_MAX ? room : MASK_LOCAL_MAX) - SHORT_TAIL;
	head.max_chars = max_chars ? max_chars - around : head.max_len;
	unquote(&local, &local_len);
	if (head_fill(&head, local, local_len) && head_fill(&head, "_", 1))
		head_fill(&head, a->host, a->host_len);
	form_add(f, head.text, head.len);
	form_add_hash(f, address_hash(a));
	return true;
}

static bool long_form_fits(const struct mask_policy *p, const struct address *a, size_t max_chars)
{
	size_t len = a->local_len + 1 + a->host_len, chars;

	if (len > MASK_LOCAL_MAX || len + 1 + p->domain_len > MASK_ADDRESS_MAX || !is_plain(a))
		return false;
	if (!max_chars || len + a->at_len + p->domain_len <= max_chars)
		return true;
	chars = bytes_count(a->local, a->local_len) + 1 + bytes_count(a->host, a->host_len) + a->at_len + p->domain_len;
	return chars <= max_chars;
}

static bool hashed_form(const struct mask_policy *p, const struct address *a, size_t max_chars, struct form *f)
{
	size_t around = a->at_len + p->domain_len, room = HASHED_LOCAL;

	if (max_chars)
		room = max_chars > around ? max_chars - around : 0;
	return hashed_local(p, a, room, f->text, &f->len);
}

bool address_mask(const struct mask_policy *p, const struct address *a, size_t max_chars, struct buf *out,
                  bool *shortened_r)
{
	struct form form;

	form.len = 0;
	if (p->hash) {
		if (!hashed_form(p, a, max_chars, &form))
			out->failed = true;
		*shortened_r = form.len < HASHED_LOCAL;
		if (out->failed || form.len == 0)
			return false;
		form_add(&form, a->at, a->at_len);
		form_add(&form, p->domain, p->domain_len);
		return buf_add(out, form.text, form.len);
	}
	*shortened_r = !long_form_fits(p, a, max_chars);
	if (!*shortened_r) {
		form_add(&form, a->local, a->local_len);
		form_add(&form, "_", 1);
		form_add(&form, a->host, a->host_len);
	} else if (!short_form(p, a, max_chars, &form)) {
		return false;
	}
	form_add(&form, a->at, a->at_len);
	form_add(&form, p->domain, p->domain_len);
	return buf_add(out, form.text, form.len);
}
