/* SPDX-License-Identifier: Apache-2.0
 * Log lines to a file descriptor. */
#ifndef SANDBOX_SYSTEM_LOG_FD_H
#define SANDBOX_SYSTEM_LOG_FD_H

#include "consumer/core/config.h"
#include "consumer/core/log.h"

/* A log on standard error as [log] says, with the system's clock; NULL when memory is short. */
struct log *log_stderr_new(const struct config *c);
/* The write callback of log_settings; arg is the descriptor itself, cast to a pointer. A reader that does not
 * read for 100 ms, or a full disk, costs the line, never the program's time. */
bool log_fd_write(void *arg, const char *line, size_t len);

#endif
