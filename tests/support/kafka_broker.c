/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/kafka_broker_priv.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { START_WITHIN_MS = 10000 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void kafka_broker_file(const struct kafka_broker *b, const char *name, char *path_r, size_t size)
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
	kafka_broker_file(b, "address", address, sizeof address);
	kafka_broker_file(b, "control", control, sizeof control);
	if (posix_spawn(&b->pid, program, NULL, NULL, argv, environ)) {
		fprintf(stderr, "kafka_broker: %s cannot be started\n", program);
		b->pid = 0;
		return false;
	}
	return true;
}

bool kafka_broker_read_address(struct kafka_broker *b, const char *name)
{
	char path[96];
	FILE *f;
	bool ok;

	kafka_broker_file(b, name, path, sizeof path);
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

	kafka_broker_file(b, "control", address.sun_path, sizeof address.sun_path);
	b->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(b->control, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return b->control >= 0 && connect(b->control, (struct sockaddr *)&address, sizeof address) == 0;
}

bool kafka_broker_make_folder(struct kafka_broker *b)
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
	const char *shared = getenv("SANDBOX_TEST_BROKER");
	int64_t until = now_ms() + START_WITHIN_MS;

	if (shared && *shared)
		return kafka_real_take(b, shared, partitions);
	if (!kafka_broker_make_folder(b) || !spawn(b, partitions))
		return false;
	while (!kafka_broker_read_address(b, "address")) {
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

	if (b->is_real)
		return kafka_real_say(b, words);
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

	if (b->is_real)
		return; /* who started it goes on with it */
	if (b->control >= 0)
		close(b->control);
	if (b->pid > 0) {
		kill(b->pid, SIGTERM);
		while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	kafka_broker_file(b, "address", path, sizeof path);
	unlink(path);
	kafka_broker_file(b, "control", path, sizeof path);
	unlink(path);
	rmdir(b->folder);
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
