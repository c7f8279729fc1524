/* SPDX-License-Identifier: Apache-2.0
 * How a text that somebody else wrote gets into a line: as UTF-8, on one line, without addresses, not too long. */
#ifndef SANDBOX_CORE_LOG_TEXT_H
#define SANDBOX_CORE_LOG_TEXT_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOG_TIME_TEXT = 32 };

/* Adds text as a JSON string, or as a logfmt value with quotes where it needs them. Words with an '@' become
 * "[address]", broken UTF-8 becomes U+FFFD, control and direction characters are escaped; what is longer than
 * LOG_VALUE_MAX ends in "...". */
void log_text_add(struct buf *out, const char *text, bool json);

/* 2026-08-01T10:15:00.123Z of milliseconds since 1970; years 0 to 9999. */
void log_time_text(int64_t utc_ms, char text_r[LOG_TIME_TEXT]);

/* Length of the character at p, of at most `left` bytes, and its code; broken bytes count one each, as U+FFFD. */
size_t text_next_char(const char *p, size_t left, uint32_t *code_r);
/* Does it end a line, move the cursor or turn the reading direction? */
bool text_is_unsafe(uint32_t code);

#endif
