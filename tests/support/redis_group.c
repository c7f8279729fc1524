/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/redis_group.h"

#include "tests/support/free_port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { QUORUM = 2, TRIES = 1200, TRY_EVERY_MS = 100, ANSWER_MAX = 512 };

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = TRY_EVERY_MS * 1000000 }, NULL);
}

static void be_patient(int fd, long ms)
{
	const struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/* What comes until the other side has nothing more to say for a moment; who asks in vain asks again. */
static bool ask_sentinel(const struct redis_group *g, int n, const char *line, char answer_r[ANSWER_MAX])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;
	ssize_t got;

	at.sin_port = htons((uint16_t)atoi(strchr(g->sentinels[n], ':') + 1));
	if (fd >= 0)
		be_patient(fd, 2000);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && dprintf(fd, "%s\r\n", line) > 0)
		while (len + 1 < ANSWER_MAX && (got = recv(fd, answer_r + len, ANSWER_MAX - 1 - len, 0)) > 0) {
			len += (size_t)got;
			be_patient(fd, 20);
		}
	answer_r[len] = '\0';
	if (fd >= 0)
		close(fd);
	return len > 0;
}

static bool write_settings(const struct redis_group *g, int n, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return false;
	fprintf(f,
		"bind 127.0.0.1\nport %s\ndir %s\nsentinel monitor " REDIS_GROUP " 127.0.0.1 %d %d\n"
		"sentinel down-after-milliseconds " REDIS_GROUP " 1000\nsentinel failover-timeout " REDIS_GROUP " 6000\n",
		strchr(g->sentinels[n], ':') + 1, g->folder, redis_server_port(g->servers[0]), QUORUM);
	return fclose(f) == 0;
}

static bool start_sentinel(struct redis_group *g, int n)
{
	char path[128];

	snprintf(g->sentinels[n], sizeof g->sentinels[n], "127.0.0.1:%d", free_port());
	snprintf(path, sizeof path, "%s/sentinel-%d.conf", g->folder, n);
	if (!write_settings(g, n, path))
		return false;
	g->pids[n] = fork();
	if (g->pids[n] == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		execlp("redis-server", "redis-server", path, "--sentinel", (char *)NULL);
		_exit(127);
	}
	return g->pids[n] > 0;
}

/* It knows the replica, and enough others to agree with. */
static bool is_watching(const struct redis_group *g, int n)
{
	char answer[ANSWER_MAX];

	return ask_sentinel(g, n, "SENTINEL CKQUORUM " REDIS_GROUP, answer) && strncmp(answer, "+OK 3", 5) == 0 &&
	       ask_sentinel(g, n, "SENTINEL REPLICAS " REDIS_GROUP, answer) && strncmp(answer, "*1", 2) == 0;
}

bool redis_group_is_in_step(const struct redis_group *group)
{
	int master = redis_group_master(group);

	for (int i = 0; master >= 0 && i < TRIES; i++) {
		if (redis_server_tell(group->servers[master], "WAIT 1 1000") == 1)
			return true;
		pause_a_little();
	}
	return false;
}

static bool follow(const struct redis_group *g)
{
	char line[64];

	snprintf(line, sizeof line, "REPLICAOF 127.0.0.1 %d", redis_server_port(g->servers[0]));
	if (redis_server_tell(g->servers[1], line) == REDIS_SERVER_ERROR)
		return false;
	for (int i = 0; i < TRIES; i++) {
		if (redis_server_tell(g->servers[0], "WAIT 1 1000") == 1)
			return true;
		pause_a_little();
	}
	return false;
}

bool redis_group_start(struct redis_group *group, struct redis_server *master, const char *folder, struct err *e)
{
	char path[90];

	*group = (struct redis_group){ .servers = { master } };
	snprintf(group->folder, sizeof group->folder, "%s", folder);
	snprintf(path, sizeof path, "%s/r", folder);
	if (mkdir(path, 0755) != 0 || !(group->servers[1] = redis_server_start(path, e)))
		return false;
	if (!follow(group))
		return err_set(e, ERR_TRANSIENT, 0, "redis_group", "the replica does not follow");
	for (int n = 0; n < SENTINELS; n++)
		if (!start_sentinel(group, n))
			return err_set(e, ERR_TRANSIENT, 0, "redis_group", "a Sentinel cannot be started");
	for (int n = 0; n < SENTINELS; n++)
		for (int i = 0; !is_watching(group, n); i++) {
			if (i == TRIES)
				return err_set(e, ERR_TRANSIENT, 0, "redis_group", "the Sentinels do not find each other");
			pause_a_little();
		}
	return true;
}

void redis_group_stop(struct redis_group *group)
{
	for (int n = 0; n < SENTINELS; n++)
		if (group->pids[n] > 0) {
			kill(group->pids[n], SIGKILL);
			waitpid(group->pids[n], NULL, 0);
			group->pids[n] = 0;
		}
	redis_server_free(&group->servers[1]);
}

/* "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n20123\r\n" */
int redis_group_master(const struct redis_group *group)
{
	char answer[ANSWER_MAX], port[16];

	for (int n = 0; n < SENTINELS; n++) {
		if (!ask_sentinel(group, n, "SENTINEL GET-MASTER-ADDR-BY-NAME " REDIS_GROUP, answer))
			continue;
		for (int s = 0; s < 2; s++) {
			snprintf(port, sizeof port, "\r\n%d\r\n", redis_server_port(group->servers[s]));
			if (strstr(answer, port))
				return s;
		}
	}
	return -1;
}
