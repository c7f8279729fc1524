/* SPDX-License-Identifier: Apache-2.0
 * Small things of the system: secret files, the keyed hash, ids, clocks. */
#include "consumer/adapters/system/clock_system.h"
#include "consumer/adapters/system/random_uuid.h"
#include "consumer/adapters/system/seal_openssl.h"
#include "consumer/adapters/system/secret_file.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/sandbox-seal-XXXXXX";
static char path[64];
static struct err err;

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/key", folder);
	err_clear(&err);
}

static void teardown(void)
{
	unlink(path);
	rmdir(folder);
}

static void put(const char *content, size_t len, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(content, 1, len, f), len);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

static bool sealed(struct seal_port *seal, const char *a, const char *b, char out_r[SEAL_TEXT])
{
	const char *parts[] = { a, b };

	return seal->seal(seal, parts, b ? 2 : 1, out_r, &err);
}

START_TEST(hash_is_hmac_sha256_over_length_and_bytes)
{
	/* printf '\0\0\0\0\0\0\0\002ab\0\0\0\0\0\0\0\001c' | openssl dgst -sha256 -hmac 0123...cdef */
	static const char expected[] = "5bc6970f3a0db5d6b678f1220a24eabfc2086547f63d6405e66db856e4eeede5";
	char one[SEAL_TEXT], two[SEAL_TEXT], again[SEAL_TEXT];
	struct seal_port *seal;

	put("0123456789abcdef0123456789abcdef", 32, 0600);
	seal = seal_openssl_new(path, &err);
	ck_assert_msg(seal, "%s", err.text);
	ck_assert(sealed(seal, "ab", "c", one) && sealed(seal, "a", "bc", two) && sealed(seal, "ab", "c", again));
	ck_assert_str_eq(one, expected);
	ck_assert_str_eq(one, again);
	ck_assert_str_ne(one, two);
	ck_assert(sealed(seal, "abc", NULL, two));
	ck_assert_str_ne(one, two);
	ck_assert(seal->seal(seal, NULL, 0, two, &err));
	ck_assert_uint_eq(strlen(two), 64);
	seal_openssl_free(&seal);
	ck_assert_ptr_null(seal);
}
END_TEST

START_TEST(another_key_gives_another_hash)
{
	char one[SEAL_TEXT], two[SEAL_TEXT];

	put("0123456789abcdef0123456789abcdef", 32, 0600);
	struct seal_port *seal = seal_openssl_new(path, &err);
	ck_assert(sealed(seal, "a", "b", one));
	seal_openssl_free(&seal);
	put("0123456789abcdef0123456789abcdeF", 32, 0600);
	seal = seal_openssl_new(path, &err);
	ck_assert(sealed(seal, "a", "b", two));
	seal_openssl_free(&seal);
	ck_assert_str_ne(one, two);
}
END_TEST

struct sealing {
	struct seal_port *seal;
	bool right;
};

static void *seal_often(void *arg)
{
	struct sealing *s = arg;
	char first[SEAL_TEXT], again[SEAL_TEXT];
	const char *parts[] = { "ab", "c" };
	struct err e = { 0 };

	s->right = s->seal->seal(s->seal, parts, 2, first, &e);
	for (int i = 0; i < 2000 && s->right; i++)
		s->right = s->seal->seal(s->seal, parts, 2, again, &e) && strcmp(first, again) == 0;
	return NULL;
}

START_TEST(many_threads_may_seal_at_a_time)
{
	struct sealing threads[4];
	pthread_t id[4];
	struct seal_port *seal;

	put("0123456789abcdef0123456789abcdef", 32, 0600);
	seal = seal_openssl_new(path, &err);
	ck_assert_msg(seal, "%s", err.text);
	for (int i = 0; i < 4; i++) {
		threads[i].seal = seal;
		ck_assert_int_eq(pthread_create(&id[i], NULL, seal_often, &threads[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(id[i], NULL);
		ck_assert(threads[i].right);
	}
	seal_openssl_free(&seal);
}
END_TEST

START_TEST(a_short_key_is_refused)
{
	put("too-short-canary", 16, 0600);
	ck_assert_ptr_null(seal_openssl_new(path, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "at least 32"));
	ck_assert_ptr_null(strstr(err.text, "canary"));
}
END_TEST

static void expect_refused(const char *place, const char *part)
{
	struct buf secret;

	err_clear(&err);
	buf_init(&secret, SECRET_MAX_BYTES);
	ck_assert(!secret_file_read_text(place, &secret, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, part), "\"%s\" is not in \"%s\"", part, err.text);
	ck_assert_ptr_null(strstr(err.text, "canary"));
	secret_done(&secret);
}

START_TEST(secret_files_must_be_private_plain_files)
{
	put("canary", 6, 0640);
	expect_refused(path, "chmod 600");
	put("canary", 6, 0604);
	expect_refused(path, "chmod 600");
	put("", 0, 0600);
	expect_refused(path, "is empty");
	put(" \n", 2, 0600);
	expect_refused(path, "is empty");
	put("two canary\nlines", 16, 0600);
	expect_refused(path, "no single line");
	put("canary", 6, 0600);
	ck_assert_int_eq(truncate(path, SECRET_MAX_BYTES + 1), 0);
	expect_refused(path, "too long");
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_refused(path, "no plain file");
	expect_refused(folder, "");
	expect_refused("relative", "no absolute path");
	expect_refused("/nonexistent/secret", "does not exist");
}
END_TEST

START_TEST(secrets_from_file_and_credential_folder)
{
	struct buf secret;

	buf_init(&secret, SECRET_MAX_BYTES);
	put("  pass word\r\n", 13, 0400);
	ck_assert_msg(secret_file_read_text(path, &secret, &err), "%s", err.text);
	ck_assert_str_eq(secret.data, "pass word");
	unsetenv("CREDENTIALS_DIRECTORY");
	ck_assert(!secret_file_read_text("credential:key", &secret, &err));
	err_clear(&err);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	ck_assert(secret_file_read_text("credential:key", &secret, &err));
	ck_assert(!secret_file_read_text("credential:../key", &secret, &err));
	err_clear(&err);
	put("by access list", 14, 0440); /* as systemd shows one that it lets the service's user read */
	ck_assert_msg(secret_file_read_text("credential:key", &secret, &err), "%s", err.text);
	ck_assert(!secret_file_read_text(path, &secret, &err));
	err_clear(&err);
	put("for everybody", 13, 0444);
	ck_assert(!secret_file_read_text("credential:key", &secret, &err));
	secret_done(&secret);
}
END_TEST

START_TEST(uuids_are_version_7_unique_and_in_order_of_time)
{
	char last[UUID_TEXT] = "", id[UUID_TEXT];

	for (int i = 0; i < 20; i++) {
		ck_assert(uuid_v7(id, &err));
		ck_assert_uint_eq(strlen(id), 36);
		ck_assert_int_eq(id[14], '7');
		ck_assert_ptr_nonnull(strchr("89ab", id[19]));
		ck_assert_int_lt(strncmp(last, id, 13), 0);
		strcpy(last, id);
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
	}
	ck_assert_int_lt(llabs(clock_utc_ms() / 1000 - time(NULL)), 2);
	int64_t before = clock_steady_ms();
	nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	ck_assert_int_ge(clock_steady_ms() - before, 4);
	struct clock_port clock = clock_system();
	ck_assert_int_lt(llabs(clock.utc_ms(&clock) - clock_utc_ms()), 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("seal");
	TCase *tc = tcase_create("seal");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hash_is_hmac_sha256_over_length_and_bytes);
	tcase_add_test(tc, another_key_gives_another_hash);
	tcase_add_test(tc, many_threads_may_seal_at_a_time);
	tcase_add_test(tc, a_short_key_is_refused);
	tcase_add_test(tc, secret_files_must_be_private_plain_files);
	tcase_add_test(tc, secrets_from_file_and_credential_folder);
	tcase_add_test(tc, uuids_are_version_7_unique_and_in_order_of_time);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
