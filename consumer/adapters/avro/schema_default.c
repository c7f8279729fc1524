/* SPDX-License-Identifier: Apache-2.0
 * Defaults of fields: JSON in the schema, made into values once, when the schema is read. */
#include "consumer/adapters/avro/schema_priv.h"

#include <string.h>

struct reading {
	struct arena *mem;
	struct err *e;
};

static bool convert(struct reading *r, const struct schema *type, const json_t *json, struct datum *out);

static bool misfit(struct reading *r, const struct schema *type)
{
	return err_set(r->e, ERR_REFUSED, 0, "schema", "the default is no %s", type->name);
}

static struct datum *take_items(struct reading *r, size_t count)
{
	struct datum *items = arena_take(r->mem, count * sizeof *items);

	if (!items)
		schema_no_memory(r->e);
	return items;
}

static bool convert_number(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	json_int_t number = json_integer_value(json);

	if (type->type == SCHEMA_FLOAT || type->type == SCHEMA_DOUBLE) {
		out->real = json_number_value(json);
		return json_is_number(json) || misfit(r, type);
	}
	out->number = number;
	if (!json_is_integer(json))
		return misfit(r, type);
	return type->type == SCHEMA_LONG || (number >= INT32_MIN && number <= INT32_MAX) || misfit(r, type);
}

/* In JSON the characters U+0001..U+00FF stand for bytes. */
static bool convert_bytes(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	const unsigned char *text = (const unsigned char *)json_string_value(json);
	size_t len = json_string_length(json), n = 0;
	char *bytes = text ? arena_take(r->mem, len + 1) : NULL;

	if (!text)
		return misfit(r, type);
	if (!bytes)
		return schema_no_memory(r->e);
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= 0x80 && (text[i] < 0xc2 || text[i] > 0xc3))
			return misfit(r, type);
		if (text[i] >= 0x80) { /* two bytes of UTF-8, which jansson has checked */
			bytes[n++] = (char)(((text[i] & 0x03) << 6) | (text[i + 1] & 0x3f));
			i++;
		} else {
			bytes[n++] = (char)text[i];
		}
	}
	out->bytes.data = bytes;
	out->bytes.len = n;
	return type->type == SCHEMA_BYTES || n == type->count || misfit(r, type);
}

static bool convert_text(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	if (!json_is_string(json))
		return misfit(r, type);
	out->bytes.len = json_string_length(json);
	out->bytes.data = arena_text(r->mem, json_string_value(json), out->bytes.len);
	return out->bytes.data || schema_no_memory(r->e);
}

static bool convert_symbol(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	int index = json_is_string(json) ? schema_symbol_index(type, json_string_value(json)) : -1;

	out->number = index;
	return index >= 0 || misfit(r, type);
}

static bool convert_array(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	size_t count = json_array_size(json);
	struct datum *items = json_is_array(json) ? take_items(r, count) : NULL;

	if (!json_is_array(json))
		return misfit(r, type);
	if (!items)
		return false;
	out->list.items = items;
	out->list.count = count;
	for (size_t i = 0; i < count; i++)
		if (!convert(r, type->items, json_array_get(json, i), &items[i]))
			return false;
	return true;
}

static bool convert_record(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	struct datum *items = json_is_object(json) ? take_items(r, type->count) : NULL;

	if (!json_is_object(json))
		return misfit(r, type);
	if (!items)
		return false;
	out->list.items = items;
	out->list.count = type->count;
	for (size_t i = 0; i < type->count; i++) {
		const json_t *value = json_object_get(json, type->fields[i].name);

		if (!value && type->fields[i].fallback)
			items[i] = *type->fields[i].fallback;
		else if (!convert(r, type->fields[i].type, value, &items[i]))
			return false;
	}
	return true;
}

/* Only an empty map has a use as a default, and only that is taken. */
static bool convert_map(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	out->list.items = NULL;
	out->list.count = 0;
	return (json_is_object(json) && json_object_size(json) == 0) || misfit(r, type);
}

static bool convert(struct reading *r, const struct schema *type, const json_t *json, struct datum *out)
{
	out->schema = type;
	switch (type->type) {
	case SCHEMA_NULL:
		return json_is_null(json) || misfit(r, type);
	case SCHEMA_BOOLEAN:
		out->truth = json_is_true(json);
		return json_is_boolean(json) || misfit(r, type);
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return convert_number(r, type, json, out);
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return convert_bytes(r, type, json, out);
	case SCHEMA_STRING:
		return convert_text(r, type, json, out);
	case SCHEMA_ENUM:
		return convert_symbol(r, type, json, out);
	case SCHEMA_ARRAY:
		return convert_array(r, type, json, out);
	case SCHEMA_MAP:
		return convert_map(r, type, json, out);
	case SCHEMA_UNION: /* the default of a union is one of its first branch */
		return convert(r, type->branches[0], json, out);
	case SCHEMA_RECORD:
		return convert_record(r, type, json, out);
	default:
		return misfit(r, type);
	}
}

bool schema_read_default(const struct schema *type, const json_t *json, struct arena *mem, struct datum *out_r,
                         struct err *e)
{
	struct reading r = { .mem = mem, .e = e };

	return convert(&r, type, json, out_r);
}
