/* SPDX-License-Identifier: Apache-2.0
 * Terminal and plain files, as a command for people uses them. */
#ifndef SANDBOX_SYSTEM_TERMINAL_H
#define SANDBOX_SYSTEM_TERMINAL_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of it, also to a slow reader; what a reader that went away does not take is lost. */
void terminal_write(int fd, const char *text, size_t len);
/* Columns and rows of the terminal; 0 and 0 when it does not say. */
void terminal_size(int fd, int *columns_r, int *rows_r);
/* Asks on standard error and reads one line from standard input; false at its end or when interrupted. */
bool terminal_ask(const char *question, char *answer_r, size_t size);
/* Ends early when *stop is set by a signal. */
void terminal_sleep(int64_t ms, const volatile sig_atomic_t *stop);

/* The whole file, "-" being standard input, into *content; REFUSED when it cannot be read or is longer than the buffer
 * may grow. */
bool file_load(const char *path, struct buf *content, struct err *e);
/* A new file for its owner only, synced; REFUSED when there is one of that name. */
bool file_save(const char *path, const void *data, size_t len, struct err *e);
/* Is there a folder that this user may write into? REFUSED otherwise. */
bool folder_is_writable(const char *path, struct err *e);
/* Does somebody (an NTP client) keep the system's clock right? */
bool clock_is_synchronised(void);

#endif
