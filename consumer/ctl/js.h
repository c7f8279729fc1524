/* SPDX-License-Identifier: Apache-2.0
 * Writes JSON into a buffer: commas, escapes and times are its business, order and meaning the caller's. */
#ifndef SANDBOX_CTL_JS_H
#define SANDBOX_CTL_JS_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JS_DEPTH_MAX = 32 };

struct js {
	struct buf *out;
	int lines; /* values at this depth or less begin a line of their own; 0: all on one line */
	int depth;
	uint32_t has_members, is_object; /* a bit for each depth */
};

/* name is NULL in arrays and for the outermost value. */
void js_object(struct js *j, const char *name);
void js_array(struct js *j, const char *name);
/* Closes the last one opened; a line end behind the outermost, and another document may follow. */
void js_close(struct js *j);

/* NULL is null. Broken UTF-8 becomes U+FFFD. */
void js_text(struct js *j, const char *name, const char *text);
void js_bytes(struct js *j, const char *name, const char *text, size_t len);
void js_number(struct js *j, const char *name, int64_t number);
void js_flag(struct js *j, const char *name, bool flag);
/* RFC 3339 in UTC; null for 0. */
void js_time(struct js *j, const char *name, int64_t utc_ms);

#endif
