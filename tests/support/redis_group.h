/* SPDX-License-Identifier: Apache-2.0
 * A replica of a test's Redis and three Sentinels that watch the two. */
#ifndef SANDBOX_TESTS_REDIS_GROUP_H
#define SANDBOX_TESTS_REDIS_GROUP_H

#include "tests/support/redis_server.h"

enum { SENTINELS = 3 };
#define REDIS_GROUP "sandbox-group" /* the name by which the Sentinels know the master */

struct redis_group {
	struct redis_server *servers[2]; /* the first is the caller's, the other one the group's */
	char sentinels[SENTINELS][32];   /* "127.0.0.1:port" */
	pid_t pids[SENTINELS];
	char folder[80];
};

/* The replica and the Sentinels keep their files in folder, which exists. Returns when the replica has what the master has,
 * and every Sentinel knows all others, so that they can agree. False with *e. */
bool redis_group_start(struct redis_group *group, struct redis_server *master, const char *folder, struct err *e);
/* Ends the Sentinels and the replica. */
void redis_group_stop(struct redis_group *group);
/* Who is the master now, by the Sentinels: 0 or 1; -1 when they do not say. */
int redis_group_master(const struct redis_group *group);
/* Waits until the replica has all that the master has. */
bool redis_group_is_in_step(const struct redis_group *group);

#endif
