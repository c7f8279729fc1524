/* SPDX-License-Identifier: Apache-2.0
 * A private redis-server for one test: own folder, unix socket and loopback port. What it has answered is on disk: with
 * "everysec" a killed server has lost what it could not write while the disk was busy. */
#ifndef SANDBOX_TESTS_REDIS_SERVER_H
#define SANDBOX_TESTS_REDIS_SERVER_H

#include "handlers/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct redis_server;

/* Starts one that keeps its data in folder (which exists) and answers PING; NULL with *e. It ends with the caller's
 * process whatever happens. */
struct redis_server *redis_server_start(const char *folder, struct err *e);
/* Ends it and frees; the folder stays. NULL-safe; *server becomes NULL. */
void redis_server_free(struct redis_server **server);

const char *redis_server_socket(const struct redis_server *server);
int redis_server_port(const struct redis_server *server);
pid_t redis_server_pid(const struct redis_server *server); /* 0 while it does not run */

/* Says one line, "PTTL key", behind everybody's back. Returns the number it answers, 0 when that is no number, and
 * REDIS_SERVER_ERROR when it is an error. */
enum { REDIS_SERVER_ERROR = -1000 };
long long redis_server_tell(const struct redis_server *server, const char *line);

/* Runs it again with the users of compose/redis/users.acl and no others, all with the password "pw". Needs SOURCE_DIR. */
bool redis_server_use_users(struct redis_server *server, struct err *e);

void redis_server_stop(struct redis_server *server); /* SIGTERM: its data is on disk */
void redis_server_kill(struct redis_server *server); /* SIGKILL */
void redis_server_wipe(struct redis_server *server); /* the data of a server that does not run */
/* Runs it again on the same folder, socket and port. */
bool redis_server_restart(struct redis_server *server, struct err *e);

#endif
