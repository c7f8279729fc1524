/* SPDX-License-Identifier: Apache-2.0
 * sandbox-notifier as a real program: what a partner gets, what happens to bad partners and around them. That nothing
 * is lost when it is killed is shown by test_downstream. */
#include "consumer/adapters/openssl/signer_openssl.h"
#include "consumer/adapters/redis/redis_deliveries.h"
#include "tests/support/notifier_world.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { COMES_WITHIN_MS = 30000 };

static const char secret[] = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
static struct notifier_world *w;

static void setup(void)
{
	w = notifier_world_new();
}

static void teardown(void)
{
	notifier_world_free(&w);
}

static void await_requests(const char *path, size_t count)
{
	if (!partner_server_await(w->partner, path, count, COMES_WITHIN_MS))
		notifier_failed(w, "%s was asked %zu times, not %zu", path, partner_server_count(w->partner, path), count);
}

static void await_state(const char *ctx, int n, const char *client_id, enum delivery_state state)
{
	const int64_t until_ms = steady_ms() + COMES_WITHIN_MS;

	while (delivery_state_of(w, ctx, n, client_id) != state) {
		if (steady_ms() > until_ms)
			notifier_failed(w, "%s of %s %d is %d, not %d", client_id, ctx, n,
			                delivery_state_of(w, ctx, n, client_id), state);
		wait_ms(20);
	}
}

/* ---- what a partner gets ---- */

static char *base64url(const char *text, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *out = calloc(1, len + 1), *to = out;
	unsigned bits = 0, have = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 6 | (unsigned)(strchr(digits, text[i]) - digits);
		have += 6;
		if (have >= 8)
			*to++ = (char)(bits >> (have -= 8));
	}
	return out;
}

static void check_token(const char *token, const char *client_id, int64_t now_s)
{
	const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
	char *text;
	json_t *claims;

	ck_assert_ptr_nonnull(second);
	text = base64url(first + 1, (size_t)(second - first - 1));
	claims = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(claims);
	ck_assert_str_eq(json_string_value(json_object_get(claims, "iss")), "https://notifier.example");
	ck_assert_str_eq(json_string_value(json_object_get(claims, "aud")), client_id);
	ck_assert_str_eq(json_string_value(json_object_get(claims, "sub")), "Cust70001");
	ck_assert_str_eq(json_string_value(json_object_get(claims, "jti")), "clone-Cust70001/1/backup-restored");
	ck_assert_int_ge(json_integer_value(json_object_get(claims, "exp")), now_s);
	ck_assert_int_le(json_integer_value(json_object_get(claims, "exp")), now_s + 600);
	json_decref(claims);
	free(text);
}

static void check_body(const struct partner_request *r, const char *client_id)
{
	json_t *body = json_loads(r->body, 0, NULL);

	ck_assert_ptr_nonnull(body);
	ck_assert_uint_eq(json_object_size(body), 6);
	ck_assert_int_eq(json_integer_value(json_object_get(body, "ChangeType")), 1);
	ck_assert_str_eq(json_string_value(json_object_get(body, "ContextIdentifier")), "Cust70001");
	ck_assert_str_eq(json_string_value(json_object_get(body, "VersionName")), "Release_11.12_2026.07.20-01");
	ck_assert_str_eq(json_string_value(json_object_get(body, "FileVersion")), "11.12.675.0");
	ck_assert_str_eq(json_string_value(json_object_get(body, "PublicEndpoint")), "online4.example");
	check_token(json_string_value(json_object_get(body, "Token")), client_id, time(NULL));
	json_decref(body);
}

/* HMAC as a receiver makes it, by a signer with keys of nobody. */
static void check_signature(const struct partner_request *r)
{
	char id[256], at[64], signature[1024], text[8192];
	char path[128], *pem = NULL;
	size_t size = 0;
	struct signer_keys keys = { .rsa_count = 1 };
	struct signer_port *mine;
	struct err e = { 0 };
	struct buf made;
	FILE *f;

	snprintf(path, sizeof path, "%s/rsa", w->folder);
	f = fopen(path, "re");
	ck_assert(f && getdelim(&pem, &size, '\0', f) > 0);
	fclose(f);
	keys.rsa[0] = (struct signer_key){ "test", pem, strlen(pem) };
	mine = signer_openssl_new(&keys, &e);
	ck_assert_msg(mine, "%s", e.text);
	partner_request_header(r, "webhook-id", id, sizeof id);
	partner_request_header(r, "webhook-timestamp", at, sizeof at);
	partner_request_header(r, "webhook-signature", signature, sizeof signature);
	snprintf(text, sizeof text, "%s.%s.%s", id, at, r->body);
	buf_init(&made, 1024);
	ck_assert(mine->hmac(mine, secret, text, strlen(text), &made, &e));
	ck_assert_ptr_nonnull(strstr(signature, buf_text(&made)));
	ck_assert_ptr_nonnull(strstr(signature, "v1a,"));
	buf_done(&made);
	mine->close(mine);
	free(pem);
}

START_TEST(a_partner_gets_what_was_promised)
{
	const struct partner_request *r;
	char header[256], *keys;

	approve(w, "Cust70001", "app-1", PARTNER_HTTPS, "/one", secret);
	approve(w, "Cust70001", "app-2", PARTNER_HTTP, "/two", "");
	approve(w, "Cust70002", "app-3", PARTNER_HTTP, "/other", "");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_requests("/one", 1);
	await_requests("/two", 1);
	r = partner_server_request(w->partner, "/one", 0);
	ck_assert_str_eq(r->method, "POST");
	ck_assert_int_eq(r->door, PARTNER_HTTPS);
	ck_assert_str_eq(partner_request_header(r, "content-type", header, sizeof header), "application/json");
	ck_assert_str_eq(partner_request_header(r, "webhook-id", header, sizeof header), "clone-Cust70001/1/backup-restored");
	ck_assert_int_lt(labs(atol(partner_request_header(r, "webhook-timestamp", header, sizeof header)) - time(NULL)), 100);
	ck_assert_int_eq(strncmp(partner_request_header(r, "traceparent", header, sizeof header),
	                         "00-4bf92f3577b34da6a3ce929d0e0e4736-", 36), 0);
	check_body(r, "app-1");
	check_signature(r);
	check_body(partner_server_request(w->partner, "/two", 0), "app-2");
	await_state("Cust70001", 1, "app-1", DELIVERY_DONE);
	await_state("Cust70001", 1, "app-2", DELIVERY_DONE);
	ck_assert_uint_eq(partner_server_count(w->partner, "/other"), 0);
	keys = notifier_get(w, "/.well-known/jwks");
	ck_assert_ptr_nonnull(keys);
	ck_assert_ptr_nonnull(strstr(keys, "\"keys\""));
	ck_assert_ptr_null(strstr(keys, "\"d\""));
	ck_assert_ptr_nonnull(strstr(keys, "Cache-Control: public, max-age=3600\r\n")); /* as docs/partners.md promises */
	free(keys);
	keys = notifier_get(w, "/metrics");
	ck_assert_ptr_nonnull(keys);
	ck_assert_ptr_nonnull(strstr(keys, "sandbox_webhook_tries_total{result=\"delivered\"} 2"));
	free(keys);
	ck_assert_int_eq(notifier_stop(w, 0, 20000), 0);
	ck_assert(!notifier_said(w, 0, "whsec_"));
}
END_TEST

/* ---- one at a time ---- */

START_TEST(gone_means_off_until_somebody_switches_on)
{
	struct app_record app;
	struct err e = { 0 };
	bool found;

	approve(w, "Cust70001", "leaver", PARTNER_HTTP, "/leaver", "");
	approve(w, "Cust70001", "stayer", PARTNER_HTTP, "/stayer", "");
	partner_server_script(w->partner, "/leaver", "410 200");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_state("Cust70001", 1, "leaver", DELIVERY_PARKED);
	tell_restored(w, "Cust70001", 2);
	await_requests("/stayer", 2);
	await_state("Cust70001", 2, "leaver", DELIVERY_PARKED);
	ck_assert(w->deliveries->app(w->deliveries, "leaver", w->mem, &app, &found, &e));
	ck_assert(found && app.is_off && strstr(app.off_reason, "410"));
	ck_assert_uint_eq(partner_server_count(w->partner, "/leaver"), 1);
	ck_assert(w->deliveries->switch_app(w->deliveries, "leaver", true, "", 1, &e));
	await_state("Cust70001", 1, "leaver", DELIVERY_DONE);
	await_state("Cust70001", 2, "leaver", DELIVERY_DONE);
	ck_assert_uint_eq(partner_server_count(w->partner, "/leaver"), 3);
}
END_TEST

START_TEST(what_fails_comes_again_with_the_same_id)
{
	char first[128], second[128];

	approve(w, "Cust70001", "app", PARTNER_HTTP, "/app", "");
	partner_server_script(w->partner, "/app", "500 200");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	tell_restored(w, "Cust70001", 2);
	await_requests("/app", 3);
	partner_request_header(partner_server_request(w->partner, "/app", 0), "webhook-id", first, sizeof first);
	partner_request_header(partner_server_request(w->partner, "/app", 1), "webhook-id", second, sizeof second);
	ck_assert_str_eq(first, second);
	ck_assert_int_ge(partner_server_request(w->partner, "/app", 1)->at_ms -
	                 partner_server_request(w->partner, "/app", 0)->at_ms, 4900);
	await_state("Cust70001", 2, "app", DELIVERY_DONE);
}
END_TEST

START_TEST(an_approval_that_ended_is_respected)
{
	approve(w, "Cust70001", "app", PARTNER_HTTP, "/app", "");
	approve(w, "Cust70001", "other", PARTNER_HTTP, "/other", "");
	partner_server_script(w->partner, "/app", "500");
	notifier_world_open(w, "recheck = 1s\n");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_requests("/app", 1);
	json_array_remove(w->authorisations, 0);
	ck_assert_int_eq(notifier_stop(w, 0, 20000), 0);
	notifier_world_open(w, "recheck = 1s\n"); /* the store of approvals has another address now */
	notifier_start(w, 0);
	await_state("Cust70001", 1, "app", DELIVERY_WITHDRAWN);
	ck_assert_uint_eq(partner_server_count(w->partner, "/app"), 1);
}
END_TEST

START_TEST(the_store_of_approvals_may_be_away)
{
	struct err e = { 0 };

	approve(w, "Cust70001", "app", PARTNER_HTTP, "/app", "");
	notifier_world_open(w, "");
	stub_server_kill(w->stubs);
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	while (!notifier_said(w, 0, "the approvals of a tenant cannot be had"))
		wait_ms(50);
	ck_assert_uint_eq(partner_server_count(w->partner, "/app"), 0);
	ck_assert(stub_server_restart(w->stubs, &e));
	await_requests("/app", 1);
}
END_TEST

START_TEST(redis_may_be_away)
{
	struct err e = { 0 };

	approve(w, "Cust70001", "app", PARTNER_HTTP, "/app", "");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_requests("/app", 1);
	redis_server_kill(w->redis);
	tell_restored(w, "Cust70001", 2);
	while (!notifier_said(w, 0, "a notice cannot be stored; trying again"))
		wait_ms(50);
	ck_assert(redis_server_restart(w->redis, &e));
	await_state("Cust70001", 2, "app", DELIVERY_DONE);
	ck_assert(notifier_runs(w, 0));
}
END_TEST

START_TEST(what_cannot_be_read_is_put_aside_and_the_rest_goes_on)
{
	approve(w, "Cust70001", "app", PARTNER_HTTP, "/app", "");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_bytes(w, "Cust70001", "\0\0\0\0\377nonsense", 13);
	tell_restored(w, "Cust70001", 1);
	await_requests("/app", 1);
	ck_assert(notifier_said(w, 0, "dead letter"));
	ck_assert_int_eq(notifier_stop(w, 0, 20000), 0);
	/* The offset moved behind both: nothing comes twice. */
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 2);
	await_requests("/app", 2);
	await_state("Cust70001", 2, "app", DELIVERY_DONE);
	ck_assert_uint_eq(partner_server_count(w->partner, "/app"), 2);
}
END_TEST

START_TEST(stopping_ends_what_is_under_way)
{
	approve(w, "Cust70001", "slow", PARTNER_HTTP, "/slow", "");
	approve(w, "Cust70001", "hanging", PARTNER_HTTP, "/hang", "");
	partner_server_script(w->partner, "/slow", "slow:1500");
	partner_server_script(w->partner, "/hang", "hang");
	notifier_world_open(w, "timeout = 1m\ndrain = 4s\n");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_requests("/slow", 1);
	await_requests("/hang", 1);
	ck_assert_int_eq(notifier_stop(w, 0, 20000), 0);
	ck_assert_int_eq(delivery_state_of(w, "Cust70001", 1, "slow"), DELIVERY_DONE);
	ck_assert_int_eq(delivery_state_of(w, "Cust70001", 1, "hanging"), DELIVERY_WAITING);
	/* It was given back, not left to its lease of more than two minutes. */
	partner_server_script(w->partner, "/hang", "200");
	notifier_start(w, 0);
	await_state("Cust70001", 1, "hanging", DELIVERY_DONE);
}
END_TEST

/* ---- operators ---- */

/* What sandboxctl says; its exit code in *code_r. Borrowed until the next call. */
static const char *ctl(const char *words, int *code_r)
{
	static char said[16384];
	const char *build = getenv("BUILD_DIR");
	char command[1024];
	size_t len;
	FILE *p;

	snprintf(command, sizeof command, "%s/consumer/programs/sandboxctl --config %s/n.ini %s 2>&1", build ? build : ".",
	         w->folder, words);
	p = popen(command, "r");
	ck_assert_ptr_nonnull(p);
	len = fread(said, 1, sizeof said - 1, p);
	said[len] = '\0';
	*code_r = WEXITSTATUS(pclose(p));
	return said;
}

#define CTL(words, wanted)                                                                                             \
	do {                                                                                                           \
		said = ctl(words, &code);                                                                              \
		ck_assert_msg(code == (wanted), "sandboxctl %s ended with %d: %s", words, code, said);                 \
	} while (0)

START_TEST(operators_see_steer_and_try)
{
	const char *said;
	int code;

	approve(w, "Cust70001", "careful", PARTNER_HTTPS, "/careful", secret);
	approve(w, "Cust70001", "naive", PARTNER_HTTP, "/naive", "");
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_state("Cust70001", 1, "careful", DELIVERY_DONE);
	await_state("Cust70001", 1, "naive", DELIVERY_DONE);
	CTL("delivery list -o ids", 0);
	ck_assert_str_eq(said, "clone-Cust70001/1/backup-restored careful\nclone-Cust70001/1/backup-restored naive\n");
	CTL("delivery redeliver clone-Cust70001/1/backup-restored careful", 0);
	await_requests("/careful", 2);
	CTL("partner disable naive --reason 'a test'", 0);
	tell_restored(w, "Cust70001", 2);
	await_state("Cust70001", 2, "naive", DELIVERY_PARKED);
	CTL("partner list --off", 0);
	ck_assert_ptr_nonnull(strstr(said, "a test"));
	CTL("partner enable naive", 0);
	await_requests("/naive", 2);
	/* Three good notices and two that must be refused; the other one takes everything. */
	partner_server_script(w->partner, "/careful", "200 200 200 401 401 200");
	CTL("partner test careful --tenant Cust70001 --yes", 0);
	ck_assert_ptr_null(strstr(said, "FAILED"));
	CTL("partner test naive --tenant Cust70001 --yes -o json", 1);
	ck_assert_ptr_nonnull(strstr(said, "it took what it must refuse"));
	CTL("partner test nobody --tenant Cust70001 --yes", 2);
	ck_assert_ptr_nonnull(strstr(said, "has not approved"));
}
END_TEST

/* A saying that is there, or the test ends with all that was said. */
#define SAYS(words, wanted, text)                                                                                      \
	do {                                                                                                           \
		CTL(words, wanted);                                                                                    \
		ck_assert_msg(strstr(said, text), "sandboxctl %s does not say \"%s\" but:\n%s", words, text, said);     \
	} while (0)

#define EVENT "clone-Cust70001/1/backup-restored "

START_TEST(operators_look_at_one_and_send_it_again)
{
	char first[128], last[128];
	const char *said;
	int code;

	approve(w, "Cust70001", "weak", PARTNER_HTTP, "/weak", "");
	approve(w, "Cust70001", "strong", PARTNER_HTTP, "/strong", "");
	partner_server_script(w->partner, "/weak", "503"); /* the next try comes in 5 minutes */
	notifier_world_open(w, "");
	notifier_start(w, 0);
	tell_restored(w, "Cust70001", 1);
	await_state("Cust70001", 1, "strong", DELIVERY_DONE);
	await_requests("/weak", 1);
	do /* it is asked before what came of it is settled */
		CTL("delivery show " EVENT "weak", 0);
	while (strstr(said, "waiting, 0 tries"));
	SAYS("delivery show " EVENT "weak", 0, "waiting, 1 tries");
	ck_assert_ptr_nonnull(strstr(said, "HTTP 503"));
	ck_assert_ptr_nonnull(strstr(said, "next try"));
	SAYS("delivery show " EVENT "weak -o json", 0, "\"status\":503");
	SAYS("delivery show " EVENT "nobody", 4, "sandboxctl: ");
	SAYS("partner show weak", 0, "failing since");
	ck_assert_ptr_nonnull(strstr(said, "1 in a row"));
	SAYS("partner show strong", 0, "last success");
	SAYS("delivery redeliver " EVENT "weak", 5, "waits");
	CTL("partner disable weak --reason 'they asked'", 0);
	SAYS("partner show weak", 0, "off: they asked");
	SAYS("delivery show " EVENT "weak", 0, "Next: sandboxctl partner show weak");
	partner_server_script(w->partner, "/weak", "200");
	CTL("partner enable weak", 0);
	await_state("Cust70001", 1, "weak", DELIVERY_DONE);
	SAYS("delivery redeliver-since 1h --state done --dry-run", 0, "Would put 2 deliveries again");
	SAYS("delivery redeliver-since 1h --yes", 0, "Put 0 deliveries again"); /* none was given up */
	SAYS("delivery redeliver-since 1h --state done --app weak --yes", 0, "Put 1 delivery again");
	await_requests("/weak", 3);
	partner_request_header(partner_server_request(w->partner, "/weak", 0), "webhook-id", first, sizeof first);
	partner_request_header(partner_server_request(w->partner, "/weak", 2), "webhook-id", last, sizeof last);
	ck_assert_str_eq(first, last);
	SAYS("partner list -o json", 0, "strong");
	ck_assert_uint_eq(partner_server_count(w->partner, "/strong"), 1);
}
END_TEST

/* ---- many ---- */

#ifdef __SANITIZE_ADDRESS__
enum { MEMORY_KIB = 300 * 1024 }; /* of which most is the sanitizer's */
#else
enum { MEMORY_KIB = 100 * 1024 };
#endif

static int64_t memory_kib(pid_t pid)
{
	char path[64], line[128];
	int64_t kib = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoll(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

/* Everybody heard long before the first of those who hang is given up, and they took no memory to speak of. Ten times as
 * many: tests/bench/run notify. */
START_TEST(those_who_hang_delay_nobody)
{
	enum { APPS = 1000, HANGING = 100, HANG_MS = 60000 };
	int64_t begun_ms, healthy_ms;
	char client[32], path[32];

	for (int i = 0; i < APPS; i++) {
		snprintf(client, sizeof client, "app-%03d", i);
		snprintf(path, sizeof path, "/app-%03d", i);
		approve(w, "Cust70001", client, PARTNER_HTTP, path, "");
		if (i % (APPS / HANGING) == 0)
			partner_server_script(w->partner, path, "hang");
	}
	notifier_world_open(w, "timeout = 60s\nlimit = 256\nlimit_slow = 32\n");
	notifier_start(w, 0);
	begun_ms = steady_ms();
	tell_restored(w, "Cust70001", 1);
	for (int i = 0; i < APPS; i++) {
		snprintf(path, sizeof path, "/app-%03d", i);
		if (!partner_server_await(w->partner, path, 1, HANG_MS))
			notifier_failed(w, "%s was not told", path);
	}
	healthy_ms = steady_ms() - begun_ms;
	printf("%d apps, %d of which hang for %d s, were told in %lld ms; %lld KiB\n", APPS, HANGING, HANG_MS / 1000,
	       (long long)healthy_ms, (long long)memory_kib(w->notifiers[0]));
	ck_assert_int_lt(healthy_ms, HANG_MS);
	ck_assert_uint_eq(partner_server_count(w->partner, NULL), APPS);
	ck_assert_int_gt(memory_kib(w->notifiers[0]), 0);
	ck_assert_int_lt(memory_kib(w->notifiers[0]), MEMORY_KIB);
}
END_TEST

static void add_case(Suite *s, const char *name, const TTest *const *tests, size_t count)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 280);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
}

int main(void)
{
	const TTest *const few[] = { a_partner_gets_what_was_promised, gone_means_off_until_somebody_switches_on,
		what_fails_comes_again_with_the_same_id, an_approval_that_ended_is_respected, the_store_of_approvals_may_be_away,
		redis_may_be_away, what_cannot_be_read_is_put_aside_and_the_rest_goes_on, stopping_ends_what_is_under_way, operators_see_steer_and_try,
		operators_look_at_one_and_send_it_again };
	const TTest *const many[] = { those_who_hang_delay_nobody };
	Suite *s = suite_create("notifier");
	SRunner *sr = srunner_create(s);
	int failed;

	add_case(s, "few", few, sizeof few / sizeof *few);
	add_case(s, "many", many, sizeof many / sizeof *many);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
