/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/js.h"

#include "consumer/core/json_text.h"
#include "consumer/core/log_text.h"

#include <inttypes.h>
#include <string.h>

static void begin_line(struct js *j)
{
	if (j->depth == 0 || j->depth > j->lines)
		return;
	buf_add_text(j->out, "\n");
	for (int i = 0; i < j->depth; i++)
		buf_add_text(j->out, "  ");
}

/* What stands before a value: comma, line and name. */
static void begin(struct js *j, const char *name)
{
	uint32_t bit = UINT32_C(1) << j->depth;

	if (j->has_members & bit)
		buf_add_text(j->out, ",");
	j->has_members |= bit;
	begin_line(j);
	if (!name)
		return;
	json_text_add(j->out, name, strlen(name));
	buf_add_text(j->out, ":");
}

static void open(struct js *j, const char *name, bool is_object)
{
	uint32_t bit;

	begin(j, name);
	buf_add_text(j->out, is_object ? "{" : "[");
	if (++j->depth >= JS_DEPTH_MAX) {
		j->out->failed = true; /* a mistake of the program: no document is that deep */
		j->depth--;
		return;
	}
	bit = UINT32_C(1) << j->depth;
	j->has_members &= ~bit;
	j->is_object = is_object ? j->is_object | bit : j->is_object & ~bit;
}

void js_object(struct js *j, const char *name)
{
	open(j, name, true);
}

void js_array(struct js *j, const char *name)
{
	open(j, name, false);
}

void js_close(struct js *j)
{
	uint32_t bit = UINT32_C(1) << j->depth;
	bool had_members = j->has_members & bit;

	j->depth--;
	if (had_members && j->depth + 1 <= j->lines) {
		buf_add_text(j->out, "\n");
		for (int i = 0; i < j->depth; i++)
			buf_add_text(j->out, "  ");
	}
	buf_add_text(j->out, j->is_object & bit ? "}" : "]");
	if (j->depth > 0)
		return;
	buf_add_text(j->out, "\n");
	j->has_members = 0; /* the next document stands for itself */
}

void js_bytes(struct js *j, const char *name, const char *text, size_t len)
{
	begin(j, name);
	json_text_add(j->out, text, len);
}

void js_text(struct js *j, const char *name, const char *text)
{
	if (text) {
		js_bytes(j, name, text, strlen(text));
		return;
	}
	begin(j, name);
	buf_add_text(j->out, "null");
}

void js_number(struct js *j, const char *name, int64_t number)
{
	begin(j, name);
	buf_printf(j->out, "%" PRId64, number);
}

void js_flag(struct js *j, const char *name, bool flag)
{
	begin(j, name);
	buf_add_text(j->out, flag ? "true" : "false");
}

void js_time(struct js *j, const char *name, int64_t utc_ms)
{
	char text[LOG_TIME_TEXT];

	if (utc_ms > 0)
		log_time_text(utc_ms, text);
	js_text(j, name, utc_ms > 0 ? text : NULL);
}
