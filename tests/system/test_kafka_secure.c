/* SPDX-License-Identifier: Apache-2.0
 * All programs on a real Apache Kafka that asks who they are: by certificate, by SCRAM and PLAIN over TLS, by configuration
 * alone, with secrets in files. Who is turned away is told what to look at, and never a secret. Debian's librdkafka is refused
 * by Kafka 4 with SCRAM, so that login is shown with the newest one where that can be had. */
#include "tests/support/installation.h"
#include "tests/support/notifier_world.h"
#include "tests/support/tenant_program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WITHIN_MS = 120000, TEXT_MAX = 64 * 1024, SETTINGS = 8 };

static const char clone_id[] = "0198f0c2-0009-7c5b-9a54-000000000001";
static struct kafka_broker kafka;

/* ---- how the programs are told to reach it ---- */

struct setting {
	const char *name, *value; /* "@x": the file x of the broker's tls folder; of bootstrap.servers: the listener x */
};

static void variable_name(const char *name, char *out_r, size_t size)
{
	size_t n = (size_t)snprintf(out_r, size, "SANDBOX_KAFKA__%s", name);

	ck_assert_uint_lt(n, size);
	for (char *p = out_r; *p; p++)
		*p = *p == '.' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
}

static void use(const struct setting *s)
{
	char name[128], value[128];

	snprintf(value, sizeof value, "%s", s->value);
	if (strcmp(s->name, "bootstrap.servers") == 0 && s->value[0] == '@')
		ck_assert(kafka_real_listener(&kafka, s->value + 1, value, sizeof value));
	else if (s->value[0] == '@')
		snprintf(value, sizeof value, "%s/tls/%s", kafka.folder, s->value + 1);
	variable_name(s->name, name, sizeof name);
	setenv(name, value, 1);
}

static void use_all(const struct setting settings[SETTINGS])
{
	for (size_t n = 0; n < SETTINGS && settings[n].name; n++)
		use(&settings[n]);
}

static void use_none(const struct setting settings[SETTINGS])
{
	for (size_t n = 0; n < SETTINGS && settings[n].name; n++) {
		char name[128];

		variable_name(settings[n].name, name, sizeof name);
		unsetenv(name);
	}
}

static const struct setting by_certificate[SETTINGS] = { { "bootstrap.servers", "@MTLS" },
	{ "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" }, { "ssl.certificate.location", "@client.crt" },
	{ "ssl.key.location", "@client-locked.key" }, { "ssl.key.password_file", "@key-password" } };
static const struct setting by_password[SETTINGS] = { { "bootstrap.servers", "@SCRAM" },
	{ "security.protocol", "sasl_ssl" }, { "ssl.ca.location", "@ca.pem" }, { "sasl.mechanism", "PLAIN" },
	{ "sasl.username", "sandbox" }, { "sasl.password_file", "@password" } };
static const struct setting by_scram = { "sasl.mechanism", "SCRAM-SHA-512" };

/* The programs that are started from now on run on it. */
static bool use_newest_library(void)
{
	char command[512], folder[256] = "";
	FILE *f;

	snprintf(command, sizeof command, "%s/tests/support/kafka_newest.sh", SOURCE_DIR);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	if (!fgets(folder, sizeof folder, f))
		folder[0] = '\0';
	if (pclose(f) != 0 || !folder[0])
		return false;
	folder[strcspn(folder, "\n")] = '\0';
	return setenv("LD_LIBRARY_PATH", folder, 1) == 0;
}

static FILE *begin_ctl(const char *words)
{
	char command[1024];
	FILE *f;

	snprintf(command, sizeof command, "'%s/consumer/programs/sandboxctl' %s 2>&1", getenv("BUILD_DIR"), words);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	return f;
}

/* Its exit status; text_r holds TEXT_MAX bytes. */
static int end_ctl(FILE *f, char *text_r)
{
	size_t len = fread(text_r, 1, TEXT_MAX - 1, f);
	int status = pclose(f);

	text_r[len] = '\0';
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- all is well ---- */

static void await_completed_row(struct tenant_program *t)
{
	int64_t until = now_ms() + WITHIN_MS;

	for (;;) {
		json_t *row = tenant_program_row(t, TARGET);
		char *text = row ? json_dumps(row, 0) : NULL;
		bool completed = text && strstr(text, clone_id) && strstr(text, "COMPLETED");

		json_decref(row);
		free(text);
		if (completed)
			return;
		ck_assert_msg(now_ms() < until, "the tenant's row never said that the clone is completed");
		pause_ms(50);
	}
}

static void run_a_clone(void)
{
	struct installation *i = installation_new(&(struct installation_options){ .kafka = &kafka });
	struct tenant_program tenant;
	char config[128], text[TEXT_MAX];
	int status;

	snprintf(config, sizeof config, "%s/s.ini", i->folder);
	tenant_program_init(&tenant, i->folder, "tenant", config);
	consumer_start(i, 0);
	tenant_program_start(&tenant);
	status = end_ctl(begin_ctl("topics check"), text);
	ck_assert_msg(status == 0, "sandboxctl ends with %d: %s", status, text);
	send_request(i, clone_id, TARGET);
	await(i, clone_id, CLONE_COMPLETED, WITHIN_MS);
	await_completed_row(&tenant);
	ck_assert_int_eq(tenant_program_stop(&tenant), 0);
	ck_assert_int_eq(consumer_stop(i, 0, WITHIN_MS), 0);
	tenant_program_done(&tenant);
	installation_free(&i);
}

START_TEST(a_clone_by_certificate)
{
	use_all(by_certificate);
	run_a_clone();
}
END_TEST

START_TEST(a_clone_by_scram_on_the_newest_library)
{
	if (!use_newest_library()) {
		puts("SKIPPED: the newest librdkafka cannot be had");
		return;
	}
	use_all(by_password);
	use(&by_scram);
	setenv("SANDBOX_KAFKA__GROUP_ID", "by-scram", 1);
	run_a_clone();
}
END_TEST

static void tell_a_partner(const struct setting settings[SETTINGS])
{
	struct notifier_world *w;

	setenv("SANDBOX_TEST_BROKER", kafka.folder, 1);
	w = notifier_world_new();
	approve(w, "Cust70001", "app", PARTNER_HTTPS, "/app", "");
	notifier_world_open(w, "");
	use_all(settings);
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	if (!partner_server_await(w->partner, "/app", 1, WITHIN_MS))
		notifier_failed(w, "the partner was not told");
	ck_assert_int_eq(notifier_stop(w, 0, WITHIN_MS), 0);
	notifier_world_free(&w);
	use_none(settings);
	unsetenv("SANDBOX_TEST_BROKER");
}

START_TEST(a_partner_is_told_by_certificate)
{
	tell_a_partner(by_certificate);
}
END_TEST

START_TEST(a_partner_is_told_by_password)
{
	tell_a_partner(by_password);
}
END_TEST

/* ---- who is turned away ---- */

static char secret[64];

static const struct {
	const char *sentence;
	struct setting settings[SETTINGS];
} wrongs[] = {
	{ "refuse the login: check sasl.mechanism, sasl.username and the password",
	  { { "bootstrap.servers", "@SCRAM" }, { "security.protocol", "sasl_ssl" }, { "ssl.ca.location", "@ca.pem" },
	    { "sasl.mechanism", "PLAIN" }, { "sasl.username", "sandbox" }, { "sasl.password_file", "@wrong" } } },
	{ "refuse the login: check sasl.mechanism, sasl.username and the password",
	  { { "bootstrap.servers", "@SCRAM" }, { "security.protocol", "sasl_ssl" }, { "ssl.ca.location", "@ca.pem" },
	    { "sasl.mechanism", "SCRAM-SHA-512" }, { "sasl.username", "sandbox" }, { "sasl.password_file", "@wrong" } } },
	{ "comes from nobody that is trusted here: ssl.ca.location",
	  { { "bootstrap.servers", "@MTLS" }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@stranger.pem" } } },
	{ "has expired or is not valid yet",
	  { { "bootstrap.servers", "@EXPIRED" }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" } } },
	{ "is for another host: bootstrap.servers",
	  { { "bootstrap.servers", "@ELSEWHERE" }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" } } },
	{ "do not accept our certificate, or miss one",
	  { { "bootstrap.servers", "@MTLS" }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" } } },
	{ "do not accept our certificate",
	  { { "bootstrap.servers", "@MTLS" }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" },
	    { "ssl.certificate.location", "@foreign.crt" }, { "ssl.key.location", "@foreign.key" } } },
	{ "probably wants TLS there: check the port in bootstrap.servers and security.protocol",
	  { { "bootstrap.servers", "@SCRAM" } } },
	{ "does not answer in TLS there: check the port in bootstrap.servers and security.protocol",
	  { { "bootstrap.servers", kafka.bootstrap }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" } } },
	{ "ssl.key.location failed",
	  { { "bootstrap.servers", "@MTLS" }, { "security.protocol", "ssl" }, { "ssl.ca.location", "@ca.pem" },
	    { "ssl.certificate.location", "@client.crt" }, { "ssl.key.location", "@client-locked.key" },
	    { "ssl.key.password_file", "@wrong" } } },
	{ "the secret file", { { "bootstrap.servers", "@SCRAM" }, { "sasl.password_file", "@nowhere" } } },
	{ "are both set", { { "bootstrap.servers", "@SCRAM" }, { "sasl.password", secret }, { "sasl.password_file", "@wrong" } } },
};

enum { WRONGS = sizeof wrongs / sizeof *wrongs };

static void make_wrong_secret(void)
{
	char path[128];
	int fd;

	snprintf(secret, sizeof secret, "canary-%d", (int)getpid());
	snprintf(path, sizeof path, "%s/tls/wrong", kafka.folder);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dprintf(fd, "%s\n", secret), (int)strlen(secret) + 1);
	close(fd);
}

static void check_wrongs(void)
{
	FILE *said[WRONGS];
	char text[TEXT_MAX];

	for (size_t n = 0; n < WRONGS; n++) { /* side by side: each takes seconds */
		use_all(wrongs[n].settings);
		said[n] = begin_ctl("topics check");
		use_none(wrongs[n].settings);
	}
	for (size_t n = 0; n < WRONGS; n++) {
		int status = end_ctl(said[n], text);

		ck_assert_msg(status != 0 && strstr(text, wrongs[n].sentence), "case %zu ends with %d: %s", n, status, text);
		ck_assert_msg(!strstr(text, secret), "case %zu tells a secret", n);
	}
}

START_TEST(who_is_turned_away_is_told_what_to_look_at)
{
	make_wrong_secret();
	check_wrongs();
}
END_TEST

START_TEST(the_newest_library_is_understood_as_well)
{
	make_wrong_secret();
	if (use_newest_library())
		check_wrongs();
	else
		puts("SKIPPED: the newest librdkafka cannot be had");
}
END_TEST

START_TEST(a_service_says_it_in_its_log)
{
	struct installation *i = installation_new(&(struct installation_options){ .kafka = &kafka });
	int64_t until = now_ms() + WITHIN_MS;

	make_wrong_secret();
	use_all(by_password);
	use(&(struct setting){ "sasl.password_file", "@wrong" });
	consumer_start(i, 0);
	while (consumer_runs(i, 0)) {
		ck_assert_msg(now_ms() < until, "the consumer goes on");
		pause_ms(20);
	}
	ck_assert(consumer_said(i, "cannot start"));
	ck_assert(consumer_said(i, "refuse the login"));
	ck_assert(!consumer_said(i, secret));
	installation_free(&i);
}
END_TEST

START_TEST(secrets_are_not_shown)
{
	char text[TEXT_MAX], path[128];

	make_wrong_secret();
	use_all(by_password);
	use(&(struct setting){ "sasl.password_file", "@wrong" });
	use(&(struct setting){ "ssl.key.password", secret });
	ck_assert_int_eq(end_ctl(begin_ctl("config show"), text), 0);
	snprintf(path, sizeof path, "%s/tls/wrong", kafka.folder);
	ck_assert_ptr_nonnull(strstr(text, path));
	ck_assert_ptr_nonnull(strstr(text, "ssl.key.password = (hidden)"));
	ck_assert_ptr_null(strstr(text, secret));
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("kafka_secure");
	TCase *tc = tcase_create("kafka_secure");

	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, a_clone_by_certificate);
	tcase_add_test(tc, a_clone_by_scram_on_the_newest_library);
	tcase_add_test(tc, a_partner_is_told_by_certificate);
	tcase_add_test(tc, a_partner_is_told_by_password);
	tcase_add_test(tc, who_is_turned_away_is_told_what_to_look_at);
	tcase_add_test(tc, the_newest_library_is_understood_as_well);
	tcase_add_test(tc, a_service_says_it_in_its_log);
	tcase_add_test(tc, secrets_are_not_shown);
	suite_add_tcase(suite, tc);
	return installation_run(suite);
}

int main(void)
{
	return KAFKA_REAL_MAIN(&kafka, "secure", run_tests);
}
