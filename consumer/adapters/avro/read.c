/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/read.h"

#include "consumer/adapters/avro/walk.h"

#include <string.h>

/* Which field of a reader's record takes each of the writer's. Kept for the pair met last: the items of a list are all of
 * the same one. */
struct pairing {
	const struct schema *writer, *reader;
	uint16_t index[SCHEMA_FIELDS_MAX]; /* the reader's count: none */
};

struct reading {
	struct cursor c;
	struct arena *mem;
	struct pairing pairing;
	struct err *e;
};

static bool resolve(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out);

static bool misfit(struct reading *r, const struct schema *w, const struct schema *s)
{
	return err_set(r->e, ERR_REFUSED, 0, "unknown-schema", "field %s: the writer's %s cannot be read as %s",
	               r->c.field, w->name, s->name);
}

static struct datum *take_items(struct reading *r, size_t count)
{
	struct datum *items = arena_take(r->mem, count * sizeof *items);

	if (!items)
		err_set(r->e, ERR_REFUSED, 0, "too-large", "field %s: the record takes too much memory", r->c.field);
	return items;
}

/* May a writer's value of that type be read as the other, apart from what is inside? */
static bool can_promote(enum schema_type from, enum schema_type to)
{
	switch (from) {
	case SCHEMA_INT:
		return to == SCHEMA_LONG || to == SCHEMA_FLOAT || to == SCHEMA_DOUBLE;
	case SCHEMA_LONG:
		return to == SCHEMA_FLOAT || to == SCHEMA_DOUBLE;
	case SCHEMA_FLOAT:
		return to == SCHEMA_DOUBLE;
	case SCHEMA_STRING:
		return to == SCHEMA_BYTES;
	default:
		return false;
	}
}

static bool read_number(struct reading *r, const struct schema *s, struct datum *out)
{
	int64_t number;

	if (!cursor_long(&r->c, &number))
		return false;
	if (s->type == SCHEMA_FLOAT || s->type == SCHEMA_DOUBLE)
		out->real = (double)number;
	else
		out->number = number;
	return true;
}

static bool read_real(struct reading *r, const struct schema *w, struct datum *out)
{
	const unsigned char *raw;
	size_t len = w->type == SCHEMA_FLOAT ? 4 : 8;
	uint64_t bits = 0;
	uint32_t half;
	float single;

	if (!cursor_fixed(&r->c, len, &raw))
		return false;
	for (size_t i = 0; i < len; i++) /* little-endian on every machine */
		bits |= (uint64_t)raw[i] << (8 * i);
	if (w->type == SCHEMA_DOUBLE) {
		memcpy(&out->real, &bits, sizeof out->real);
		return true;
	}
	half = (uint32_t)bits;
	memcpy(&single, &half, sizeof single);
	out->real = (double)single;
	return true;
}

static bool read_symbol(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out)
{
	size_t index;
	int symbol;

	if (!cursor_index(&r->c, w->count, &index))
		return false;
	symbol = schema_symbol_index(s, w->symbols[index]);
	if (symbol < 0)
		symbol = s->fallback_symbol;
	out->number = symbol;
	if (symbol < 0)
		return err_set(r->e, ERR_REFUSED, 0, "invalid", "field %s: %s is none of the known symbols of %s",
		               r->c.field, w->symbols[index], s->name);
	return true;
}

static bool read_key(struct reading *r, struct datum *out)
{
	static const struct schema key = { .type = SCHEMA_STRING, .name = "string", .complete = true };

	out->schema = &key;
	return cursor_bytes(&r->c, WALK_STRING_MAX, &out->bytes.data, &out->bytes.len);
}

/* Room for `more` values behind the n there are. Nearly every list is one block and grows once. */
static bool make_room(struct reading *r, struct datum **items, size_t n, size_t more, size_t *room)
{
	struct datum *grown;

	if (n + more <= *room && *items)
		return true;
	*room = n + more > 2 * *room ? n + more : 2 * *room;
	grown = take_items(r, *room);
	if (grown && n)
		memcpy(grown, *items, n * sizeof *grown);
	*items = grown;
	return grown != NULL;
}

static bool read_list(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out)
{
	size_t n = 0, room = 0, each = w->type == SCHEMA_MAP ? 2 : 1;
	struct datum *items = NULL;
	struct block block = { 0 };

	do {
		if (!cursor_next_block(&r->c, w, &block) || !make_room(r, &items, n, each * block.count, &room))
			return false;
		for (size_t i = 0; i < block.count; i++) {
			if (w->type == SCHEMA_MAP && !read_key(r, &items[n++]))
				return false;
			if (!resolve(r, w->items, s->items, &items[n++]))
				return false;
		}
	} while (block.count);
	out->list.items = items;
	out->list.count = n;
	return true;
}

/* The reader's field for one of the writer's; its count when it has none. */
static size_t find_field(const struct schema *s, const char *name, size_t likely)
{
	size_t found = schema_field_index(s, name, likely);

	if (found < s->count)
		return found;
	for (found = 0; found < s->count; found++)
		for (size_t i = 0; i < s->fields[found].alias_count; i++)
			if (strcmp(s->fields[found].aliases[i], name) == 0)
				return found;
	return found;
}

static bool fill_in(struct reading *r, const struct schema *s, struct datum *items)
{
	for (size_t i = 0; i < s->count; i++) {
		if (items[i].schema)
			continue;
		if (!s->fields[i].fallback)
			return err_set(r->e, ERR_REFUSED, 0, "unknown-schema",
			               "the writer's schema has no field %s, which has no default", s->fields[i].name);
		items[i] = *s->fields[i].fallback;
	}
	return true;
}

static bool is_paired(const struct reading *r, const struct schema *w, const struct schema *s)
{
	return r->pairing.writer == w && r->pairing.reader == s;
}

static void pair(struct reading *r, const struct schema *w, const struct schema *s)
{
	r->pairing.writer = w;
	r->pairing.reader = s;
	for (size_t i = 0; i < w->count; i++)
		r->pairing.index[i] = (uint16_t)find_field(s, w->fields[i].name, i);
}

static bool read_fields(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out)
{
	struct datum *items = take_items(r, s->count);

	if (!items)
		return false;
	for (size_t i = 0; i < w->count; i++) {
		size_t found;

		if (!is_paired(r, w, s))
			pair(r, w, s); /* also after another record inside this one */
		found = r->pairing.index[i];
		r->c.field = w->fields[i].name;
		if (found == s->count || items[found].schema) {
			if (!cursor_skip(&r->c, w->fields[i].type))
				return false;
		} else if (!resolve(r, w->fields[i].type, s->fields[found].type, &items[found])) {
			return false;
		}
	}
	out->list.items = items;
	out->list.count = s->count;
	return fill_in(r, s, items);
}

/* The reader's branch for a writer's type that is no union: the same one, else the first it can be widened to. */
static const struct schema *find_branch(const struct schema *w, const struct schema *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->branches[i]->type == w->type && schema_same_name(w, s->branches[i]))
			return s->branches[i];
	for (size_t i = 0; i < s->count; i++)
		if (can_promote(w->type, s->branches[i]->type))
			return s->branches[i];
	return NULL;
}

static bool read_text(struct reading *r, struct datum *out)
{
	return cursor_bytes(&r->c, SIZE_MAX, &out->bytes.data, &out->bytes.len);
}

static bool read_fixed(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out)
{
	const unsigned char *raw;

	if (w->count != s->count)
		return misfit(r, w, s);
	if (!cursor_fixed(&r->c, w->count, &raw))
		return false;
	out->bytes.data = (const char *)raw;
	out->bytes.len = w->count;
	return true;
}

static bool read_boolean(struct reading *r, struct datum *out)
{
	const unsigned char *raw;

	if (!cursor_fixed(&r->c, 1, &raw))
		return false;
	out->truth = *raw == 1;
	return true;
}

static bool read_value(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out)
{
	switch (w->type) {
	case SCHEMA_NULL:
		return true;
	case SCHEMA_BOOLEAN:
		return read_boolean(r, out);
	case SCHEMA_INT:
	case SCHEMA_LONG:
		return read_number(r, s, out);
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return read_real(r, w, out);
	case SCHEMA_BYTES:
	case SCHEMA_STRING:
		return read_text(r, out);
	case SCHEMA_FIXED:
		return read_fixed(r, w, s, out);
	case SCHEMA_ENUM:
		return read_symbol(r, w, s, out);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return read_list(r, w, s, out);
	case SCHEMA_RECORD:
		return read_fields(r, w, s, out);
	default:
		return misfit(r, w, s);
	}
}

static bool resolve(struct reading *r, const struct schema *w, const struct schema *s, struct datum *out)
{
	const struct schema *branch = s;
	size_t index;

	if (r->c.steps_left-- == 0)
		return err_set(r->e, ERR_REFUSED, 0, "too-large", "the record has more parts than its size allows");
	if (w->type == SCHEMA_UNION)
		return cursor_index(&r->c, w->count, &index) && resolve(r, w->branches[index], s, out);
	if (s->type == SCHEMA_UNION)
		branch = find_branch(w, s);
	if (!branch || (branch->type == w->type && !is_paired(r, w, branch) && !schema_same_name(w, branch)) ||
	    (branch->type != w->type && !can_promote(w->type, branch->type)))
		return misfit(r, w, s);
	out->schema = branch;
	return read_value(r, w, branch, out);
}

bool read_record(const struct schema *writer, const struct schema *reader, const void *data, size_t len,
                 struct arena *mem, struct datum *out_r, struct err *e)
{
	struct reading r = { .mem = mem, .e = e };

	cursor_init(&r.c, data, len, e);
	*out_r = (struct datum){ 0 };
	return resolve(&r, writer, reader, out_r);
}
