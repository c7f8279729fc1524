/* SPDX-License-Identifier: Apache-2.0
 * Values to members of a message. */
#include "consumer/adapters/avro/binding.h"

#include "consumer/core/trace.h"

#include <string.h>

/* Where the members of a table are in a record. Kept for the pair met last, as there are many users. */
struct pairing {
	const struct binding *table;
	const struct schema *schema;
	size_t index[SCHEMA_FIELDS_MAX];
};

struct decoding {
	struct arena *mem;
	struct pairing pairing;
	struct err *e;
};

static bool decode_table(struct decoding *d, const struct binding *b, const struct datum *record, char *body);

static bool no_memory(struct decoding *d)
{
	return err_set(d->e, ERR_REFUSED, 0, "too-large", "the record takes too much memory");
}

static bool copy_text(struct decoding *d, const struct datum *value, const char **text_r)
{
	*text_r = value->bytes.len ? arena_text(d->mem, value->bytes.data, value->bytes.len) : "";
	return *text_r || no_memory(d);
}

static bool decode_bytes(struct decoding *d, const struct datum *value, const void **data_r, size_t *len_r)
{
	const char *copy = NULL;

	*len_r = 0;
	if (value->schema->type == SCHEMA_BYTES) {
		if (!copy_text(d, value, &copy))
			return false;
		*len_r = value->bytes.len;
	}
	*data_r = copy;
	return true;
}

static bool decode_enum(struct decoding *d, const struct binding *b, const struct datum *value, int *value_r)
{
	const char *symbol = value->schema->symbols[value->number];

	for (int i = 0; i < SCHEMA_SYMBOLS_MAX; i++) {
		const char *name = b->name_of(i);

		if (name && strcmp(name, symbol) == 0) {
			*value_r = i;
			return true;
		}
	}
	return err_set(d->e, ERR_BUG, 0, "invalid", "field %s: the program has no meaning for %s", b->field, symbol);
}

static bool decode_unsigned(struct decoding *d, const struct binding *b, const struct datum *value, uint64_t *number_r)
{
	if (value->number < 0)
		return err_set(d->e, ERR_REFUSED, 0, "invalid", "field %s is negative", b->field);
	*number_r = (uint64_t)value->number;
	return true;
}

static bool decode_texts(struct decoding *d, const struct datum *list, const char *const **texts_r)
{
	const char **texts = arena_take(d->mem, list->list.count * sizeof *texts);

	if (!texts)
		return no_memory(d);
	for (size_t i = 0; i < list->list.count; i++)
		if (!copy_text(d, &list->list.items[i], &texts[i]))
			return false;
	*texts_r = texts;
	return true;
}

static bool decode_longs(struct decoding *d, const struct datum *list, const int64_t **numbers_r)
{
	int64_t *numbers = arena_take(d->mem, list->list.count * sizeof *numbers);

	if (!numbers)
		return no_memory(d);
	for (size_t i = 0; i < list->list.count; i++)
		numbers[i] = list->list.items[i].number;
	*numbers_r = numbers;
	return true;
}

static bool decode_records(struct decoding *d, const struct binding *b, const struct datum *list, const void **records_r)
{
	char *records = arena_take(d->mem, list->list.count * b->size);

	if (!records)
		return no_memory(d);
	for (size_t i = 0; i < list->list.count; i++)
		if (!decode_table(d, b->inside, &list->list.items[i], records + i * b->size))
			return false;
	*records_r = records;
	return true;
}

static bool decode_list(struct decoding *d, const struct binding *b, const struct datum *list, char *body)
{
	*(size_t *)(body + b->count) = list->list.count;
	switch (b->type) {
	case BIND_TEXTS:
		return decode_texts(d, list, (const char *const **)(body + b->at));
	case BIND_LONGS:
		return decode_longs(d, list, (const int64_t **)(body + b->at));
	default:
		return decode_records(d, b, list, (const void **)(body + b->at));
	}
}

static bool decode_member(struct decoding *d, const struct binding *b, const struct datum *value, char *body)
{
	void *member = body + b->at;
	const char *symbol;

	switch (b->type) {
	case BIND_TEXT:
		return copy_text(d, value, member);
	case BIND_INT:
		*(int *)member = (int)value->number;
		return true;
	case BIND_LONG:
		*(int64_t *)member = value->number;
		return true;
	case BIND_UNSIGNED:
		return decode_unsigned(d, b, value, member);
	case BIND_BOOL:
		*(bool *)member = value->truth;
		return true;
	case BIND_ENUM:
		return decode_enum(d, b, value, member);
	case BIND_SYMBOL:
		symbol = value->schema->symbols[value->number];
		*(const char **)member = arena_text(d->mem, symbol, strlen(symbol));
		return *(const char **)member || no_memory(d);
	case BIND_BYTES:
		return decode_bytes(d, value, member, (size_t *)(body + b->count));
	case BIND_TRACE:
		traceparent_read(value->bytes.data, value->bytes.len, member);
		return true;
	case BIND_RECORD:
		return decode_table(d, b->inside, value, body);
	default:
		return decode_list(d, b, value, body);
	}
}

static void pair(struct decoding *d, const struct binding *table, const struct schema *schema)
{
	d->pairing.table = table;
	d->pairing.schema = schema;
	for (size_t i = 0; table[i].type != BIND_END; i++)
		d->pairing.index[i] = schema_field_index(schema, table[i].field, i);
}

static bool decode_table(struct decoding *d, const struct binding *table, const struct datum *record, char *body)
{
	for (size_t i = 0; table[i].type != BIND_END; i++) {
		const struct binding *b = &table[i];
		const struct datum *value;

		if (d->pairing.table != table || d->pairing.schema != record->schema)
			pair(d, table, record->schema); /* also after another record inside this one */
		value = &record->list.items[d->pairing.index[i]];
		if (d->pairing.index[i] == record->list.count)
			return err_set(d->e, ERR_BUG, 0, "invalid", "field %s is not in the schema", b->field);
		if (b->given) {
			*(bool *)(body + b->given) = value->schema->type != SCHEMA_NULL;
			if (value->schema->type == SCHEMA_NULL)
				continue;
		}
		if (!decode_member(d, b, value, body))
			return false;
	}
	return true;
}

bool binding_decode(const struct binding *b, const struct datum *record, struct arena *mem, void *body, struct err *e)
{
	struct decoding d = { .mem = mem, .e = e };

	return decode_table(&d, b, record, body);
}
