/* SPDX-License-Identifier: Apache-2.0 */
#include "compose/stubs/stubs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void reply_with(struct reply *r, int status, json_t *body)
{
	json_decref(r->body);
	r->status = status;
	r->body = body;
}

void reply_receipt(struct reply *r, bool is_changed)
{
	r->is_changed = is_changed;
	reply_with(r, 200, json_pack("{sb}", "acted", is_changed));
}

void reply_problem(struct reply *r, int status, const char *type, const char *title, const char *fmt, ...)
{
	char detail[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof detail, fmt, ap);
	va_end(ap);
	/* A cut in the middle of a character would leave the answer empty. */
	for (char *p = detail; *p; p++)
		if ((unsigned char)*p > '~' || (unsigned char)*p < ' ')
			*p = '?';
	reply_with(r, status,
	           json_pack("{sssssiss}", "type", type, "title", title, "status", status, "detail", detail));
}

const char *body_text(const struct call *c, const char *name, struct reply *r)
{
	const char *text = json_string_value(json_object_get(c->body, name));

	if (!text)
		reply_problem(r, 400, "bad-request", "The body lacks a member", "\"%s\" must be a text", name);
	return text;
}

bool put_text(json_t *object, const char *name, const char *text)
{
	const char *before = json_string_value(json_object_get(object, name));

	if (before && strcmp(before, text) == 0)
		return false;
	json_object_set_new(object, name, json_string(text));
	return true;
}
