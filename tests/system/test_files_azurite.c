/* SPDX-License-Identifier: Apache-2.0
 * The blob store against Azurite: what only blobs have. What every store of files must do is test_files_conformance. */
#include "consumer/adapters/azure/azure_priv.h"
#include "tests/support/azurite.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct azurite azurite;
static struct blobs blobs;
static struct files_port *port;
static struct azure_settings settings;
static struct fence fence;
static struct files_choice choice;
static struct err err;

static void open_port(void)
{
	azure_files_free(&port);
	port = azure_files_new(&settings, NULL, &err);
	ck_assert_msg(port, "%s", err.text);
}

static void setup(void)
{
	char name[32];

	snprintf(name, sizeof name, "t%d", (int)getpid()); /* each test has a process of its own */
	blobs_open(&blobs, azurite.url, name, true);
	settings = (struct azure_settings){ .target = blobs_container(&blobs) };
	fence = (struct fence){ "clone", 1, "clone_documents", "Cust2", "Cust2__g1", 100 };
	choice = (struct files_choice){ .source_root = "Cust1", .folder = "Documents" };
	err_clear(&err);
	open_port();
}

static void teardown(void)
{
	azure_files_free(&port);
	blobs_close(&blobs);
}

static struct files_progress must_copy(void)
{
	struct files_progress p = { 0 };

	while (!p.finished)
		ck_assert_msg(port->copy_next(port, &fence, &choice, &p, &err), "%s", err.text);
	return p;
}

static char *bytes_of(size_t len, unsigned seed)
{
	char *bytes = malloc(len);

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (char)('a' + (seed >> 16) % 26);
	}
	return bytes;
}

static void check_same(const char *source, const char *copy, const char *bytes, size_t len)
{
	char *found = malloc(len + 1);

	ck_assert_int_eq(blobs_get(&blobs, copy, found, len + 1, NULL), (int64_t)len);
	ck_assert_msg(memcmp(found, bytes, len) == 0, "%s is not %s", copy, source);
	free(found);
}

/* ---- both ways, small and large ---- */

static void copy_small_and_large(enum azure_copy how)
{
	const size_t large = 3 * (size_t)AZURE_BLOCK_BYTES + 777;
	char *bytes = bytes_of(large, 7), value[128];
	struct files_progress p;

	settings.copy = how;
	open_port();
	blobs_put_with(&blobs, "Cust1/Documents/a b/\xc3\xa5 & <1>.txt", "hello", 5,
	               "x-ms-blob-content-type: text/plain\nx-ms-meta-owner: anna\n");
	blobs_put(&blobs, "Cust1/Documents/empty", "", 0);
	blobs_put_with(&blobs, "Cust1/Documents/large", bytes, large, "x-ms-blob-content-type: video/mp4\nx-ms-meta-k: v\n");
	p = must_copy();
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(p.bytes, (int64_t)large + 5);
	check_same("small", "Cust2__g1/Documents/a b/\xc3\xa5 & <1>.txt", "hello", 5);
	check_same("large", "Cust2__g1/Documents/large", bytes, large);
	ck_assert_int_eq(blobs_get(&blobs, "Cust2__g1/Documents/empty", NULL, 0, NULL), 0);
	blobs_header(&blobs, "Cust2__g1/Documents/a b/\xc3\xa5 & <1>.txt", "Content-Type", value, sizeof value);
	ck_assert_str_eq(value, "text/plain");
	blobs_header(&blobs, "Cust2__g1/Documents/a b/\xc3\xa5 & <1>.txt", "x-ms-meta-owner", value, sizeof value);
	ck_assert_str_eq(value, "anna");
	blobs_header(&blobs, "Cust2__g1/Documents/large", "Content-Type", value, sizeof value);
	ck_assert_str_eq(value, "video/mp4");
	blobs_header(&blobs, "Cust2__g1/Documents/large", "x-ms-meta-k", value, sizeof value);
	ck_assert_str_eq(value, "v");
	free(bytes);
}

START_TEST(by_stream)
{
	copy_small_and_large(AZURE_COPY_STREAM);
}
END_TEST

START_TEST(by_the_service)
{
	copy_small_and_large(AZURE_COPY_SERVER);
	ck_assert_int_gt(((struct azure *)port)->ways.tried[AZURE_WHOLE][AZURE_BY_SERVER].ended, 0);
}
END_TEST

START_TEST(both_are_measured)
{
	const struct azure_ways *w = &((struct azure *)port)->ways;

	for (int i = 0; i < 40; i++) {
		char name[64];

		snprintf(name, sizeof name, "Cust1/Documents/%d", i);
		blobs_put(&blobs, name, name, strlen(name));
	}
	ck_assert_int_eq(must_copy().files, 40);
	ck_assert_int_ge(w->tried[AZURE_WHOLE][AZURE_BY_SERVER].started, 4);
	ck_assert_int_ge(w->tried[AZURE_WHOLE][AZURE_BY_STREAM].started, 4);
	ck_assert_int_eq(w->tried[AZURE_WHOLE][AZURE_BY_SERVER].started + w->tried[AZURE_WHOLE][AZURE_BY_STREAM].started, 40);
}
END_TEST

static int run_tests(void)
{
	Suite *suite = suite_create("files_azurite");
	TCase *tc = tcase_create("files_azurite");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, by_stream);
	tcase_add_test(tc, by_the_service);
	tcase_add_test(tc, both_are_measured);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}

int main(void)
{
	enum azurite_result started;
	int status = 1;

	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	started = azurite_start(&azurite);
	if (started == AZURITE_STARTED)
		status = run_tests();
	else if (started == AZURITE_ABSENT)
		status = puts("SKIPPED: no Azurite on this machine") < 0;
	azurite_stop(&azurite);
	return status;
}
