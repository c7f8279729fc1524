/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/http/http_json.h"

#include <string.h>

enum {
	DEPTH_MAX = 16,
	VALUES_MAX = 1000 * 1000,
	KEPT_TEXT_MAX = 4096, /* longest login, URL or token we take */
};

/* jansson recurses up to 2,048 deep and takes memory for whatever it meets, so this looks before it. */
static bool is_bounded(const char *text, size_t len)
{
	size_t depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char ch = text[i];

		if (in_string) {
			if (ch == '\\')
				i++;
			else if (ch == '"')
				in_string = false;
			continue;
		}
		in_string = ch == '"';
		if (ch == '{' || ch == '[')
			depth++;
		else if ((ch == '}' || ch == ']') && depth > 0)
			depth--;
		if (strchr("{[,", ch) && ++values > VALUES_MAX)
			return false;
		if (depth > DEPTH_MAX)
			return false;
	}
	return true;
}

json_t *http_json_parse(const struct buf *text)
{
	json_t *value;

	if (text->len == 0 || !is_bounded(text->data, text->len))
		return NULL;
	value = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(value)) {
		json_decref(value);
		return NULL;
	}
	return value;
}

static bool not_there(const struct json_reader *r, const char *name, const char *wanted)
{
	return err_set(r->e, ERR_TRANSIENT, 0, r->system, "the answer makes no sense: \"%s\" is no %s", name, wanted);
}

static bool does_not_fit(const struct json_reader *r, const char *name)
{
	return err_set(r->e, ERR_REFUSED, 0, r->system, "\"%s\" in the answer is longer or larger than allowed", name);
}

bool http_json_text(const struct json_reader *r, const json_t *object, const char *name, char *out_r, size_t size)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return not_there(r, name, "text");
	if (json_string_length(value) >= size)
		return does_not_fit(r, name);
	memcpy(out_r, json_string_value(value), json_string_length(value) + 1);
	return true;
}

bool http_json_texts(const struct json_reader *r, const json_t *object, const struct json_text_field *fields,
                     size_t count, void *struct_r)
{
	for (size_t i = 0; i < count; i++)
		if (!http_json_text(r, object, fields[i].name, (char *)struct_r + fields[i].offset, fields[i].size))
			return false;
	return true;
}

bool http_json_keep(const struct json_reader *r, const json_t *object, const char *name, const char **text_r)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return not_there(r, name, "text");
	if (json_string_length(value) > KEPT_TEXT_MAX)
		return does_not_fit(r, name);
	*text_r = arena_text(r->mem, json_string_value(value), json_string_length(value));
	return *text_r || does_not_fit(r, name);
}

bool http_json_number(const struct json_reader *r, const json_t *object, const char *name, int64_t min, int64_t max,
                      int64_t *number_r)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value))
		return not_there(r, name, "whole number");
	if (json_integer_value(value) < min || json_integer_value(value) > max)
		return does_not_fit(r, name);
	*number_r = json_integer_value(value);
	return true;
}

bool http_json_flag(const struct json_reader *r, const json_t *object, const char *name, bool *flag_r)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_boolean(value))
		return not_there(r, name, "true or false");
	*flag_r = json_is_true(value);
	return true;
}

bool http_json_member(const struct json_reader *r, const json_t *object, const char *name, json_t **object_r)
{
	*object_r = json_object_get(object, name);
	return json_is_object(*object_r) || not_there(r, name, "object");
}

bool http_json_list(const struct json_reader *r, const json_t *object, const char *name, size_t max,
                    json_t **list_r)
{
	size_t i;
	json_t *entry;

	*list_r = json_object_get(object, name);
	if (!json_is_array(*list_r))
		return not_there(r, name, "list");
	if (json_array_size(*list_r) > max)
		return does_not_fit(r, name);
	json_array_foreach(*list_r, i, entry)
		if (!json_is_object(entry))
			return not_there(r, name, "list of objects");
	return true;
}

void *http_json_room(const struct json_reader *r, size_t count, size_t size)
{
	void *room = arena_take(r->mem, (count ? count : 1) * size);

	if (!room)
		err_set(r->e, ERR_REFUSED, 0, r->system, "the answer needs more memory than a step may take");
	return room;
}
