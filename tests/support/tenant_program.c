/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tenant_program.h"

#include "consumer/adapters/http/http_client.h"
#include "consumer/adapters/system/clock_system.h"
#include "tests/support/free_port.h"

#include <check.h>
#include <errno.h>
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

enum { STOP_WITHIN_MS = 30000 };

void tenant_program_init(struct tenant_program *t, const char *folder, const char *name, const char *config)
{
	struct http_settings http = { .total_timeout_ms = 5000 };
	struct err e = { 0 };
	char url[64];

	memset(t, 0, sizeof *t);
	snprintf(t->folder, sizeof t->folder, "%s/%s", folder, name);
	snprintf(t->config, sizeof t->config, "%s", config);
	ck_assert_int_eq(mkdir(t->folder, 0700), 0);
	t->port = free_port();
	snprintf(url, sizeof url, "http://127.0.0.1:%d", t->port);
	http.base_url = url;
	t->client = http_client_new(&http, "tenant", NULL, &e);
	ck_assert_msg(t->client, "%s", e.text);
}

static _Noreturn void run(const struct tenant_program *t)
{
	const char *build = getenv("BUILD_DIR");
	char program[512], path[256], text[64];
	int log;

	snprintf(path, sizeof path, "%s/log", t->folder);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log >= 0)
		dup2(log, STDERR_FILENO);
	setenv("SANDBOX_TENANT__FOLDER", t->folder, 1);
	snprintf(text, sizeof text, "127.0.0.1:%d", t->port);
	setenv("SANDBOX_TENANT__LISTEN", text, 1);
	snprintf(text, sizeof text, "tenant-%d-%d", t->port, t->starts);
	setenv("SANDBOX_TENANT__GROUP_ID", text, 1);
	snprintf(program, sizeof program, "%s/consumer/programs/sandbox-tenant", build ? build : ".");
	execl(program, "sandbox-tenant", "--config", t->config, (char *)NULL);
	fprintf(stderr, "%s cannot be run; is BUILD_DIR set?\n", program);
	_exit(127);
}

void tenant_program_start(struct tenant_program *t)
{
	ck_assert_int_eq(t->pid, 0);
	t->starts++;
	t->pid = fork();
	ck_assert_int_ge(t->pid, 0);
	if (t->pid == 0)
		run(t);
}

void tenant_program_kill(struct tenant_program *t)
{
	if (t->pid <= 0)
		return;
	kill(t->pid, SIGKILL);
	while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	t->pid = 0;
}

int tenant_program_stop(struct tenant_program *t)
{
	int64_t until = clock_steady_ms() + STOP_WITHIN_MS;
	int status = 0;

	kill(t->pid, SIGTERM);
	while (clock_steady_ms() < until) {
		if (waitpid(t->pid, &status, WNOHANG) == t->pid) {
			t->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	tenant_program_kill(t);
	return -1;
}

void tenant_program_done(struct tenant_program *t)
{
	tenant_program_kill(t);
	http_client_free(&t->client);
}

static json_t *get(struct tenant_program *t, const char *path, int *status_r)
{
	const struct http_request request = { .method = "GET", .path = path };
	struct http_answer answer = { 0 };
	struct err e = { 0 };

	*status_r = 0;
	if (!http_client_send(t->client, &request, &answer, &e))
		return NULL;
	*status_r = answer.status;
	return json_loadb(buf_text(answer.body), answer.body->len, 0, NULL);
}

json_t *tenant_program_row(struct tenant_program *t, const char *ctx)
{
	char path[128];
	json_t *list, *row;
	int status;

	snprintf(path, sizeof path, "/api/state?context=%s", ctx);
	list = get(t, path, &status);
	row = json_incref(json_array_get(json_object_get(list, "tenants"), 0));
	json_decref(list);
	json_object_del(row, "changed");
	return row;
}

json_t *tenant_program_state(struct tenant_program *t, const char *ctx, int *status_r)
{
	char path[128];

	snprintf(path, sizeof path, "/api/state/%s", ctx);
	return get(t, path, status_r);
}
