/* SPDX-License-Identifier: Apache-2.0
 * Values: text with ${function arguments} in it. What looks random is a hash of seed, row and a word, so that the same
 * options give the same bytes and two places that name the same word agree. */
#include "compose/seed/seed_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct call {
	const struct seed_row *row;
	const char *args;
	size_t len;
	struct buf *out;
	struct err *err;
};

struct function {
	const char *name;
	bool (*run)(const struct call *c);
};

static bool wrong(struct err *e, const char *text, size_t len)
{
	return err_set(e, ERR_BUG, 0, "seed", "content.txt: %.*s cannot be understood", (int)(len < 60 ? len : 60), text);
}

/* ---- numbers ---- */

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* Of the word that is the first argument. */
static uint64_t hash(const struct call *c)
{
	uint64_t h = mix(c->row->plan->options->seed) + (uint64_t)c->row->n * 0x100000001b3ULL;

	for (size_t i = 0; i < c->len && c->args[i] != ' '; i++)
		h = (h ^ (unsigned char)c->args[i]) * 0x100000001b3ULL;
	return mix(h);
}

/* Argument k, from 0, as a number; 0 when there is none. */
static int64_t number(const struct call *c, int k)
{
	const char *at = c->args, *end = c->args + c->len;

	while (k-- > 0 && at < end) {
		at = memchr(at, ' ', (size_t)(end - at));
		at = at ? at + 1 : end;
	}
	return at < end ? strtoll(at, NULL, 10) : 0;
}

static int64_t person(const struct call *c)
{
	return (c->row->n - 1) % c->row->plan->persons->rows + 1;
}

static int64_t user(const struct call *c)
{
	return (c->row->n - 1) % SEED_USERS + 1;
}

static bool print(const struct call *c, int64_t n)
{
	return buf_printf(c->out, "%lld", (long long)n);
}

static bool f_n(const struct call *c)
{
	return print(c, c->row->n + number(c, 0));
}

static bool f_i(const struct call *c)
{
	return print(c, c->row->i);
}

static bool f_mod(const struct call *c)
{
	return print(c, (c->row->n - 1) % number(c, 0) + 1);
}

static bool f_quot(const struct call *c)
{
	return print(c, c->row->n / number(c, 0));
}

static bool f_ref(const struct call *c)
{
	const struct seed_table *table = seed_table_by_name(c->row->plan, c->args, c->len);

	return table && table->rows && print(c, (c->row->n - 1) % table->rows + 1);
}

static bool f_user(const struct call *c)
{
	return print(c, user(c));
}

/* ${int word 5 10} */
static int64_t between(const struct call *c)
{
	int64_t low = number(c, 1), high = number(c, 2);

	return low + (int64_t)(hash(c) % (uint64_t)(high - low + 1));
}

static bool f_int(const struct call *c)
{
	return print(c, between(c));
}

/* ---- people ---- */

static bool f_first(const struct call *c)
{
	seed_first_name(person(c), c->out);
	return true;
}

static bool f_last(const struct call *c)
{
	seed_last_name(person(c), c->out);
	return true;
}

static bool f_address(const struct call *c)
{
	seed_address(person(c), c->out);
	return true;
}

static bool f_login(const struct call *c)
{
	seed_address(user(c), c->out);
	return true;
}

static bool f_short(const struct call *c)
{
	seed_short_name(user(c), c->out);
	return true;
}

static bool f_company(const struct call *c)
{
	seed_company((c->row->n - 1) % c->row->plan->contacts->rows + 1, c->out);
	return true;
}

/* ---- texts ---- */

static const char *const words[] = { "offer", "please", "the", "invoice", "and", "server", "meeting", "we", "need",
	                             "contract", "for", "update", "machine", "from", "delivery", "tomorrow" };

/* ${filler word 100 900}: so many bytes of words */
static bool f_filler(const struct call *c)
{
	int64_t left = between(c);
	uint64_t h = hash(c);

	while (left > 0) {
		const char *word = words[(h = mix(h)) % (sizeof words / sizeof words[0])];
		size_t len = strlen(word);

		if ((int64_t)len > left)
			len = (size_t)left;
		buf_add(c->out, word, len);
		left -= (int64_t)len;
		if (left-- > 0)
			buf_add_text(c->out, h % 11 == 0 ? "\n" : " ");
	}
	return !c->out->failed;
}

/* ${hex word 32}: so many hex digits */
static bool f_hex(const struct call *c)
{
	uint64_t h = hash(c);

	for (int64_t i = number(c, 1); i > 0; i--)
		buf_printf(c->out, "%llx", (unsigned long long)((h = mix(h)) & 15));
	return !c->out->failed;
}

/* ${bytes word 500}: so many bytes of any value */
static bool f_bytes(const struct call *c)
{
	uint64_t h = hash(c);

	for (int64_t i = number(c, 1); i > 0; i--) {
		unsigned char byte = (unsigned char)(h = mix(h));

		buf_add(c->out, &byte, 1);
	}
	return !c->out->failed;
}

/* ${repeat 239 x}: the text so many times */
static bool f_repeat(const struct call *c)
{
	const char *space = memchr(c->args, ' ', c->len);

	for (int64_t i = number(c, 0); space && i > 0; i--)
		buf_add(c->out, space + 1, c->len - (size_t)(space + 1 - c->args));
	return space && !c->out->failed;
}

/* ${cycle a|b|c}: one after the other; braces inside belong to the parts */
static bool f_cycle(const struct call *c)
{
	size_t starts[64] = { 0 }, count = 1, which, end;
	int depth = 0;

	for (size_t i = 0; i < c->len; i++) {
		depth += (c->args[i] == '{') - (c->args[i] == '}');
		if (c->args[i] == '|' && depth == 0 && count < 63)
			starts[count++] = i + 1;
	}
	starts[count] = c->len + 1;
	which = (size_t)(c->row->i - 1) % count;
	end = starts[which + 1] - 1;
	return seed_expand(c->row, c->args + starts[which], end - starts[which], c->out, c->err);
}

static bool add_time(const struct call *c, time_t t)
{
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	return buf_add_text(c->out, text);
}

/* ${date word}: a moment in 2020 to 2025 */
static bool f_date(const struct call *c)
{
	return add_time(c, (time_t)(1577836800 + hash(c) % (6 * 365 * 86400U)));
}

static bool f_now(const struct call *c)
{
	return add_time(c, time(NULL));
}

static bool f_source(const struct call *c)
{
	return buf_add_text(c->out, c->row->plan->options->source);
}

static bool f_target(const struct call *c)
{
	return buf_add_text(c->out, c->row->plan->options->target);
}

static const struct seed_table *this_table(const struct call *c)
{
	return c->row->plan->tables[(size_t)(c->row->i - 1) % c->row->plan->table_count];
}

static bool f_table(const struct call *c)
{
	return buf_add_text(c->out, this_table(c)->name);
}

static bool f_rows(const struct call *c)
{
	return print(c, this_table(c)->rows + number(c, 0));
}

static const struct function functions[] = {
	{ "n", f_n },           { "i", f_i },         { "mod", f_mod },       { "quot", f_quot },
	{ "ref", f_ref },       { "user", f_user },   { "int", f_int },       { "first", f_first },
	{ "last", f_last },     { "login", f_login }, { "address", f_address }, { "short", f_short },
	{ "company", f_company }, { "hex", f_hex },   { "filler", f_filler }, { "bytes", f_bytes },
	{ "repeat", f_repeat }, { "date", f_date },   { "cycle", f_cycle },   { "now", f_now },
	{ "source", f_source }, { "table", f_table }, { "target", f_target }, { "rows", f_rows },
};

/* ---- expanding ---- */

static bool run(const struct seed_row *row, const char *text, size_t len, struct buf *out, struct err *e)
{
	const char *space = memchr(text, ' ', len);
	size_t name_len = space ? (size_t)(space - text) : len, skip = name_len + (space != NULL);
	const struct call call = { row, text + skip, len - skip, out, e };

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		if (strlen(functions[i].name) == name_len && memcmp(functions[i].name, text, name_len) == 0)
			return functions[i].run(&call) || wrong(e, text, len);
	}
	return wrong(e, text, len);
}

/* Length of "${...}" at text, 0 when it does not end. */
static size_t call_length(const char *text, size_t len)
{
	int depth = 0;

	for (size_t i = 1; i < len; i++) {
		depth += (text[i] == '{') - (text[i] == '}');
		if (depth == 0)
			return i + 1;
	}
	return 0;
}

/* "\n", "\r", "\t", "\\" */
static void add_escape(struct buf *out, char c)
{
	static const char from[] = "nrt", to[] = "\n\r\t";
	const char *at = c ? strchr(from, c) : NULL;

	buf_add(out, at ? &to[at - from] : &c, 1);
}

bool seed_expand(const struct seed_row *row, const char *text, size_t len, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len) {
			add_escape(out, text[++i]);
		} else if (text[i] == '$' && i + 1 < len && text[i + 1] == '{') {
			size_t n = call_length(text + i, len - i);

			if (!n || !run(row, text + i + 2, n - 3, out, e))
				return wrong(e, text, len);
			i += n - 1;
		} else {
			buf_add(out, text + i, 1);
		}
	}
	return !out->failed || err_set(e, ERR_BUG, 0, "seed", "content.txt: a value is too long");
}
