/* SPDX-License-Identifier: Apache-2.0
 * Commands as Redis reads them: every argument goes with its length, so no name can ever become syntax. */
#ifndef SANDBOX_REDIS_COMMAND_H
#define SANDBOX_REDIS_COMMAND_H

#include "handlers/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* A command of argc arguments begins; exactly so many redis_arg_* calls must follow. A buffer that became full says
 * so by out->failed. */
void redis_command(struct buf *out, size_t argc);
void redis_arg(struct buf *out, const void *data, size_t len);
void redis_arg_text(struct buf *out, const char *text);
void redis_arg_number(struct buf *out, uint64_t number);

#endif
