/* SPDX-License-Identifier: Apache-2.0
 * Secrets live in files that only their owner can read, or in systemd's credential directory. */
#ifndef SANDBOX_SYSTEM_SECRET_FILE_H
#define SANDBOX_SYSTEM_SECRET_FILE_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>

enum { SECRET_MAX_BYTES = 64 * 1024 };

/* Puts the content of the file into *secret, which the caller initialised and frees with secret_done. place is an
 * absolute path, or credential:NAME. REFUSED when there is no such file, it is no plain file, its group or others may
 * read or write it, it is empty or too long. No error text holds any of the content. */
bool secret_file_read(const char *place, struct buf *secret, struct err *e);
/* The same for a word on one line: blanks and line ends around it are taken off; refuses control characters. */
bool secret_file_read_text(const char *place, struct buf *secret, struct err *e);
/* Overwrites and frees. */
void secret_done(struct buf *secret);

#endif
