/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/azure_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct azure_store az;

void azure_store_open(void)
{
	azure_files_free(&az.port);
	az.port = azure_files_new(&az.settings, NULL, &az.err);
	ck_assert_msg(az.port, "%s", az.err.text);
}

void azure_store_setup(void)
{
	char name[32];

	snprintf(name, sizeof name, "t%d", (int)getpid()); /* each test has a process of its own */
	blobs_open(&az.blobs, az.azurite.url, name, true);
	az.settings = (struct azure_settings){ .target = blobs_container(&az.blobs) };
	az.fence = (struct fence){ "clone", 1, "clone_documents", "Cust2", "Cust2__g1", 100 };
	az.choice = (struct files_choice){ .source_root = "Cust1", .folder = "Documents" };
	err_clear(&az.err);
	azure_store_open();
}

void azure_store_teardown(void)
{
	azure_files_free(&az.port);
	blobs_close(&az.blobs);
}

struct files_progress azure_store_must_copy(void)
{
	struct files_progress p = { 0 };

	while (!p.finished)
		ck_assert_msg(az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err), "%s", az.err.text);
	return p;
}

char *azure_store_bytes(size_t len, unsigned seed)
{
	char *bytes = malloc(len);

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (char)('a' + (seed >> 16) % 26);
	}
	return bytes;
}

void azure_store_check(const char *source, const char *copy, const char *bytes, size_t len)
{
	char *found = malloc(len + 1);

	ck_assert_int_eq(blobs_get(&az.blobs, copy, found, len + 1, NULL), (int64_t)len);
	ck_assert_msg(memcmp(found, bytes, len) == 0, "%s is not %s", copy, source);
	free(found);
}

void azure_store_expect(enum err_class class, const char *part)
{
	ck_assert_int_eq(az.err.class, class);
	ck_assert_msg(strstr(az.err.text, part), "\"%s\" is not in \"%s\"", part, az.err.text);
	ck_assert_msg(!strstr(az.err.text, "sig=") && !strstr(az.err.text, "sv=") && !strstr(az.err.text, "http"), "%s", az.err.text);
	err_clear(&az.err);
}

int azure_store_run(const char *name, void (*add)(TCase *tc))
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *sr = srunner_create(suite);
	enum azurite_result started;
	int status = 1;

	tcase_add_checked_fixture(tc, azure_store_setup, azure_store_teardown);
	tcase_set_timeout(tc, 120);
	add(tc);
	suite_add_tcase(suite, tc);
	started = azurite_start(&az.azurite);
	if (started == AZURITE_STARTED) {
		srunner_run_all(sr, CK_NORMAL);
		status = srunner_ntests_failed(sr) != 0;
	} else if (started == AZURITE_ABSENT) {
		status = puts("SKIPPED: no Azurite on this machine") < 0;
	}
	srunner_free(sr);
	azurite_stop(&az.azurite);
	return status;
}
