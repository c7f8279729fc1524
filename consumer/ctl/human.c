/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/human.h"

#include "consumer/core/log_text.h"

#include <inttypes.h>
#include <stdbool.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static void two_units(struct buf *out, int64_t ms, int64_t big, char big_name, int64_t small, char small_name)
{
	buf_printf(out, "%" PRId64 "%c", ms / big, big_name);
	if (ms % big / small)
		buf_printf(out, "%" PRId64 "%c", ms % big / small, small_name);
}

void human_duration(struct buf *out, int64_t ms)
{
	if (ms <= 0)
		buf_add_text(out, "0s");
	else if (ms < SECOND)
		buf_printf(out, "%" PRId64 " ms", ms);
	else if (ms < 10 * SECOND)
		buf_printf(out, "%" PRId64 ".%" PRId64 "s", ms / SECOND, ms % SECOND / 100);
	else if (ms < MINUTE)
		buf_printf(out, "%" PRId64 "s", ms / SECOND);
	else if (ms < HOUR)
		two_units(out, ms, MINUTE, 'm', SECOND, 's');
	else if (ms < DAY)
		two_units(out, ms, HOUR, 'h', MINUTE, 'm');
	else
		two_units(out, ms, DAY, 'd', HOUR, 'h');
}

void human_size(struct buf *out, int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	int unit = 0;
	int64_t tenths;

	if (bytes < 1024) {
		buf_printf(out, "%" PRId64 " B", bytes < 0 ? 0 : bytes);
		return;
	}
	while (bytes >= (INT64_C(1) << 20)) {
		bytes >>= 10;
		unit++;
	}
	tenths = bytes * 10 / 1024;
	buf_printf(out, "%" PRId64 ".%" PRId64 " %s", tenths / 10, tenths % 10, units[unit + 1]);
}

void human_count(struct buf *out, int64_t number)
{
	char digits[24];
	int count = 0;

	if (number < 0)
		number = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count > 0) {
		buf_add(out, &digits[--count], 1);
		if (count && count % 3 == 0)
			buf_add_text(out, ",");
	}
}

void human_ago(struct buf *out, int64_t now_ms, int64_t then_ms)
{
	if (then_ms <= 0) {
		buf_add_text(out, "-");
	} else if (then_ms > now_ms + SECOND) {
		buf_add_text(out, "in ");
		human_duration(out, then_ms - now_ms);
	} else if (now_ms - then_ms < SECOND) {
		buf_add_text(out, "just now");
	} else {
		human_duration(out, (now_ms - then_ms) / SECOND * SECOND);
		buf_add_text(out, " ago");
	}
}

void human_text(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t code;
		size_t n = text_next_char(text + i, len - i, &code);

		if (text_is_unsafe(code) || (code == 0xfffd && n == 1))
			buf_add_text(out, code == '\n' || code == '\t' ? " " : "?");
		else
			buf_add(out, text + i, n);
		i += n;
	}
}

size_t human_width(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; width++) {
		uint32_t code;

		i += text_next_char(text + i, len - i, &code);
	}
	return width;
}
