/* SPDX-License-Identifier: Apache-2.0
 * Local parts that are a keyed hash of the whole address, in lower case: the same address gives the same one wherever
 * it stands and however its at sign is written, and nobody without the key can tell which address it was. */
#include "handlers/masking/masking_priv.h"

#include <string.h>

enum { PART_MAX = 512 };

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

size_t hashed_tail(const char *text, size_t len)
{
	size_t digits = 0;

	while (digits < len && digits <= HASHED_DIGITS && is_digit(text[len - 1 - digits]))
		digits++;
	if (digits == len)
		return 0;
	if (text[len - 1 - digits] == 'm' && digits == HASHED_DIGITS)
		return digits + 1;
	if (text[len - 1 - digits] == '~' && digits >= HASHED_DIGITS_MIN && digits < HASHED_DIGITS)
		return digits + 1;
	return 0;
}

/* Addresses are short, but what reads like one in a text need not be: then the parts are hashed one after the other,
 * each with the hash of those before it. */
struct hashing {
	const struct mask_policy *policy;
	char part[PART_MAX + 1], hex[MASK_HASH_TEXT], before[MASK_HASH_TEXT];
	size_t len;
	bool ok;
};

static void close_part(struct hashing *h)
{
	h->part[h->len] = '\0';
	memcpy(h->before, h->hex, sizeof h->before);
	h->ok = h->ok && h->policy->hash(h->policy->hash_arg, h->before, h->part, h->hex);
	h->len = 0;
}

static void add(struct hashing *h, const char *text, size_t len, char left_out)
{
	for (size_t i = 0; i < len; i++) {
		if (left_out && text[i] == left_out)
			continue;
		if (h->len == PART_MAX)
			close_part(h);
		h->part[h->len++] = text[i] ? mask_lower(text[i]) : '\xff'; /* which is in no text */
	}
}

/* Backslashes of a quoted local part are left out: JSON doubles them. */
static bool hash_address(const struct mask_policy *p, const struct address *a, char hex_r[MASK_HASH_TEXT])
{
	bool quoted = a->local_len && (a->local[0] == '"' || a->local[0] == '\\');
	size_t skipped = a->glued; /* the sign that parts it from what stands before */
	struct hashing h;

	h.policy = p;
	h.len = 0;
	h.hex[0] = '\0';
	h.ok = true;
	add(&h, a->local + skipped, a->local_len - skipped, quoted ? '\\' : '\0');
	add(&h, "@", 1, '\0');
	add(&h, a->host, a->host_len, '\0');
	close_part(&h);
	memcpy(hex_r, h.hex, MASK_HASH_TEXT);
	return h.ok;
}

bool hashed_local(const struct mask_policy *p, const struct address *a, size_t max_chars, char *local_r, size_t *len_r)
{
	size_t most = a->glued ? HASHED_LOCAL - 1 : HASHED_LOCAL; /* a '~' parts them as well */
	char hex[MASK_HASH_TEXT];

	*len_r = max_chars < most ? max_chars : most;
	if (*len_r <= HASHED_DIGITS_MIN) {
		*len_r = 0;
		return true;
	}
	if (!hash_address(p, a, hex))
		return false;
	local_r[0] = *len_r == HASHED_LOCAL ? 'm' : '~';
	memcpy(local_r + 1, hex, *len_r - 1);
	return true;
}
