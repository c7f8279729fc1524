/* SPDX-License-Identifier: Apache-2.0
 * JSON of a schema to the tree. Named types are looked up only among those already complete, so a type that refers
 * to itself is refused as such, and the tree is a finite one. */
#include "consumer/adapters/avro/schema_priv.h"

#include <string.h>

enum { NAMED_MAX = 128 };

struct parser {
	struct arena *mem;
	struct err *e;
	size_t nodes;
	struct schema *named[NAMED_MAX];
	size_t named_count;
};

static const char *const type_names[SCHEMA_TYPE_END] = {
	[SCHEMA_NULL] = "null",     [SCHEMA_BOOLEAN] = "boolean", [SCHEMA_INT] = "int",     [SCHEMA_LONG] = "long",
	[SCHEMA_FLOAT] = "float",   [SCHEMA_DOUBLE] = "double",   [SCHEMA_BYTES] = "bytes", [SCHEMA_STRING] = "string",
	[SCHEMA_FIXED] = "fixed",   [SCHEMA_ENUM] = "enum",       [SCHEMA_ARRAY] = "array", [SCHEMA_MAP] = "map",
	[SCHEMA_UNION] = "union",   [SCHEMA_RECORD] = "record",
};

static const struct schema *parse(struct parser *p, const json_t *json, const char *space, int depth);

#define REFUSE(p, ...) err_set((p)->e, ERR_REFUSED, 0, "schema", __VA_ARGS__)
#define REFUSE_NULL(p, ...) (REFUSE(p, __VA_ARGS__), NULL)

bool schema_no_memory(struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "schema", "the schema takes more than %d bytes of memory", SCHEMA_MEMORY_MAX);
}

static void *take(struct parser *p, size_t size)
{
	void *memory = arena_take(p->mem, size);

	if (!memory)
		schema_no_memory(p->e);
	return memory;
}

static char *take_text(struct parser *p, const char *text, size_t len)
{
	char *copy = arena_text(p->mem, text, len);

	if (!copy)
		schema_no_memory(p->e);
	return copy;
}

/* Error texts quote names, so a name that is none must not get as far as that. */
static bool is_name(const char *text, bool dots)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
		bool first = i == 0 || text[i - 1] == '.';

		if (!letter && !(c >= '0' && c <= '9' && !first) && !(c == '.' && dots && !first))
			return false;
	}
	return len > 0 && len <= SCHEMA_NAME_MAX && text[len - 1] != '.';
}

static const char *text_member(struct parser *p, const json_t *json, const char *member, bool dots)
{
	const char *text = json_string_value(json_object_get(json, member));

	if (!text || !is_name(text, dots))
		return REFUSE_NULL(p, "a type or field lacks a proper \"%s\"", member);
	return take_text(p, text, strlen(text));
}

static struct schema *new_node(struct parser *p, enum schema_type type, int depth)
{
	struct schema *s;

	if (depth > SCHEMA_DEPTH_MAX)
		return REFUSE_NULL(p, "the schema is nested deeper than %d", SCHEMA_DEPTH_MAX);
	if (++p->nodes > SCHEMA_NODES_MAX)
		return REFUSE_NULL(p, "the schema has more than %d types", SCHEMA_NODES_MAX);
	s = take(p, sizeof *s);
	if (s)
		*s = (struct schema){ .type = type, .name = type_names[type], .height = 1, .fallback_symbol = -1,
		                    .complete = true };
	return s;
}

static const char *short_name(const char *full)
{
	const char *dot = strrchr(full, '.');

	return dot ? dot + 1 : full;
}

/* A name with a dot is whole; any other belongs to the namespace around it. */
static const char *full_name(struct parser *p, const char *name, const char *space)
{
	char *full = strchr(name, '.') || !space[0] ? take_text(p, name, strlen(name))
						     : arena_printf(p->mem, "%s.%s", space, name);

	if (!full)
		schema_no_memory(p->e);
	return full;
}

static bool read_aliases(struct parser *p, const json_t *json, const char *const **aliases_r, size_t *count_r)
{
	const json_t *list = json_object_get(json, "aliases");
	const char **aliases;

	if (json_array_size(list) == 0)
		return true;
	if (json_array_size(list) > SCHEMA_BRANCHES_MAX)
		return REFUSE(p, "a type or field has more than %d aliases", SCHEMA_BRANCHES_MAX);
	aliases = take(p, json_array_size(list) * sizeof *aliases);
	if (!aliases)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || !is_name(text, true))
			return REFUSE(p, "an alias is no name");
		aliases[i] = take_text(p, short_name(text), strlen(short_name(text)));
		if (!aliases[i])
			return false;
	}
	*aliases_r = aliases;
	*count_r = json_array_size(list);
	return true;
}

/* Gives a record, enum or fixed its name; *space_r becomes the namespace of what is inside. */
static struct schema *new_named(struct parser *p, const json_t *json, enum schema_type type, const char **space_r,
                                int depth)
{
	const char *name = text_member(p, json, "name", true), *space = *space_r, *dot;
	struct schema *s = name ? new_node(p, type, depth) : NULL;

	if (!s)
		return NULL;
	if (json_object_get(json, "namespace") && json_string_length(json_object_get(json, "namespace")) == 0)
		space = "";
	else if (json_object_get(json, "namespace"))
		space = text_member(p, json, "namespace", true);
	s->full_name = space ? full_name(p, name, space) : NULL;
	if (!s->full_name || !read_aliases(p, json, &s->aliases, &s->alias_count))
		return NULL;
	s->name = short_name(s->full_name);
	dot = strrchr(s->full_name, '.');
	*space_r = take_text(p, s->full_name, dot ? (size_t)(dot - s->full_name) : 0);
	for (size_t i = 0; i < p->named_count; i++)
		if (strcmp(p->named[i]->full_name, s->full_name) == 0)
			return REFUSE_NULL(p, "%s is defined twice", s->full_name);
	if (p->named_count == NAMED_MAX)
		return REFUSE_NULL(p, "the schema has more than %d named types", NAMED_MAX);
	p->named[p->named_count++] = s;
	return *space_r ? s : NULL;
}

/* Takes a complete child into account. */
static bool grow(struct parser *p, struct schema *s, const struct schema *child)
{
	if (child->height + 1 > s->height)
		s->height = child->height + 1;
	if (s->height > SCHEMA_DEPTH_MAX)
		return REFUSE(p, "the schema is nested deeper than %d", SCHEMA_DEPTH_MAX);
	return true;
}

static bool parse_field(struct parser *p, const json_t *json, const char *space, int depth, struct schema *record,
                        struct schema_field *field)
{
	struct datum *fallback;

	field->name = text_member(p, json, "name", false);
	if (!field->name)
		return false;
	if (schema_field_index(record, field->name, 0) < record->count)
		return REFUSE(p, "%s has two fields %s", record->name, field->name);
	field->type = parse(p, json_object_get(json, "type"), space, depth + 1);
	if (!field->type || !grow(p, record, field->type))
		return false;
	if (!read_aliases(p, json, &field->aliases, &field->alias_count))
		return false;
	record->least_bytes += field->type->least_bytes;
	if (record->least_bytes > SCHEMA_TEXT_MAX)
		record->least_bytes = SCHEMA_TEXT_MAX;
	if (!json_object_get(json, "default"))
		return true;
	fallback = take(p, sizeof *fallback);
	if (!fallback)
		return false;
	field->fallback = fallback;
	if (schema_read_default(field->type, json_object_get(json, "default"), p->mem, fallback, p->e))
		return true;
	err_prepend(p->e, field->name);
	return false;
}

static const struct schema *parse_record(struct parser *p, const json_t *json, const char *space, int depth)
{
	struct schema *s = new_named(p, json, SCHEMA_RECORD, &space, depth);
	const json_t *list = json_object_get(json, "fields");
	struct schema_field *fields;

	if (!s)
		return NULL;
	if (!json_is_array(list) || json_array_size(list) > SCHEMA_FIELDS_MAX)
		return REFUSE_NULL(p, "%s has no list of at most %d fields", s->name, SCHEMA_FIELDS_MAX);
	fields = take(p, json_array_size(list) * sizeof *fields);
	if (!fields)
		return NULL;
	s->fields = fields;
	s->complete = false;
	for (size_t i = 0; i < json_array_size(list); i++, s->count++)
		if (!parse_field(p, json_array_get(list, i), space, depth, s, &fields[i]))
			return NULL;
	s->complete = true;
	return s;
}

static const struct schema *parse_enum(struct parser *p, const json_t *json, const char *space, int depth)
{
	struct schema *s = new_named(p, json, SCHEMA_ENUM, &space, depth);
	const json_t *list = json_object_get(json, "symbols");
	const char *fallback = json_string_value(json_object_get(json, "default"));
	const char **symbols;

	if (!s)
		return NULL;
	if (json_array_size(list) == 0 || json_array_size(list) > SCHEMA_SYMBOLS_MAX)
		return REFUSE_NULL(p, "%s has not 1 to %d symbols", s->name, SCHEMA_SYMBOLS_MAX);
	symbols = take(p, json_array_size(list) * sizeof *symbols);
	if (!symbols)
		return NULL;
	s->symbols = symbols;
	s->least_bytes = 1;
	for (size_t i = 0; i < json_array_size(list); i++, s->count++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || !is_name(text, false) || schema_symbol_index(s, text) >= 0)
			return REFUSE_NULL(p, "symbol %zu of %s is no name or there twice", i, s->name);
		symbols[i] = take_text(p, text, strlen(text));
		if (!symbols[i])
			return NULL;
	}
	if (fallback) {
		s->fallback_symbol = schema_symbol_index(s, fallback);
		if (s->fallback_symbol < 0)
			return REFUSE_NULL(p, "the default of %s is none of its symbols", s->name);
	}
	return s;
}

static const struct schema *parse_fixed(struct parser *p, const json_t *json, const char *space, int depth)
{
	struct schema *s = new_named(p, json, SCHEMA_FIXED, &space, depth);
	json_int_t size = json_integer_value(json_object_get(json, "size"));

	if (!s)
		return NULL;
	if (size < 1 || size > SCHEMA_FIXED_MAX)
		return REFUSE_NULL(p, "%s has not 1 to %d bytes", s->name, SCHEMA_FIXED_MAX);
	s->count = s->least_bytes = (size_t)size;
	return s;
}

/* Items that take no bytes would let four bytes stand for millions of them. */
static const struct schema *parse_list(struct parser *p, const json_t *json, enum schema_type type, const char *space,
                                       int depth)
{
	struct schema *s = new_node(p, type, depth);
	const char *member = type == SCHEMA_ARRAY ? "items" : "values";

	if (!s)
		return NULL;
	s->items = parse(p, json_object_get(json, member), space, depth + 1);
	if (!s->items || !grow(p, s, s->items))
		return NULL;
	if (type == SCHEMA_ARRAY && s->items->least_bytes == 0)
		return REFUSE_NULL(p, "an array has items that take no bytes");
	s->least_bytes = 1;
	return s;
}

static bool is_ambiguous(const struct schema *s, const struct schema *branch)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->branches[i]->type == branch->type &&
		    (!branch->full_name || strcmp(s->branches[i]->full_name, branch->full_name) == 0))
			return true;
	return branch->type == SCHEMA_UNION;
}

static const struct schema *parse_union(struct parser *p, const json_t *json, const char *space, int depth)
{
	struct schema *s = new_node(p, SCHEMA_UNION, depth);
	const struct schema **branches;

	if (!s)
		return NULL;
	if (json_array_size(json) == 0 || json_array_size(json) > SCHEMA_BRANCHES_MAX)
		return REFUSE_NULL(p, "a union has not 1 to %d branches", SCHEMA_BRANCHES_MAX);
	branches = take(p, json_array_size(json) * sizeof *branches);
	if (!branches)
		return NULL;
	s->branches = branches;
	s->least_bytes = 1;
	for (size_t i = 0; i < json_array_size(json); i++, s->count++) {
		branches[i] = parse(p, json_array_get(json, i), space, depth + 1);
		if (!branches[i] || !grow(p, s, branches[i]))
			return NULL;
		if (is_ambiguous(s, branches[i]))
			return REFUSE_NULL(p, "a union has a branch that cannot be told from another");
	}
	return s;
}

static enum schema_type type_by_name(const char *name)
{
	for (int i = SCHEMA_NULL; i < SCHEMA_TYPE_END; i++)
		if (strcmp(type_names[i], name) == 0)
			return i == SCHEMA_UNION ? SCHEMA_UNSET : (enum schema_type)i;
	return SCHEMA_UNSET;
}

static const struct schema *parse_primitive(struct parser *p, enum schema_type type, int depth)
{
	static const size_t least[SCHEMA_TYPE_END] = {
		[SCHEMA_BOOLEAN] = 1, [SCHEMA_INT] = 1,   [SCHEMA_LONG] = 1,   [SCHEMA_FLOAT] = 4,
		[SCHEMA_DOUBLE] = 8,  [SCHEMA_BYTES] = 1, [SCHEMA_STRING] = 1,
	};
	struct schema *s = new_node(p, type, depth);

	if (s)
		s->least_bytes = least[type];
	return s;
}

static const struct schema *named_type(struct parser *p, const char *name, const char *space)
{
	const char *full;

	if (!is_name(name, true))
		return REFUSE_NULL(p, "a type is named by something that is no name");
	full = full_name(p, name, space);
	if (!full)
		return NULL;
	for (size_t i = 0; i < p->named_count; i++) {
		const struct schema *s = p->named[i];

		if (strcmp(s->full_name, full) != 0)
			continue;
		if (!s->complete)
			return REFUSE_NULL(p, "%s contains itself", full);
		return s;
	}
	return REFUSE_NULL(p, "type %s is not defined before it is used", full);
}

static const struct schema *parse_object(struct parser *p, const json_t *json, const char *space, int depth)
{
	const json_t *inner = json_object_get(json, "type");
	enum schema_type type;

	if (!json_is_string(inner)) /* {"type": {...}} says no more than what is inside */
		return parse(p, inner, space, depth + 1);
	type = type_by_name(json_string_value(inner));
	switch (type) {
	case SCHEMA_RECORD:
		return parse_record(p, json, space, depth);
	case SCHEMA_ENUM:
		return parse_enum(p, json, space, depth);
	case SCHEMA_FIXED:
		return parse_fixed(p, json, space, depth);
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return parse_list(p, json, type, space, depth);
	case SCHEMA_UNSET:
		return named_type(p, json_string_value(inner), space);
	default:
		return parse_primitive(p, type, depth);
	}
}

static const struct schema *parse(struct parser *p, const json_t *json, const char *space, int depth)
{
	enum schema_type type;

	if (depth > SCHEMA_DEPTH_MAX)
		return REFUSE_NULL(p, "the schema is nested deeper than %d", SCHEMA_DEPTH_MAX);
	if (json_is_object(json))
		return parse_object(p, json, space, depth);
	if (json_is_array(json))
		return parse_union(p, json, space, depth);
	if (!json_is_string(json))
		return REFUSE_NULL(p, "a type is missing");
	type = type_by_name(json_string_value(json));
	if (type >= SCHEMA_NULL && type <= SCHEMA_STRING)
		return parse_primitive(p, type, depth);
	return named_type(p, json_string_value(json), space);
}

const struct schema *schema_parse(const char *text, size_t len, struct arena *mem, struct err *e)
{
	struct parser p = { .mem = mem, .e = e };
	const struct schema *s = NULL;
	json_error_t why;
	json_t *json;

	if (len > SCHEMA_TEXT_MAX)
		return REFUSE_NULL(&p, "the schema is longer than %d bytes", SCHEMA_TEXT_MAX);
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (!json && json_error_code(&why) != json_error_out_of_memory && json_error_code(&why) != json_error_unknown)
		return REFUSE_NULL(&p, "the schema is no JSON");
	if (json)
		s = parse(&p, json, "", 1);
	if (!json || arena_is_short(mem)) {
		s = NULL;
		err_clear(e);
		err_set(e, ERR_TRANSIENT, 0, "schema", "not enough memory for a schema");
	}
	json_decref(json);
	return s;
}

size_t schema_field_index(const struct schema *record, const char *name, size_t likely)
{
	size_t i = 0;

	if (likely < record->count && strcmp(record->fields[likely].name, name) == 0)
		return likely;
	while (i < record->count && strcmp(record->fields[i].name, name) != 0)
		i++;
	return i;
}

int schema_symbol_index(const struct schema *enumeration, const char *symbol)
{
	for (size_t i = 0; i < enumeration->count; i++)
		if (strcmp(enumeration->symbols[i], symbol) == 0)
			return (int)i;
	return -1;
}

bool schema_same_name(const struct schema *writer, const struct schema *reader)
{
	if (!reader->full_name || strcmp(writer->name, reader->name) == 0)
		return true;
	for (size_t i = 0; i < reader->alias_count; i++)
		if (strcmp(writer->name, reader->aliases[i]) == 0)
			return true;
	return false;
}
