/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max = max_bytes };
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

static bool reserve(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 256;
	char *grown;

	if (b->failed || more > b->max - b->len) {
		b->failed = true;
		return false;
	}
	if (b->size > b->len + more)
		return true;
	while (size <= b->len + more)
		size *= 2;
	grown = realloc(b->data, size);
	if (!grown) {
		b->failed = true;
		return false;
	}
	b->data = grown;
	b->size = size;
	return true;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return false;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

bool buf_add_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

bool buf_add_number(struct buf *b, int64_t number)
{
	char text[20];
	size_t at = sizeof text;
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do
		text[--at] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		text[--at] = '-';
	return buf_add(b, text + at, sizeof text - at);
}

bool buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	bool ok = false;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len >= 0 && reserve(b, (size_t)len)) {
		vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
		ok = true;
	}
	va_end(again);
	return ok;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}
