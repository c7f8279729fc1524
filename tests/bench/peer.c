/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/peer.h"
#include "tests/bench/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

void peer_die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
	exit(1);
}

bool peer_is_there(const char *program)
{
	const char *path = getenv("PATH");
	char file[4096];

	while (path && *path) {
		int len = (int)strcspn(path, ":");

		snprintf(file, sizeof file, "%.*s/%s", len, path, program);
		if (access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + 1e-6 * (double)t->tv_usec;
}

bool peer_run(const char *const *argv, const char *output, int code_max, struct peer_figures *figures_r)
{
	posix_spawn_file_actions_t actions;
	int64_t begun = measure_now_ns();
	struct rusage usage;
	int status = 0, failed;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	failed = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (failed) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(failed));
		return false;
	}
	while (wait4(pid, &status, 0, &usage) < 0)
		if (errno != EINTR)
			peer_die(argv[0]);
	*figures_r = (struct peer_figures){ (double)(measure_now_ns() - begun) / 1e9,
					    seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime) };
	if (WIFEXITED(status) && WEXITSTATUS(status) <= code_max)
		return true;
	fprintf(stderr, "%s did not end well (%d)\n", argv[0], status);
	return false;
}

void peer_fill(char *bytes, size_t len, uint64_t state)
{
	for (size_t i = 0; i < len; i += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(bytes + i, &state, len - i < 8 ? len - i : 8);
	}
}
