/* SPDX-License-Identifier: Apache-2.0
 * The file store on real folders: what is copied, in which order, and which names are refused. */
#include "consumer/adapters/files/files_priv.h"
#include "tests/support/file_store.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- copying ---- */

START_TEST(a_tree_is_copied_with_time_and_narrow_modes)
{
	struct files_progress p;
	struct stat a, b, again;

	umask(0);
	ck_assert_int_eq(mkdir("Cust1/Documents/anna", 0777) | mkdir("Cust1/Documents/anna/2026.1", 0777), 0);
	store_put_text("Cust1/Documents/anna/2026.1/offer.txt", "offer");
	store_put_text("Cust1/Documents/top.txt", "top");
	store_put_text("Cust1/Documents/empty", "");
	ck_assert_int_eq(chmod("Cust1/Documents/top.txt", 0777) | chmod("Cust1/Documents/empty", 0400), 0);
	p = store_must_copy();
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(p.bytes, 8);
	ck_assert_int_eq(p.refused + p.missing, 0);
	ck_assert(store_has_text("Cust2__g1/Documents/anna/2026.1/offer.txt", "offer"));
	ck_assert_int_eq(stat("Cust1/Documents/top.txt", &a) | stat("Cust2__g1/Documents/top.txt", &b), 0);
	ck_assert_int_eq(b.st_mode & 07777, 0640);
	ck_assert_int_eq(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
	ck_assert_int_eq(stat("Cust2__g1/Documents/empty", &a), 0);
	ck_assert_int_eq(a.st_mode & 07777, 0600);
	ck_assert_int_eq(stat("Cust2__g1/Documents/anna", &a), 0);
	ck_assert_int_eq(a.st_mode & 07777, 0750);
	ck_assert_int_eq(store_differing(), 0);
	ck_assert_int_ne(access("Cust2__g1/.parts-Documents", F_OK), 0);

	/* A crash between the last name and the end of the parts leaves their folder. */
	ck_assert_int_eq(mkdir("Cust2__g1/.parts-Documents", 0750), 0);
	ck_assert_int_eq(store_differing(), 1);
	store_must_copy();
	ck_assert_int_eq(store_differing(), 0);
	ck_assert_int_ne(access("Cust2__g1/.parts-Documents", F_OK), 0);

	/* An equal file is left alone, a changed one is replaced. */
	store_put_text("Cust1/Documents/empty", "no more");
	store_must_copy();
	ck_assert_int_eq(stat("Cust2__g1/Documents/top.txt", &again), 0);
	ck_assert_uint_eq(again.st_ino, b.st_ino);
	ck_assert(store_has_text("Cust2__g1/Documents/empty", "no more"));
}
END_TEST

START_TEST(a_store_that_the_tenant_does_not_use_is_finished_at_once)
{
	struct files_progress p = { 0 };

	store.choice.folder = "Attachments";
	ck_assert_int_eq(store_copy_all(&p), 1);
	store.choice.source_root = "Cust99";
	p.finished = false;
	ck_assert_int_eq(store_copy_all(&p), 1);
	ck_assert_int_eq(p.files, 0);
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

START_TEST(unsafe_requests_are_refused)
{
	static const char *const bad[] = { "", ".", "..", "../Cust3", "a/b", "/etc", ".hidden" };
	static const char *const bad_paths[] = { "", "..", "a/..", "a//b", "/a", "a/", "./a", ".parts-Documents" };
	struct files_progress p = { 0 };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		store.fence.generation = bad[i];
		ck_assert_int_eq(store_copy_all(&p), -1);
		store_expect(ERR_REFUSED, "");
		store.fence.generation = "Cust2__g1";
		store.choice.source_root = bad[i];
		ck_assert_int_eq(store_copy_all(&p), -1);
		store_expect(ERR_REFUSED, "");
		store.choice.source_root = "Cust1";
		err_clear(&store.err);
		ck_assert(!store.port->remove_root(store.port, &store.fence, bad[i], &store.err));
		store_expect(ERR_REFUSED, "");
	}
	for (size_t i = 0; i < sizeof bad_paths / sizeof bad_paths[0]; i++) {
		store.choice.folder = bad_paths[i];
		ck_assert_int_eq(store_copy_all(&p), -1);
		store_expect(ERR_REFUSED, "");
	}
	store.choice.folder = "Documents";
	store.fence.generation = "Cust1";
	ck_assert_int_eq(store_copy_all(&p), -1);
	store_expect(ERR_REFUSED, "onto themselves");
}
END_TEST

/* ---- names ---- */

static const char *const names[] = {
	"-rf",          "$(id)",         " blank ",     "new\nline",  "quote'\"",  "\xff\xfe broken", "A",   "a",
	"a.b",          "a-b",           "a/x",         "a/y/z",      "a0",        "..x",             "...", "b/.hidden",
	"semi;colon",   "back\\slash",   "%2e%2e",      "tab\there",  "\x01\x1b[2J", "*",             "~",   "#",
	"bl\xc3\xa5",   "bla\xcc\x8a",   "john@c.org",  "b/b/b/b/b/b/b",
};
enum { NAMES = sizeof names / sizeof names[0] };

static void make_parents(char *path)
{
	for (char *slash = strchr(path + sizeof "Cust1/Documents", '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

static char order[64][FILES_PATH_MAX];
static int ordered;

static bool note(void *arg, const char *path)
{
	(void)arg;
	strcpy(order[ordered++ % 64], path);
	return true;
}

START_TEST(names_are_bytes_and_come_in_their_order)
{
	char path[2048], longest[256];
	struct files_progress p;

	for (int i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, "Cust1/Documents/%s", strcmp(names[i], "a") == 0 ? "a.file" : names[i]);
		make_parents(path);
		store_put_text(path, names[i]);
	}
	memset(longest, 'n', 255);
	longest[255] = '\0';
	snprintf(path, sizeof path, "Cust1/Documents/%s", longest);
	store_put_text(path, "longest");
	store.choice.wants = note;
	p = store_must_copy();
	ck_assert_int_eq(p.files, NAMES + 1);
	ck_assert_int_eq(p.refused, 0);
	ck_assert_int_eq(store_differing(), 0);
	for (int i = 1; i < NAMES + 1; i++)
		ck_assert_msg(strcmp(order[i - 1], order[i]) < 0, "%s before %s", order[i - 1], order[i]);
	/* From any of them on: exactly the ones behind it. */
	for (int i = 0; i < NAMES + 1; i++) {
		char after[FILES_PATH_MAX];
		struct files_progress from = { 0 };

		strcpy(after, order[i]);
		strcpy(from.after, after);
		ordered = 0;
		ck_assert_int_eq(store_copy_all(&from), 1);
		ck_assert_int_eq(from.files, NAMES - i);
		ordered = 0;
		store_must_copy(); /* fills order again */
	}
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_counted)
{
	struct files_progress p;

	store_make_special_files();
	p = store_must_copy();
	ck_assert_int_eq(p.refused, 6);
	ck_assert_int_eq(p.files, 1);
	ck_assert_int_ne(access("Cust2__g1/Documents/linked_folder", F_OK), 0);
	ck_assert_int_ne(access("Cust2__g1/Documents/link", F_OK), 0);
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

START_TEST(too_deep_or_too_long_is_refused_once)
{
	struct files_progress p;
	char name[201];

	memset(name, 'd', 200);
	name[200] = '\0';
	ck_assert_int_eq(chdir("Cust1/Documents"), 0);
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(mkdir(name, 0755) | chdir(name), 0);
	store_put_text("unreachable", "x");
	ck_assert_int_eq(chdir(store.root) | chdir("Cust1/Documents") | mkdir("z", 0755) | chdir("z"), 0);
	for (int i = 0; i < FILES_DEPTH_MAX + 5; i++)
		ck_assert_int_eq(mkdir("e", 0755) | chdir("e"), 0);
	store_put_text("unreachable", "x");
	ck_assert_int_eq(chdir(store.root), 0);
	for (int i = 0; i < 300; i++) {
		char path[64];

		snprintf(path, sizeof path, "Cust1/Documents/z/f%03d", i);
		store_put_text(path, "x");
	}
	p = store_must_copy();
	ck_assert_int_eq(p.files, 300);
	ck_assert_int_eq(p.refused, 2);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_folder_is_refused)
{
	struct files_progress p = { 0 };

	store_put_text("outside/secret", "secret");
	ck_assert_int_eq(symlink("../outside", "Cust1/Attachments"), 0);
	store.choice.folder = "Attachments";
	ck_assert_int_eq(store_copy_all(&p), -1);
	store_expect(ERR_REFUSED, "a link or a file");
	store.choice.folder = "Documents";
	ck_assert_int_eq(symlink("outside", "Cust2__g1"), 0);
	store_put_text("Cust1/Documents/x", "x");
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_ne(access("outside/Documents", F_OK), 0);
	err_clear(&store.err);
	ck_assert(!store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err));
	store_expect(ERR_REFUSED, "a link or a file");
	ck_assert(store_has_text("outside/secret", "secret"));
}
END_TEST

/* ---- pages ---- */

START_TEST(five_thousand_files_come_in_pages)
{
	struct files_progress p = { 0 };
	int calls;

	store_make_files(5000);
	calls = store_copy_all(&p);
	ck_assert_int_ge(calls, 5000 / 256);
	ck_assert_int_le(calls, 5000 / 256 + 2);
	ck_assert_int_eq(p.files, 5000);
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

START_TEST(a_page_ends_after_64_mib)
{
	struct files_progress p = { 0 };
	int fd;

	for (int i = 0; i < 3; i++) {
		char path[64];

		snprintf(path, sizeof path, "Cust1/Documents/%d", i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		ck_assert_int_eq(ftruncate(fd, 40 << 20), 0);
		close(fd);
	}
	ck_assert_int_eq(store_copy_all(&p), 2);
	ck_assert_int_eq(p.bytes, 120 << 20);
}
END_TEST

/* ---- comparing, opening ---- */

static bool wants_pdf(void *arg, const char *path)
{
	(void)arg;
	return strstr(path, ".pdf") != NULL;
}

/* What a call tells while it goes on. */
struct told {
	int times;
	int64_t files, bytes;
	bool went_back;
};

static void note_moved(void *arg, int64_t files, int64_t bytes)
{
	struct told *told = arg;

	told->went_back |= files < told->files || bytes < told->bytes;
	told->files = files;
	told->bytes = bytes;
	told->times++;
}

/* Whoever watches a step must see that it moves, in the middle of a large file and while it only compares. */
START_TEST(a_call_tells_as_it_goes)
{
	const int64_t large = 20 * 1024 * 1024;
	struct told told = { 0 };
	int fd;

	store_put_text("Cust1/Documents/a", "first");
	fd = open("Cust1/Documents/b", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert(fd >= 0 && ftruncate(fd, large) == 0 && close(fd) == 0);
	store_put_text("Cust1/Documents/c", "last");
	store.choice.moved = note_moved;
	store.choice.moved_arg = &told;
	store_must_copy();
	ck_assert_int_ge(told.times, 3 + 2); /* three ends, and two parts of the large one before its end */
	ck_assert(!told.went_back);
	ck_assert_int_eq(told.files, 3);
	ck_assert_int_eq(told.bytes, large + 9);
	told = (struct told){ 0 };
	ck_assert_int_eq(store_differing(), 0);
	ck_assert_int_eq(told.times, 3);
	ck_assert_int_eq(told.files, 3);
	ck_assert_int_eq(told.bytes, large + 9);
}
END_TEST

START_TEST(comparing_counts_what_is_missing_or_differs)
{
	int64_t different, files, bytes;

	store.choice.wants = wants_pdf;
	store_put_text("Cust1/Documents/a.pdf", "aaa");
	store_put_text("Cust1/Documents/b.pdf", "bbb");
	store_put_text("Cust1/Documents/c.txt", "c");
	ck_assert_int_eq(store_differing(), 2);
	ck_assert_int_eq(store_must_copy().files, 2);
	ck_assert_int_ne(access("Cust2__g1/Documents/c.txt", F_OK), 0);
	ck_assert(store.port->compare(store.port, &store.fence, &store.choice, &different, &files, &bytes, &store.err));
	ck_assert_int_eq(different, 0);
	ck_assert_int_eq(files, 2);
	ck_assert_int_eq(bytes, 6);
	store_put_text("Cust2__g1/Documents/a.pdf", "aaaa");
	ck_assert_int_eq(store_differing(), 1);
	ck_assert_int_eq(unlink("Cust2__g1/Documents/b.pdf"), 0);
	ck_assert_int_eq(store_differing(), 2);
	ck_assert_int_eq(unlink("Cust2__g1/Documents/a.pdf"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "Cust2__g1/Documents/a.pdf"), 0);
	ck_assert_int_eq(store_differing(), 2);
	store_must_copy(); /* replaces the link itself */
	ck_assert(store_has_text("Cust2__g1/Documents/a.pdf", "aaa"));
}
END_TEST

/* With and without openat2: what leads out is not opened. */
START_TEST(opening_beneath_with_and_without_the_kernels_help)
{
	static const struct {
		const char *path;
		bool opens;
	} cases[] = {
		{ "Documents", true }, { "Documents/f/x", true },  { "Documents/missing", false }, { "..", false },
		{ "../outside", false }, { "Documents/../..", false }, { "Documents/out/secret", false }, { "/etc", false },
		{ "Documents/abs/passwd", false }, { "Documents/inner", false }, { "Documents/./f", false },
	};
	int dir = open("Cust1", O_RDONLY | O_DIRECTORY);

	store_put_text("outside/secret", "secret");
	ck_assert_int_eq(mkdir("Cust1/Documents/f", 0755), 0);
	store_put_text("Cust1/Documents/f/x", "x");
	ck_assert_int_eq(symlink("../../outside", "Cust1/Documents/out") | symlink("/etc", "Cust1/Documents/abs") |
	                 symlink("f", "Cust1/Documents/inner"), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fast = files_open_beneath(dir, cases[i].path, O_RDONLY, 0);
		int walked = files_open_walking(dir, cases[i].path, O_RDONLY, 0);

		ck_assert_msg((fast >= 0) == cases[i].opens, "%s", cases[i].path);
		ck_assert_msg((walked >= 0) == cases[i].opens, "%s", cases[i].path);
		files_close(&fast);
		files_close(&walked);
	}
	close(dir);
	ck_assert_ptr_null(files_fs_new("/nonexistent/root", NULL, &store.err));
	store_expect(ERR_REFUSED, "there is none");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files_fs");
	TCase *tc = tcase_create("files_fs");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, store_setup, store_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_tree_is_copied_with_time_and_narrow_modes);
	tcase_add_test(tc, a_store_that_the_tenant_does_not_use_is_finished_at_once);
	tcase_add_test(tc, unsafe_requests_are_refused);
	tcase_add_test(tc, names_are_bytes_and_come_in_their_order);
	tcase_add_test(tc, what_is_no_file_is_refused_and_counted);
	tcase_add_test(tc, too_deep_or_too_long_is_refused_once);
	tcase_add_test(tc, a_link_in_the_place_of_a_folder_is_refused);
	tcase_add_test(tc, five_thousand_files_come_in_pages);
	tcase_add_test(tc, a_page_ends_after_64_mib);
	tcase_add_test(tc, a_call_tells_as_it_goes);
	tcase_add_test(tc, comparing_counts_what_is_missing_or_differs);
	tcase_add_test(tc, opening_beneath_with_and_without_the_kernels_help);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
