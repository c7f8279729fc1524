/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TURN_MS = 250 };

enum said { SAID_NOTHING, SAID_READY, SAID_NOT_READY, SAID_STOPPING };

struct supervisor {
	struct supervisor_settings settings;
	struct sockaddr_un address;
	socklen_t address_len;
	int socket, end_fd;
	int64_t watchdog_ms; /* a sign of life at least so often; 0: nobody waits for one */
	int64_t signed_ms;
	enum said said;
	pthread_t thread;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A manager that does not read is its own trouble. */
static void say(const struct supervisor *s, const char *words)
{
	(void)!sendto(s->socket, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&s->address,
		s->address_len);
}

static void say_state(struct supervisor *s)
{
	static const char *const words[] = { [SAID_READY] = "READY=1\nSTATUS=ready",
		[SAID_NOT_READY] = "STATUS=not ready: something it needs does not answer, or a step stands still",
		[SAID_STOPPING] = "STOPPING=1\nSTATUS=ending: what is under way may end" };
	enum said now = SAID_NOTHING;

	if (*s->settings.stop)
		now = SAID_STOPPING;
	else if (s->settings.is_ready(s->settings.arg))
		now = SAID_READY;
	else if (s->said != SAID_NOTHING)
		now = SAID_NOT_READY;
	if (now == s->said)
		return;
	say(s, words[now]);
	s->said = now;
}

static void sign_of_life(struct supervisor *s)
{
	if (!s->watchdog_ms || now_ms() < s->signed_ms + s->watchdog_ms || !s->settings.is_alive(s->settings.arg))
		return;
	s->signed_ms = now_ms();
	say(s, "WATCHDOG=1");
}

static void *supervise(void *arg)
{
	struct supervisor *s = arg;
	struct pollfd end = { .fd = s->end_fd, .events = POLLIN };
	int turn_ms = s->watchdog_ms && s->watchdog_ms < TURN_MS ? (int)s->watchdog_ms : TURN_MS;

	do {
		say_state(s);
		sign_of_life(s);
	} while (poll(&end, 1, turn_ms) <= 0);
	say_state(s);
	return NULL;
}

/* "/path", or "@name" in the abstract space. */
static bool read_address(struct supervisor *s, const char *text, struct err *e)
{
	size_t len = strlen(text);

	if ((*text != '/' && *text != '@') || len < 2 || len >= sizeof s->address.sun_path)
		return err_set(e, ERR_MISUSE, 0, "start", "NOTIFY_SOCKET is no address of a service manager");
	s->address.sun_family = AF_UNIX;
	memcpy(s->address.sun_path, text, len);
	if (*text == '@')
		s->address.sun_path[0] = '\0';
	s->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* WATCHDOG_PID names the process that is meant, when it is there. */
static int64_t watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return strtoll(usec, NULL, 10) / 2000;
}

bool supervisor_start(const struct supervisor_settings *settings, struct supervisor **s_r, struct err *e)
{
	const char *address = getenv("NOTIFY_SOCKET");
	struct supervisor *s;

	*s_r = NULL;
	if (!address)
		return true;
	s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_TRANSIENT, 0, "start", "out of memory");
	s->settings = *settings;
	s->watchdog_ms = watchdog_ms();
	s->end_fd = eventfd(0, EFD_CLOEXEC);
	s->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!read_address(s, address, e) || s->end_fd < 0 || s->socket < 0 ||
	    pthread_create(&s->thread, NULL, supervise, s) != 0) {
		if (e->class == ERR_NONE)
			err_set(e, ERR_TRANSIENT, errno, "start", "out of descriptors or threads");
		close(s->end_fd);
		close(s->socket);
		free(s);
		return false;
	}
	*s_r = s;
	return true;
}

void supervisor_stop(struct supervisor **s_)
{
	const uint64_t one = 1;
	struct supervisor *s = *s_;

	if (!s)
		return;
	if (write(s->end_fd, &one, sizeof one) != (ssize_t)sizeof one)
		abort(); /* an eventfd of ours cannot fail */
	pthread_join(s->thread, NULL);
	close(s->end_fd);
	close(s->socket);
	free(s);
	*s_ = NULL;
}
