/* SPDX-License-Identifier: Apache-2.0
 * The blob store against Azurite: what only blobs have. What every store of files must do is test_files_conformance, and
 * what goes wrong on the way to the service is test_files_azurite_trouble. */
#include "tests/support/azure_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- both ways, small and large ---- */

static void count_moves(void *arg, int64_t files, int64_t bytes)
{
	(void)files;
	(void)bytes;
	++*(int *)arg;
}

static void copy_small_and_large(enum azure_copy how, int64_t copied_whole_max)
{
	const size_t large = 3 * (size_t)AZURE_BLOCK_BYTES + 777;
	char *bytes = azure_store_bytes(large, 7), value[128];
	struct files_progress p;

	az.settings.copy = how;
	azure_store_open();
	((struct azure *)az.port)->copied_whole_max = copied_whole_max;
	blobs_put_with(&az.blobs, "Cust1/Documents/a b/\xc3\xa5 & <1>.txt", "hello", 5,
	               "x-ms-blob-content-type: text/plain\nx-ms-meta-owner: anna\n");
	blobs_put(&az.blobs, "Cust1/Documents/empty", "", 0);
	blobs_put_with(&az.blobs, "Cust1/Documents/large", bytes, large, "x-ms-blob-content-type: video/mp4\nx-ms-meta-k: v\n");
	p = azure_store_must_copy();
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(p.bytes, (int64_t)large + 5);
	azure_store_check("small", "Cust2__g1/Documents/a b/\xc3\xa5 & <1>.txt", "hello", 5);
	azure_store_check("large", "Cust2__g1/Documents/large", bytes, large);
	ck_assert_int_eq(blobs_get(&az.blobs, "Cust2__g1/Documents/empty", NULL, 0, NULL), 0);
	blobs_header(&az.blobs, "Cust2__g1/Documents/a b/\xc3\xa5 & <1>.txt", "Content-Type", value, sizeof value);
	ck_assert_str_eq(value, "text/plain");
	blobs_header(&az.blobs, "Cust2__g1/Documents/a b/\xc3\xa5 & <1>.txt", "x-ms-meta-owner", value, sizeof value);
	ck_assert_str_eq(value, "anna");
	blobs_header(&az.blobs, "Cust2__g1/Documents/large", "Content-Type", value, sizeof value);
	ck_assert_str_eq(value, "video/mp4");
	blobs_header(&az.blobs, "Cust2__g1/Documents/large", "x-ms-meta-k", value, sizeof value);
	ck_assert_str_eq(value, "v");
	free(bytes);
}

START_TEST(by_stream)
{
	int moves = 0;

	az.choice.moved = count_moves;
	az.choice.moved_arg = &moves;
	copy_small_and_large(AZURE_COPY_STREAM, INT64_MAX);
	ck_assert_int_ge(moves, 2 + 4); /* each small one, and each block of the large one */
}
END_TEST

static int64_t done_by_server(enum azure_size size)
{
	return ((struct azure *)az.port)->ways.contests[size].done[AZURE_BY_SERVER];
}

START_TEST(by_the_service)
{
	copy_small_and_large(AZURE_COPY_SERVER, INT64_MAX);
	ck_assert_int_eq(done_by_server(AZURE_WHOLE), 2);
	ck_assert_int_eq(done_by_server(AZURE_BLOCK), 0);
}
END_TEST

START_TEST(by_the_service_and_in_blocks_what_is_too_large_for_one_copy)
{
	copy_small_and_large(AZURE_COPY_SERVER, 3 * (int64_t)AZURE_BLOCK_BYTES + 776);
	ck_assert_int_eq(done_by_server(AZURE_WHOLE), 2);
	ck_assert_int_eq(done_by_server(AZURE_BLOCK), 4);
}
END_TEST

START_TEST(both_are_measured)
{
	const struct azure_contest *c = &((struct azure *)az.port)->ways.contests[AZURE_WHOLE];

	for (int i = 0; i < 120; i++) {
		char name[64];

		snprintf(name, sizeof name, "Cust1/Documents/%d", i);
		blobs_put(&az.blobs, name, name, strlen(name));
	}
	ck_assert_int_eq(azure_store_must_copy().files, 120);
	ck_assert(c->is_known[AZURE_BY_SERVER] && c->is_known[AZURE_BY_STREAM]);
	ck_assert_int_eq(c->done[AZURE_BY_SERVER] + c->done[AZURE_BY_STREAM], 120);
}
END_TEST

/* ---- who may ---- */

START_TEST(a_sas_of_the_container_or_of_the_account_is_enough)
{
	static const char kinds[] = { 'c', 'a' };
	char sas[512];

	blobs_put(&az.blobs, "Cust1/Documents/x", "text", 4);
	for (int i = 0; i < 2; i++) {
		blobs_sas(&az.blobs, "rwdl", kinds[i], sas, sizeof sas);
		az.settings.target = (struct azure_container){ .url = az.blobs.url, .sas = sas };
		azure_store_open();
		ck_assert_int_eq(azure_store_must_copy().files, 1);
		ck_assert_int_eq(blobs_get(&az.blobs, "Cust2__g1/Documents/x", NULL, 0, NULL), 4);
		ck_assert_msg(azure_files_probe(az.port, &az.err), "%s", az.err.text);
		ck_assert_msg(az.port->remove_root(az.port, &az.fence, "Cust2__g1", &az.err), "%s", az.err.text);
	}
}
END_TEST

START_TEST(one_blob_is_removed_and_no_other)
{
	struct azure_container at = blobs_container(&az.blobs);
	char folder[300], sas[512];

	blobs_put(&az.blobs, "backups/a.bak", "text", 4);
	blobs_put(&az.blobs, "backups/a.bak.2", "text", 4);
	snprintf(folder, sizeof folder, "%s/backups/", az.blobs.url);
	blobs_sas(&az.blobs, "d", 'c', sas, sizeof sas);
	at = (struct azure_container){ .url = folder, .sas = sas };
	ck_assert_msg(azure_remove_blob(&at, "a.bak", NULL, &az.err), "%s", az.err.text);
	ck_assert_int_eq(blobs_get(&az.blobs, "backups/a.bak", NULL, 0, NULL), -1);
	ck_assert_int_eq(blobs_get(&az.blobs, "backups/a.bak.2", NULL, 0, NULL), 4);
	ck_assert_msg(azure_remove_blob(&at, "a.bak", NULL, &az.err), "%s", az.err.text); /* gone already */
	blobs_sas(&az.blobs, "r", 'c', sas, sizeof sas);
	ck_assert(!azure_remove_blob(&at, "a.bak.2", NULL, &az.err));
	azure_store_expect(ERR_TRANSIENT, "removing a blob");
	ck_assert(!azure_remove_blob(&at, "../x", NULL, &az.err));
	azure_store_expect(ERR_MISUSE, "not safe");
}
END_TEST

START_TEST(without_the_right_it_is_said_and_nothing_is_given_away)
{
	struct files_progress p = { 0 };
	char sas[512];

	blobs_sas(&az.blobs, "rl", 'c', sas, sizeof sas);
	az.settings.target = (struct azure_container){ .url = az.blobs.url, .sas = sas };
	azure_store_open();
	ck_assert(!az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err));
	azure_store_expect(ERR_TRANSIENT, "our key or SAS does not allow it");
	ck_assert(!azure_files_probe(az.port, &az.err));
	azure_store_expect(ERR_TRANSIENT, "writing into the container: answered 403");
	az.settings.target = blobs_container(&az.blobs);
	az.settings.target.key = "bm90IHRoZSBrZXkgYXQgYWxs";
	azure_store_open();
	ck_assert(!az.port->copy_next(az.port, &az.fence, &az.choice, &p, &az.err));
	azure_store_expect(ERR_TRANSIENT, "reading the token: answered 403 ");
}
END_TEST

START_TEST(settings_that_make_no_sense_are_refused)
{
	const struct azure_container bad[] = {
		{ NULL, NULL, NULL, NULL },
		{ "ftp://a.example/c", NULL, NULL, NULL },
		{ "https://a.example", NULL, NULL, NULL },
		{ "https://a.example/c?sv=1&sig=x", NULL, NULL, NULL },
		{ "https://a.example/c", "a", "not base64!", NULL },
		{ "https://a.example/c", NULL, AZURITE_KEY, NULL },
		{ "https://a.example/c", NULL, NULL, "two words" },
		{ "https://a.example/c", NULL, NULL, "sv=2021-12-02" },
		{ "https://a.example/c", "a", AZURITE_KEY, "sv=2021-12-02&sig=x" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct azure_settings s = { .target = bad[i] };
		struct files_port *none = azure_files_new(&s, NULL, &az.err);

		ck_assert_msg(!none, "%zu", i);
		ck_assert_int_eq(az.err.class, ERR_REFUSED);
		ck_assert(!strstr(az.err.text, "Eby8") && !strstr(az.err.text, "sig=x"));
		err_clear(&az.err);
	}
}
END_TEST

START_TEST(from_another_container_by_both_ways)
{
	static const enum azure_copy ways[] = { AZURE_COPY_STREAM, AZURE_COPY_SERVER };
	const size_t large = (size_t)AZURE_BLOCK_BYTES + 1;
	char *bytes = azure_store_bytes(large, 3), name[32], sas[512];
	struct blobs other;

	snprintf(name, sizeof name, "o%d", (int)getpid());
	blobs_open(&other, az.azurite.url, name, true);
	blobs_put(&other, "Cust1/Documents/small", "text", 4);
	blobs_put(&other, "Cust1/Documents/large", bytes, large);
	blobs_sas(&other, "rl", 'c', sas, sizeof sas);
	az.settings.source = (struct azure_container){ .url = other.url, .sas = sas };
	for (int i = 0; i < 2; i++) {
		az.settings.copy = ways[i];
		azure_store_open();
		ck_assert_int_eq(azure_store_must_copy().files, 2);
		azure_store_check("small", "Cust2__g1/Documents/small", "text", 4);
		azure_store_check("large", "Cust2__g1/Documents/large", bytes, large);
		ck_assert_int_eq(((struct azure *)az.port)->ways.failed, 0);
		ck_assert_msg(az.port->remove_root(az.port, &az.fence, "Cust2__g1", &az.err), "%s", az.err.text);
	}
	ck_assert_int_eq(blobs_get(&other, "Cust1/Documents/small", NULL, 0, NULL), 4);
	blobs_close(&other);
	free(bytes);
}
END_TEST

/* ---- names ---- */

/* In addresses, in what is signed, and in the address that the service reads from. */
START_TEST(names_of_any_kind_come_over_by_both_ways)
{
	static const char *const names[] = { "a b", "100%", "%2e%2e", "a+b", "a&b=c", "a?b#c", "trailing.", "folder./x", "...",
		                             " begins", "ends ", "~-_.!*'();:@,$[]", "bl\xc3\xa5", "\xf0\x9f\x90\x98", "tab\there" };
	static const enum azure_copy ways[] = { AZURE_COPY_STREAM, AZURE_COPY_SERVER };
	enum { COUNT = sizeof names / sizeof *names };
	char name[2000], longest[760];

	memset(longest, 'x', sizeof longest);
	for (size_t i = 250; i < sizeof longest; i += 251)
		longest[i] = '/';
	longest[sizeof longest - 1] = '\0';
	for (int i = 0; i <= COUNT; i++) {
		snprintf(name, sizeof name, "Cust1/Documents/%s", i < COUNT ? names[i] : longest);
		blobs_put(&az.blobs, name, name, strlen(name));
	}
	az.settings.copy = ways[_i];
	azure_store_open();
	ck_assert_int_eq(azure_store_must_copy().files, COUNT + 1);
	ck_assert_int_eq(((struct azure *)az.port)->ways.contests[AZURE_WHOLE].done[_i == 0 ? AZURE_BY_STREAM : AZURE_BY_SERVER],
	                 COUNT + 1);
	for (int i = 0; i <= COUNT; i++) {
		char copy[2000];

		snprintf(name, sizeof name, "Cust1/Documents/%s", i < COUNT ? names[i] : longest);
		snprintf(copy, sizeof copy, "Cust2__g1/Documents/%s", i < COUNT ? names[i] : longest);
		azure_store_check(name, copy, name, strlen(name));
	}
}
END_TEST

START_TEST(names_that_could_lead_out_are_refused)
{
	static const char *const bad[] = { "a//b", "folder/" };
	char name[128];
	struct files_progress p;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(name, sizeof name, "Cust1/Documents/%s", bad[i]);
		blobs_put(&az.blobs, name, "x", 1);
	}
	blobs_put(&az.blobs, "Cust1/Documents/fine", "x", 1);
	p = azure_store_must_copy();
	ck_assert_int_eq(p.files, 1);
	ck_assert_int_eq(p.refused, 2);
	/* The emulator, for one, takes a backslash for a slash. */
	ck_assert(!azure_path_is_safe("a/../b") && !azure_path_is_safe("./a") && !azure_path_is_safe("a\\..\\b"));
}
END_TEST

/* ---- what changes meanwhile ---- */

static bool disturb(void *arg, const char *path)
{
	(void)arg;
	if (strcmp(path, "changes") == 0)
		blobs_put(&az.blobs, "Cust1/Documents/changes", "another text", 12);
	if (strcmp(path, "vanishes") == 0)
		blobs_remove(&az.blobs, "Cust1/Documents/vanishes");
	if (strcmp(path, "shrinks") == 0)
		blobs_put(&az.blobs, "Cust1/Documents/shrinks", "small now", 9);
	return true;
}

static void copy_while_it_changes(enum azure_copy how)
{
	const size_t large = 2 * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = azure_store_bytes(large, 5);
	struct files_progress p;

	az.settings.copy = how;
	azure_store_open();
	blobs_put(&az.blobs, "Cust1/Documents/changes", "a text", 6);
	blobs_put(&az.blobs, "Cust1/Documents/vanishes", "a text", 6);
	blobs_put(&az.blobs, "Cust1/Documents/shrinks", bytes, large);
	az.choice.wants = disturb;
	p = azure_store_must_copy();
	ck_assert_int_eq(p.files, 2);
	ck_assert_int_eq(p.missing, 1);
	ck_assert_int_eq(p.bytes, 12 + 9);
	azure_store_check("changes", "Cust2__g1/Documents/changes", "another text", 12);
	azure_store_check("shrinks", "Cust2__g1/Documents/shrinks", "small now", 9);
	ck_assert_int_eq(blobs_get(&az.blobs, "Cust2__g1/Documents/vanishes", NULL, 0, NULL), -1);
	free(bytes);
}

START_TEST(what_changes_after_it_was_listed_is_copied_as_it_is_now)
{
	copy_while_it_changes(AZURE_COPY_STREAM);
}
END_TEST

START_TEST(what_changes_while_the_service_copies_is_noticed_as_well)
{
	copy_while_it_changes(AZURE_COPY_SERVER);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, by_stream);
	tcase_add_test(tc, by_the_service);
	tcase_add_test(tc, by_the_service_and_in_blocks_what_is_too_large_for_one_copy);
	tcase_add_test(tc, both_are_measured);
	tcase_add_test(tc, a_sas_of_the_container_or_of_the_account_is_enough);
	tcase_add_test(tc, one_blob_is_removed_and_no_other);
	tcase_add_test(tc, without_the_right_it_is_said_and_nothing_is_given_away);
	tcase_add_test(tc, settings_that_make_no_sense_are_refused);
	tcase_add_test(tc, from_another_container_by_both_ways);
	tcase_add_loop_test(tc, names_of_any_kind_come_over_by_both_ways, 0, 2);
	tcase_add_test(tc, names_that_could_lead_out_are_refused);
	tcase_add_test(tc, what_changes_after_it_was_listed_is_copied_as_it_is_now);
	tcase_add_test(tc, what_changes_while_the_service_copies_is_noticed_as_well);
}

int main(void)
{
	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	return azure_store_run("files_azurite", add);
}
