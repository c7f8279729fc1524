/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/walk.h"

#include "consumer/adapters/avro/utf8.h"
#include "consumer/ports/codec.h"

#include <string.h>

#define BROKEN(c, ...) broken((c), "malformed", __VA_ARGS__)
#define TOO_LARGE(c, ...) broken((c), "too-large", __VA_ARGS__)

/* The field in front; nothing of the record itself is quoted. */
#define broken(c, code, fmt, ...) \
	err_set((c)->e, ERR_REFUSED, 0, code, "field %s: " fmt, (c)->field __VA_OPT__(, ) __VA_ARGS__)

void cursor_init(struct cursor *c, const void *data, size_t len, struct err *e)
{
	*c = (struct cursor){ .at = data, .end = (const unsigned char *)data + len, .steps_left = 4 * len + 1024,
		              .field = "(whole record)", .e = e };
}

static size_t left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

bool cursor_long_number(struct cursor *c, int64_t *number_r)
{
	uint64_t bits = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned char byte;

		if (c->at == c->end)
			return BROKEN(c, "the record ends in the middle of a number");
		byte = *c->at++;
		if (shift == 63 && byte > 1)
			break;
		bits |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*number_r = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
			return true;
		}
	}
	return BROKEN(c, "a number is longer than 64 bits");
}

bool cursor_index(struct cursor *c, size_t count, size_t *index_r)
{
	int64_t index;

	if (!cursor_long(c, &index))
		return false;
	if (index < 0 || (uint64_t)index >= count)
		return BROKEN(c, "index %lld is outside the %zu choices of the schema", (long long)index, count);
	*index_r = (size_t)index;
	return true;
}

bool cursor_bytes(struct cursor *c, size_t max, const char **data_r, size_t *len_r)
{
	int64_t len;

	if (!cursor_long(c, &len))
		return false;
	if (len < 0)
		return BROKEN(c, "a text has a negative length");
	if ((uint64_t)len > max)
		return TOO_LARGE(c, "a text of %lld bytes; at most %zu are allowed", (long long)len, max);
	if ((uint64_t)len > left(c))
		return BROKEN(c, "a text of %lld bytes where %zu are left", (long long)len, left(c));
	*data_r = (const char *)c->at;
	*len_r = (size_t)len;
	c->at += len;
	return true;
}

bool cursor_fixed(struct cursor *c, size_t len, const unsigned char **data_r)
{
	if (len > left(c))
		return BROKEN(c, "%zu bytes are wanted where %zu are left", len, left(c));
	*data_r = c->at;
	c->at += len;
	return true;
}

bool cursor_next_block(struct cursor *c, const struct schema *list, struct block *block)
{
	size_t least = list->items->least_bytes + (list->type == SCHEMA_MAP);
	int64_t count, size;

	block->count = 0;
	block->end = NULL;
	if (!cursor_long(c, &count))
		return false;
	if (count == 0)
		return true;
	if (count < 0) {
		if (count < -WALK_ITEMS_MAX)
			return TOO_LARGE(c, "more than %d items", WALK_ITEMS_MAX);
		count = -count;
		if (!cursor_long(c, &size))
			return false;
		if (size < 0 || (uint64_t)size > left(c))
			return BROKEN(c, "a block of %lld bytes where %zu are left", (long long)size, left(c));
		block->end = c->at + size;
	}
	if ((uint64_t)count > WALK_ITEMS_MAX - block->seen)
		return TOO_LARGE(c, "more than %d items", WALK_ITEMS_MAX);
	if ((uint64_t)count * least > left(c))
		return BROKEN(c, "%lld items where %zu bytes are left", (long long)count, left(c));
	block->count = (size_t)count;
	block->seen += (size_t)count;
	return true;
}

bool cursor_end_block(struct cursor *c, const struct block *block)
{
	if (block->end && c->at != block->end)
		return BROKEN(c, "a block is not as long as it says");
	return true;
}

static bool skip_string(struct cursor *c)
{
	const char *text;
	size_t len;

	if (!cursor_bytes(c, WALK_STRING_MAX, &text, &len))
		return false;
	if (memchr(text, '\0', len))
		return BROKEN(c, "a text has a NUL in it");
	return utf8_good_bytes(text, len) == len || BROKEN(c, "a text is no UTF-8");
}

static bool skip_list(struct cursor *c, const struct schema *s)
{
	struct block block = { 0 };

	do {
		if (!cursor_next_block(c, s, &block))
			return false;
		for (size_t i = 0; i < block.count; i++)
			if ((s->type == SCHEMA_MAP && !skip_string(c)) || !cursor_skip(c, s->items))
				return false;
		if (!cursor_end_block(c, &block))
			return false;
	} while (block.count);
	return true;
}

static bool skip_record(struct cursor *c, const struct schema *s)
{
	for (size_t i = 0; i < s->count; i++) {
		c->field = s->fields[i].name;
		if (!cursor_skip(c, s->fields[i].type))
			return false;
	}
	return true;
}

static bool skip_number(struct cursor *c, const struct schema *s)
{
	int64_t number;

	if (!cursor_long(c, &number))
		return false;
	return s->type == SCHEMA_LONG || (number >= INT32_MIN && number <= INT32_MAX) ||
	       BROKEN(c, "an int is outside 32 bits");
}

static bool skip_boolean(struct cursor *c)
{
	const unsigned char *byte = NULL;

	if (!cursor_fixed(c, 1, &byte))
		return false;
	return *byte <= 1 || BROKEN(c, "a boolean is neither 0 nor 1");
}

bool cursor_skip(struct cursor *c, const struct schema *s)
{
	const unsigned char *raw;
	const char *text;
	size_t index;

	if (c->steps_left-- == 0)
		return TOO_LARGE(c, "the record has more parts than its size allows");
	switch (s->type) {
	case SCHEMA_NULL:
		return true;
	case SCHEMA_BOOLEAN:
		return skip_boolean(c);
	case SCHEMA_INT:
	case SCHEMA_LONG:
		return skip_number(c, s);
	case SCHEMA_FLOAT:
		return cursor_fixed(c, 4, &raw);
	case SCHEMA_DOUBLE:
		return cursor_fixed(c, 8, &raw);
	case SCHEMA_BYTES:
		return cursor_bytes(c, RECORD_MAX_BYTES, &text, &index);
	case SCHEMA_STRING:
		return skip_string(c);
	case SCHEMA_FIXED:
		return cursor_fixed(c, s->count, &raw);
	case SCHEMA_ENUM:
		return cursor_index(c, s->count, &index);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return skip_list(c, s);
	case SCHEMA_UNION:
		return cursor_index(c, s->count, &index) && cursor_skip(c, s->branches[index]);
	case SCHEMA_RECORD:
		return skip_record(c, s);
	default:
		return BROKEN(c, "the schema has a type that is none");
	}
}

bool walk_record(const struct schema *s, const void *data, size_t len, struct err *e)
{
	struct cursor c;

	cursor_init(&c, data, len, e);
	if (len > RECORD_MAX_BYTES)
		return TOO_LARGE(&c, "%zu bytes; at most %d are allowed", len, RECORD_MAX_BYTES);
	if (!cursor_skip(&c, s))
		return false;
	c.field = "(whole record)";
	return left(&c) == 0 || BROKEN(&c, "%zu bytes follow the end", left(&c));
}
