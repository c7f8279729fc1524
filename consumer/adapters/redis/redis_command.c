/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_command.h"

#include <string.h>

/* "<mark><number>\r\n"; by hand because it runs twenty times a record. */
static void put_line(struct buf *out, char mark, uint64_t number)
{
	char line[24];
	size_t at = sizeof line;

	line[--at] = '\n';
	line[--at] = '\r';
	do
		line[--at] = (char)('0' + number % 10);
	while (number /= 10);
	line[--at] = mark;
	buf_add(out, line + at, sizeof line - at);
}

void redis_command(struct buf *out, size_t argc)
{
	put_line(out, '*', argc);
}

void redis_arg(struct buf *out, const void *data, size_t len)
{
	put_line(out, '$', len);
	buf_add(out, data, len);
	buf_add(out, "\r\n", 2);
}

void redis_arg_text(struct buf *out, const char *text)
{
	redis_arg(out, text, strlen(text));
}

void redis_arg_number(struct buf *out, uint64_t number)
{
	char text[20];
	size_t at = sizeof text;

	do
		text[--at] = (char)('0' + number % 10);
	while (number /= 10);
	redis_arg(out, text + at, sizeof text - at);
}
