/* SPDX-License-Identifier: Apache-2.0
 * What a server is told and asked first. No I/O. */
#ifndef SANDBOX_REDIS_GREETING_H
#define SANDBOX_REDIS_GREETING_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <hiredis/hiredis.h>

/* Whose answer is due; from the last on one for each script. */
enum redis_hello { REDIS_HELLO_AUTH, REDIS_HELLO_SELECT, REDIS_HELLO_INFO, REDIS_HELLO_SCRIPTS };

/* Appends it and returns whose answer comes first. INFO is the last that is not a script: the server may be unfit, and
 * nothing was asked of it yet. user and password may be empty. */
enum redis_hello redis_greeting_write(struct buf *out, const char *user, const char *password, int db, bool with_scripts);
/* False, with *e about the error answer to that part. */
bool redis_greeting_refused(int at, const redisReply *reply, struct err *e);

#endif
