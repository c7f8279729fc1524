/* SPDX-License-Identifier: Apache-2.0
 * Base64 of RFC 4648: the plain one with padding, and the one for URLs without. */
#ifndef SANDBOX_OPENSSL_BASE64_H
#define SANDBOX_OPENSSL_BASE64_H

#include "handlers/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

bool base64_add(struct buf *out, const void *data, size_t len);
bool base64url_add(struct buf *out, const void *data, size_t len);

/* Decodes the plain form, padding and nothing else around it; the number of bytes, 0 when it is none or they are more
 * than max. */
size_t base64_read(const char *text, size_t len, unsigned char *bytes_r, size_t max);

#endif
