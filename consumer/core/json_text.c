/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/core/json_text.h"

#include "consumer/core/log_text.h"

bool json_text_add(struct buf *out, const char *text, size_t len)
{
	buf_add_text(out, "\"");
	for (size_t i = 0; i < len;) {
		uint32_t code;
		size_t n = text_next_char(text + i, len - i, &code);

		if (code == '"' || code == '\\')
			buf_printf(out, "\\%c", (char)code);
		else if (code == '\n')
			buf_add_text(out, "\\n");
		else if (code == '\t')
			buf_add_text(out, "\\t");
		else if (text_is_unsafe(code) || (code == 0xfffd && n == 1))
			buf_printf(out, "\\u%04x", code);
		else
			buf_add(out, text + i, n);
		i += n;
	}
	buf_add_text(out, "\"");
	return !out->failed;
}
