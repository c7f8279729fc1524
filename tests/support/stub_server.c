/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stub_server.h"

#include "consumer/adapters/http/http_client.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_TRIES = 1000, TRY_EVERY_MS = 10, FOLDER_MAX = 200 };

struct stub_server {
	char folder[FOLDER_MAX + 1];
	bool folder_is_ours;
	int port; /* 0 until it ran once */
	pid_t pid;
};

/* ---- the process ---- */

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* The build folder is told by the test runner; a program run by hand lies in its tests folder. */
static void program_path(char *out_r, size_t size)
{
	const char *build = getenv("BUILD_DIR");
	char self[PATH_MAX] = "";
	ssize_t len;

	if (build) {
		snprintf(out_r, size, "%s/compose/stubs/sandbox-stubs", build);
		return;
	}
	len = readlink("/proc/self/exe", self, sizeof self - 1);
	while (len > 0 && self[len - 1] != '/')
		self[--len] = '\0';
	snprintf(out_r, size, "%s../compose/stubs/sandbox-stubs", self);
}

static void file_path(const struct stub_server *server, const char *name, char out_r[FOLDER_MAX + 32])
{
	snprintf(out_r, FOLDER_MAX + 32, "%s/%s", server->folder, name);
}

static _Noreturn void run(const struct stub_server *server)
{
	char program[PATH_MAX + 64], state[FOLDER_MAX + 32], seed[FOLDER_MAX + 32], port_file[FOLDER_MAX + 32], port[8];
	char token[FOLDER_MAX + 32];
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	program_path(program, sizeof program);
	file_path(server, "state", state);
	file_path(server, "seed.json", seed);
	file_path(server, "port", port_file);
	file_path(server, "token", token);
	snprintf(port, sizeof port, "%d", server->port);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null >= 0)
		dup2(null, 1);
	execl(program, "sandbox-stubs", "--state-dir", state, "--seed", seed, "--port", port, "--port-file", port_file,
	      access(token, F_OK) == 0 ? "--token-file" : (char *)NULL, token, (char *)NULL);
	fprintf(stderr, "stub_server: %s cannot be run; was it built?\n", program);
	_exit(127);
}

static bool is_running(struct stub_server *server)
{
	if (server->pid > 0 && waitpid(server->pid, NULL, WNOHANG) == server->pid)
		server->pid = 0;
	return server->pid > 0;
}

static bool port_is_told(struct stub_server *server)
{
	char path[FOLDER_MAX + 32];
	FILE *file;
	bool ok;

	file_path(server, "port", path);
	file = fopen(path, "re");
	ok = file && fscanf(file, "%d", &server->port) == 1;
	if (file)
		fclose(file);
	return ok;
}

bool stub_server_restart(struct stub_server *server, struct err *e)
{
	char port_file[FOLDER_MAX + 32];

	file_path(server, "port", port_file);
	unlink(port_file);
	server->pid = fork();
	if (server->pid < 0)
		return err_set(e, ERR_TRANSIENT, 0, "stub_server", "cannot fork");
	if (server->pid == 0)
		run(server);
	for (int i = 0; i < START_TRIES && is_running(server); i++) {
		if (port_is_told(server))
			return true;
		pause_ms(TRY_EVERY_MS);
	}
	stub_server_kill(server);
	return err_set(e, ERR_TRANSIENT, 0, "stub_server", "sandbox-stubs did not start");
}

static void end(struct stub_server *server, int signal_number)
{
	if (server->pid <= 0)
		return;
	kill(server->pid, signal_number);
	while (waitpid(server->pid, NULL, 0) < 0 && kill(server->pid, 0) == 0)
		pause_ms(TRY_EVERY_MS);
	server->pid = 0;
}

void stub_server_stop(struct stub_server *server)
{
	end(server, SIGTERM);
}

void stub_server_kill(struct stub_server *server)
{
	end(server, SIGKILL);
}

/* ---- life ---- */

static bool take_folder(struct stub_server *server, const char *folder)
{
	const char *tmp = getenv("TMPDIR");

	server->folder_is_ours = !folder;
	if (folder)
		return snprintf(server->folder, sizeof server->folder, "%s", folder) <= FOLDER_MAX;
	return snprintf(server->folder, sizeof server->folder, "%s/sandbox-stubs-XXXXXX", tmp && *tmp ? tmp : "/tmp") <=
	               FOLDER_MAX &&
	       mkdtemp(server->folder);
}

static bool write_seed(const struct stub_server *server, const char *seed_json)
{
	char path[FOLDER_MAX + 32];
	FILE *file;
	bool ok;

	file_path(server, "seed.json", path);
	file = fopen(path, "we");
	if (!file)
		return false;
	ok = fputs(seed_json, file) >= 0;
	return fclose(file) == 0 && ok;
}

struct stub_server *stub_server_start(const char *folder, const char *seed_json, struct err *e)
{
	struct stub_server *server = calloc(1, sizeof *server);

	if (!server || !take_folder(server, folder) || !write_seed(server, seed_json)) {
		free(server);
		err_set(e, ERR_TRANSIENT, 0, "stub_server", "no folder for the state of the stubs");
		return NULL;
	}
	if (!stub_server_restart(server, e))
		stub_server_free(&server);
	return server;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status, (void)type, (void)at;
	return remove(path);
}

void stub_server_free(struct stub_server **server)
{
	if (!*server)
		return;
	end(*server, SIGTERM);
	if ((*server)->folder_is_ours)
		nftw((*server)->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*server);
	*server = NULL;
}

const char *stub_server_url(const struct stub_server *server, const char *system, char *out_r, size_t size)
{
	snprintf(out_r, size, "http://127.0.0.1:%d/%s", server->port, system);
	return out_r;
}

int stub_server_port(const struct stub_server *server)
{
	return server->port;
}

const char *stub_server_folder(const struct stub_server *server)
{
	return server->folder;
}

pid_t stub_server_pid(const struct stub_server *server)
{
	return server->pid;
}

/* ---- control ---- */

static json_t *control(const struct stub_server *server, const char *method, const char *path, const char *body)
{
	struct http_request request = { .method = method, .path = path, .body = body };
	struct http_settings settings = { .total_timeout_ms = 30000, .max_body_bytes = 256u * 1024 * 1024 };
	struct http_answer answer;
	struct err e = { 0 };
	struct http_client *client;
	json_t *said = NULL;
	char url[64];

	settings.base_url = stub_server_url(server, "_control", url, sizeof url);
	client = http_client_new(&settings, "stub_server", NULL, &e);
	request.body_len = body ? strlen(body) : 0;
	if (client && http_client_send(client, &request, &answer, &e) && answer.status == 200)
		said = json_loads(buf_text(answer.body), 0, NULL);
	http_client_free(&client);
	return said;
}

static bool is_done(json_t *said)
{
	json_decref(said);
	return said;
}

bool stub_server_fault(struct stub_server *server, const char *fault_json)
{
	return is_done(control(server, "POST", "/faults", fault_json));
}

bool stub_server_clear_faults(struct stub_server *server)
{
	return is_done(control(server, "DELETE", "/faults", NULL));
}

json_t *stub_server_calls(struct stub_server *server)
{
	json_t *said = control(server, "GET", "/calls", NULL), *calls = json_incref(json_object_get(said, "calls"));

	json_decref(said);
	return calls;
}

json_t *stub_server_state(struct stub_server *server)
{
	return control(server, "GET", "/state", NULL);
}

static size_t count(struct stub_server *server, const char *key_part, bool only_acted)
{
	json_t *calls = stub_server_calls(server), *call;
	size_t found = 0, i;

	json_array_foreach(calls, i, call) {
		const char *key = json_string_value(json_object_get(call, "key"));

		found += key && strstr(key, key_part) && (!only_acted || json_is_true(json_object_get(call, "acted")));
	}
	json_decref(calls);
	return found;
}

size_t stub_server_acted(struct stub_server *server, const char *key_part)
{
	return count(server, key_part, true);
}

size_t stub_server_received(struct stub_server *server, const char *key_part)
{
	return count(server, key_part, false);
}
