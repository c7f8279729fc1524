/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *e, enum err_class class, int code, const char *where, const char *fmt, ...)
{
	va_list ap;

	if (e->class != ERR_NONE)
		return false;
	e->class = class;
	e->code = code;
	snprintf(e->where, sizeof e->where, "%s", where);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	return false;
}

void err_prepend(struct err *e, const char *context)
{
	char joined[sizeof e->text];
	int n = snprintf(joined, sizeof joined, "%s: ", context);

	if (n < 0 || (size_t)n >= sizeof joined)
		return;
	snprintf(joined + n, sizeof joined - (size_t)n, "%.*s", (int)(sizeof joined - (size_t)n - 1), e->text);
	memcpy(e->text, joined, sizeof joined);
}

void err_clear(struct err *e)
{
	memset(e, 0, sizeof *e);
}

const char *err_class_name(enum err_class class)
{
	static const char *const names[ERR_CLASS_END] = {
		[ERR_NONE] = "none",       [ERR_TRANSIENT] = "transient", [ERR_UNSURE] = "unsure",
		[ERR_REFUSED] = "refused", [ERR_MISUSE] = "misuse",       [ERR_BUG] = "bug",
	};

	return class >= ERR_NONE && class < ERR_CLASS_END ? names[class] : "unknown";
}
