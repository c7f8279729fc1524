/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tds_server.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct tds_server {
	char folder[PATH_MAX / 2];
	pid_t pid;
	int port, input; /* it ends when its input does */
};

static const char *source_folder(void)
{
	const char *source = getenv("SOURCE_DIR");

	return source ? source : ".";
}

static void path_of(const struct tds_server *s, const char *name, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", s->folder, name);
}

void tds_server_script(struct tds_server *s, const char *script_json)
{
	char path[PATH_MAX], part[PATH_MAX];
	FILE *f;

	path_of(s, "script", path);
	path_of(s, "script.part", part);
	f = fopen(part, "we");
	if (!f || fputs(script_json, f) < 0 || fclose(f) != 0 || rename(part, path) != 0)
		abort();
}

static _Noreturn void run(const struct tds_server *s, const char *pem, int input, int output)
{
	char program[PATH_MAX], script[PATH_MAX], log[PATH_MAX];

	snprintf(program, sizeof program, "%s/tests/support/tds_server.py", source_folder());
	path_of(s, "script", script);
	path_of(s, "log", log);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(input, 0);
	dup2(output, 1);
	execlp("python3", "python3", program, script, log, pem, (char *)NULL);
	_exit(127);
}

static _Bool start(struct tds_server *s, const char *pem)
{
	int in[2], out[2];
	FILE *said;
	_Bool ok;

	if (pipe(in) != 0 || pipe(out) != 0)
		return 0;
	s->pid = fork();
	if (s->pid == 0) {
		close(in[1]);
		close(out[0]);
		run(s, pem, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	s->input = in[1];
	said = fdopen(out[0], "r");
	ok = said && fscanf(said, "%d", &s->port) == 1;
	if (said)
		fclose(said);
	return ok;
}

struct tds_server *tds_server_start(const char *script_json)
{
	return tds_server_start_tls(script_json, NULL);
}

struct tds_server *tds_server_start_tls(const char *script_json, const char *pem)
{
	const char *base = getenv("TMPDIR");
	struct tds_server *s = calloc(1, sizeof *s);

	if (!s)
		abort();
	snprintf(s->folder, sizeof s->folder, "%s/sandbox-tds-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(s->folder))
		abort();
	tds_server_script(s, script_json);
	if (!start(s, pem))
		tds_server_stop(&s);
	return s;
}

void tds_server_stop(struct tds_server **sp)
{
	static const char *const files[] = { "script", "log" };
	struct tds_server *s = *sp;
	char path[PATH_MAX];

	if (!s)
		return;
	if (s->pid > 0) {
		close(s->input);
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		path_of(s, files[i], path);
		unlink(path);
	}
	rmdir(s->folder);
	free(s);
	*sp = NULL;
}

int tds_server_port(const struct tds_server *s)
{
	return s->port;
}

char *tds_server_log(const struct tds_server *s)
{
	char path[PATH_MAX], *text = NULL;
	size_t size = 0;
	FILE *f;

	path_of(s, "log", path);
	f = fopen(path, "re");
	if (!f || getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	if (f)
		fclose(f);
	return text;
}

size_t tds_server_asked(const struct tds_server *s, const char *text)
{
	char *log = tds_server_log(s);
	size_t count = 0;

	for (const char *p = log; (p = strstr(p, text)); p += strlen(text))
		count++;
	free(log);
	return count;
}

/* ---- drivers ---- */

static _Bool first_line(const char *command, char *out, size_t size)
{
	FILE *f = popen(command, "r");
	_Bool ok = f && fgets(out, (int)size, f);

	if (ok)
		out[strcspn(out, "\n")] = '\0';
	return f && pclose(f) == 0 && ok;
}

_Bool tds_driver_path(enum tds_driver driver, char *out, size_t size)
{
	static const char packaged[] = "/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so";
	char command[PATH_MAX];

	if (driver == TDS_FREETDS) {
		snprintf(out, size, "%s", packaged);
		if (access(out, R_OK) == 0)
			return 1;
		puts("SKIPPED: FreeTDS's driver is not installed (package tdsodbc)");
		return 0;
	}
	snprintf(command, sizeof command, "'%s/tests/support/ms_odbc.sh'", source_folder());
	if (first_line(command, out, size))
		return 1;
	puts("SKIPPED: Microsoft's driver could not be fetched");
	return 0;
}
