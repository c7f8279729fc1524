/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/notice_body.h"

#include "consumer/core/json_text.h"
#include "consumer/ports/poster.h"

#include <string.h>

/* A character takes six at most, as "\u001f". */
_Static_assert(4 * 6 * NOTICE_FIELD_MAX + NOTICE_TOKEN_MAX + 256 <= POST_BODY_MAX, "the largest body can be posted");

static bool add(struct buf *out, const char *name, const char *text, size_t max, struct err *e)
{
	size_t len = strlen(text);

	if (len > max)
		return err_set(e, ERR_REFUSED, 0, "notice", "the field %s has %zu bytes; at most %zu can be told", name, len, max);
	buf_printf(out, ",\"%s\":", name);
	return json_text_add(out, text, len) || err_set(e, ERR_TRANSIENT, 0, "notice", "there is no room for the notice");
}

bool notice_body(const struct notice *notice, const char *token, struct buf *out, struct err *e)
{
	if (!notice->ctx[0])
		return err_set(e, ERR_REFUSED, 0, "notice", "the notice names no tenant");
	buf_printf(out, "{\"ChangeType\":%d", notice->change_type);
	return add(out, "ContextIdentifier", notice->ctx, NOTICE_FIELD_MAX, e) &&
	       add(out, "VersionName", notice->version_name, NOTICE_FIELD_MAX, e) &&
	       add(out, "FileVersion", notice->file_version, NOTICE_FIELD_MAX, e) &&
	       add(out, "Token", token, NOTICE_TOKEN_MAX, e) &&
	       add(out, "PublicEndpoint", notice->public_endpoint, NOTICE_FIELD_MAX, e) &&
	       (buf_add_text(out, "}") || err_set(e, ERR_TRANSIENT, 0, "notice", "there is no room for the notice"));
}
