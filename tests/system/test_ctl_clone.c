/* SPDX-License-Identifier: Apache-2.0
 * A whole clone through the programs alone: sandboxctl asks for it, pauses and resumes it, watches it to its end and
 * reports; a consumer runs it; both end well. Under ThreadSanitizer (tests/run thread) this is the race check of every
 * thread of the consumer, and any report of any of these programs fails the test. */
#include "tests/support/installation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS = 16, TOLD_WITHIN_MS = 90000, DRAIN_WITHIN_MS = 60000 };

static struct installation *i;
static char races[128];

static void setup(void)
{
	const char *options = getenv("TSAN_OPTIONS");
	char text[512];

	i = installation_new(&(struct installation_options){ .targets = 2, .own_sources = true });
	snprintf(races, sizeof races, "%s/races", i->folder);
	ck_assert_int_eq(mkdir(races, 0755), 0);
	snprintf(text, sizeof text, "%s log_path=%s/of", options ? options : "", races);
	setenv("TSAN_OPTIONS", text, 1);
}

static void show(const char *name)
{
	char path[512], line[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", races, name);
	f = fopen(path, "re");
	for (int n = 0; f && n < 60 && fgets(line, sizeof line, f); n++)
		fputs(line, stderr);
	if (f)
		fclose(f);
}

static void check_no_races(void)
{
	DIR *dir = opendir(races);
	struct dirent *entry;
	int found = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.') {
			show(entry->d_name);
			found++;
		}
	closedir(dir);
	ck_assert_msg(found == 0, "%d programs had races", found);
}

static void teardown(void)
{
	check_no_races();
	installation_free(&i);
}

/* Runs sandboxctl with those words; what it prints goes to a file. Its exit code. */
static int ctl(const char *first, ...)
{
	char program[512], config[160], said[160], *words[ARGUMENTS] = { "sandboxctl", "--config", config };
	size_t count = 3;
	int status;
	va_list more;
	pid_t pid;

	snprintf(program, sizeof program, "%s/consumer/programs/sandboxctl", getenv("BUILD_DIR") ? getenv("BUILD_DIR") : ".");
	snprintf(config, sizeof config, "%s/s.ini", i->folder);
	snprintf(said, sizeof said, "%s/ctl.out", i->folder);
	va_start(more, first);
	for (const char *word = first; word; word = va_arg(more, const char *)) {
		ck_assert_uint_lt(count, ARGUMENTS - 1);
		words[count++] = (char *)(uintptr_t)word;
	}
	va_end(more);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(open(said, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), STDOUT_FILENO);
		execv(program, words);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	check_no_races();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool ctl_said(const char *text)
{
	char path[160], line[1024];
	bool said = false;
	FILE *f;

	snprintf(path, sizeof path, "%s/ctl.out", i->folder);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (!said && fgets(line, sizeof line, f))
		said = strstr(line, text) != NULL;
	fclose(f);
	return said;
}

static const char one[] = "0198f0c2-0001-7c5b-9a54-000000000001", other[] = "0198f0c2-0002-7c5b-9a54-000000000002";

static int ask_for(const char *id, const char *target)
{
	const struct message usual = good_request(i, id, target);
	const struct user_plan *admin = &usual.request.job.users[0];
	char user[128];

	ck_assert(admin->is_admin);
	snprintf(user, sizeof user, "%s=%s", admin->login, admin->plan);
	return ctl("clone", "request", "--source", usual.request.job.source_ctx, "--target", target, "--admin", user,
		"--clone-id", id, "--confirm", "--yes", (char *)NULL);
}

START_TEST(asked_for_paused_resumed_and_watched)
{
	consumer_start(i, 0);
	ck_assert(stub_server_fault(i->stubs, "{\"kind\":\"status\",\"system\":\"superid\",\"status\":503,\"times\":-1}"));
	ck_assert_int_eq(ask_for(one, TARGET), 0);
	ck_assert_int_eq(ask_for(other, "Cust70002"), 0); /* so that two share the threads */
	await_steps(i, one, 10, TOLD_WITHIN_MS);
	ck_assert_int_eq(ctl("clone", "pause", one, "--yes", (char *)NULL), 0);
	await(i, one, CLONE_PAUSED, TOLD_WITHIN_MS);
	ck_assert(stub_server_clear_faults(i->stubs));
	ck_assert_int_eq(ctl("clone", "resume", one, "--yes", (char *)NULL), 0);
	await_from_rest(i, one, CLONE_COMPLETED, TOLD_WITHIN_MS);
	ck_assert_int_eq(ctl("clone", "watch", one, "--exit-status", "--timeout", "2m", (char *)NULL), 0);
	ck_assert_int_eq(ctl("clone", "watch", other, "--exit-status", "--timeout", "2m", (char *)NULL), 0);
	ck_assert_int_eq(ctl("clone", "report", one, (char *)NULL), 0);
	ck_assert(ctl_said("COMPLETED  31/31 steps"));
	ck_assert_int_eq(ctl("clone", "list", "-o", "json", (char *)NULL), 0);
	ck_assert_int_eq(ctl("doctor", (char *)NULL), 0);
	await_committed(i, TOLD_WITHIN_MS);
	ck_assert_int_eq(consumer_stop(i, 0, DRAIN_WITHIN_MS), 0);
}
END_TEST

/* As a lack of memory in the loop would end it. */
START_TEST(what_must_end_says_so_and_the_next_goes_on)
{
	ck_assert_int_eq(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }), 0);
	consumer_start(i, 0);
	ck_assert_int_eq(ask_for(one, TARGET), 0);
	await_steps(i, one, 3, TOLD_WITHIN_MS);
	consumer_signal(i, 0, SIGABRT);
	while (consumer_runs(i, 0))
		pause_ms(10);
	ck_assert(consumer_said(i, "it ends, and the next process goes on"));
	consumer_start(i, 0);
	await(i, one, CLONE_COMPLETED, TOLD_WITHIN_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_clone");
	TCase *tc = tcase_create("ctl_clone");

	tcase_set_timeout(tc, 240);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, asked_for_paused_resumed_and_watched);
	tcase_add_test(tc, what_must_end_says_so_and_the_next_goes_on);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
