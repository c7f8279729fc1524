/* SPDX-License-Identifier: Apache-2.0
 * The blob store against Azurite: what only blobs have. What every store of files must do is test_files_conformance. */
#include "consumer/adapters/azure/azure_priv.h"
#include "tests/support/azurite.h"
#include "tests/support/blob_proxy.h"

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
	ck_assert_int_eq(((struct azure *)port)->ways.contests[AZURE_WHOLE].done[AZURE_BY_SERVER], 2);
	ck_assert_int_eq(((struct azure *)port)->ways.contests[AZURE_BLOCK].done[AZURE_BY_SERVER], 4);
}
END_TEST

START_TEST(both_are_measured)
{
	const struct azure_contest *c = &((struct azure *)port)->ways.contests[AZURE_WHOLE];

	for (int i = 0; i < 120; i++) {
		char name[64];

		snprintf(name, sizeof name, "Cust1/Documents/%d", i);
		blobs_put(&blobs, name, name, strlen(name));
	}
	ck_assert_int_eq(must_copy().files, 120);
	ck_assert(c->is_known[AZURE_BY_SERVER] && c->is_known[AZURE_BY_STREAM]);
	ck_assert_int_eq(c->done[AZURE_BY_SERVER] + c->done[AZURE_BY_STREAM], 120);
}
END_TEST

/* ---- who may ---- */

static void expect(enum err_class class, const char *part)
{
	ck_assert_int_eq(err.class, class);
	ck_assert_msg(strstr(err.text, part), "\"%s\" is not in \"%s\"", part, err.text);
	ck_assert_msg(!strstr(err.text, "sig=") && !strstr(err.text, "sv=") && !strstr(err.text, "http"), "%s", err.text);
	err_clear(&err);
}

START_TEST(a_sas_of_the_container_or_of_the_account_is_enough)
{
	static const char kinds[] = { 'c', 'a' };
	char sas[512];

	blobs_put(&blobs, "Cust1/Documents/x", "text", 4);
	for (int i = 0; i < 2; i++) {
		blobs_sas(&blobs, "rwdl", kinds[i], sas, sizeof sas);
		settings.target = (struct azure_container){ .url = blobs.url, .sas = sas };
		open_port();
		ck_assert_int_eq(must_copy().files, 1);
		ck_assert_int_eq(blobs_get(&blobs, "Cust2__g1/Documents/x", NULL, 0, NULL), 4);
		ck_assert_msg(azure_files_probe(port, &err), "%s", err.text);
		ck_assert_msg(port->remove_root(port, &fence, "Cust2__g1", &err), "%s", err.text);
	}
}
END_TEST

START_TEST(one_blob_is_removed_and_no_other)
{
	struct azure_container at = blobs_container(&blobs);
	char folder[300], sas[512];

	blobs_put(&blobs, "backups/a.bak", "text", 4);
	blobs_put(&blobs, "backups/a.bak.2", "text", 4);
	snprintf(folder, sizeof folder, "%s/backups/", blobs.url);
	blobs_sas(&blobs, "d", 'c', sas, sizeof sas);
	at = (struct azure_container){ .url = folder, .sas = sas };
	ck_assert_msg(azure_remove_blob(&at, "a.bak", NULL, &err), "%s", err.text);
	ck_assert_int_eq(blobs_get(&blobs, "backups/a.bak", NULL, 0, NULL), -1);
	ck_assert_int_eq(blobs_get(&blobs, "backups/a.bak.2", NULL, 0, NULL), 4);
	ck_assert_msg(azure_remove_blob(&at, "a.bak", NULL, &err), "%s", err.text); /* gone already */
	blobs_sas(&blobs, "r", 'c', sas, sizeof sas);
	ck_assert(!azure_remove_blob(&at, "a.bak.2", NULL, &err));
	expect(ERR_TRANSIENT, "removing a blob");
	ck_assert(!azure_remove_blob(&at, "../x", NULL, &err));
	expect(ERR_MISUSE, "not safe");
}
END_TEST

START_TEST(without_the_right_it_is_said_and_nothing_is_given_away)
{
	struct files_progress p = { 0 };
	char sas[512];

	blobs_sas(&blobs, "rl", 'c', sas, sizeof sas);
	settings.target = (struct azure_container){ .url = blobs.url, .sas = sas };
	open_port();
	ck_assert(!port->copy_next(port, &fence, &choice, &p, &err));
	expect(ERR_TRANSIENT, "our key or SAS does not allow it");
	ck_assert(!azure_files_probe(port, &err));
	expect(ERR_TRANSIENT, "writing into the container: answered 403");
	settings.target = blobs_container(&blobs);
	settings.target.key = "bm90IHRoZSBrZXkgYXQgYWxs";
	open_port();
	ck_assert(!port->copy_next(port, &fence, &choice, &p, &err));
	expect(ERR_TRANSIENT, "reading the token: answered 403 ");
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
		struct files_port *none = azure_files_new(&s, NULL, &err);

		ck_assert_msg(!none, "%zu", i);
		ck_assert_int_eq(err.class, ERR_REFUSED);
		ck_assert(!strstr(err.text, "Eby8") && !strstr(err.text, "sig=x"));
		err_clear(&err);
	}
}
END_TEST

START_TEST(from_another_container_by_both_ways)
{
	static const enum azure_copy ways[] = { AZURE_COPY_STREAM, AZURE_COPY_SERVER };
	const size_t large = (size_t)AZURE_BLOCK_BYTES + 1;
	char *bytes = bytes_of(large, 3), name[32], sas[512];
	struct blobs other;

	snprintf(name, sizeof name, "o%d", (int)getpid());
	blobs_open(&other, azurite.url, name, true);
	blobs_put(&other, "Cust1/Documents/small", "text", 4);
	blobs_put(&other, "Cust1/Documents/large", bytes, large);
	blobs_sas(&other, "rl", 'c', sas, sizeof sas);
	settings.source = (struct azure_container){ .url = other.url, .sas = sas };
	for (int i = 0; i < 2; i++) {
		settings.copy = ways[i];
		open_port();
		ck_assert_int_eq(must_copy().files, 2);
		check_same("small", "Cust2__g1/Documents/small", "text", 4);
		check_same("large", "Cust2__g1/Documents/large", bytes, large);
		ck_assert_int_eq(((struct azure *)port)->ways.failed, 0);
		ck_assert_msg(port->remove_root(port, &fence, "Cust2__g1", &err), "%s", err.text);
	}
	ck_assert_int_eq(blobs_get(&other, "Cust1/Documents/small", NULL, 0, NULL), 4);
	blobs_close(&other);
	free(bytes);
}
END_TEST

/* ---- names ---- */

START_TEST(names_that_could_lead_out_are_refused)
{
	static const char *const bad[] = { "a//b", "folder/" };
	char name[128];
	struct files_progress p;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(name, sizeof name, "Cust1/Documents/%s", bad[i]);
		blobs_put(&blobs, name, "x", 1);
	}
	blobs_put(&blobs, "Cust1/Documents/fine", "x", 1);
	p = must_copy();
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
		blobs_put(&blobs, "Cust1/Documents/changes", "another text", 12);
	if (strcmp(path, "vanishes") == 0)
		blobs_remove(&blobs, "Cust1/Documents/vanishes");
	if (strcmp(path, "shrinks") == 0)
		blobs_put(&blobs, "Cust1/Documents/shrinks", "small now", 9);
	return true;
}

static void copy_while_it_changes(enum azure_copy how)
{
	const size_t large = 2 * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = bytes_of(large, 5);
	struct files_progress p;

	settings.copy = how;
	open_port();
	blobs_put(&blobs, "Cust1/Documents/changes", "a text", 6);
	blobs_put(&blobs, "Cust1/Documents/vanishes", "a text", 6);
	blobs_put(&blobs, "Cust1/Documents/shrinks", bytes, large);
	choice.wants = disturb;
	p = must_copy();
	ck_assert_int_eq(p.files, 2);
	ck_assert_int_eq(p.missing, 1);
	ck_assert_int_eq(p.bytes, 12 + 9);
	check_same("changes", "Cust2__g1/Documents/changes", "another text", 12);
	check_same("shrinks", "Cust2__g1/Documents/shrinks", "small now", 9);
	ck_assert_int_eq(blobs_get(&blobs, "Cust2__g1/Documents/vanishes", NULL, 0, NULL), -1);
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

/* ---- by way of the proxy ---- */

static struct blob_proxy proxy;

static void open_by_proxy(enum azure_copy how)
{
	static char url[256];

	ck_assert(blob_proxy_start(&proxy, azurite.url));
	snprintf(url, sizeof url, "%s%s", proxy.url, strrchr(blobs.url, '/'));
	settings.target.url = url;
	settings.copy = how;
	open_port();
}

static void make_some(int count)
{
	char name[64];

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "Cust1/Documents/%03d", i);
		blobs_put(&blobs, name, name, strlen(name));
	}
}

static void check_some(int count)
{
	char source[64], copy[64];

	for (int i = 0; i < count; i++) {
		snprintf(source, sizeof source, "Cust1/Documents/%03d", i);
		snprintf(copy, sizeof copy, "Cust2__g1/Documents/%03d", i);
		check_same(source, copy, source, strlen(source));
	}
}

static int busy_at;
static enum blob_fault busy_how;

static enum blob_fault busy_once(void *arg, const char *head, int number)
{
	(void)arg;
	(void)head;
	return number == busy_at ? busy_how : BLOB_PASS;
}

START_TEST(a_busy_service_is_left_alone_for_as_long_as_it_says)
{
	static const enum blob_fault hows[] = { BLOB_BUSY, BLOB_TOO_MANY };

	make_some(60);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = busy_once;
	busy_how = hows[_i];
	proxy.retry_after_s = 1;
	busy_at = 40;
	ck_assert_int_eq(must_copy().files, 60);
	check_some(60);
	ck_assert_int_gt(proxy.requests, 120);
	/* Those that were under way at that moment may still come; then it is quiet for that second. */
	for (int i = busy_at + 8; i < proxy.requests; i++)
		ck_assert_int_ge(proxy.came_ms[i], proxy.came_ms[busy_at - 1] + 950);
}
END_TEST

static int most_under_way(int from, int to)
{
	int most = 0;

	for (int i = from; i < to; i++)
		most = proxy.under_way[i] > most ? proxy.under_way[i] : most;
	return most;
}

/* As many at a time as were asked for; half of them when the service is busy, and one more after each while of peace. */
START_TEST(copies_go_side_by_side_and_fewer_when_the_service_is_busy)
{
	make_some(120);
	settings.parallel = 8;
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = busy_once;
	proxy.delay_ms = 10;
	busy_how = BLOB_BUSY;
	busy_at = 60;
	ck_assert_int_eq(must_copy().files, 120);
	check_some(120);
	ck_assert_int_ge(proxy.requests, 240);
	ck_assert_int_eq(most_under_way(0, busy_at), 8);
	/* What was under way at that moment ends first. */
	ck_assert_int_eq(most_under_way(busy_at + 8, busy_at + 8 + 20), 4);
	ck_assert_int_ge(most_under_way(proxy.requests - 80, proxy.requests), 6);
}
END_TEST

static enum blob_fault always_busy(void *arg, const char *head, int number)
{
	(void)arg;
	(void)head;
	return number > 5 ? BLOB_BUSY : BLOB_PASS;
}

START_TEST(a_long_wait_is_handed_on)
{
	struct files_progress p = { 0 };
	int64_t begun = blob_proxy_now_ms();

	make_some(5);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = always_busy;
	proxy.retry_after_s = 300;
	ck_assert(!port->copy_next(port, &fence, &choice, &p, &err));
	ck_assert_int_lt(blob_proxy_now_ms() - begun, 20000);
	expect(ERR_TRANSIENT, "answered 503 ServerBusy, asks to wait 300 s");
}
END_TEST

static enum blob_fault every_seventh(void *arg, const char *head, int number)
{
	static const enum blob_fault faults[] = { BLOB_RESET, BLOB_LOST, BLOB_HALF, BLOB_ERROR, BLOB_BUSY };

	(void)arg;
	(void)head;
	return number % 7 == 0 ? faults[number / 7 % 5] : BLOB_PASS;
}

START_TEST(resets_lost_and_half_answers_are_tried_again)
{
	const size_t large = 3 * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = bytes_of(large, 11);

	make_some(40);
	blobs_put(&blobs, "Cust1/Documents/large", bytes, large);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = every_seventh;
	ck_assert_int_eq(must_copy().files, 41);
	check_some(40);
	check_same("large", "Cust2__g1/Documents/large", bytes, large);
	ck_assert_int_gt(proxy.requests, 80 + 80 / 8);
	ck_assert_msg(port->remove_root(port, &fence, "Cust2__g1", &err), "%s", err.text);
	ck_assert_int_eq(blobs_get(&blobs, "Cust2__g1/Documents/000", NULL, 0, NULL), -1);
	free(bytes);
}
END_TEST

static enum blob_fault forget_markers(void *arg, const char *head, int number)
{
	int *left = arg;

	(void)number;
	return strncmp(head, "GET ", 4) == 0 && strstr(head, "marker=") && (*left)-- > 0 ? BLOB_ODD : BLOB_PASS;
}

/* The place in the listing is the service's, and it may forget it: then it is listed anew, from what was seen on. */
START_TEST(a_forgotten_marker_begins_the_listing_anew)
{
	int left = 2;
	int64_t different, files, bytes;

	make_some(60);
	open_by_proxy(AZURE_COPY_STREAM);
	((struct azure *)port)->names_a_page = 25;
	proxy.on_request = forget_markers;
	proxy.arg = &left;
	ck_assert_int_eq(must_copy().files, 60);
	check_some(60);
	left = 2;
	ck_assert_msg(port->compare(port, &fence, &choice, &different, &files, &bytes, &err), "%s", err.text);
	ck_assert_int_eq(different, 0);
	ck_assert_int_eq(files, 60);
	left = 1000; /* it never remembers */
	ck_assert(!port->compare(port, &fence, &choice, &different, &files, &bytes, &err));
	expect(ERR_TRANSIENT, "listing blobs: answered 400 OutOfRangeQueryParameterValue");
}
END_TEST

static enum blob_fault flip_first_read(void *arg, const char *head, int number)
{
	bool is_read = strncmp(head, "GET ", 4) == 0 && strstr(head, "/Cust1/Documents/");

	(void)number;
	return is_read && (*(int *)arg)-- > 0 ? BLOB_FLIPPED : BLOB_PASS;
}

START_TEST(a_bit_that_flips_on_the_way_is_noticed)
{
	int flips = 2;

	make_some(1);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = flip_first_read;
	proxy.arg = &flips;
	ck_assert_int_eq(must_copy().files, 1);
	check_some(1);
	ck_assert_int_lt(flips, 1);
}
END_TEST

/* The hash of a blob that was put together from blocks is what its writer said, and nobody has checked it. */
START_TEST(a_blob_whose_hash_was_never_right_is_copied)
{
	static const char list[] = "<?xml version=\"1.0\"?><BlockList><Latest>YWJj</Latest></BlockList>";
	static const enum azure_copy ways[] = { AZURE_COPY_STREAM, AZURE_COPY_SERVER };

	blobs_put_block(&blobs, "Cust1/Documents/x", "YWJj", "text", 4);
	blobs_commit(&blobs, "Cust1/Documents/x", list, "x-ms-blob-content-md5: XUFAKrxLKna5cZ2REBfFkg==\n");
	settings.copy = ways[_i];
	open_port();
	ck_assert_int_eq(must_copy().files, 1);
	check_same("x", "Cust2__g1/Documents/x", "text", 4);
}
END_TEST

static enum blob_fault no_copies_of_others(void *arg, const char *head, int number)
{
	int *asked = arg;
	bool is_server = strcasestr(head, "x-ms-copy-source:") != NULL;

	(void)number;
	*asked += is_server;
	return is_server ? BLOB_CLOSED : BLOB_PASS;
}

START_TEST(a_service_that_does_not_copy_is_not_asked_for_long)
{
	int asked = 0;

	make_some(60);
	open_by_proxy(AZURE_COPY_SERVER);
	proxy.on_request = no_copies_of_others;
	proxy.arg = &asked;
	ck_assert_int_eq(must_copy().files, 60);
	check_some(60);
	ck_assert_int_ge(asked, 1);
	ck_assert_int_le(asked, 3 + 8); /* and what was under way when it was clear */
}
END_TEST

static enum blob_fault write_on_every_read(void *arg, const char *head, int number)
{
	static int version;
	char text[32];

	(void)arg;
	(void)number;
	if (strncmp(head, "GET ", 4) == 0 && strstr(head, "/Cust1/Documents/busy ")) {
		struct blobs mine;

		blobs_open(&mine, azurite.url, strrchr(blobs.url, '/') + 1, false);
		blobs_put(&mine, "Cust1/Documents/busy", text, (size_t)snprintf(text, sizeof text, "version %d", version++));
		blobs_close(&mine);
	}
	return BLOB_PASS;
}

START_TEST(a_blob_that_changes_all_the_time_is_said)
{
	struct files_progress p = { 0 };

	blobs_put(&blobs, "Cust1/Documents/busy", "text", 4);
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = write_on_every_read;
	ck_assert(!port->copy_next(port, &fence, &choice, &p, &err));
	expect(ERR_TRANSIENT, "changes faster than it can be copied");
}
END_TEST

/* ---- killed in the middle ---- */

enum { BLOCKS = 12 };

static volatile sig_atomic_t blocks_put;

static enum blob_fault count_blocks(void *arg, const char *head, int number)
{
	(void)arg;
	(void)number;
	blocks_put += strncmp(head, "PUT ", 4) == 0 && strstr(head, "comp=block ") != NULL;
	return BLOB_PASS;
}

/* The blocks that were there when it died are not sent again: they are the manifest of a large blob. */
START_TEST(killed_in_the_middle_of_a_blob_it_goes_on_with_the_missing_blocks)
{
	const size_t large = BLOCKS * (size_t)AZURE_BLOCK_BYTES;
	char *bytes = bytes_of(large, 13);
	int before, status;
	pid_t child;

	blobs_put(&blobs, "Cust1/Documents/large", bytes, large);
	settings.parallel = 2;
	open_by_proxy(AZURE_COPY_STREAM);
	proxy.on_request = count_blocks;
	child = fork();
	if (child == 0) {
		must_copy();
		_exit(0);
	}
	while (blocks_put < 5)
		usleep(1000);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(blobs_get(&blobs, "Cust2__g1/Documents/large", NULL, 0, NULL), -1);
	before = blocks_put;
	ck_assert_int_eq(must_copy().files, 1);
	ck_assert_msg(blocks_put <= BLOCKS + settings.parallel, "%d and then %d blocks were sent", before, (int)blocks_put);
	check_same("large", "Cust2__g1/Documents/large", bytes, large);
	free(bytes);
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
	tcase_add_test(tc, a_sas_of_the_container_or_of_the_account_is_enough);
	tcase_add_test(tc, one_blob_is_removed_and_no_other);
	tcase_add_test(tc, without_the_right_it_is_said_and_nothing_is_given_away);
	tcase_add_test(tc, settings_that_make_no_sense_are_refused);
	tcase_add_test(tc, from_another_container_by_both_ways);
	tcase_add_test(tc, names_that_could_lead_out_are_refused);
	tcase_add_test(tc, what_changes_after_it_was_listed_is_copied_as_it_is_now);
	tcase_add_test(tc, what_changes_while_the_service_copies_is_noticed_as_well);
	tcase_add_loop_test(tc, a_busy_service_is_left_alone_for_as_long_as_it_says, 0, 2);
	tcase_add_test(tc, copies_go_side_by_side_and_fewer_when_the_service_is_busy);
	tcase_add_test(tc, a_forgotten_marker_begins_the_listing_anew);
	tcase_add_test(tc, a_bit_that_flips_on_the_way_is_noticed);
	tcase_add_loop_test(tc, a_blob_whose_hash_was_never_right_is_copied, 0, 2);
	tcase_add_test(tc, a_long_wait_is_handed_on);
	tcase_add_test(tc, resets_lost_and_half_answers_are_tried_again);
	tcase_add_test(tc, a_service_that_does_not_copy_is_not_asked_for_long);
	tcase_add_test(tc, a_blob_that_changes_all_the_time_is_said);
	tcase_add_test(tc, killed_in_the_middle_of_a_blob_it_goes_on_with_the_missing_blocks);
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
