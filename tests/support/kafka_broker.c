/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { START_WITHIN_MS = 10000, EXIT_SKIP = 77 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void file_in(const struct kafka_broker *b, const char *name, char *path_r, size_t size)
{
	snprintf(path_r, size, "%s/%s", b->folder, name);
}

static bool spawn(struct kafka_broker *b, int partitions)
{
	const char *build = getenv("BUILD_DIR");
	char program[4096], address[96], control[96], count[16];
	char *argv[] = { program, "--address-file",    address, "--control", control, "--partitions",
			 count,   "--die-with-parent", NULL };

	if (!build) {
		fprintf(stderr, "kafka_broker: BUILD_DIR is not set\n");
		return false;
	}
	snprintf(program, sizeof program, "%s/compose/broker/sandbox-broker", build);
	snprintf(count, sizeof count, "%d", partitions);
	file_in(b, "address", address, sizeof address);
	file_in(b, "control", control, sizeof control);
	if (posix_spawn(&b->pid, program, NULL, NULL, argv, environ)) {
		fprintf(stderr, "kafka_broker: %s cannot be started\n", program);
		b->pid = 0;
		return false;
	}
	return true;
}

/* The bootstrap address is the only line of that file in the folder. */
static bool read_address(struct kafka_broker *b, const char *name)
{
	char path[96];
	FILE *f;
	bool ok;

	file_in(b, name, path, sizeof path);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fgets(b->bootstrap, sizeof b->bootstrap, f) != NULL;
	fclose(f);
	b->bootstrap[strcspn(b->bootstrap, "\n")] = '\0';
	return ok;
}

static bool connect_control(struct kafka_broker *b)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 10 };

	file_in(b, "control", address.sun_path, sizeof address.sun_path);
	b->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(b->control, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return b->control >= 0 && connect(b->control, (struct sockaddr *)&address, sizeof address) == 0;
}

static bool make_folder(struct kafka_broker *b)
{
	const char *tmp = getenv("TMPDIR");

	*b = (struct kafka_broker){ .control = -1 };
	if (!tmp || strlen(tmp) > 32)
		tmp = "/tmp";
	snprintf(b->folder, sizeof b->folder, "%s/sandbox-broker.XXXXXX", tmp);
	if (mkdtemp(b->folder))
		return true;
	perror("kafka_broker: temporary folder");
	return false;
}

bool kafka_broker_start(struct kafka_broker *b, int partitions)
{
	int64_t until = now_ms() + START_WITHIN_MS;

	if (!make_folder(b) || !spawn(b, partitions))
		return false;
	while (!read_address(b, "address")) {
		if (now_ms() > until || waitpid(b->pid, NULL, WNOHANG) != 0) {
			fprintf(stderr, "kafka_broker: the broker did not come up\n");
			return false;
		}
		usleep(5000);
	}
	return connect_control(b);
}

bool kafka_broker_say(struct kafka_broker *b, const char *words)
{
	char line[256];
	int len = snprintf(line, sizeof line, "%s\n", words);
	ssize_t got;

	if (send(b->control, line, (size_t)len, MSG_NOSIGNAL) != len)
		return false;
	got = recv(b->control, line, sizeof line - 1, 0);
	if (got > 0 && strncmp(line, "ok", 2) == 0)
		return true;
	fprintf(stderr, "kafka_broker: \"%s\" was refused\n", words);
	return false;
}

void kafka_broker_stop(struct kafka_broker *b)
{
	char path[96];

	if (b->control >= 0)
		close(b->control);
	if (b->pid > 0) {
		kill(b->pid, SIGTERM);
		while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	file_in(b, "address", path, sizeof path);
	unlink(path);
	file_in(b, "control", path, sizeof path);
	unlink(path);
	rmdir(b->folder);
}

/* Runs kafka_real.sh with its output in a file of the folder; its exit status, or -1. */
static int run_real(const struct kafka_broker *b, const char *act)
{
	const char *source = getenv("SOURCE_DIR");
	posix_spawn_file_actions_t actions;
	char script[4096], folder[64];
	char *argv[] = { script, (char *)(uintptr_t)act, folder, NULL };
	int status = -1;
	pid_t pid;

	snprintf(script, sizeof script, "%s/compose/lib/kafka_real.sh", source ? source : ".");
	memcpy(folder, b->folder, sizeof folder);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, script, &actions, NULL, argv, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			continue;
	posix_spawn_file_actions_destroy(&actions);
	return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum kafka_real_result kafka_real_start(struct kafka_broker *b)
{
	int status;

	if (!make_folder(b))
		return KAFKA_REAL_FAILED;
	status = run_real(b, "start");
	if (status == 0 && read_address(b, "bootstrap"))
		return KAFKA_REAL_STARTED;
	return status == EXIT_SKIP ? KAFKA_REAL_ABSENT : KAFKA_REAL_FAILED;
}

bool kafka_real_kill(const struct kafka_broker *b)
{
	char path[96];
	int pid = 0;
	FILE *f;

	file_in(b, "pid", path, sizeof path);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%d", &pid) != 1)
		pid = 0;
	fclose(f);
	return pid > 1 && kill(pid, SIGKILL) == 0;
}

bool kafka_real_again(const struct kafka_broker *b)
{
	return run_real(b, "start") == 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

void kafka_real_stop(struct kafka_broker *b)
{
	if (run_real(b, "stop") != 0)
		fprintf(stderr, "kafka_broker: the real Kafka in %s could not be stopped\n", b->folder);
	nftw(b->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

bool bus_wait(struct bus_port *bus, int within_ms, struct bus_event *event_r)
{
	int64_t until = now_ms() + within_ms;

	for (;;) {
		struct pollfd readable = { bus->fd(bus), POLLIN, 0 };
		int64_t left;

		bus->next(bus, event_r);
		if (event_r->kind != BUS_NOTHING)
			return true;
		left = until - now_ms();
		if (left <= 0)
			return false;
		poll(&readable, 1, (int)left);
	}
}

bool bus_wait_for(struct bus_port *bus, enum bus_event_kind kind, int within_ms, struct bus_event *event_r)
{
	int64_t until = now_ms() + within_ms;

	do {
		if (bus_wait(bus, (int)(until - now_ms()), event_r) && event_r->kind == kind)
			return true;
	} while (now_ms() < until);
	return false;
}
