/* SPDX-License-Identifier: Apache-2.0
 * Clones that wait for partner apps to answer, with consumer and notifier as real programs: who has not answered is in the
 * clone's record; it goes on when the last one of those who are waited for has, or its time is over, and not before. */
#include "tests/support/installation.h"
#include "tests/support/key_maker.h"
#include "tests/support/partner_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WITHIN_MS = 120000, PATIENCE_S = 4, PATH_SIZE = 256 };

static const char one[] = "0198f0c2-0001-7c5b-9a54-000000000001", other[] = "0198f0c2-0002-7c5b-9a54-000000000002";
static const char second_target[] = "Cust70002";
static struct installation *i;
static struct partner_server *partner;
static pid_t notifier;

/* ---- the notifier beside the consumer ---- */

static void write_key(void)
{
	char path[PATH_SIZE];
	struct buf pem;
	int fd;

	snprintf(path, sizeof path, "%s/rsa", i->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	buf_init(&pem, 64 * 1024);
	make_rsa_key(&pem, 2048);
	ck_assert_int_eq(write(fd, pem.data, pem.len), (ssize_t)pem.len);
	close(fd);
	buf_done(&pem);
}

static void add_settings(void)
{
	char path[PATH_SIZE];
	FILE *f;

	snprintf(path, sizeof path, "%s/s.ini", i->folder);
	f = fopen(path, "ae");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[notifier]\nlisten = 127.0.0.1:0\nissuer = https://notifier.example\nrsa_keys = %s/rsa\n"
		"allow_http = true\nallow_nets = 127.0.0.0/8\nacknowledgements = true\n", i->folder);
	ck_assert_int_eq(fclose(f), 0);
}

static const char *program(const char *name, char path[PATH_SIZE])
{
	const char *build = getenv("BUILD_DIR");

	ck_assert_int_lt(snprintf(path, PATH_SIZE, "%s/consumer/programs/%s", build ? build : ".", name), PATH_SIZE);
	return path;
}

static void start_notifier(void)
{
	char path[PATH_SIZE], config[PATH_SIZE], log[PATH_SIZE];

	program("sandbox-notifier", path);
	snprintf(config, sizeof config, "%s/s.ini", i->folder);
	snprintf(log, sizeof log, "%s/notifier.log", i->folder);
	notifier = fork();
	ck_assert_int_ge(notifier, 0);
	if (notifier > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), STDERR_FILENO);
	execl(path, "sandbox-notifier", "--config", config, (char *)NULL);
	_exit(127);
}

static json_t *app(const char *ctx, const char *client_id, const char *policy, int within_s)
{
	char path[64], url[256];
	json_t *made;

	snprintf(path, sizeof path, "/%s", client_id);
	made = json_pack("{ssssssssss}", "ctx", ctx, "client_id", client_id, "name", client_id, "acknowledgement", policy,
		"state_change_url", partner_server_url(partner, PARTNER_HTTP, path, url, sizeof url));
	ck_assert_ptr_nonnull(made);
	if (within_s)
		json_object_set_new(made, "acknowledge_within_s", json_integer(within_s));
	return made;
}

static void setup(void)
{
	json_t *apps = json_array();
	struct err e = { 0 };
	char *text;

	partner = partner_server_start(NULL, &e);
	ck_assert_msg(partner, "%s", e.text);
	ck_assert(partner_server_script(partner, "/*", "500"));
	ck_assert(partner_server_script(partner, "/indifferent", "500"));
	json_array_append_new(apps, app(TARGET, "held", "hold", 0));
	json_array_append_new(apps, app(TARGET, "waited", "wait", 3600));
	json_array_append_new(apps, app(TARGET, "indifferent", "none", 0));
	json_array_append_new(apps, app(second_target, "late", "wait", PATIENCE_S));
	text = json_dumps(apps, 0);
	i = installation_new(&(struct installation_options){ .targets = 2, .own_sources = true, .apps = text });
	free(text);
	json_decref(apps);
	write_key();
	add_settings();
	start_notifier();
}

static void teardown(void)
{
	if (notifier > 0) {
		kill(notifier, SIGKILL);
		while (waitpid(notifier, NULL, 0) < 0 && errno == EINTR)
			;
	}
	partner_server_free(&partner);
	installation_free(&i);
}

/* ---- what operators see ---- */

/* What sandboxctl says; borrowed until the next call. */
static const char *ctl(const char *words)
{
	static char said[64 * 1024];
	char command[1024], path[PATH_SIZE];
	size_t len;
	FILE *p;

	snprintf(command, sizeof command, "%s --config %s/s.ini %s 2>&1", program("sandboxctl", path), i->folder, words);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	len = fread(said, 1, sizeof said - 1, p);
	said[len] = '\0';
	ck_assert_msg(pclose(p) == 0, "sandboxctl %s: %s", words, said);
	return said;
}

/* The record of the clone as JSON, the caller's. */
static json_t *record(const char *id)
{
	char words[128];
	json_t *shown;

	snprintf(words, sizeof words, "clone show %s -o json", id);
	shown = json_loads(ctl(words), 0, NULL);
	ck_assert_ptr_nonnull(shown);
	return shown;
}

/* Who has not answered, as "held waited ". */
static const char *not_answered(const char *id)
{
	static char names[256];
	json_t *shown = record(id), *one_of;
	size_t n;

	names[0] = '\0';
	json_array_foreach(json_object_get(shown, "apps_not_answered"), n, one_of) {
		strcat(names, json_string_value(json_object_get(one_of, "client_id")));
		strcat(names, " ");
	}
	json_decref(shown);
	return names;
}

static void await_not_answered(const char *id, const char *wanted)
{
	const int64_t until = now_ms() + WITHIN_MS;

	while (strcmp(not_answered(id), wanted) != 0) {
		if (now_ms() > until)
			fail_with_logs(i, "%s waits for '%s', not '%s'", id, not_answered(id), wanted);
		pause_ms(100);
	}
}

static void await_waiting(const char *id)
{
	const int64_t until = now_ms() + WITHIN_MS;
	bool waits = false;

	while (!waits) {
		char words[128];

		if (now_ms() > until)
			fail_with_logs(i, "%s does not wait for its apps", id);
		pause_ms(100);
		snprintf(words, sizeof words, "clone show %s", id);
		waits = strstr(ctl(words), "to answer BackupRestored") != NULL;
	}
}

/* From now on the app answers 200. Its next try would come in minutes: it is enabled, as an operator does, and again when
 * a try was under way just then. */
static void answers(const char *client_id, const char *id, const char *still_wanted)
{
	const int64_t until = now_ms() + WITHIN_MS;
	char path[64], words[128];

	snprintf(path, sizeof path, "/%s", client_id);
	ck_assert(partner_server_script(partner, path, "200"));
	snprintf(words, sizeof words, "partner enable %s", client_id);
	while (strcmp(not_answered(id), still_wanted) != 0) {
		if (now_ms() > until)
			fail_with_logs(i, "%s waits for '%s', not '%s'", id, not_answered(id), still_wanted);
		ctl(words);
		pause_ms(1000);
	}
}

static int64_t utc_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- tests ---- */

START_TEST(a_clone_waits_for_those_who_must_answer)
{
	consumer_start(i, 0);
	send_request(i, one, TARGET);
	await_steps(i, one, 1, WITHIN_MS);
	await_not_answered(one, "held waited ");
	await_waiting(one);
	answers("waited", one, "held ");
	/* Whoever waited may die; whoever goes on waits for the same. */
	consumer_kill(i, 0);
	consumer_start(i, 0);
	await_waiting(one);
	pause_ms(500);
	ck_assert_int_eq(look_at(i, one).status, CLONE_RUNNING);
	ck_assert(strstr(ctl("clone show 0198f0c2-0001-7c5b-9a54-000000000001"), "not answered held (waiting)"));
	answers("held", one, "");
	await(i, one, CLONE_COMPLETED, WITHIN_MS);
	ck_assert_uint_gt(partner_server_count(partner, "/indifferent"), 0); /* it failed, and nobody waited for it */
}
END_TEST

START_TEST(a_clone_waits_so_long_and_no_longer)
{
	json_t *shown, *late;
	int64_t ended_ms;
	struct tm until = { 0 };

	consumer_start(i, 0);
	send_request(i, other, second_target);
	await_steps(i, other, 1, WITHIN_MS);
	await_not_answered(other, "late ");
	await(i, other, CLONE_COMPLETED, WITHIN_MS);
	ended_ms = utc_ms();
	shown = record(other);
	late = json_array_get(json_object_get(shown, "apps_not_answered"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(late, "acknowledgement")), "wait");
	ck_assert_ptr_nonnull(strptime(json_string_value(json_object_get(late, "acknowledge_until")), "%Y-%m-%dT%H:%M:%S", &until));
	ck_assert_int_ge(ended_ms / 1000, timegm(&until));
	json_decref(shown);
	ck_assert_ptr_nonnull(strstr(ctl("clone show 0198f0c2-0002-7c5b-9a54-000000000002"), "not answered late (waiting), waited for until"));
	ck_assert_uint_gt(partner_server_count(partner, "/late"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acknowledgement");
	TCase *tc = tcase_create("acknowledgement");

	tcase_set_timeout(tc, 280);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_clone_waits_for_those_who_must_answer);
	tcase_add_test(tc, a_clone_waits_so_long_and_no_longer);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}
