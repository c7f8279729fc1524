/* SPDX-License-Identifier: Apache-2.0
 * The two XML texts that the service answers with. They have elements, text, five entities and numbers of characters, no
 * more; anything else (a document type, a comment) is no sound listing. */
#include "consumer/adapters/azure/azure_priv.h"

#include "consumer/core/file_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BLOBS_MAX = 5000, VALUE_MAX = 8192 };

enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_TEXT, TOKEN_BROKEN };

struct token {
	enum token_kind kind;
	const char *text, *rest; /* an element's name and attributes, or text as it is written */
	size_t len, rest_len;
	bool is_empty; /* <Name/> */
};

struct xml {
	const char *at, *end;
	struct arena *mem;
};

static bool is_called(const struct token *t, const char *name)
{
	return t->len == strlen(name) && memcmp(t->text, name, t->len) == 0;
}

static struct token element(struct xml *x)
{
	const char *close = memchr(x->at, '>', (size_t)(x->end - x->at));
	struct token t = { .kind = TOKEN_BROKEN };

	if (!close || x->at + 1 == close || x->at[1] == '!')
		return t;
	t.kind = x->at[1] == '/' ? TOKEN_CLOSE : TOKEN_OPEN;
	t.text = x->at + 1 + (t.kind == TOKEN_CLOSE);
	t.is_empty = close[-1] == '/' || x->at[1] == '?'; /* the declaration is passed like an empty element */
	t.len = strcspn(t.text, " />\t\r\n");
	t.rest = t.text + t.len;
	t.rest_len = (size_t)(close - t.rest);
	x->at = close + 1;
	return t;
}

static struct token next(struct xml *x)
{
	struct token t = { .kind = TOKEN_END };
	const char *open;

	if (x->at == x->end)
		return t;
	if (*x->at == '<')
		return element(x);
	open = memchr(x->at, '<', (size_t)(x->end - x->at));
	t = (struct token){ .kind = TOKEN_TEXT, .text = x->at };
	t.len = (size_t)((open ? open : x->end) - x->at);
	x->at += t.len;
	return t;
}

/* ---- text ---- */

static size_t add_character(unsigned long c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* One entity at *at, written as 1 to 4 bytes, never more than it is long; 0 when there is no such. */
static size_t add_entity(const char **at, const char *end, char *out)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' } };
	const char *semicolon = memchr(*at, ';', (size_t)(end - *at));
	size_t len = semicolon ? (size_t)(semicolon + 1 - *at) : 0;
	unsigned long number;
	char *stop;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (len == strlen(known[i].name) && memcmp(*at, known[i].name, len) == 0) {
			*at += len;
			*out = known[i].c;
			return 1;
		}
	if (len < 4 || len > 10 || (*at)[1] != '#')
		return 0;
	number = (*at)[2] == 'x' ? strtoul(*at + 3, &stop, 16) : strtoul(*at + 2, &stop, 10);
	if (stop != semicolon || number == 0 || number > 0x10FFFF)
		return 0;
	*at += len;
	return add_character(number, out);
}

/* The text with its entities resolved; NULL when it is not sound or memory is short. */
static char *plain(struct xml *x, const char *text, size_t len)
{
	const char *end = text + len;
	char *out = arena_take(x->mem, len + 1), *to = out;

	while (out && text < end) {
		size_t n = 1;

		if (*text == '&')
			n = add_entity(&text, end, to);
		else
			*to = *text++;
		if (n == 0 || *to == '\0')
			return NULL;
		to += n;
	}
	return out;
}

/* What stands between <Name> and </Name>, which must hold no element. */
static const char *value(struct xml *x, const struct token *open)
{
	struct token t;
	const char *text = "";

	if (open->is_empty)
		return text;
	t = next(x);
	if (t.kind == TOKEN_TEXT) {
		text = plain(x, t.text, t.len);
		t = next(x);
	}
	return t.kind == TOKEN_CLOSE ? text : NULL;
}

/* In place; false when it is not percent-encoded as it says. */
static bool decode_percent(char *text)
{
	char *to = text, *stop;

	for (const char *at = text; *at; at++) {
		if (*at == '%') {
			char digits[3] = { at[1], at[1] ? at[2] : '\0', '\0' };

			*to = (char)strtoul(digits, &stop, 16);
			if (stop != digits + 2 || !*to)
				return false;
			at += 2;
		} else {
			*to = *at;
		}
		to++;
	}
	*to = '\0';
	return true;
}

/* ---- one blob ---- */

static const struct {
	const char *element, *header;
} contents[] = {
	{ "Content-Type", "x-ms-blob-content-type" },
	{ "Content-Encoding", "x-ms-blob-content-encoding" },
	{ "Content-Language", "x-ms-blob-content-language" },
	{ "Content-Disposition", "x-ms-blob-content-disposition" },
	{ "Cache-Control", "x-ms-blob-cache-control" },
};

/* A header line more; what cannot be one is left out. */
static bool add_line(struct xml *x, const char **lines, const char *prefix, const char *name, size_t name_len,
                     const char *text)
{
	const char *more;

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			return true;
	if (!*text || strlen(text) > VALUE_MAX || strlen(*lines) > VALUE_MAX)
		return true;
	more = arena_printf(x->mem, "%s%s%.*s: %s\n", *lines, prefix, (int)name_len, name, text);
	*lines = more ? more : *lines;
	return more != NULL;
}

static const char *without_quotes(struct xml *x, const char *text)
{
	size_t len = strlen(text);

	return len > 1 && *text == '"' ? arena_text(x->mem, text + 1, len - 2) : text;
}

/* Only what can be given back in a header. */
static bool is_etag(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '"')
			return false;
	return *text && strlen(text) < AZURE_ETAG_MAX;
}

static bool take_number(const char *text, int64_t *number_r)
{
	char *stop;

	*number_r = strtoll(text, &stop, 10);
	return *text && !*stop && *number_r >= 0;
}

static bool take_property(struct xml *x, const struct token *open, const char *text, struct azure_entry *entry)
{
	if (is_called(open, "Etag"))
		entry->etag = without_quotes(x, text);
	else if (is_called(open, "Content-Length"))
		return take_number(text, &entry->size);
	else if (is_called(open, "Content-MD5"))
		entry->md5 = strlen(text) < AZURE_MD5_MAX ? text : "";
	else if (is_called(open, "BlobType"))
		entry->is_block_blob = strcmp(text, "BlockBlob") == 0;
	for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
		if (is_called(open, contents[i].element))
			return add_line(x, &entry->content, "", contents[i].header, strlen(contents[i].header), text);
	return entry->etag != NULL;
}

static bool take_metadata(struct xml *x, const struct token *open, const char *text, struct azure_entry *entry)
{
	if (open->len == strlen(AZURE_MARK) && strncasecmp(open->text, AZURE_MARK, open->len) == 0) {
		entry->mark = text;
		return true;
	}
	for (size_t i = 0; i < open->len; i++)
		if (open->text[i] <= ' ' || open->text[i] > '~' || open->text[i] == ':')
			return true;
	return add_line(x, &entry->meta, "x-ms-meta-", open->text, open->len, text);
}

/* The members of <Properties> or <Metadata>, up to its end. */
static bool take_group(struct xml *x, bool (*take)(struct xml *, const struct token *, const char *, struct azure_entry *),
                       struct azure_entry *entry)
{
	for (;;) {
		struct token t = next(x);
		const char *text;

		if (t.kind == TOKEN_TEXT)
			continue; /* blanks between elements */
		if (t.kind == TOKEN_CLOSE)
			return true;
		if (t.kind != TOKEN_OPEN)
			return false;
		text = value(x, &t);
		if (!text || !take(x, &t, text, entry))
			return false;
	}
}

/* Passes an element that is not known, and all inside it. */
static bool pass(struct xml *x, const struct token *open)
{
	int depth = !open->is_empty;

	while (depth > 0) {
		struct token t = next(x);

		if (t.kind == TOKEN_BROKEN || t.kind == TOKEN_END)
			return false;
		depth += t.kind == TOKEN_OPEN && !t.is_empty;
		depth -= t.kind == TOKEN_CLOSE;
	}
	return true;
}

static bool take_name(struct xml *x, const struct token *open, const char *prefix, struct azure_entry *entry)
{
	const char *encoded = memmem(open->rest, open->rest_len, "Encoded=\"true\"", sizeof "Encoded=\"true\"" - 1);
	const char *name = value(x, open);
	char *copy = name ? arena_text(x->mem, name, strlen(name)) : NULL;

	if (!copy || (encoded && !decode_percent(copy)) || strncmp(copy, prefix, strlen(prefix)) != 0)
		return false;
	entry->path = copy + strlen(prefix);
	return true;
}

static bool take_blob(struct xml *x, const char *prefix, struct azure_entry *entry)
{
	struct token t;

	*entry = (struct azure_entry){ NULL, "", "", "", "", "", -1, true };
	while ((t = next(x)).kind != TOKEN_CLOSE) {
		bool ok = t.kind == TOKEN_TEXT;

		if (t.kind == TOKEN_OPEN && is_called(&t, "Name"))
			ok = take_name(x, &t, prefix, entry);
		else if (t.kind == TOKEN_OPEN && is_called(&t, "Properties"))
			ok = t.is_empty || take_group(x, take_property, entry);
		else if (t.kind == TOKEN_OPEN && is_called(&t, "Metadata"))
			ok = t.is_empty || take_group(x, take_metadata, entry);
		else if (t.kind == TOKEN_OPEN)
			ok = pass(x, &t);
		if (!ok)
			return false;
	}
	return entry->path && entry->size >= 0 && is_etag(entry->etag);
}

/* ---- the whole ---- */

static bool broken(const struct xml *x, struct err *e)
{
	if (arena_is_short(x->mem))
		return err_set(e, ERR_TRANSIENT, 0, "blobs", "out of memory for a listing");
	return err_set(e, ERR_TRANSIENT, 0, "blobs", "the service's listing is no sound XML of the kind that was asked for");
}

bool azure_parse_list(const char *xml, size_t len, const char *prefix, struct arena *mem, struct azure_listing *list_r,
                      struct err *e)
{
	struct xml x = { xml, xml + len, mem };
	bool is_whole = false;
	struct token t;

	*list_r = (struct azure_listing){ .entries = arena_take(mem, BLOBS_MAX * sizeof *list_r->entries), .marker = "" };
	while (list_r->entries && (t = next(&x)).kind != TOKEN_END) {
		bool ok = t.kind == TOKEN_TEXT || t.kind == TOKEN_CLOSE || t.kind == TOKEN_OPEN;

		if (t.kind == TOKEN_OPEN && is_called(&t, "Blob"))
			ok = list_r->count < BLOBS_MAX && take_blob(&x, prefix, &list_r->entries[list_r->count++]);
		else if (t.kind == TOKEN_OPEN && is_called(&t, "NextMarker"))
			ok = (list_r->marker = value(&x, &t)) != NULL;
		is_whole |= t.kind == TOKEN_CLOSE && is_called(&t, "EnumerationResults");
		if (!ok)
			return broken(&x, e);
	}
	return is_whole || broken(&x, e);
}

bool azure_parse_blocks(const char *xml, size_t len, struct arena *mem, void (*fn)(void *arg, const char *id), void *arg,
                        struct err *e)
{
	struct xml x = { xml, xml + len, mem };
	bool is_whole = false;
	struct token t;

	while ((t = next(&x)).kind != TOKEN_END) {
		const char *id = "";

		if (t.kind == TOKEN_OPEN && is_called(&t, "Name"))
			id = value(&x, &t);
		if (!id || t.kind == TOKEN_BROKEN)
			return broken(&x, e);
		if (*id)
			fn(arg, id);
		is_whole |= (t.kind == TOKEN_CLOSE || t.is_empty) && is_called(&t, "BlockList");
	}
	return is_whole || broken(&x, e);
}
