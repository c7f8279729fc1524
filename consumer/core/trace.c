/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/trace.h"

#include "consumer/core/fnv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 00-<32 trace>-<16 span>-<2 flags> */
enum { TRACE_AT = 3, TRACE_LEN = 32, SPAN_AT = 36, SPAN_LEN = 16, FLAGS_AT = 53, WHOLE_LEN = 55 };

static bool is_hex(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
			return false;
	return true;
}

static bool is_zero(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '0')
			return false;
	return true;
}

bool traceparent_read(const void *header, size_t len, char out_r[TRACEPARENT_TEXT])
{
	const char *text = header;
	bool first_version;

	out_r[0] = '\0';
	if (len < WHOLE_LEN || !is_hex(text, 2) || memcmp(text, "ff", 2) == 0)
		return false;
	/* A later version may say more behind another hyphen; what we know of it reads the same. */
	first_version = memcmp(text, "00", 2) == 0;
	if (len > WHOLE_LEN && (first_version || text[WHOLE_LEN] != '-'))
		return false;
	if (text[TRACE_AT - 1] != '-' || text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-')
		return false;
	if (!is_hex(text + TRACE_AT, TRACE_LEN) || !is_hex(text + SPAN_AT, SPAN_LEN) || !is_hex(text + FLAGS_AT, 2))
		return false;
	if (is_zero(text + TRACE_AT, TRACE_LEN) || is_zero(text + SPAN_AT, SPAN_LEN))
		return false;
	memcpy(out_r, text, WHOLE_LEN);
	memcpy(out_r, "00", 2);
	out_r[WHOLE_LEN] = '\0';
	return true;
}

bool traceparent_child(const char *parent, const char *event_id, char out_r[TRACEPARENT_TEXT])
{
	char span[SPAN_LEN + 1];
	uint64_t hash;

	if (!traceparent_read(parent, strlen(parent), out_r))
		return false;
	hash = fnv64(fnv64(FNV64_START, out_r, WHOLE_LEN), event_id, strlen(event_id));
	snprintf(span, sizeof span, "%016" PRIx64, hash ? hash : 1);
	memcpy(out_r + SPAN_AT, span, SPAN_LEN);
	return true;
}
