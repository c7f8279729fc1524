/* SPDX-License-Identifier: Apache-2.0
 * A text as a JSON string (RFC 8259). */
#ifndef SANDBOX_CORE_JSON_TEXT_H
#define SANDBOX_CORE_JSON_TEXT_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Adds the text in quotes. Broken UTF-8 becomes U+FFFD; control and direction characters are escaped, so that the
 * result is one line that reads as it is. False when it does not fit. */
bool json_text_add(struct buf *out, const char *text, size_t len);

#endif
