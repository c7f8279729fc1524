/* SPDX-License-Identifier: Apache-2.0
 * What partners make of our notices. The samples of docs/partners.md, as they stand there, and the public libraries
 * they use (Standard Webhooks, PyJWT, Nimbus) must accept what we send and refuse all that differs in one point.
 * A language that is not here, or whose libraries cannot be fetched, is skipped with a line that says so. */
#include "consumer/adapters/openssl/signer_openssl.h"
#include "consumer/notifier/jwt_claims.h"
#include "consumer/notifier/notice_body.h"
#include "consumer/notifier/render.h"
#include "consumer/notifier/webhook_signature.h"
#include "tests/support/key_maker.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024, LIFE_MS = 3600000, FIVE_MINUTES_MS = 300000 };

static const char issuer[] = "https://online.example.com", client_id[] = "app-1", id[] = "7f000001-2/1/backup-restored";
static const char secret_old[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char secret_new[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
static const char secret_other[] = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

enum who { ROTATING /* new keys and old ones */, OLD, NEW, STRANGER, WHO_END };

static struct signer_port *signers[WHO_END];
static char folder[] = "/tmp/sandbox-receivers-XXXXXX";
static int64_t now_ms;

static const struct notice notice = {
	.event_id = id,
	.ctx = "Cust70001",
	.version_name = "R\xc3\xb8lease \"11\" \\ \xe2\x82\xac",
	.file_version = "11.12.675.0",
	.public_endpoint = "online4.example.com",
	.clone_id = "7f000001-2",
	.change_type = 1,
	.traceparent = "",
};

/* ---- cases: what is left out of one is as it should be ---- */

struct recipe {
	const char *name;
	bool accepted, python_only;
	bool is_unsigned; /* the algorithm of the token is none */
	enum who token_by, signed_by;
	enum who keys_of; /* what the receiver knows */
	const char *secret;
	const char *iss, *aud, *sub, *jti, *token;
	int64_t token_age_ms, sent_ago_ms;
	const char *from, *to; /* changed in the body after it was signed */
};

static const struct recipe recipes[] = {
	{ .name = "good", .accepted = true },
	{ .name = "old_secret", .accepted = true, .secret = secret_old },
	{ .name = "other_secret", .secret = secret_other },
	{ .name = "changed_body", .from = "675", .to = "676" },
	{ .name = "changed_blank", .from = ":1,", .to = ": 1," },
	{ .name = "sent_a_while_ago", .accepted = true, .sent_ago_ms = 120000 },
	{ .name = "sent_long_ago", .sent_ago_ms = 310000 },
	{ .name = "sent_in_the_future", .sent_ago_ms = -600000 },
	{ .name = "expired_token", .token_age_ms = LIFE_MS + FIVE_MINUTES_MS },
	{ .name = "token_of_the_future", .token_age_ms = -INT64_C(600000) },
	{ .name = "token_of_a_clock_ahead", .accepted = true, .token_age_ms = -30000 },
	{ .name = "for_another_app", .aud = "app-2" },
	{ .name = "of_another_issuer", .iss = "https://evil.example.com" },
	{ .name = "of_another_tenant", .sub = "Cust70002" },
	{ .name = "of_another_event", .jti = "7f000001-3/1/backup-restored" },
	{ .name = "unknown_key", .token_by = STRANGER },
	{ .name = "not_signed", .is_unsigned = true },
	{ .name = "no_token", .token = "" },
	{ .name = "old_key_while_rotating", .accepted = true, .token_by = OLD },
	{ .name = "new_key_after_rotating", .accepted = true, .keys_of = NEW },
	{ .name = "old_key_after_rotating", .token_by = OLD, .keys_of = NEW },
	{ .name = "client_good", .accepted = true, .python_only = true },
	{ .name = "client_old_key_while_rotating", .accepted = true, .python_only = true, .token_by = OLD },
	{ .name = "client_expired_token", .python_only = true, .token_age_ms = LIFE_MS + FIVE_MINUTES_MS },
	{ .name = "client_for_another_app", .python_only = true, .aud = "app-2" },
	{ .name = "client_unknown_key", .python_only = true, .token_by = STRANGER },
	{ .name = "ed25519_good", .accepted = true, .python_only = true },
	{ .name = "ed25519_old_key_while_rotating", .accepted = true, .python_only = true, .keys_of = OLD },
	{ .name = "ed25519_changed_body", .python_only = true, .from = "675", .to = "676" },
	{ .name = "ed25519_of_a_stranger", .python_only = true, .signed_by = STRANGER },
};

enum { RECIPES = sizeof recipes / sizeof *recipes };

static const char *or(const char *text, const char *standard)
{
	return text ? text : standard;
}

static void need(bool ok, const struct err *e, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "test_notice_receivers: %s: %s\n", what, e ? e->text : strerror(errno));
	exit(1);
}

static void put(const char *name, const char *file, const void *content, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
	f = fopen(path, "w");
	need(f && fwrite(content, 1, len, f) == len && fclose(f) == 0, NULL, path);
}

static void put_json(const char *name, const char *file, json_t *root)
{
	char *text = json_dumps(root, 0);

	put(name, file, text, strlen(text));
	free(text);
	json_decref(root);
}

static void put_headers(const char *name, const struct post_header *headers, size_t count)
{
	json_t *root = json_object();

	for (size_t i = 0; i < count; i++)
		json_object_set_new(root, headers[i].name, json_string(headers[i].value));
	put_json(name, "headers.json", root);
}

/* The receiver's side: the key set, and x of its first ed25519 key. */
static void put_knowledge(const struct recipe *r)
{
	struct err e = { 0 };
	json_t *root, *key;
	const char *x = "";
	struct buf set;
	size_t i;

	buf_init(&set, TEXT_MAX);
	need(signers[r->keys_of]->jwks(signers[r->keys_of], &set, &e), &e, "key set");
	put(r->name, "key_set.json", set.data, set.len);
	root = json_loads(set.data, 0, NULL);
	need(root != NULL, &e, "the key set is no JSON");
	json_array_foreach(json_object_get(root, "keys"), i, key)
		if (!*x && json_object_get(key, "x"))
			x = json_string_value(json_object_get(key, "x"));
	put_json(r->name, "settings.json",
	         json_pack("{s:s,s:s,s:s,s:s}", "secret", or(r->secret, secret_new), "issuer", issuer, "client_id",
	                   client_id, "x", x));
	json_decref(root);
	buf_done(&set);
}

/* The same claims and the same key's name, but algorithm none and no signature: what forgers try first. */
static void take_signature_away(struct buf *token)
{
	static const char rs256[] = "eyJhbGciOiJSUzI1NiIs"; /* {"alg":"RS256", */
	static const char none[] = "eyJhbGciOiAibm9uZSIs";  /* {"alg": "none", */

	need(strncmp(token->data, rs256, sizeof rs256 - 1) == 0, NULL, "the token has another head");
	memcpy(token->data, none, sizeof none - 1);
	strrchr(token->data, '.')[1] = '\0';
}

static void make_token(const struct recipe *r, struct buf *token)
{
	const struct jwt_claims claims = { .issuer = or(r->iss, issuer), .audience = or(r->aud, client_id),
		.subject = or(r->sub, notice.ctx), .id = or(r->jti, id), .now_ms = now_ms - r->token_age_ms, .life_ms = LIFE_MS };
	struct err e = { 0 };
	struct buf payload;

	buf_init(&payload, TEXT_MAX);
	need(jwt_claims(&claims, &payload, &e) && signers[r->token_by]->jwt(signers[r->token_by], payload.data, token, &e), &e,
	     "token");
	if (r->is_unsigned)
		take_signature_away(token);
	buf_done(&payload);
}

static void put_body(const struct recipe *r, const struct buf *body)
{
	const char *at = r->from ? strstr(body->data, r->from) : NULL;
	struct buf changed;

	if (!r->from) {
		put(r->name, "body", body->data, body->len);
		return;
	}
	need(at != NULL, NULL, "nothing to change");
	buf_init(&changed, TEXT_MAX);
	buf_add(&changed, body->data, (size_t)(at - body->data));
	buf_add_text(&changed, r->to);
	buf_add_text(&changed, at + strlen(r->from));
	put(r->name, "body", changed.data, changed.len);
	buf_done(&changed);
}

static void make_folder_of(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	need(mkdir(path, 0700) == 0, NULL, path);
}

static void make_case(const struct recipe *r)
{
	const char *secrets[] = { secret_new, secret_old };
	struct post_header headers[WEBHOOK_HEADERS];
	struct arena *mem = arena_new(1 << 20);
	struct buf token, body;
	struct webhook webhook;
	struct err e = { 0 };
	size_t count;

	make_folder_of(r->name);
	buf_init(&token, TEXT_MAX);
	buf_init(&body, TEXT_MAX);
	make_token(r, &token);
	need(notice_body(&notice, or(r->token, token.data), &body, &e), &e, "body");
	webhook = (struct webhook){ id, now_ms - r->sent_ago_ms, body.data, body.len, secrets, 2 };
	need(webhook_sign(signers[r->signed_by], &webhook, mem, headers, &count, &e), &e, "headers");
	put_headers(r->name, headers, count);
	put_body(r, &body);
	put_knowledge(r);
	buf_done(&body);
	buf_done(&token);
	arena_free(&mem);
}

/* Not put together here, but by what the notifier calls for each try. */
static const struct recipe rendered = { .name = "rendered", .accepted = true };

static void make_rendered(void)
{
	const struct render_settings settings = { issuer, LIFE_MS };
	const char *secrets[] = { secret_new };
	const struct render_app app = { client_id, "https://app.example.com/notices", secrets, 1 };
	struct arena *mem = arena_new(1 << 20);
	struct err e = { 0 };
	struct post post;

	make_folder_of(rendered.name);
	need(render_post(&settings, signers[ROTATING], &notice, &app, now_ms, mem, &post, &e), &e, "rendering");
	put_headers(rendered.name, post.headers, post.header_count);
	put(rendered.name, "body", post.body, post.body_len);
	put_knowledge(&rendered);
	arena_free(&mem);
}

/* ---- signers ---- */

static void make_signers(void)
{
	struct buf rsa[WHO_END], ed25519[WHO_END];
	struct err e = { 0 };

	for (int i = OLD; i < WHO_END; i++) {
		buf_init(&rsa[i], TEXT_MAX);
		buf_init(&ed25519[i], TEXT_MAX);
		make_rsa_key(&rsa[i], 2048);
		make_ed25519_key(&ed25519[i]);
	}
	for (int i = ROTATING; i < WHO_END; i++) {
		const int of[] = { i == ROTATING ? NEW : i, OLD };
		struct signer_keys keys = { .rsa_count = i == ROTATING ? 2 : 1, .ed25519_count = i == ROTATING ? 2 : 1 };

		for (size_t k = 0; k < keys.rsa_count; k++) {
			keys.rsa[k] = (struct signer_key){ "rsa", rsa[of[k]].data, rsa[of[k]].len };
			keys.ed25519[k] = (struct signer_key){ "ed25519", ed25519[of[k]].data, ed25519[of[k]].len };
		}
		signers[i] = signer_openssl_new(&keys, &e);
		need(signers[i] != NULL, &e, "signer");
	}
	for (int i = OLD; i < WHO_END; i++) {
		buf_done(&rsa[i]);
		buf_done(&ed25519[i]);
	}
}

/* ---- receivers ---- */

struct receiver {
	const char *language;
	bool is_here;
	char said[TEXT_MAX];
};

static struct receiver receivers[] = { { .language = "python" }, { .language = "javascript" }, { .language = "go" },
				       { .language = "java" }, { .language = "csharp" } };
enum { RECEIVERS = sizeof receivers / sizeof *receivers };

/* Runs receivers.sh with these cases; what it says is kept. Its exit code. */
static int run(struct receiver *r, const char *cases)
{
	struct buf command;
	int status;
	FILE *f;

	buf_init(&command, TEXT_MAX);
	buf_printf(&command, "%s/tests/support/receivers/receivers.sh %s %s/%s %s 2>&1", getenv("SOURCE_DIR"), r->language,
	           folder, r->language, cases);
	f = popen(command.data, "r");
	need(f != NULL, NULL, "popen");
	r->said[fread(r->said, 1, sizeof r->said - 1, f)] = '\0';
	status = pclose(f);
	buf_done(&command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Fetching and building may take longer than a notice is young. */
static void get_ready(struct receiver *r)
{
	r->is_here = run(r, "") != 77;
	if (!r->is_here)
		printf("SKIPPED: no receiver in %s: %s", r->language, r->said);
}

static void ask(struct receiver *r)
{
	struct buf cases;

	buf_init(&cases, TEXT_MAX);
	buf_printf(&cases, "%s/%s", folder, rendered.name);
	for (int i = 0; i < RECIPES; i++)
		if (!recipes[i].python_only || r == receivers)
			buf_printf(&cases, " %s/%s", folder, recipes[i].name);
	run(r, cases.data);
	buf_done(&cases);
}

static void judged_as(const struct receiver *r, const struct recipe *recipe)
{
	char line[128];

	snprintf(line, sizeof line, "%s %s", recipe->name, recipe->accepted ? "accepted" : "refused");
	for (const char *at = strstr(r->said, line); at; at = strstr(at + 1, line))
		if (at == r->said || at[-1] == '\n')
			return;
	ck_abort_msg("%s: not \"%s\" but:\n%s", r->language, line, r->said);
}

START_TEST(what_is_genuine_is_accepted_and_all_else_refused)
{
	judged_as(&receivers[_i / RECIPES], &recipes[_i % RECIPES]);
}
END_TEST

START_TEST(what_the_notifier_sends_is_accepted)
{
	judged_as(&receivers[_i], &rendered);
}
END_TEST

/* ---- from start to end ---- */

/* What is asked of it: those for Python alone are the last ones. */
static void add_tests(TCase *tc, int receiver)
{
	int count = 0;

	while (count < RECIPES && (receiver == 0 || !recipes[count].python_only))
		count++;
	tcase_add_loop_test(tc, what_is_genuine_is_accepted_and_all_else_refused, receiver * RECIPES,
	                    receiver * RECIPES + count);
	tcase_add_loop_test(tc, what_the_notifier_sends_is_accepted, receiver, receiver + 1);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static int run_tests(void)
{
	Suite *s = suite_create("notice_receivers");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	for (int i = 0; i < RECEIVERS; i++)
		if (receivers[i].is_here)
			add_tests(tc, i);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}

int main(void)
{
	int status;

	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	need(mkdtemp(folder) != NULL, NULL, folder);
	for (int i = 0; i < RECEIVERS; i++)
		get_ready(&receivers[i]);
	make_signers();
	now_ms = (int64_t)time(NULL) * 1000;
	make_rendered();
	for (int i = 0; i < RECIPES; i++)
		make_case(&recipes[i]);
	for (int i = 0; i < RECEIVERS; i++)
		if (receivers[i].is_here)
			ask(&receivers[i]);
	status = run_tests();
	for (int i = 0; i < WHO_END; i++)
		signers[i]->close(signers[i]);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return status;
}
