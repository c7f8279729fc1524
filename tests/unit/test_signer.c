/* SPDX-License-Identifier: Apache-2.0
 * The notifier's keys: the standards' own vectors, keys that are none, several keys at a time, many threads. */
#include "consumer/adapters/openssl/base64.h"
#include "consumer/adapters/openssl/keys.h"
#include "consumer/programs/wire_signer.h"
#include "tests/support/key_maker.h"
#include "tests/unit/signer_vectors.h"

#include <check.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_MAX = 64 * 1024 };

/* Made once, before the tests are forked off. */
static struct buf rsa_new, rsa_old, rsa_short, ed25519_pem;
static struct buf out;
static struct err err;

static void setup(void)
{
	buf_init(&out, OUT_MAX);
	err_clear(&err);
}

static void teardown(void)
{
	buf_done(&out);
}

static struct signer_key key_of(const char *text)
{
	return (struct signer_key){ "the-key", text, strlen(text) };
}

static struct signer_port *signer_of(const char *rsa, const char *rsa2, const char *ed25519, const char *ed25519_2)
{
	struct signer_keys keys = { .rsa_count = rsa2 ? 2 : 1, .ed25519_count = ed25519_2 ? 2 : ed25519 ? 1 : 0 };

	keys.rsa[0] = key_of(rsa);
	keys.rsa[1] = key_of(rsa2 ? rsa2 : "");
	keys.ed25519[0] = key_of(ed25519 ? ed25519 : "");
	keys.ed25519[1] = key_of(ed25519_2 ? ed25519_2 : "");
	return signer_openssl_new(&keys, &err);
}

static struct signer_port *good_signer(void)
{
	struct signer_port *signer = signer_of(rfc7515_key, NULL, rfc8037_seed, NULL);

	ck_assert_msg(signer != NULL, "%s", err.text);
	return signer;
}

/* ---- base64 ---- */

START_TEST(base64_is_that_of_rfc_4648)
{
	static const char *const plain[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };
	static const char *const url[] = { "", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy" };
	unsigned char bytes[8];

	for (size_t n = 0; n <= 6; n++) {
		buf_clear(&out);
		ck_assert(base64_add(&out, "foobar", n));
		ck_assert_str_eq(buf_text(&out), plain[n]);
		ck_assert_uint_eq(base64_read(plain[n], strlen(plain[n]), bytes, sizeof bytes), n);
		ck_assert_int_eq(memcmp(bytes, "foobar", n), 0);
		buf_clear(&out);
		ck_assert(base64url_add(&out, "foobar", n));
		ck_assert_str_eq(buf_text(&out), url[n]);
	}
	buf_clear(&out);
	ck_assert(base64_add(&out, "\xfb\xff\xfe", 3) && base64url_add(&out, "\xfb\xff\xfe", 3));
	ck_assert_str_eq(buf_text(&out), "+//+-__-");
}
END_TEST

START_TEST(what_is_no_base64_is_nothing)
{
	static const char *const wrong[] = { "Zg", "Zg=", "Z", "Zg===", "====", "=", "Zm=v", "Zm9v ", " Zm9", "Zm\n=", "Zm-_",
					     "Zm9vYmFyZm9v" /* nine bytes */ };
	unsigned char bytes[8];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(base64_read(wrong[i], strlen(wrong[i]), bytes, sizeof bytes) == 0, "%s", wrong[i]);
	ck_assert_uint_eq(base64_read("Zm\0v", 4, bytes, sizeof bytes), 0);
	ck_assert_uint_eq(base64_read("Zm9vYmFyZm8=", 12, bytes, sizeof bytes), 8);
}
END_TEST

/* ---- vectors ---- */

START_TEST(rs256_is_that_of_rfc_7515)
{
	unsigned char signature[SIGNER_RSA_BITS_MAX / 8];
	struct signer_key text = key_of(rfc7515_key);
	EVP_PKEY *key = rsa_key_read(&text, &err);
	size_t len;

	ck_assert_msg(key != NULL, "%s", err.text);
	ck_assert(key_sign(key, rfc7515_text, strlen(rfc7515_text), signature, sizeof signature, &len, &err));
	ck_assert(base64url_add(&out, signature, len));
	ck_assert_str_eq(buf_text(&out), rfc7515_signature);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_key_is_called_by_its_thumbprint_of_rfc_7638)
{
	BIO *bio = BIO_new_mem_buf(rfc7638_key, -1);
	EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	char kid[SIGNER_KID_TEXT];

	BIO_free(bio);
	ck_assert(key_id(key, kid, &err));
	ck_assert_str_eq(kid, rfc7638_thumbprint);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(ed25519_is_that_of_rfc_8037)
{
	struct signer_port *signer = good_signer();

	ck_assert(signer->ed25519(signer, rfc8037_text, strlen(rfc8037_text), &out, &err));
	ck_assert_str_eq(buf_text(&out), rfc8037_signature);
	buf_clear(&out);
	ck_assert(signer->public_keys(signer, &out, &err));
	ck_assert_uint_eq(out.len, strlen(rfc8037_public) + 1);
	ck_assert_int_eq(strncmp(out.data, rfc8037_public, strlen(rfc8037_public)), 0);
	buf_clear(&out);
	ck_assert(signer->jwks(signer, &out, &err));
	ck_assert_ptr_nonnull(strstr(out.data, rfc8037_thumbprint));
	signer->close(signer);
}
END_TEST

/* ---- tokens and the key set ---- */

START_TEST(a_token_names_its_key_and_only_public_halves_are_told)
{
	static const char *const secret[] = { "\"d\"", "\"p\"", "\"q\"", "\"dp\"", "PRIVATE", "nWGxne" };
	struct signer_port *signer = good_signer();
	char *kid, *end;

	buf_add_text(&out, "before ");
	ck_assert_msg(signer->jwt(signer, "{\"a\":1}", &out, &err), "%s", err.text);
	/* {"alg":"RS256","kid":"... */
	ck_assert_int_eq(strncmp(out.data, "before eyJhbGciOiJSUzI1NiIsImtpZCI6I", 36), 0);
	ck_assert_ptr_nonnull(strstr(out.data, ".eyJhIjoxfQ."));
	ck_assert_uint_eq(strspn(out.data + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
	                  out.len - 7);
	buf_clear(&out);
	ck_assert(signer->jwks(signer, &out, &err));
	ck_assert_int_eq(strncmp(out.data, "{\"keys\":[{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"ofgWCuLj", 46), 0);
	kid = strstr(out.data, "\"kid\":\"");
	ck_assert_ptr_nonnull(kid);
	end = strchr(kid + 7, '"');
	ck_assert_int_eq(end - kid - 7, SIGNER_KID_TEXT - 1);
	for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
		ck_assert_ptr_null(strstr(out.data, secret[i]));
	signer->close(signer);
}
END_TEST

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

START_TEST(while_rotating_the_first_signs_and_all_are_told)
{
	struct signer_port *both = signer_of(rsa_new.data, rsa_old.data, rfc8037_seed, ed25519_pem.data);
	struct signer_port *alone = signer_of(rsa_new.data, NULL, NULL, NULL);
	struct buf other;

	ck_assert_msg(both && alone, "%s", err.text);
	buf_init(&other, OUT_MAX);
	ck_assert(both->jwt(both, "{}", &out, &err) && alone->jwt(alone, "{}", &other, &err));
	ck_assert_str_eq(out.data, other.data); /* RS256 is deterministic: the same key, the same token */
	buf_clear(&out);
	ck_assert(both->jwks(both, &out, &err));
	ck_assert_uint_eq(count_of(out.data, "\"kty\":\"RSA\""), 2);
	ck_assert_uint_eq(count_of(out.data, "\"kty\":\"OKP\""), 2);
	buf_clear(&out);
	ck_assert(both->ed25519(both, "x", 1, &out, &err));
	ck_assert_uint_eq(count_of(out.data, " v1a,"), 2);
	buf_clear(&other);
	ck_assert(alone->ed25519(alone, "x", 1, &other, &err));
	ck_assert_uint_eq(other.len, 0);
	buf_done(&other);
	both->close(both);
	alone->close(alone);
}
END_TEST

START_TEST(what_does_not_fit_leaves_nothing_behind)
{
	struct signer_port *signer = good_signer();

	for (size_t room = 1; room <= 400; room += 19) {
		struct buf small;

		err_clear(&err);
		buf_init(&small, room + 2);
		buf_add_text(&small, "x");
		ck_assert(!signer->jwt(signer, "{\"a\":1}", &small, &err));
		ck_assert_int_eq(err.class, ERR_TRANSIENT);
		ck_assert_str_eq(buf_text(&small), "x");
		buf_done(&small);
	}
	signer->close(signer);
}
END_TEST

/* ---- what is no key ---- */

static void refused(const char *rsa, const char *rsa2, const char *ed25519, const char *ed25519_2, const char *sentence)
{
	struct signer_port *signer;

	err_clear(&err);
	signer = signer_of(rsa, rsa2, ed25519, ed25519_2);
	ck_assert_msg(!signer, "accepted, instead of: %s", sentence);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, sentence) && strstr(err.text, "the-key"), "\"%s\" is not in \"%s\"", sentence,
	              err.text);
	ck_assert_ptr_null(strstr(err.text, "MII"));
}

static const char ec_key[] = "-----BEGIN PRIVATE KEY-----\n"
			     "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcLVzEMdFuDXjdcPv\n"
			     "ZZu1zDJVQTJAncXV8QOOw2GKgKWhRANCAATP/eNKnVrOA/OLOO/sUYcB/CJw4Db8\n"
			     "FgSnFwsh7FF6XFc4jMckOAZoIU8jGbZM80o3glpZXG5nA8sji9XAU/uX\n"
			     "-----END PRIVATE KEY-----\n";
static const char locked_key[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkq\n-----END ENCRYPTED PRIVATE KEY-----\n";

START_TEST(keys_of_another_kind_are_refused)
{
	refused("", NULL, NULL, NULL, "no private key in PEM");
	refused("hello", NULL, NULL, NULL, "no private key in PEM");
	refused(rfc7638_key, NULL, NULL, NULL, "no private key in PEM");
	refused(locked_key, NULL, NULL, NULL, "locked with a password");
	refused(rsa_short.data, NULL, NULL, NULL, "less than 2048 bits");
	refused(ed25519_pem.data, NULL, NULL, NULL, "no RSA key");
	refused(ec_key, NULL, NULL, NULL, "no RSA key");
	refused(rfc7515_key, "hello", NULL, NULL, "no private key in PEM");
	refused(rfc7515_key, rfc7515_key, NULL, NULL, "there twice");
	refused(rfc7515_key, NULL, rfc7515_key, NULL, "no ed25519 key");
	refused(rfc7515_key, NULL, ec_key, NULL, "no ed25519 key");
	refused(rfc7515_key, NULL, rfc8037_public, NULL, "no private key in PEM");
	refused(rfc7515_key, NULL, "whsk_", NULL, "no private key in PEM");
	refused(rfc7515_key, NULL, "whsk_Zm9v", NULL, "no ed25519 key");
	refused(rfc7515_key, NULL, "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", NULL, "no ed25519 key");
	refused(rfc7515_key, NULL, rfc8037_seed, rfc8037_seed, "there twice");
}
END_TEST

START_TEST(without_an_rsa_key_there_is_no_signer)
{
	struct signer_keys keys = { .rsa_count = 0 };

	ck_assert_ptr_null(signer_openssl_new(&keys, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	keys.rsa_count = SIGNER_KEYS_MAX + 1;
	err_clear(&err);
	ck_assert_ptr_null(signer_openssl_new(&keys, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

/* Seed and public half in one text, as some tools write it: right, and with another's public half. */
START_TEST(the_long_form_of_an_ed25519_key_must_fit_together)
{
	unsigned char bytes[2 * ED25519_BYTES];
	struct signer_port *signer;
	struct buf text;

	ck_assert_uint_eq(base64_read(rfc8037_seed + 5, strlen(rfc8037_seed) - 5, bytes, ED25519_BYTES), ED25519_BYTES);
	ck_assert_uint_eq(base64_read(rfc8037_public + 5, strlen(rfc8037_public) - 5, bytes + ED25519_BYTES, ED25519_BYTES),
	                  ED25519_BYTES);
	buf_init(&text, 256);
	buf_add_text(&text, "whsk_");
	base64_add(&text, bytes, sizeof bytes);
	buf_add_text(&text, "\r\n");
	signer = signer_of(rfc7515_key, NULL, text.data, NULL);
	ck_assert_msg(signer != NULL, "%s", err.text);
	ck_assert(signer->ed25519(signer, rfc8037_text, strlen(rfc8037_text), &out, &err));
	ck_assert_str_eq(buf_text(&out), rfc8037_signature);
	signer->close(signer);
	bytes[ED25519_BYTES] ^= 1;
	buf_clear(&text);
	buf_add_text(&text, "whsk_");
	base64_add(&text, bytes, sizeof bytes);
	refused(rfc7515_key, NULL, text.data, NULL, "no ed25519 key");
	buf_done(&text);
}
END_TEST

START_TEST(secrets_have_24_to_64_bytes)
{
	static const struct {
		size_t bytes;
		bool ok;
	} rows[] = { { 0, false }, { 1, false }, { 23, false }, { 24, true }, { 32, true }, { 64, true }, { 65, false },
		     { 100, false } };
	struct signer_port *signer = good_signer();
	unsigned char bytes[100] = { 7 };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf secret;

		err_clear(&err);
		buf_clear(&out);
		buf_init(&secret, 256);
		buf_add_text(&secret, "whsec_");
		base64_add(&secret, bytes, rows[i].bytes);
		ck_assert_msg(signer->hmac(signer, secret.data, "text", 4, &out, &err) == rows[i].ok, "%zu", rows[i].bytes);
		ck_assert_int_eq(err.class, rows[i].ok ? ERR_NONE : ERR_REFUSED);
		ck_assert_uint_eq(out.len, rows[i].ok ? 47 : 0);
		buf_done(&secret);
	}
	err_clear(&err);
	ck_assert(!signer->hmac(signer, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "text", 4, &out, &err));
	ck_assert_ptr_null(strstr(err.text, "MfKQ"));
	signer->close(signer);
}
END_TEST

/* ---- from files ---- */

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0);
}

START_TEST(keys_come_from_files_of_their_owner_only)
{
	char folder[] = "/tmp/sandbox-signer-XXXXXX", rsa[64], ed25519[64];
	const char *rsa_files[] = { rsa }, *ed25519_files[] = { ed25519 };
	const struct key_files files = { rsa_files, ed25519_files, 1, 1 };
	struct signer_port *signer;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(rsa, sizeof rsa, "%s/rsa.pem", folder);
	snprintf(ed25519, sizeof ed25519, "%s/ed25519.key", folder);
	put(rsa, rfc7515_key, 0600);
	put(ed25519, rfc8037_seed, 0600);
	signer = wire_signer(&files, &err);
	ck_assert_msg(signer != NULL, "%s", err.text);
	signer->close(signer);
	put(rsa, rfc7515_key, 0640);
	ck_assert_ptr_null(wire_signer(&files, &err));
	ck_assert_msg(strstr(err.text, "chmod 600") && strstr(err.text, rsa), "%s", err.text);
	put(rsa, rsa_short.data, 0600);
	err_clear(&err);
	ck_assert_ptr_null(wire_signer(&files, &err));
	ck_assert_msg(strstr(err.text, "2048") && strstr(err.text, rsa), "%s", err.text);
	unlink(rsa);
	unlink(ed25519);
	rmdir(folder);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 25 };

struct worker {
	struct signer_port *signer;
	const char *token;
	int same;
};

static void *sign_often(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct err e = { 0 };
		struct buf token;

		buf_init(&token, 4096);
		if (w->signer->jwt(w->signer, "{\"a\":1}", &token, &e) &&
		    w->signer->ed25519(w->signer, rfc8037_text, strlen(rfc8037_text), &token, &e) &&
		    strncmp(token.data, w->token, strlen(w->token)) == 0 &&
		    strcmp(token.data + strlen(w->token), rfc8037_signature) == 0)
			w->same++;
		buf_done(&token);
	}
	return NULL;
}

START_TEST(many_threads_sign_at_a_time)
{
	struct signer_port *signer = good_signer();
	struct worker workers[THREADS];
	pthread_t threads[THREADS];

	ck_assert(signer->jwt(signer, "{\"a\":1}", &out, &err));
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ signer, out.data, 0 };
		ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, &workers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_int_eq(workers[i].same, ROUNDS);
	}
	signer->close(signer);
}
END_TEST

static void make_keys(void)
{
	struct buf *all[] = { &rsa_new, &rsa_old, &rsa_short, &ed25519_pem };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		buf_init(all[i], OUT_MAX);
	make_rsa_key(&rsa_new, 2048);
	make_rsa_key(&rsa_old, 3072);
	make_rsa_key(&rsa_short, 1024);
	make_ed25519_key(&ed25519_pem);
}

static void free_keys(void)
{
	buf_done(&rsa_new);
	buf_done(&rsa_old);
	buf_done(&rsa_short);
	buf_done(&ed25519_pem);
}

int main(void)
{
	Suite *s = suite_create("signer");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	make_keys();
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, base64_is_that_of_rfc_4648);
	tcase_add_test(tc, what_is_no_base64_is_nothing);
	tcase_add_test(tc, rs256_is_that_of_rfc_7515);
	tcase_add_test(tc, a_key_is_called_by_its_thumbprint_of_rfc_7638);
	tcase_add_test(tc, ed25519_is_that_of_rfc_8037);
	tcase_add_test(tc, a_token_names_its_key_and_only_public_halves_are_told);
	tcase_add_test(tc, while_rotating_the_first_signs_and_all_are_told);
	tcase_add_test(tc, what_does_not_fit_leaves_nothing_behind);
	tcase_add_test(tc, keys_of_another_kind_are_refused);
	tcase_add_test(tc, without_an_rsa_key_there_is_no_signer);
	tcase_add_test(tc, the_long_form_of_an_ed25519_key_must_fit_together);
	tcase_add_test(tc, secrets_have_24_to_64_bytes);
	tcase_add_test(tc, keys_come_from_files_of_their_owner_only);
	tcase_add_test(tc, many_threads_sign_at_a_time);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	free_keys();
	return failed != 0;
}
