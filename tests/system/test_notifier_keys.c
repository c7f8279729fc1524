/* SPDX-License-Identifier: Apache-2.0
 * The notifier's keys change while it works, as docs/operations.md says: a new key is published, then it signs, then the
 * old one goes. What a partner got around any of these moments its program accepts (docs/partners.md: PyJWT and Standard
 * Webhooks), whether it has fetched the key set before or after; also what was told while the notifier was down. */
#include "tests/support/key_maker.h"
#include "tests/support/notifier_world.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAGES = 4, NOTICES = 2 /* of each stage; the first is told while nobody runs */, WITHIN_MS = 60000, CASES_MAX = 64,
	NOT_HERE = 77 };

/* Which key files are named, in this order; the first signs. */
static const char *const keys_of[STAGES] = { "%1$s/rsa", "%1$s/rsa,%1$s/rsa-2", "%1$s/rsa-2,%1$s/rsa", "%1$s/rsa-2" };
static const char secret[] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
static struct notifier_world *w;
static char *key_sets[STAGES]; /* as the notifier published them */
static char cases[16 * 1024];

static void put(const char *folder, const char *file, const char *text, size_t len)
{
	char path[512];
	int fd;

	ck_assert_int_lt(snprintf(path, sizeof path, "%s/%s", folder, file), (int)sizeof path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static void make_second_key(void)
{
	struct buf pem;

	buf_init(&pem, 64 * 1024);
	make_rsa_key(&pem, 2048);
	put(w->folder, "rsa-2", pem.data, pem.len);
	buf_done(&pem);
}

/* ---- what a partner's program is given ---- */

static json_t *headers_of(const struct partner_request *r)
{
	static const char *const names[] = { "webhook-id", "webhook-timestamp", "webhook-signature" };
	json_t *headers = json_object();
	char value[1024];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		json_object_set_new(headers, names[i], json_string(partner_request_header(r, names[i], value, sizeof value)));
	return headers;
}

static void put_json(const char *folder, const char *file, json_t *root)
{
	char *text = json_dumps(root, 0);

	put(folder, file, text, strlen(text));
	free(text);
	json_decref(root);
}

/* The nth notice that was sent, with the key set of that stage. */
static void make_case(size_t n, int stage)
{
	const struct partner_request *r = partner_server_request(w->partner, "/app", n);
	char folder[256];

	snprintf(folder, sizeof folder, "%s/case-%zu-%d", w->folder, n, stage);
	ck_assert_int_eq(mkdir(folder, 0755), 0);
	put(folder, "body", r->body, r->body_len);
	put(folder, "key_set.json", key_sets[stage], strlen(key_sets[stage]));
	put_json(folder, "headers.json", headers_of(r));
	put_json(folder, "settings.json", json_pack("{ssssss}", "secret", secret, "issuer", "https://notifier.example",
		"client_id", "app"));
	strcat(strcat(cases, " "), folder);
}

/* What its program says, a line for each case; false when it cannot be had here. */
static bool ask_python(const char *more, char *said, size_t size)
{
	char command[sizeof cases + 512];
	size_t len;
	FILE *f;

	snprintf(command, sizeof command, "%s/tests/support/receivers/receivers.sh python %s/python %s 2>&1",
	         getenv("SOURCE_DIR"), w->folder, more);
	f = popen(command, "r");
	ck_assert_ptr_nonnull(f);
	len = fread(said, 1, size - 1, f);
	said[len] = '\0';
	return WEXITSTATUS(pclose(f)) != NOT_HERE;
}

static void judged(const char *said, size_t n, int stage, const char *wanted)
{
	char line[64];

	snprintf(line, sizeof line, "case-%zu-%d %s", n, stage, wanted);
	ck_assert_msg(strstr(said, line), "not \"%s\" but:\n%s", line, said);
}

/* ---- the stages ---- */

static int count_keys(const char *key_set)
{
	json_t *root = json_loads(key_set, 0, NULL), *key;
	int count = 0;
	size_t n;

	ck_assert_ptr_nonnull(root);
	json_array_foreach(json_object_get(root, "keys"), n, key)
		count += strcmp(json_string_value(json_object_get(key, "kty")), "RSA") == 0;
	json_decref(root);
	return count;
}

static void fetch_keys(int stage)
{
	char *answer = notifier_get(w, "/.well-known/jwks"), *body = answer ? strstr(answer, "\r\n\r\n") : NULL;

	ck_assert_ptr_nonnull(body);
	key_sets[stage] = strdup(body + 4);
	free(answer);
	ck_assert_int_eq(count_keys(key_sets[stage]), stage == 1 || stage == 2 ? 2 : 1);
}

static void run_stage(int stage)
{
	char keys[256];
	size_t wanted = (size_t)(stage + 1) * NOTICES;

	snprintf(keys, sizeof keys, keys_of[stage], w->folder);
	setenv("SANDBOX_NOTIFIER__RSA_KEYS", keys, 1);
	tell_restored(w, "Cust70001", stage * NOTICES + 1);
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", stage * NOTICES + 2);
	if (!partner_server_await(w->partner, "/app", wanted, WITHIN_MS))
		notifier_failed(w, "%zu notices came, not %zu", partner_server_count(w->partner, "/app"), wanted);
	fetch_keys(stage);
	ck_assert_int_eq(notifier_stop(w, 0, 30000), 0);
}

static void make_cases(void)
{
	for (int stage = 0; stage < STAGES; stage++)
		for (int n = stage * NOTICES; n < (stage + 1) * NOTICES; n++)
			for (int known = 0; known < STAGES; known++)
				make_case((size_t)n, known);
}

START_TEST(keys_change_without_a_gap)
{
	char said[64 * 1024];

	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	w = notifier_world_new();
	make_second_key();
	approve(w, "Cust70001", "app", PARTNER_HTTP, "/app", secret);
	notifier_world_open(w, "connect_timeout = 1m\ntimeout = 2m\n"); /* so that nothing is sent twice */
	if (!ask_python("", said, sizeof said)) /* fetching takes longer than a notice is young */
		printf("SKIPPED: no receiver in python: %s", said);
	for (int stage = 0; stage < STAGES; stage++)
		run_stage(stage);
	ck_assert_uint_eq(partner_server_count(w->partner, "/app"), (size_t)STAGES * NOTICES);
	make_cases();
	if (ask_python(cases, said, sizeof said)) {
		for (size_t n = 0; n < (size_t)STAGES * NOTICES; n++) {
			const int stage = (int)n / NOTICES;

			for (int known = stage ? stage - 1 : 0; known < STAGES && known <= stage + 1; known++)
				judged(said, n, known, "accepted");
		}
		judged(said, 1, 3, "refused"); /* by the old key, after it has gone */
		judged(said, 5, 0, "refused"); /* by the new one, to who has not fetched for an age */
	}
	for (int stage = 0; stage < STAGES; stage++)
		free(key_sets[stage]);
	notifier_world_free(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("notifier_keys");
	TCase *tc = tcase_create("keys");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 280);
	tcase_add_test(tc, keys_change_without_a_gap);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
