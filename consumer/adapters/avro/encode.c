/* SPDX-License-Identifier: Apache-2.0
 * Members of a message to a value of avro-c. */
#include "consumer/adapters/avro/binding.h"

#include "consumer/adapters/avro/utf8.h"
#include "consumer/adapters/avro/walk.h"

#include <string.h>

struct encoding {
	struct arena *scratch;
	struct err *e;
	const char *field; /* for the sentence */
};

static bool encode_table(struct encoding *n, const struct binding *b, const struct schema *schema, const char *body,
                         avro_value_t *record);

/* avro-c says what went wrong in one text for the whole process; it may quote a value, so it is not passed on. */
static bool set(struct encoding *n, int rc)
{
	return rc == 0 || err_set(n->e, ERR_BUG, 0, "avro", "field %s: the value does not fit the schema", n->field);
}

/* Writes what can be read again, whatever a foreign system gave us as a text. */
static bool encode_text(struct encoding *n, const char *text, avro_value_t *value)
{
	size_t len = text ? strlen(text) : 0, good = text ? utf8_good_bytes(text, len) : 0;
	char *clean;

	if (good == len && len <= WALK_STRING_MAX)
		return set(n, avro_value_set_string(value, text ? text : ""));
	if (len > WALK_STRING_MAX)
		len = WALK_STRING_MAX;
	clean = arena_text(n->scratch, text, len);
	if (!clean)
		return err_set(n->e, ERR_REFUSED, 0, "too-large", "field %s: the text takes too much memory", n->field);
	for (good = utf8_good_bytes(clean, len); good < len; good += utf8_good_bytes(clean + good, len - good))
		clean[good] = '?';
	return set(n, avro_value_set_string(value, clean));
}

static bool encode_symbol(struct encoding *n, const char *symbol, const struct schema *schema, avro_value_t *value)
{
	int index = symbol ? schema_symbol_index(schema, symbol) : -1;

	if (index < 0)
		return err_set(n->e, ERR_MISUSE, 0, "avro", "field %s: there is no symbol for that value", n->field);
	return set(n, avro_value_set_enum(value, index));
}

static bool encode_bytes(struct encoding *n, const void *data, size_t len, avro_value_t *value)
{
	avro_value_t branch;

	if (!data)
		return set(n, avro_value_set_branch(value, 0, &branch));
	return set(n, avro_value_set_branch(value, 1, &branch)) &&
	       set(n, avro_value_set_bytes(&branch, (void *)(uintptr_t)data, len));
}

static bool encode_item(struct encoding *n, const struct binding *b, const struct schema *items, const char *body,
                        size_t i, avro_value_t *item)
{
	const void *list = *(const void *const *)(body + b->at);

	switch (b->type) {
	case BIND_TEXTS:
		return encode_text(n, ((const char *const *)list)[i], item);
	case BIND_LONGS:
		return set(n, avro_value_set_long(item, ((const int64_t *)list)[i]));
	default:
		return encode_table(n, b->inside, items, (const char *)list + i * b->size, item);
	}
}

static bool encode_list(struct encoding *n, const struct binding *b, const struct schema *schema, const char *body,
                        avro_value_t *value)
{
	size_t count = *(const size_t *)(body + b->count);

	if (count > WALK_ITEMS_MAX)
		return err_set(n->e, ERR_REFUSED, 0, "too-large", "field %s: %zu items, more than %d", n->field,
		               count, WALK_ITEMS_MAX);
	for (size_t i = 0; i < count; i++) {
		avro_value_t item;

		if (!set(n, avro_value_append(value, &item, NULL)) || !encode_item(n, b, schema->items, body, i, &item))
			return false;
	}
	return true;
}

static bool encode_unsigned(struct encoding *n, uint64_t number, avro_value_t *value)
{
	if (number > INT64_MAX)
		return err_set(n->e, ERR_MISUSE, 0, "avro", "field %s does not fit a long", n->field);
	return set(n, avro_value_set_long(value, (int64_t)number));
}

static bool encode_member(struct encoding *n, const struct binding *b, const struct schema *schema, const char *body,
                          avro_value_t *value)
{
	const void *member = body + b->at;

	switch (b->type) {
	case BIND_TEXT:
		return encode_text(n, *(const char *const *)member, value);
	case BIND_INT:
		return set(n, avro_value_set_int(value, *(const int *)member));
	case BIND_LONG:
		return set(n, avro_value_set_long(value, *(const int64_t *)member));
	case BIND_UNSIGNED:
		return encode_unsigned(n, *(const uint64_t *)member, value);
	case BIND_BOOL:
		return set(n, avro_value_set_boolean(value, *(const bool *)member));
	case BIND_ENUM:
		return encode_symbol(n, b->name_of(*(const int *)member), schema, value);
	case BIND_SYMBOL:
		return encode_symbol(n, *(const char *const *)member, schema, value);
	case BIND_BYTES:
		return encode_bytes(n, *(const void *const *)member, *(const size_t *)(body + b->count), value);
	case BIND_TRACE:
		return encode_text(n, member, value);
	case BIND_RECORD:
		return encode_table(n, b->inside, schema, body, value);
	default:
		return encode_list(n, b, schema, body, value);
	}
}

/* A field that may be missing is a union of null and its type. */
static bool encode_given(struct encoding *n, const struct binding *b, const struct schema *schema, const char *body,
                         avro_value_t *value)
{
	avro_value_t branch;

	if (!*(const bool *)(body + b->given))
		return set(n, avro_value_set_branch(value, 0, &branch));
	return set(n, avro_value_set_branch(value, 1, &branch)) &&
	       encode_member(n, b, schema->branches[1], body, &branch);
}

static bool encode_table(struct encoding *n, const struct binding *b, const struct schema *schema, const char *body,
                         avro_value_t *record)
{
	for (size_t i = 0; b->type != BIND_END; b++, i++) {
		size_t index = schema_field_index(schema, b->field, i);
		avro_value_t value;

		n->field = b->field;
		if (index == schema->count || !set(n, avro_value_get_by_index(record, index, &value, NULL)))
			return err_set(n->e, ERR_BUG, 0, "avro", "field %s is not in the schema", b->field);
		if (!(b->given ? encode_given : encode_member)(n, b, schema->fields[index].type, body, &value))
			return false;
	}
	return true;
}

bool binding_encode(const struct binding *b, const void *body, const struct schema *schema, avro_value_t *record,
                    struct arena *scratch, struct err *e)
{
	struct encoding n = { .scratch = scratch, .e = e };

	return encode_table(&n, b, schema, body, record);
}
