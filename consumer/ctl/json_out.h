/* SPDX-License-Identifier: Apache-2.0
 * Writes JSON into a buffer: commas, escapes and times are its business, order and meaning the caller's. */
#ifndef SANDBOX_CTL_JSON_OUT_H
#define SANDBOX_CTL_JSON_OUT_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

struct json_out {
	struct buf *out;
	int lines; /* values at this depth or less begin a line of their own; 0: all on one line */
	int depth;
	uint32_t has_members, is_object; /* a bit for each depth */
};

/* name is NULL in arrays and for the outermost value. */
void json_object(struct json_out *j, const char *name);
void json_array(struct json_out *j, const char *name);
/* Closes the last one opened; a line end behind the outermost. */
void json_close(struct json_out *j);

/* NULL is null. Broken UTF-8 becomes U+FFFD. */
void json_text(struct json_out *j, const char *name, const char *text);
void json_bytes(struct json_out *j, const char *name, const char *text, size_t len);
void json_number(struct json_out *j, const char *name, int64_t number);
void json_flag(struct json_out *j, const char *name, bool flag);
/* RFC 3339 in UTC; null for 0. */
void json_time(struct json_out *j, const char *name, int64_t utc_ms);

#endif
