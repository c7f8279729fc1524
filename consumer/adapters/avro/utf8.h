/* SPDX-License-Identifier: Apache-2.0
 * Is a text what Avro calls a string? */
#ifndef SANDBOX_AVRO_UTF8_H
#define SANDBOX_AVRO_UTF8_H

#include <stddef.h>

/* How many of the first bytes are well-formed UTF-8 (no overlong forms, no surrogates) without NUL; len when all. */
size_t utf8_good_bytes(const char *text, size_t len);

#endif
