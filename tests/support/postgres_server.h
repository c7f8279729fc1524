/* SPDX-License-Identifier: Apache-2.0
 * A PostgreSQL of a test's own: an unprivileged process with its data in a temporary folder, on a free loopback port. */
#ifndef SANDBOX_TESTS_POSTGRES_SERVER_H
#define SANDBOX_TESTS_POSTGRES_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct postgres_server {
	char folder[256];
	int port;
	pid_t pid;
};

/* NULL when Debian's packages postgresql and odbc-postgresql are not there: it was said which, and the test is to be
 * skipped. Database and user are both "tenants". */
struct postgres_server *postgres_start(void);
/* Are the packages there? It was said when not. */
bool postgres_is_here(void);
/* In a folder that is kept, on the data that it has, or made anew: user "tenants", the server's administrator. Who is not
 * "tenants", "cloner" or "reader" has to give a password over TCP. postgres_stop removes the folder. */
struct postgres_server *postgres_start_in(const char *folder);
/* Every connection is cut and nothing is brought to an end: as after a crash. */
void postgres_kill(struct postgres_server *s);
void postgres_restart(struct postgres_server *s);
/* Ends it and removes its folder. NULL-safe; *s becomes NULL. */
void postgres_stop(struct postgres_server **s);

#endif
