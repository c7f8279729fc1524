/* SPDX-License-Identifier: Apache-2.0
 * Finds addresses in text: from at sign to at sign, the local part to the left and the host to the right of each.
 *
 * At signs with nothing but host bytes between them (a@b@c.org) are one chain and are rewritten as one, because either
 * half alone would be read together with the other's masked form. Everything is looked at a bounded number of times. */
#include "handlers/masking/masking_priv.h"

#include <string.h>

enum { QUOTED_MAX = 320, BACKSLASHES_MAX = 16 };

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t backslashes_before(const char *text, size_t floor, size_t i)
{
	size_t n = 0;

	while (n < BACKSLASHES_MAX && i - n > floor && text[i - n - 1] == '\\')
		n++;
	return n;
}

/* The n of \n before an address at the start of a line belongs to the escape (JSON, COPY text) and not to the address. */
static size_t skip_escape(const char *text, size_t start, size_t at)
{
	size_t skip = 0;

	if (backslashes_before(text, 0, start) % 2 == 0)
		return start;
	if (memchr("nrtbf", text[start], 5))
		skip = 1;
	else if (text[start] == 'u' && at - start > 5 && is_hex(text[start + 1]) && is_hex(text[start + 2]) &&
	         is_hex(text[start + 3]) && is_hex(text[start + 4]))
		skip = 5;
	while (start + skip < at && text[start + skip] == '.')
		skip++;
	return start + skip < at ? start + skip : start;
}

static bool encodes_separator(const char *text)
{
	return text[0] >= '0' && text[0] <= '3' && is_hex(text[1]) && !(text[0] == '3' && text[1] <= '9');
}

/* The 2C of %2C before an address in a URL, or the 252C of %252C, belongs to the escape. Only blanks and punctuation,
 * whose codes begin with 0 to 3: "%da" could be the start of a name. */
static size_t skip_percent(const char *text, size_t start, size_t at)
{
	size_t skip = 0;

	if (start == 0 || text[start - 1] != '%')
		return start;
	if (at - start > 4 && text[start] == '2' && text[start + 1] == '5' && encodes_separator(text + start + 2))
		skip = 4;
	else if (at - start > 2 && encodes_separator(text + start))
		skip = 2;
	while (start + skip < at && text[start + skip] == '.')
		skip++;
	return start + skip < at ? start + skip : start;
}

/* Where the name itself begins. The kept form begins with whatever is taken for the name, so that there an escape of
 * URLs survives by itself. */
static size_t skip_escapes(const struct mask_policy *p, const char *text, size_t start, size_t at)
{
	return skip_escape(text, p->hash ? skip_percent(text, start, at) : start, at);
}

/* Does the quote or bracket before `end` close something? An opening one follows a blank or a separator. */
static bool closes(const char *text, size_t end)
{
	size_t i = end - 1;
	unsigned char c;

	if (text[i] != '"' && text[i] != ')')
		return false;
	if (text[i] == '"')
		i -= backslashes_before(text, 0, i);
	if (i == 0)
		return false;
	c = (unsigned char)text[i - 1];
	return c > ' ' && c != 0x7F && !strchr(":=,[({>;\"\\<@", c) && !(c >= 0x80 && bytes_ends_punctuation(text, i));
}

/* Would the masked form be read together with what stands before i: as one word, or as an at sign like %40? */
static bool follows_word(const char *text, size_t i)
{
	if (i == 0)
		return false;
	return (bytes_kind(text[i - 1]) & BYTE_LOCAL) || strchr("]%\\&#", text[i - 1]) ||
	       bytes_was_at(text, i);
}

/* Start of the quoted local part whose closing quote ends before `end`; `end` itself when the opening one is out of
 * reach, or glued to a word, with which the masked form would be read together. A quote written \" is opened by \" and
 * a bare one by a bare one. */
static size_t quoted_start(const char *text, size_t floor, size_t end)
{
	size_t close = end - 1, escapes = backslashes_before(text, floor, close);

	if (text[close] != '"')
		return end;
	for (size_t i = close - escapes; i > floor && end - i < QUOTED_MAX; i--) {
		size_t n;

		if ((unsigned char)text[i - 1] < ' ')
			return end;
		if (text[i - 1] != '"')
			continue;
		n = backslashes_before(text, floor, i - 1);
		if (n == escapes)
			return follows_word(text, i - 1 - n) ? end : i - 1 - n;
		if (n < escapes)
			return end;
	}
	return end;
}

/* A hash must replace all of a word, however long: it would be read together with what is left of it. */
static size_t word_start(const char *text, size_t floor, size_t start)
{
	size_t more = bytes_local_run(text, floor, start);

	while (more < start) {
		start = more;
		more = bytes_local_run(text, floor, start);
	}
	return start;
}

/* Where the local part of the at sign begins. False when it has none. */
static bool local_start(const struct mask_policy *p, const char *text, size_t floor, size_t at, size_t *start_r)
{
	size_t start = bytes_local_run(text, floor, at);

	if (p->hash)
		start = word_start(text, floor, start);
	while (start < at && text[start] == '.')
		start++;
	if (start < at) {
		*start_r = start;
		return true;
	}
	if (at == floor || text[at - 1] == '.' || !closes(text, at))
		return false;
	*start_r = quoted_start(text, floor, at);
	return true;
}

struct chain {
	size_t end;     /* first byte after the last run of host bytes */
	size_t at;      /* the last at sign that has a host, and its length */
	size_t at_len;
	size_t host_end; /* 0 while none has a host */
	bool foreign;    /* one of the hosts is not the mask domain */
};

/* What follows an at sign: the end of the host, 0 when there is none, and the end of all host bytes. */
static size_t host_at(const struct mask_policy *p, const struct text_walk *w, size_t from, size_t *run_end_r)
{
	size_t end = from + p->domain_len;

	if (mask_begins_with_domain(p, w->text + from, w->len - from) &&
	    (end == w->len || ((unsigned char)w->text[end] < 0x80 && !(bytes_kind(w->text[end]) & BYTE_HOST)))) {
		*run_end_r = end; /* the usual case in text that was masked before */
		return end;
	}
	*run_end_r = address_literal_end(w->text, from, w->len);
	if (*run_end_r)
		return *run_end_r;
	*run_end_r = bytes_host_run(w->text, from, w->len);
	return address_host_end(w->text, from, *run_end_r);
}

static void chain_walk(const struct mask_policy *p, const struct text_walk *w, size_t at, size_t at_len, struct chain *c)
{
	for (*c = (struct chain){ .end = at }; at_len; at_len = bytes_is_at(w->text, at, w->len)) {
		size_t host = at + at_len, end = host_at(p, w, host, &c->end);

		if (end) {
			c->at = at;
			c->at_len = at_len;
			c->host_end = end;
			c->foreign |= !mask_is_domain(p, w->text + host, end - host);
		}
		at = c->end;
	}
}

static bool is_kept(const struct mask_policy *p, const char *text, const struct piece *piece)
{
	const struct address *a = &piece->address;
	size_t at = (size_t)(a->at - text), skipped = skip_escapes(p, text, piece->start, at);

	return mask_is_kept(p, a->local, a->local_len, a->host, a->host_len) ||
	       mask_is_kept(p, text + skipped, at - skipped, a->host, a->host_len);
}

/* Is the name before the at sign a hash of ours? A quote may stand between a word and it. */
static bool is_hashed(const struct mask_policy *p, const char *text, size_t start, size_t at)
{
	size_t n = hashed_tail(text + start, at - start), tail = at - n;

	return n && (tail == start || text[tail - 1] == '\'' || tail == skip_escapes(p, text, start, at));
}

/* Is all that is at the mask domain there because we put it there? */
static bool is_ours(const struct mask_policy *p, const char *text, const struct chain *c, size_t first_at, size_t start)
{
	if (c->foreign)
		return false;
	return !p->hash || (c->at == first_at && is_hashed(p, text, start, c->at));
}

static void judge(const struct mask_policy *p, const char *text, const struct chain *c, size_t first_at, size_t floor,
                  struct piece *piece)
{
	struct address *a = &piece->address;
	size_t host = c->at + c->at_len;

	piece->kind = !c->host_end ? PIECE_OTHER : PIECE_REWRITE;
	if (c->host_end && is_ours(p, text, c, first_at, piece->start))
		piece->kind = PIECE_ALREADY;
	if (piece->kind != PIECE_REWRITE)
		return;
	*a = (struct address){ text + piece->start, text + c->at, text + host, c->at - piece->start, c->at_len,
	                       c->host_end - host, false };
	a->glued = floor && piece->start == floor && a->local_len && (*a->local == '+' || *a->local == '~');
	piece->end = c->host_end;
	if (c->at != first_at)
		return;
	if (is_kept(p, text, piece)) {
		piece->kind = PIECE_KEPT;
		return;
	}
	piece->start = piece->start < c->at ? skip_escapes(p, text, piece->start, c->at) : piece->start;
	a->local = text + piece->start;
	a->local_len = c->at - piece->start;
}

bool text_next(const struct mask_policy *p, struct text_walk *w, struct piece *piece_r)
{
	size_t at, at_len, id_end, floor;
	struct chain chain;

	while (bytes_find_at(w->text, w->next, w->len, &at, &at_len)) {
		*piece_r = (struct piece){ .kind = PIECE_OTHER };
		if (!local_start(p, w->text, w->next, at, &piece_r->start)) {
			w->next = at + at_len;
			continue;
		}
		chain_walk(p, w, at, at_len, &chain);
		floor = w->next;
		id_end = w->lines ? mask_id_end(w->lines, w->text, w->len, at) : 0;
		w->next = piece_r->end = piece_r->tail = id_end > chain.end ? id_end : chain.end;
		if (!id_end)
			judge(p, w->text, &chain, at, floor, piece_r);
		return true;
	}
	return false;
}
