/* SPDX-License-Identifier: Apache-2.0
 * The consumer processes of an installation, and what their store says of a clone. */
#include "tests/support/installation_priv.h"

#include "consumer/adapters/redis/redis_inspect.h"
#include "handlers/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 10, LOOK_MEMORY_BYTES = 4 * 1024 * 1024, LOG_TAIL_BYTES = 12000, PATH_SIZE = 256,
	FREEZE_WITHIN_MS = 20000 };

void slow_one_call(struct installation *i)
{
	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"delay\",\"system\":\"superid\",\"ms\":1500,\"times\":1}"));
}

void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the processes ---- */

static const char *log_path(const struct installation *i, int n, char *out_r, size_t size)
{
	char name[32];

	snprintf(name, sizeof name, "consumer-%d.log", n);
	return installation_path(i, name, out_r, size);
}

static _Noreturn void run(const struct installation *i, int n)
{
	const char *build = getenv("BUILD_DIR");
	char program[512], config[PATH_SIZE], path[PATH_SIZE];
	int log = open(log_path(i, n, path, sizeof path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	snprintf(program, sizeof program, "%s/consumer/programs/sandbox-consumer", build ? build : ".");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (log >= 0)
		dup2(log, STDERR_FILENO);
	execl(program, "sandbox-consumer", "--config", installation_path(i, "s.ini", config, sizeof config), (char *)NULL);
	fprintf(stderr, "%s cannot be run; is BUILD_DIR set?\n", program);
	_exit(127);
}

void consumer_start(struct installation *i, int n)
{
	ck_assert(!consumer_runs(i, n));
	i->consumers[n] = fork();
	ck_assert_int_ge(i->consumers[n], 0);
	if (i->consumers[n] == 0)
		run(i, n);
}

void consumer_signal(struct installation *i, int n, int signal_number)
{
	if (i->consumers[n] > 0)
		ck_assert_int_eq(kill(i->consumers[n], signal_number), 0);
}

/* /proc/locks: "1: POSIX  ADVISORY  WRITE 4242 fe:00:1234 0 EOF"; who waits for one has "->" behind the number. */
static bool holds(pid_t pid, ino_t file)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	bool found = false;
	long owner;
	unsigned long inode;

	ck_assert_ptr_nonnull(locks);
	while (!found && fgets(line, sizeof line, locks))
		found = sscanf(line, "%*d: %*s %*s WRITE %ld %*x:%*x:%lu", &owner, &inode) == 2 && owner == pid && inode == file;
	fclose(locks);
	return found;
}

static bool holds_what_all_share(const struct installation *i, pid_t pid)
{
	static const char *const shared[] = { "db", "db/_server.sqlite", "db/_server.sqlite-shm" };
	char path[PATH_SIZE];
	struct stat st;

	for (size_t k = 0; k < sizeof shared / sizeof *shared; k++) {
		ck_assert_int_eq(stat(installation_path(i, shared[k], path, sizeof path), &st), 0);
		if (holds(pid, st.st_ino))
			return true;
	}
	return false;
}

static void stop_now(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	ck_assert(WIFSTOPPED(status));
}

void consumer_freeze(struct installation *i, int n)
{
	int64_t until = now_ms() + FREEZE_WITHIN_MS;

	stop_now(i->consumers[n]);
	while (holds_what_all_share(i, i->consumers[n])) {
		ck_assert_msg(now_ms() < until, "consumer %d never lets go of what all share", n);
		consumer_signal(i, n, SIGCONT);
		pause_ms(1);
		stop_now(i->consumers[n]);
	}
}

void consumer_kill(struct installation *i, int n)
{
	if (i->consumers[n] <= 0)
		return;
	kill(i->consumers[n], SIGKILL);
	while (waitpid(i->consumers[n], NULL, 0) < 0 && errno == EINTR)
		continue;
	i->consumers[n] = 0;
}

static bool has_ended(struct installation *i, int n, int *status_r)
{
	if (waitpid(i->consumers[n], status_r, WNOHANG) != i->consumers[n])
		return false;
	i->consumers[n] = 0;
	return true;
}

bool consumer_runs(struct installation *i, int n)
{
	int status;

	return i->consumers[n] > 0 && !has_ended(i, n, &status);
}

int consumer_stop(struct installation *i, int n, int within_ms)
{
	int64_t until = now_ms() + within_ms;
	int status = 0;

	consumer_signal(i, n, SIGTERM);
	while (now_ms() < until) {
		if (has_ended(i, n, &status))
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		pause_ms(LOOK_EVERY_MS);
	}
	consumer_kill(i, n);
	return -1;
}

/* ---- their logs ---- */

static char *read_log(const struct installation *i, int n, long tail)
{
	char path[PATH_SIZE], *text = NULL;
	FILE *f = fopen(log_path(i, n, path, sizeof path), "re");
	long size;

	if (!f)
		return NULL;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	if (tail && size > tail) {
		fseek(f, -tail, SEEK_END);
		size = tail;
	} else {
		rewind(f);
	}
	text = calloc(1, (size_t)size + 1);
	if (text && fread(text, 1, (size_t)size, f) == 0)
		text[0] = '\0';
	fclose(f);
	return text;
}

bool consumer_said(const struct installation *i, const char *text)
{
	bool said = false;

	for (int n = 0; n < CONSUMERS_MAX && !said; n++) {
		char *log = read_log(i, n, 0);

		said = log && strstr(log, text);
		free(log);
	}
	return said;
}

void fail_with_logs(struct installation *i, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	for (int n = 0; n < CONSUMERS_MAX; n++) {
		char *log = read_log(i, n, LOG_TAIL_BYTES);

		if (log)
			fprintf(stderr, "---- the end of what consumer %d said ----\n%s\n", n, log);
		free(log);
	}
	ck_abort_msg("%s", text);
}

/* ---- the store ---- */

static bool open_inspect(struct installation *i)
{
	const struct redis_settings settings = { .socket_path = redis_server_socket(i->redis) };
	struct err e = { 0 };

	if (!i->inspect)
		i->inspect = redis_inspect_new(&settings, &e);
	return i->inspect != NULL;
}

static void take_field(struct seen *s, const struct store_pair *field)
{
	const char *value = field->value;

	if (strcmp(field->name, "status") == 0)
		s->status = clone_status_by_name(value);
	else if (strcmp(field->name, "run") == 0)
		s->run = atoi(value);
	else if (strcmp(field->name, "generation") == 0)
		snprintf(s->generation, sizeof s->generation, "%s", value);
	else if (strcmp(field->name, "failed_step") == 0)
		snprintf(s->failed_step, sizeof s->failed_step, "%s", value);
	else if (strcmp(field->name, "cause") == 0)
		snprintf(s->cause, sizeof s->cause, "%s", value);
	else if (strncmp(field->name, "m:", 2) == 0)
		s->steps_done++;
}

struct seen look_at(struct installation *i, const char *id)
{
	struct arena *mem = arena_new(LOOK_MEMORY_BYTES);
	struct inspect_clone clone;
	struct seen s = { 0 };
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mem);
	if (open_inspect(i) && i->inspect->clone(i->inspect, id, mem, &clone, &e)) {
		for (size_t f = 0; f < clone.field_count; f++)
			take_field(&s, &clone.fields[f]);
		s.is_told = clone.outbox_length == 0;
	}
	arena_free(&mem);
	return s;
}

static struct seen wait_for(struct installation *i, const char *id, enum clone_status status, bool was_at_rest,
                            int within_ms)
{
	int64_t until = now_ms() + within_ms;
	struct seen s = { 0 };

	while (now_ms() < until) {
		s = look_at(i, id);
		if (s.status == status && s.is_told)
			return s;
		if (!was_at_rest && s.status != status && clone_status_is_at_rest(s.status))
			break;
		pause_ms(LOOK_EVERY_MS);
	}
	fail_with_logs(i, "clone %s is %s after %d steps%s%s instead of %s%s", id, clone_status_name(s.status),
		s.steps_done, s.cause[0] ? ": " : "", s.cause, clone_status_name(status), s.is_told ? "" : ", not all told");
}

struct seen await(struct installation *i, const char *id, enum clone_status status, int within_ms)
{
	return wait_for(i, id, status, false, within_ms);
}

struct seen await_from_rest(struct installation *i, const char *id, enum clone_status status, int within_ms)
{
	return wait_for(i, id, status, true, within_ms);
}

struct seen await_steps(struct installation *i, const char *id, int steps_done, int within_ms)
{
	int64_t until = now_ms() + within_ms;
	struct seen s = { 0 };

	while (now_ms() < until) {
		s = look_at(i, id);
		if (s.steps_done >= steps_done || clone_status_is_at_rest(s.status))
			return s;
		pause_ms(LOOK_EVERY_MS / 5);
	}
	fail_with_logs(i, "clone %s is %s after %d steps, not %d", id, clone_status_name(s.status), s.steps_done, steps_done);
}

void lease_owner(struct installation *i, const char *target, char *owner_r, size_t size)
{
	struct arena *mem = arena_new(LOOK_MEMORY_BYTES);
	struct inspect_lease lease;
	struct err e = { 0 };

	ck_assert_ptr_nonnull(mem);
	owner_r[0] = '\0';
	if (open_inspect(i) && i->inspect->lease(i->inspect, target, mem, &lease, &e) && lease.is_held)
		snprintf(owner_r, size, "%s", lease.owner);
	arena_free(&mem);
}
