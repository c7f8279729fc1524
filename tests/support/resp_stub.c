/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/resp_stub.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct stub {
	const char *info, *answer;
	size_t answer_len;
};

/* Reads one command and keeps its first word; false at the end of the stream. */
static int read_command(FILE *in, char word[32])
{
	char line[64], skipped[4096];
	long count;

	if (!fgets(line, sizeof line, in) || line[0] != '*')
		return 0;
	count = strtol(line + 1, NULL, 10);
	for (long i = 0; i < count; i++) {
		size_t left;

		if (!fgets(line, sizeof line, in) || line[0] != '$')
			return 0;
		left = (size_t)strtoul(line + 1, NULL, 10) + 2;
		if (i == 0 && left < 32) {
			if (fread(word, 1, left, in) != left)
				return 0;
			word[left - 2] = '\0';
			continue;
		}
		while (left) {
			size_t part = left < sizeof skipped ? left : sizeof skipped;

			if (fread(skipped, 1, part, in) != part)
				return 0;
			left -= part;
		}
	}
	return 1;
}

static void converse(const struct stub *stub, int fd)
{
	FILE *in = fdopen(dup(fd), "r"), *out = fdopen(fd, "w");
	char word[32] = "";

	while (in && out && read_command(in, word)) {
		if (strcmp(word, "SELECT") == 0)
			fputs("+OK\r\n", out);
		else if (strcmp(word, "INFO") == 0)
			fprintf(out, "$%zu\r\n%s\r\n", strlen(stub->info), stub->info);
		else if (strcmp(word, "SCRIPT") == 0)
			fputs("$40\r\n0123456789012345678901234567890123456789\r\n", out);
		else
			fwrite(stub->answer, 1, stub->answer_len, out);
		if (fflush(out) != 0)
			break;
	}
	if (in)
		fclose(in);
	if (out)
		fclose(out);
}

pid_t resp_stub_start(const char *socket_path, const char *info, const char *answer, size_t answer_len)
{
	const struct stub stub = { info, answer, answer_len };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
	unlink(socket_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 8) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int one = accept(fd, NULL, NULL);

			if (one >= 0)
				converse(&stub, one);
		}
	}
	close(fd);
	return pid;
}

void resp_stub_end(pid_t stub)
{
	if (stub <= 0)
		return;
	kill(stub, SIGKILL);
	waitpid(stub, NULL, 0);
}
