/* SPDX-License-Identifier: Apache-2.0
 * One value of the configuration: from text to its type, and whether it keeps to the limits of its row. */
#include "consumer/core/config_priv.h"

#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
};
static const struct unit size_units[] = {
	{ "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { "B", 1 }, { NULL, 0 },
};

const char *config_type_name(enum config_type type)
{
	static const char *const names[CONFIG_TYPE_END] = {
		[CONFIG_TEXT] = "text",         [CONFIG_INT] = "number", [CONFIG_BOOL] = "yes or no",
		[CONFIG_DURATION] = "duration", [CONFIG_SIZE] = "size",  [CONFIG_LIST] = "list",
		[CONFIG_SECRET] = "secret file",
	};

	return type > CONFIG_TYPE_UNSET && type < CONFIG_TYPE_END ? names[type] : "unknown";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Reads digits at *at; false when there are none or too many. */
static bool read_digits(const char **at, const char *end, int64_t *n_r)
{
	int64_t n = 0;
	const char *p = *at;

	for (; p < end && is_digit(*p); p++) {
		if (n > (INT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (*p - '0');
	}
	if (p == *at)
		return false;
	*at = p;
	*n_r = n;
	return true;
}

static const struct unit *read_unit(const char **at, const char *end, const struct unit *units)
{
	const char *p = *at;
	size_t len;

	while (p < end && is_letter(*p))
		p++;
	len = (size_t)(p - *at);
	for (; units->name; units++) {
		if (strlen(units->name) == len && memcmp(units->name, *at, len) == 0) {
			*at = p;
			return units;
		}
	}
	return NULL;
}

/* "1h30m": number and unit, again and again; a bare 0 needs none. */
static bool read_quantity(const char *text, size_t len, const struct unit *units, int64_t *total_r)
{
	const char *at = text, *end = text + len;
	int64_t total = 0, n, part;

	if (len == 1 && *text == '0') {
		*total_r = 0;
		return true;
	}
	while (at < end) {
		const struct unit *unit;

		if (!read_digits(&at, end, &n))
			return false;
		unit = read_unit(&at, end, units);
		if (!unit || __builtin_mul_overflow(n, unit->factor, &part) ||
		    __builtin_add_overflow(total, part, &total))
			return false;
	}
	*total_r = total;
	return len > 0;
}

static bool read_integer(const char *text, size_t len, int64_t *n_r)
{
	bool negative = len > 0 && *text == '-';
	const char *at = text + negative, *end = text + len;

	if (!read_digits(&at, end, n_r) || at != end)
		return false;
	if (negative)
		*n_r = -*n_r;
	return true;
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool read_bool(const char *text, size_t len, int64_t *n_r)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (is_word(text, len, words[i])) {
			*n_r = (int64_t)(i % 2);
			return true;
		}
	}
	return false;
}

static bool read_number(enum config_type type, const char *text, size_t len, int64_t *n_r)
{
	switch (type) {
	case CONFIG_INT:
		return read_integer(text, len, n_r);
	case CONFIG_BOOL:
		return read_bool(text, len, n_r);
	case CONFIG_DURATION:
		return read_quantity(text, len, duration_units, n_r);
	default:
		return read_quantity(text, len, size_units, n_r);
	}
}

static bool in_range(const struct config_row *row, int64_t n)
{
	const char *dots = strstr(row->limits, ".."), *high = dots + 2;
	size_t high_len = strcspn(high, " ");
	int64_t least, most;

	if (!read_number(row->type, row->limits, (size_t)(dots - row->limits), &least) ||
	    !read_number(row->type, high, high_len, &most))
		abort(); /* config.def itself is wrong; test_config reads every row */
	return n >= least && n <= most;
}

static bool expected_number(const struct config_row *row, struct buf *why)
{
	static const char *const examples[CONFIG_TYPE_END] = {
		[CONFIG_INT] = "a whole number",
		[CONFIG_BOOL] = "true or false",
		[CONFIG_DURATION] = "a duration such as 500ms, 2s or 1h30m",
		[CONFIG_SIZE] = "a size such as 64KiB or 1GiB",
	};

	buf_add_text(why, examples[row->type]);
	if (row->limits[0])
		buf_printf(why, ", %s", row->limits);
	return false;
}

static bool check_number(const struct config_row *row, const char *text, size_t len, struct config_value *v,
                         struct buf *why)
{
	if (is_word(text, len, "forever") && strstr(row->limits, "or forever")) {
		v->number = CONFIG_FOREVER;
		return true;
	}
	if (!read_number(row->type, text, len, &v->number))
		return expected_number(row, why);
	if (strstr(row->limits, "..") && !in_range(row, v->number))
		return expected_number(row, why);
	return true;
}

/* A name that may stand in a host, a tenant, a user or a group: nothing a parser of ours or theirs stumbles over. */
static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_letter(text[i]) && !is_digit(text[i]) && !strchr("._- ", text[i]))
			return false;
	}
	return len <= 255;
}

static bool is_host_and_port(const char *text, size_t len)
{
	const char *colon = memrchr(text, ':', len), *at = colon + 1;
	int64_t port;

	if (!colon || colon == text || memchr(text, ' ', len))
		return false;
	return read_digits(&at, text + len, &port) && at == text + len && port <= 65535;
}

/* Secrets do not belong into a URL: no user part. Plain http is for loopback and tests; the caller decides. */
static bool is_url(const char *text, size_t len)
{
	size_t scheme = len > 8 && memcmp(text, "https://", 8) == 0  ? 8
	                : len > 7 && memcmp(text, "http://", 7) == 0 ? 7
	                                                             : 0;

	return scheme && !memchr(text, '@', len) && !memchr(text, ' ', len) && !memchr(text, '?', len) &&
	       text[scheme] != '/';
}

static bool is_path(const char *text, size_t len)
{
	return len > 0 && text[0] == '/' && len < 1024;
}

static bool keeps_word_list(const char *text, size_t len, const char *words)
{
	for (const char *at = words; at;) {
		const char *bar = strchr(at, '|');
		size_t n = bar ? (size_t)(bar - at) : strlen(at);

		if (n == len && memcmp(at, text, len) == 0)
			return true;
		at = bar ? bar + 1 : NULL;
	}
	return false;
}

struct shape {
	const char *limits;
	bool (*fits)(const char *text, size_t len);
	const char *expected;
};

static const struct shape shapes[] = {
	{ "name", is_name, "letters, digits, '.', '_', '-' only" },
	{ "address:port", is_host_and_port, "host:port" },
	{ "listen", is_host_and_port, "address:port, for example 127.0.0.1:9109" },
	{ "url", is_url, "http:// or https://, a host, and neither user name nor query" },
	{ "path", is_path, "an absolute path" },
};

static bool check_text(const char *limits, const char *text, size_t len, struct buf *why)
{
	if (!limits[0])
		return true;
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		if (strcmp(limits, shapes[i].limits) != 0)
			continue;
		if (len == 0 || shapes[i].fits(text, len))
			return true;
		buf_add_text(why, shapes[i].expected);
		return false;
	}
	if (keeps_word_list(text, len, limits))
		return true;
	buf_printf(why, "one of %s", limits);
	return false;
}

/* The place of a secret, never the secret: so the value itself can be told apart and need not be echoed. */
static bool check_secret(const char *text, size_t len, struct buf *why)
{
	const size_t prefix = sizeof "credential:" - 1;

	if (len == 0 || is_path(text, len))
		return true;
	if (len > prefix && memcmp(text, "credential:", prefix) == 0 && is_name(text + prefix, len - prefix))
		return true;
	buf_add_text(why, "the absolute path of a file, or credential:NAME for systemd's LoadCredential");
	return false;
}

static void trim(const char **text, size_t *len)
{
	while (*len && strchr(" \t", (*text)[0]))
		(*text)++, (*len)--;
	while (*len && strchr(" \t", (*text)[*len - 1]))
		(*len)--;
}

static bool check_list(const struct config_row *row, const char *text, size_t len, struct arena *mem,
                       struct config_value *v, struct buf *why)
{
	const char *end = text + len;
	const char **items;
	size_t most = 1;

	for (const char *p = text; p < end; p++)
		most += *p == ',';
	if (most > CONFIG_LIST_MAX)
		return buf_printf(why, "at most %d items", CONFIG_LIST_MAX) && false;
	items = arena_take(mem, most * sizeof *items);
	if (!items)
		return buf_add_text(why, "fewer items") && false;
	for (const char *at = text; at < end;) {
		const char *comma = memchr(at, ',', (size_t)(end - at)), *item = at;
		size_t n = (size_t)((comma ? comma : end) - at);

		trim(&item, &n);
		if (n && !check_text(row->limits, item, n, why))
			return false;
		if (n)
			items[v->count++] = arena_text(mem, item, n);
		at = comma ? comma + 1 : end;
	}
	v->items = items;
	return true;
}

bool config_value_read(const struct config_row *row, const char *text, size_t len, struct arena *mem,
                       struct config_value *value_r, struct buf *why)
{
	struct config_value v = { 0 };
	bool ok;

	trim(&text, &len);
	switch (row->type) {
	case CONFIG_TEXT:
		ok = check_text(row->limits, text, len, why);
		break;
	case CONFIG_SECRET:
		ok = check_secret(text, len, why);
		break;
	case CONFIG_LIST:
		ok = check_list(row, text, len, mem, &v, why);
		break;
	default:
		ok = check_number(row, text, len, &v, why);
		break;
	}
	if (!ok)
		return false;
	v.text = arena_text(mem, text, len);
	if (!v.text)
		return buf_add_text(why, "a smaller configuration") && false;
	*value_r = v;
	return true;
}
