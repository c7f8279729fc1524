/* SPDX-License-Identifier: Apache-2.0
 * Keyed hash of rows (the encryptedCheck columns) and of secrets that are stored only as a hash.
 * Ours is HMAC-SHA256 with the installation's key, written as 64 hex digits: the platform's own
 * algorithm is not public (docs/decisions/0004). */
#ifndef SANDBOX_PORTS_SEAL_H
#define SANDBOX_PORTS_SEAL_H

#include "handlers/base/err.h"

#include <stddef.h>

enum { SEAL_TEXT = 65 };

struct seal_port {
	/* Hash of the parts, each with its length in front, so that "ab"+"c" differs from "a"+"bc". */
	bool (*seal)(struct seal_port *self, const char *const *parts, size_t count, char out_r[SEAL_TEXT], struct err *e);
};

#endif
