/* SPDX-License-Identifier: Apache-2.0
 * Reading the JSON of outside systems with bounds on depth, count and length: nothing is cut silently. */
#ifndef SANDBOX_HTTP_JSON_H
#define SANDBOX_HTTP_JSON_H

#include "handlers/base/arena.h"
#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The JSON object in text, owned by the caller (json_decref); NULL when it is no JSON object, nests deeper than 16,
 * holds more than 1,000,000 values or names a member twice. */
json_t *http_json_parse(const struct buf *text);

struct json_reader { /* goes with every look into an answer to a read */
	const char *system; /* for err.where */
	struct arena *mem;  /* for http_json_keep; may be NULL otherwise */
	struct err *e;
};

struct json_text_field { /* one char array of a struct */
	const char *name;
	size_t offset, size;
};
#define JSON_TEXT_FIELD(type, member) { #member, offsetof(type, member), sizeof(((type *)NULL)->member) }

/* Each is false with TRANSIENT when the member is missing or of another type, and with REFUSED when the value is
 * sound but does not fit. */
bool http_json_text(const struct json_reader *r, const json_t *object, const char *name, char *out_r, size_t size);
bool http_json_texts(const struct json_reader *r, const json_t *object, const struct json_text_field *fields,
                     size_t count, void *struct_r);
bool http_json_keep(const struct json_reader *r, const json_t *object, const char *name, const char **text_r);
bool http_json_number(const struct json_reader *r, const json_t *object, const char *name, int64_t min, int64_t max,
                      int64_t *number_r);
bool http_json_flag(const struct json_reader *r, const json_t *object, const char *name, bool *flag_r);
bool http_json_member(const struct json_reader *r, const json_t *object, const char *name, json_t **object_r);
/* At most max entries, all of them objects. */
bool http_json_list(const struct json_reader *r, const json_t *object, const char *name, size_t max,
                    json_t **list_r);
/* Zeroed room for count things of size; REFUSED when the arena is full. */
void *http_json_room(const struct json_reader *r, size_t count, size_t size);

#endif
