/* SPDX-License-Identifier: Apache-2.0
 * Reading a seed strictly: a mistyped member is an error, not a silent default. */
#include "compose/stubs/stubs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

json_t *seed_failed(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->text, sizeof p->text, fmt, ap);
	va_end(ap);
	return NULL;
}

static bool has_type(const json_t *value, json_type type)
{
	return type == JSON_TRUE ? json_is_boolean(value) : json_typeof(value) == type;
}

static json_t *default_of(const struct seed_field *field)
{
	switch (field->type) {
	case JSON_STRING:
		return field->or_else ? json_string(field->or_else) : NULL;
	case JSON_INTEGER:
		return json_integer(0);
	case JSON_TRUE:
		return json_false();
	default:
		return json_array();
	}
}

static json_t *take_field(const json_t *from, const struct seed_field *field, struct problem *p)
{
	json_t *value = json_object_get(from, field->name);

	if (value && !has_type(value, field->type))
		return seed_failed(p, "\"%s\" is of the wrong type", field->name);
	value = value ? json_deep_copy(value) : default_of(field);
	return value ? value : seed_failed(p, "\"%s\" is missing", field->name);
}

static bool is_known(const char *name, const struct seed_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].name, name) == 0)
			return true;
	return false;
}

json_t *seed_object(const json_t *from, const struct seed_field *fields, size_t count, struct problem *p)
{
	json_t *made = json_object(), *value;
	const char *name;

	json_object_foreach((json_t *)from, name, value) {
		if (is_known(name, fields, count))
			continue;
		json_decref(made);
		return seed_failed(p, "\"%s\" is not known here", name);
	}
	for (size_t i = 0; i < count; i++) {
		value = take_field(from, &fields[i], p);
		if (!value) {
			json_decref(made);
			return NULL;
		}
		json_object_set_new(made, fields[i].name, value);
	}
	return made;
}

json_t *seed_list(const json_t *seed, const char *name, struct problem *p)
{
	json_t *list = json_object_get(seed, name), *entry;
	size_t i;

	if (!list)
		return json_array();
	if (!json_is_array(list))
		return seed_failed(p, "\"%s\" must be a list", name);
	json_array_foreach(list, i, entry)
		if (!json_is_object(entry))
			return seed_failed(p, "\"%s\" must be a list of objects", name);
	return json_incref(list);
}

json_t *seed_by_key(const json_t *seed, const char *name, const char *key,
                    json_t *(*make)(const json_t *from, struct problem *p), struct problem *p)
{
	json_t *list = seed_list(seed, name, p), *data = json_object(), *from;
	bool ok = list && data;
	size_t i;

	json_array_foreach(list, i, from) {
		json_t *made = ok ? make(from, p) : NULL;

		ok = made && json_object_set_new(data, json_string_value(json_object_get(from, key)), made) == 0;
	}
	json_decref(list);
	if (ok)
		return data;
	json_decref(data);
	return NULL;
}
