/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[REDIS_KEY_END] = {
	[REDIS_KEY_LEASE] = "lease",     [REDIS_KEY_TOKEN] = "token", [REDIS_KEY_TARGET] = "target",
	[REDIS_KEY_READERS] = "readers", [REDIS_KEY_CLONE] = "clone", [REDIS_KEY_NOTE] = "note",
};

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

/* Returns the length. */
static size_t escape(char *text_r, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (size_t i = 0; i < REDIS_NAME_MAX && name[i]; i++) {
		unsigned char c = (unsigned char)name[i];

		if (is_plain(c)) {
			text_r[n++] = (char)c;
			continue;
		}
		text_r[n++] = '%';
		text_r[n++] = hex[c >> 4];
		text_r[n++] = hex[c & 15];
	}
	text_r[n] = '\0';
	return n;
}

void redis_escape(char text_r[3 * REDIS_NAME_MAX + 1], const char *name)
{
	escape(text_r, name);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unescape(char name_r[REDIS_NAME_MAX + 1], const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];

		if (n == REDIS_NAME_MAX)
			return false;
		if (c == '%') {
			int high = len - i > 2 ? hex_value(text[i + 1]) : -1;
			int low = len - i > 2 ? hex_value(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		}
		name_r[n++] = (char)c;
	}
	name_r[n] = '\0';
	return n > 0;
}

/* By hand, not by printf: it runs twice a step. */
size_t redis_key_text(char key_r[REDIS_KEY_SIZE], const char *prefix, enum redis_key kind, const char *ctx,
		      const char *clone_id)
{
	char *at = stpncpy(key_r, prefix, REDIS_PREFIX_MAX);

	at = stpcpy(at, ":{");
	at += escape(at, ctx);
	at = stpcpy(at, "}:");
	at = stpcpy(at, kinds[kind]);
	if (kind >= REDIS_KEY_CLONE) {
		*at++ = ':';
		at += escape(at, clone_id);
	}
	return (size_t)(at - key_r);
}

void redis_index_key(char key_r[REDIS_KEY_SIZE], const char *prefix)
{
	snprintf(key_r, REDIS_KEY_SIZE, "%s:clones", prefix);
}

void redis_index_member(char member_r[REDIS_MEMBER_SIZE], const char *clone_id, const char *target_ctx)
{
	char clone[3 * REDIS_NAME_MAX + 1], target[3 * REDIS_NAME_MAX + 1];

	redis_escape(clone, clone_id);
	redis_escape(target, target_ctx);
	snprintf(member_r, REDIS_MEMBER_SIZE, "%s %s", clone, target);
}

bool redis_index_parse(const char *member, char clone_r[REDIS_NAME_MAX + 1], char target_r[REDIS_NAME_MAX + 1])
{
	const char *space = strchr(member, ' ');

	return space && unescape(clone_r, member, (size_t)(space - member)) &&
	       unescape(target_r, space + 1, strlen(space + 1));
}

size_t redis_lease_text(char text_r[REDIS_LEASE_SIZE], const char *owner, uint64_t token, const char *clone_id)
{
	char digits[20], *at = stpncpy(text_r, owner, REDIS_NAME_MAX);
	size_t first = sizeof digits;

	do
		digits[--first] = (char)('0' + token % 10);
	while (token /= 10);
	*at++ = '|';
	at = mempcpy(at, digits + first, sizeof digits - first);
	*at++ = '|';
	at = stpncpy(at, clone_id, REDIS_NAME_MAX);
	*at = '\0';
	return (size_t)(at - text_r);
}

bool redis_lease_parse(const char *text, char owner_r[REDIS_NAME_MAX + 1], uint64_t *token_r,
		       char clone_r[REDIS_NAME_MAX + 1])
{
	const char *first = strchr(text, '|');
	char *end;

	if (!first || first - text > REDIS_NAME_MAX || first[1] < '0' || first[1] > '9')
		return false;
	errno = 0;
	*token_r = strtoull(first + 1, &end, 10);
	if (errno || *end != '|' || strlen(end + 1) > REDIS_NAME_MAX)
		return false;
	memcpy(owner_r, text, (size_t)(first - text));
	owner_r[first - text] = '\0';
	strcpy(clone_r, end + 1);
	return true;
}

size_t redis_reader_text(char text_r[REDIS_LEASE_SIZE], const char *owner, const char *clone_id)
{
	int n = snprintf(text_r, REDIS_LEASE_SIZE, "%s|%s", owner, clone_id);

	return n < 0 ? 0 : (size_t)n;
}
