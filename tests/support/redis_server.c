/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/redis_server.h"

#include "tests/support/free_port.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_TRIES = 500, TRY_EVERY_MS = 10, FOLDER_MAX = 90 };

struct redis_server {
	char folder[FOLDER_MAX + 1], socket_path[FOLDER_MAX + 16];
	int port;
	pid_t pid;
	bool has_users;
};

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* Says one line and reads the first line of the answer. */
static bool ask(const struct redis_server *server, const char *line, char *answer_r, size_t size)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = 0;

	snprintf(at.sun_path, sizeof at.sun_path, "%s", server->socket_path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0 && dprintf(fd, "%s\r\n", line) > 0)
		while (len + 1 < size && recv(fd, answer_r + len, 1, 0) == 1 && answer_r[len] != '\r')
			len++;
	answer_r[len] = '\0';
	if (fd >= 0)
		close(fd);
	return len > 0;
}

static bool answers(const struct redis_server *server)
{
	char answer[64];

	return ask(server, "PING", answer, sizeof answer) && strncmp(answer, server->has_users ? "-NOAUTH" : "+PONG", 5) == 0;
}

long long redis_server_tell(const struct redis_server *server, const char *line)
{
	char answer[64];

	if (!ask(server, line, answer, sizeof answer) || answer[0] == '-')
		return REDIS_SERVER_ERROR;
	return answer[0] == ':' ? strtoll(answer + 1, NULL, 10) : 0;
}

static const char *users_path(const struct redis_server *server, char *out_r, size_t size)
{
	snprintf(out_r, size, "%s/users.acl", server->folder);
	return out_r;
}

static bool write_users(const struct redis_server *server)
{
	const char *source = getenv("SOURCE_DIR");
	char path[512], line[1024], *mark;
	FILE *from, *to;
	bool ok;

	snprintf(path, sizeof path, "%s/compose/redis/users.acl", source ? source : ".");
	from = fopen(path, "re");
	to = from ? fopen(users_path(server, path, sizeof path), "we") : NULL;
	while (to && fgets(line, sizeof line, from)) {
		mark = strstr(line, "#PASSWORD");
		if (mark)
			fprintf(to, "%.*s>pw%s", (int)(mark - line), line, mark + strlen("#PASSWORD"));
		else
			fputs(line, to);
	}
	ok = to && fclose(to) == 0;
	if (from)
		fclose(from);
	return ok;
}

static _Noreturn void run(const struct redis_server *server)
{
	char port[8], users[FOLDER_MAX + 16];
	int log = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(port, sizeof port, "%d", server->port);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log >= 0) {
		dup2(log, 0);
		dup2(log, 1);
	}
	execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port, "--unixsocket",
	       server->socket_path, "--dir", server->folder, "--appendonly", "yes", "--appendfsync", "always",
	       "--save", "", "--daemonize", "no", "--logfile", "redis.log", "--maxmemory-policy", "noeviction",
	       "--hash-max-listpack-value", "1024",
	       "--enable-debug-command", "local", server->has_users ? "--aclfile" : NULL, users_path(server, users, sizeof users),
	       (char *)NULL);
	_exit(127);
}

static bool is_running(struct redis_server *server)
{
	if (server->pid > 0 && waitpid(server->pid, NULL, WNOHANG) == server->pid)
		server->pid = 0;
	return server->pid > 0;
}

bool redis_server_restart(struct redis_server *server, struct err *e)
{
	unlink(server->socket_path);
	server->pid = fork();
	if (server->pid < 0)
		return err_set(e, ERR_TRANSIENT, 0, "redis_server", "cannot fork");
	if (server->pid == 0)
		run(server);
	for (int i = 0; i < START_TRIES && is_running(server); i++) {
		if (answers(server))
			return true;
		pause_ms(TRY_EVERY_MS);
	}
	redis_server_kill(server);
	return err_set(e, ERR_TRANSIENT, 0, "redis_server",
		       "redis-server did not start; is it installed? see %s/redis.log", server->folder);
}

bool redis_server_use_users(struct redis_server *server, struct err *e)
{
	if (!write_users(server))
		return err_set(e, ERR_TRANSIENT, 0, "redis_server", "compose/redis/users.acl cannot be read; is SOURCE_DIR set?");
	redis_server_stop(server);
	server->has_users = true;
	return redis_server_restart(server, e);
}

struct redis_server *redis_server_start(const char *folder, struct err *e)
{
	struct redis_server *server = calloc(1, sizeof *server);

	if (!server || strlen(folder) > FOLDER_MAX) {
		free(server);
		err_set(e, ERR_MISUSE, 0, "redis_server", "the folder's name is too long for a unix socket");
		return NULL;
	}
	snprintf(server->folder, sizeof server->folder, "%s", folder);
	snprintf(server->socket_path, sizeof server->socket_path, "%s/redis.sock", folder);
	for (int i = 0; i < 3; i++) { /* somebody may have taken the port meanwhile */
		err_clear(e);
		server->port = free_port();
		if (redis_server_restart(server, e))
			return server;
	}
	redis_server_free(&server);
	return NULL;
}

static void end(struct redis_server *server, int signal_number)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGCONT);
	kill(server->pid, signal_number);
	while (waitpid(server->pid, NULL, 0) < 0 && kill(server->pid, 0) == 0)
		pause_ms(TRY_EVERY_MS);
	server->pid = 0;
}

void redis_server_stop(struct redis_server *server)
{
	end(server, SIGTERM);
}

void redis_server_kill(struct redis_server *server)
{
	end(server, SIGKILL);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status;
	(void)type;
	(void)at;
	return remove(path);
}

void redis_server_wipe(struct redis_server *server)
{
	char path[FOLDER_MAX + 32];

	snprintf(path, sizeof path, "%s/appendonlydir", server->folder);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	snprintf(path, sizeof path, "%s/dump.rdb", server->folder);
	unlink(path);
}

void redis_server_free(struct redis_server **server)
{
	if (!*server)
		return;
	end(*server, SIGKILL);
	free(*server);
	*server = NULL;
}

const char *redis_server_socket(const struct redis_server *server)
{
	return server->socket_path;
}

int redis_server_port(const struct redis_server *server)
{
	return server->port;
}

pid_t redis_server_pid(const struct redis_server *server)
{
	return server->pid;
}
