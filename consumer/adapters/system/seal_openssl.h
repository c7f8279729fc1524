/* SPDX-License-Identifier: Apache-2.0
 * The keyed hash of rows by HMAC-SHA256 (handlers/ports/seal.h). */
#ifndef SANDBOX_SYSTEM_SEAL_OPENSSL_H
#define SANDBOX_SYSTEM_SEAL_OPENSSL_H

#include "handlers/ports/seal.h"

enum { SEAL_KEY_MIN = 32 };

/* Key from a secret file (secret_file.h) of at least SEAL_KEY_MIN bytes. NULL and *e filled when it cannot be had. May
 * be used by many threads at a time. */
struct seal_port *seal_openssl_new(const char *key_file, struct err *e);
/* Wipes the key. NULL-safe. */
void seal_openssl_free(struct seal_port **seal);

#endif
