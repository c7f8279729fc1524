/* SPDX-License-Identifier: Apache-2.0
 * The check of a record's bytes against the schema they were written with, before any memory is taken for them:
 * avro-c follows lengths, counts and indexes without asking (docs/decisions/0005-avro.md). */
#ifndef SANDBOX_AVRO_WALK_H
#define SANDBOX_AVRO_WALK_H

#include "consumer/adapters/avro/schema.h"

enum { WALK_STRING_MAX = 32 * 1024, WALK_ITEMS_MAX = 10000 };

/* True when data is exactly one value of that schema, within all bounds. Otherwise *e is REFUSED, its `where` is the
 * reason code too-large or malformed, and the sentence names the field. Takes no memory and time in proportion to
 * len, whatever the schema. */
bool walk_record(const struct schema *s, const void *data, size_t len, struct err *e);

/* ---- for the reader, which goes the same way again ---- */

struct cursor {
	const unsigned char *at, *end;
	size_t steps_left; /* a schema may hold fields that take no bytes: they are bounded by this */
	const char *field; /* last entered, for the sentence */
	struct err *e;
};

struct block { /* of an array or map */
	size_t count;             /* items in this block; 0 at the end */
	const unsigned char *end; /* where the block must end; NULL when it did not say */
	size_t seen;              /* items of all blocks so far, this one included; zero it before the first */
};

void cursor_init(struct cursor *c, const void *data, size_t len, struct err *e);
/* Each leaves the cursor behind what it took, and fills *c->e when the bytes are not such a thing. */
bool cursor_long_number(struct cursor *c, int64_t *number_r);
static inline bool cursor_long(struct cursor *c, int64_t *number_r)
{
	if (c->at == c->end || *c->at >= 0x80)
		return cursor_long_number(c, number_r);
	*number_r = (int64_t)(*c->at >> 1) ^ -(int64_t)(*c->at & 1); /* nearly every one is a single byte */
	c->at++;
	return true;
}
bool cursor_index(struct cursor *c, size_t count, size_t *index_r);
bool cursor_bytes(struct cursor *c, size_t max, const char **data_r, size_t *len_r);
bool cursor_fixed(struct cursor *c, size_t len, const unsigned char **data_r);
bool cursor_next_block(struct cursor *c, const struct schema *list, struct block *block);
bool cursor_end_block(struct cursor *c, const struct block *block);
/* Checks and passes over one value. */
bool cursor_skip(struct cursor *c, const struct schema *s);

#endif
