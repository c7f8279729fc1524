/* SPDX-License-Identifier: Apache-2.0
 * What a partner app gets: the six members, the claims of the token, the headers of Standard Webhooks. */
#include "consumer/adapters/openssl/signer_openssl.h"
#include "consumer/notifier/jwt_claims.h"
#include "consumer/notifier/notice_body.h"
#include "consumer/notifier/webhook_signature.h"
#include "tests/support/key_maker.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Standard Webhooks, the tests of its own libraries: both kinds of signature over the same notice. */
static const char sw_id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek", sw_body[] = "{\"test\": 2432232314}";
static const long long sw_seconds = 1614265330;
static const char sw_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char sw_hmac[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
static const char sw_key[] = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=";
static const char sw_ed25519[] =
	"v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";


enum { OUT_MAX = 64 * 1024, NOW_S = 1785578400 };

static struct signer_port *signer; /* made once, before the tests are forked off */
static struct arena *mem;
static struct buf out;
static struct err err;

static void setup(void)
{
	mem = arena_new(1 << 20);
	buf_init(&out, OUT_MAX);
	err_clear(&err);
}

static void teardown(void)
{
	buf_done(&out);
	arena_free(&mem);
}

/* ---- the body ---- */

static const struct notice example = {
	.event_id = "7f000001-2/1/backup-restored",
	.ctx = "Cust70001",
	.version_name = "Release_11.12_2026.07.20-01",
	.file_version = "11.12.675.0",
	.public_endpoint = "online4.superoffice.com",
	.clone_id = "7f000001-2",
	.change_type = 1,
	.sequence = 34,
	.occurred_at_ms = NOW_S * INT64_C(1000),
	.traceparent = "",
};

START_TEST(the_body_is_that_of_the_manual)
{
	ck_assert_msg(notice_body(&example, "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", &out, &err), "%s", err.text);
	ck_assert_str_eq(out.data,
	                 "{\"ChangeType\":1,\"ContextIdentifier\":\"Cust70001\","
	                 "\"VersionName\":\"Release_11.12_2026.07.20-01\","
	                 "\"FileVersion\":\"11.12.675.0\",\"Token\":\"eyJhbGciOiJSUzI1NiJ9.e30.c2ln\","
	                 "\"PublicEndpoint\":\"online4.superoffice.com\"}");
}
END_TEST

/* Read back with another's reader: what comes out is what went in, whatever it holds. */
START_TEST(any_text_comes_through)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", NULL },
		{ "say \"hello\" \\ / \b\f\n\r\t \x01\x1f\x7f", NULL },
		{ "\xc3\xa6\xc3\xb8\xc3\xa5 \xe2\x82\xac \xf0\x9f\x98\x80", NULL },
		{ "</script>\xe2\x80\xa8\xe2\x80\xae\",\"ChangeType\":4,\"x\":\"", NULL },
		{ "broken \xff\xc3(\xed\xa0\x80", "broken \xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct notice notice = example;
		json_t *root;

		buf_clear(&out);
		notice.version_name = rows[i].in;
		ck_assert(notice_body(&notice, "t", &out, &err));
		root = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
		ck_assert_msg(root != NULL, "%s", out.data);
		ck_assert_uint_eq(json_object_size(root), 6);
		ck_assert_int_eq(json_integer_value(json_object_get(root, "ChangeType")), 1);
		ck_assert_str_eq(json_string_value(json_object_get(root, "VersionName")), rows[i].out ? rows[i].out : rows[i].in);
		json_decref(root);
	}
}
END_TEST

START_TEST(a_body_stays_within_its_bounds)
{
	char most[NOTICE_FIELD_MAX + 2], token[NOTICE_TOKEN_MAX + 2];
	struct notice notice = example;

	memset(most, 1, sizeof most - 1);
	most[NOTICE_FIELD_MAX + 1] = '\0';
	memset(token, 'a', sizeof token - 1);
	token[NOTICE_TOKEN_MAX + 1] = '\0';
	notice.ctx = notice.version_name = notice.file_version = notice.public_endpoint = most + 1;
	ck_assert_msg(notice_body(&notice, token + 1, &out, &err), "%s", err.text);
	ck_assert_uint_le(out.len, POST_BODY_MAX);

	notice.file_version = most;
	ck_assert(!notice_body(&notice, "t", &out, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "FileVersion"));
	err_clear(&err);
	ck_assert(!notice_body(&example, token, &out, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "Token"));
	err_clear(&err);
	notice = example;
	notice.ctx = "";
	ck_assert(!notice_body(&notice, "t", &out, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

START_TEST(a_body_that_does_not_fit_is_an_error)
{
	for (size_t room = 1; room < 180; room += 7) {
		struct buf small;

		err_clear(&err);
		buf_init(&small, room);
		ck_assert(!notice_body(&example, "token", &small, &err));
		ck_assert_int_eq(err.class, ERR_TRANSIENT);
		buf_done(&small);
	}
}
END_TEST

/* ---- the claims ---- */

static const struct jwt_claims claims = {
	.issuer = "https://online.example.com",
	.audience = "app-\"1\"",
	.subject = "Cust70001",
	.id = "7f000001-2/1/backup-restored",
	.now_ms = NOW_S * INT64_C(1000) + 999,
	.life_ms = 300000,
};

START_TEST(the_claims_say_who_for_whom_and_how_long)
{
	ck_assert(jwt_claims(&claims, &out, &err));
	ck_assert_str_eq(out.data, "{\"iss\":\"https://online.example.com\",\"aud\":\"app-\\\"1\\\"\",\"sub\":\"Cust70001\","
	                           "\"iat\":1785578340,\"nbf\":1785578340,\"exp\":1785578700,"
	                           "\"jti\":\"7f000001-2/1/backup-restored\"}");
}
END_TEST

START_TEST(a_claim_that_is_missing_is_a_mistake)
{
	struct jwt_claims c[5] = { claims, claims, claims, claims, claims };

	c[0].issuer = c[1].audience = c[2].subject = c[3].id = "";
	c[4].life_ms = 999;
	for (int i = 0; i < 5; i++) {
		err_clear(&err);
		ck_assert(!jwt_claims(&c[i], &out, &err));
		ck_assert_int_eq(err.class, ERR_MISUSE);
	}
}
END_TEST

/* ---- the headers ---- */

static struct post_header headers[WEBHOOK_HEADERS];
static size_t header_count;

static bool sign_with(const char *id, const char *const *secrets, size_t count, struct signer_port *by)
{
	const struct webhook w = { id, sw_seconds * 1000 + 500, sw_body, strlen(sw_body), secrets, count };

	err_clear(&err);
	return webhook_sign(by, &w, mem, headers, &header_count, &err);
}

static void header_is(size_t i, const char *name, const char *value)
{
	ck_assert_str_eq(headers[i].name, name);
	ck_assert_str_eq(headers[i].value, value);
}

START_TEST(both_signatures_are_those_of_the_standard)
{
	const char *secrets[] = { sw_secret };
	char both[512];

	snprintf(both, sizeof both, "%s %s", sw_hmac, sw_ed25519);
	ck_assert_msg(sign_with(sw_id, secrets, 1, signer), "%s", err.text);
	ck_assert_uint_eq(header_count, 3);
	header_is(0, "webhook-id", sw_id);
	header_is(1, "webhook-timestamp", "1614265330");
	header_is(2, "webhook-signature", both);
	ck_assert(sign_with(sw_id, NULL, 0, signer));
	header_is(2, "webhook-signature", sw_ed25519);
}
END_TEST

START_TEST(each_secret_gets_its_signature)
{
	const char *secrets[] = { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", sw_secret, sw_secret, sw_secret };
	const char *items[6], *text;
	char *copy, *at = NULL;
	size_t count = 0;

	ck_assert(sign_with(sw_id, secrets, 4, signer));
	copy = strdup(headers[2].value);
	for (text = strtok_r(copy, " ", &at); text && count < 6; text = strtok_r(NULL, " ", &at))
		items[count++] = text;
	ck_assert_uint_eq(count, 5);
	ck_assert_int_eq(strncmp(items[0], "v1,", 3), 0);
	ck_assert_str_ne(items[0], sw_hmac);
	ck_assert_str_eq(items[1], sw_hmac);
	ck_assert_str_eq(items[3], sw_hmac);
	ck_assert_str_eq(items[4], sw_ed25519);
	free(copy);
}
END_TEST

static bool has_no_key(struct signer_port *self, const void *text, size_t len, struct buf *o, struct err *e)
{
	(void)self, (void)text, (void)len, (void)o, (void)e;
	return true;
}

START_TEST(without_keys_the_signature_is_left_out)
{
	struct signer_port without = *signer;

	without.ed25519 = has_no_key;
	ck_assert(sign_with(sw_id, NULL, 0, &without));
	ck_assert_uint_eq(header_count, 2);
}
END_TEST

START_TEST(a_secret_that_is_none_is_refused_and_not_told)
{
	const char *secrets[] = { sw_secret, "whsec_canary" };

	ck_assert(!sign_with(sw_id, secrets, 2, signer));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_ptr_null(strstr(err.text, "canary"));
	ck_assert_uint_eq(header_count, 0);
}
END_TEST

START_TEST(an_id_may_not_move_borders_or_lines)
{
	static const char *const wrong[] = { "", ".", "a.1614265330", "a b", "a\n", "a\r\nx: y", "\xc3\xa6", "a\x7f", "\t" };
	char most[WEBHOOK_ID_MAX + 2];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_msg(!sign_with(wrong[i], NULL, 0, signer), "%s", wrong[i]);
		ck_assert_int_eq(err.class, ERR_REFUSED);
	}
	memset(most, 'a', sizeof most - 1);
	most[WEBHOOK_ID_MAX + 1] = '\0';
	ck_assert(!sign_with(most, NULL, 0, signer));
	ck_assert(sign_with(most + 1, NULL, 0, signer));
	ck_assert(sign_with(example.event_id, NULL, 0, signer));
}
END_TEST

START_TEST(a_body_beyond_what_can_be_posted_is_not_signed)
{
	char *body = calloc(1, POST_BODY_MAX + 2 * WEBHOOK_ID_MAX);
	struct webhook w = { sw_id, 0, body, POST_BODY_MAX, NULL, 0 };

	ck_assert(webhook_sign(signer, &w, mem, headers, &header_count, &err));
	w.body_len = POST_BODY_MAX + 2 * WEBHOOK_ID_MAX;
	ck_assert(!webhook_sign(signer, &w, mem, headers, &header_count, &err));
	free(body);
}
END_TEST

static struct signer_port *make_signer(void)
{
	struct signer_keys keys = { .rsa_count = 1, .ed25519_count = 1 };
	struct signer_port *made;
	struct buf pem;

	buf_init(&pem, OUT_MAX);
	make_rsa_key(&pem, 2048);
	keys.rsa[0] = (struct signer_key){ "rsa", pem.data, pem.len };
	keys.ed25519[0] = (struct signer_key){ "ed25519", sw_key, strlen(sw_key) };
	made = signer_openssl_new(&keys, &err);
	buf_done(&pem);
	return made;
}

int main(void)
{
	Suite *s = suite_create("notice");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	signer = make_signer();
	if (!signer) {
		fprintf(stderr, "no signer: %s\n", err.text);
		return 1;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_body_is_that_of_the_manual);
	tcase_add_test(tc, any_text_comes_through);
	tcase_add_test(tc, a_body_stays_within_its_bounds);
	tcase_add_test(tc, a_body_that_does_not_fit_is_an_error);
	tcase_add_test(tc, the_claims_say_who_for_whom_and_how_long);
	tcase_add_test(tc, a_claim_that_is_missing_is_a_mistake);
	tcase_add_test(tc, both_signatures_are_those_of_the_standard);
	tcase_add_test(tc, each_secret_gets_its_signature);
	tcase_add_test(tc, without_keys_the_signature_is_left_out);
	tcase_add_test(tc, a_secret_that_is_none_is_refused_and_not_told);
	tcase_add_test(tc, an_id_may_not_move_borders_or_lines);
	tcase_add_test(tc, a_body_beyond_what_can_be_posted_is_not_signed);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	signer->close(signer);
	return failed != 0;
}
