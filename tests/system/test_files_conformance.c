/* SPDX-License-Identifier: Apache-2.0
 * What handlers/ports/files.h promises, asked of every store of files there is: a folder, and a container of Azurite. */
#include "consumer/adapters/azure/azure_files.h"
#include "tests/support/azurite.h"
#include "tests/support/file_store.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct azurite azurite;
static struct blobs blobs;

/* Paths begin at the store's root. */
static const struct kind {
	const char *name;
	void (*put)(const char *path, const char *content);
	void (*drop)(const char *path);
	int64_t (*size)(const char *path); /* -1: none */
	/* Another text whenever it was written again. */
	void (*version)(const char *path, char version_r[80]);
	int told_inside; /* how often, at least, it tells inside a file of 20 MB: the service tells nothing before its end */
} *kind;

/* ---- a folder ---- */

static void folder_put(const char *path, const char *content)
{
	char folder[FILES_PATH_MAX];

	snprintf(folder, sizeof folder, "%s", path);
	for (char *slash = strchr(folder, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(folder, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	store_put_text(path, content);
}

static void folder_drop(const char *path)
{
	ck_assert_int_eq(unlink(path), 0);
}

static int64_t folder_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void folder_version(const char *path, char version_r[80])
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	snprintf(version_r, 80, "%llu", (unsigned long long)st.st_ino);
}

static const struct kind folder = { "a folder", folder_put, folder_drop, folder_size, folder_version, 2 };

static void folder_setup(void)
{
	kind = &folder;
	store_setup();
}

/* ---- a container ---- */

static void blob_put(const char *path, const char *content)
{
	blobs_put(&blobs, path, content, strlen(content));
}

static void blob_drop(const char *path)
{
	blobs_remove(&blobs, path);
}

static int64_t blob_size(const char *path)
{
	return blobs_get(&blobs, path, NULL, 0, NULL);
}

static void blob_version(const char *path, char version_r[80])
{
	ck_assert_int_ge(blobs_get(&blobs, path, NULL, 0, version_r), 0);
}

static const struct kind container = { "a container", blob_put, blob_drop, blob_size, blob_version, 0 };

static void container_setup(void)
{
	struct azure_settings settings = { .parallel = 4 };
	char name[32];

	kind = &container;
	snprintf(name, sizeof name, "c%d", (int)getpid());
	blobs_open(&blobs, azurite.url, name, true);
	settings.target = blobs_container(&blobs);
	store.port = azure_files_new(&settings, &store.stop, &store.err);
	ck_assert_msg(store.port, "%s", store.err.text);
}

static void container_teardown(void)
{
	azure_files_free(&store.port);
	blobs_close(&blobs);
}

/* ---- the promises ---- */

#define SOURCE "Cust1/Documents/"
#define COPY   "Cust2__g1/Documents/"

START_TEST(all_is_copied_and_what_is_equal_is_left_alone)
{
	char before[80], after[80];
	struct files_progress p;

	kind->put(SOURCE "anna/2026.1/offer.txt", "offer");
	kind->put(SOURCE "top.txt", "top");
	kind->put(SOURCE "empty", "");
	p = store_must_copy();
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(p.bytes, 8);
	ck_assert_int_eq(p.refused + p.missing, 0);
	ck_assert_int_eq(kind->size(COPY "anna/2026.1/offer.txt"), 5);
	ck_assert_int_eq(kind->size(COPY "empty"), 0);
	ck_assert_int_eq(store_differing(), 0);
	kind->version(COPY "top.txt", before);
	kind->put(SOURCE "empty", "no more");
	p = store_must_copy();
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(kind->size(COPY "empty"), 7);
	kind->version(COPY "top.txt", after);
	ck_assert_str_eq(before, after);
}
END_TEST

/* Same name, same size, another content: its version tells. */
START_TEST(what_was_written_again_is_copied_again)
{
	char before[80], after[80];

	kind->put(SOURCE "x", "one");
	store_must_copy();
	kind->version(COPY "x", before);
	kind->put(SOURCE "x", "two");
	store_must_copy();
	kind->version(COPY "x", after);
	ck_assert_str_ne(before, after);
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

static const char *const names[] = {
	"$(id)", "&amp;", "<b>", "A", "a b", "a!", "a-b", "a.b", "a/x", "a/y/z", "a0", "b/.hidden", "b/b/b/b/b/b/b",
	"bla\xcc\x8a", "bl\xc3\xa5", "john@c.org", "per%20cent", "plus+", "quote'\"", "semi;colon", "what?#", "\xf0\x9f\x90\x98",
};
enum { NAMES = sizeof names / sizeof names[0] };

START_TEST(names_are_bytes_and_from_any_of_them_on_it_goes_on)
{
	char path[FILES_PATH_MAX];
	struct files_progress p;

	for (int i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, SOURCE "%s", names[i]);
		kind->put(path, names[i]);
	}
	p = store_must_copy();
	ck_assert_int_eq(p.files, NAMES);
	ck_assert_int_eq(p.refused, 0);
	ck_assert_int_eq(store_differing(), 0);
	for (int i = 0; i < NAMES; i++) {
		struct files_progress from = { 0 };

		snprintf(path, sizeof path, COPY "%s", names[i]);
		ck_assert_msg(kind->size(path) == (int64_t)strlen(names[i]), "%s", path);
		snprintf(from.after, sizeof from.after, "%s", names[i]);
		ck_assert_int_eq(store_copy_all(&from), 1);
		ck_assert_msg(from.files == NAMES - 1 - i, "%d behind %s", (int)from.files, names[i]);
	}
}
END_TEST

static void make_files(int count)
{
	char path[64], content[32];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, SOURCE "folder%d/%d", i / 100, i);
		snprintf(content, sizeof content, "%0*d", i % 20 + 1, i);
		kind->put(path, content);
	}
}

START_TEST(many_come_in_pages)
{
	struct files_progress p = { 0 };

	make_files(1100);
	ck_assert_int_ge(store_copy_all(&p), 2);
	ck_assert_int_eq(p.files, 1100);
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

static bool wants_pdf(void *arg, const char *path)
{
	(void)arg;
	return strstr(path, ".pdf") != NULL;
}

START_TEST(comparing_counts_what_is_missing_or_differs)
{
	int64_t different, files, bytes;

	store.choice.wants = wants_pdf;
	kind->put(SOURCE "a.pdf", "aaa");
	kind->put(SOURCE "b.pdf", "bbb");
	kind->put(SOURCE "c.txt", "c");
	ck_assert_int_eq(store_differing(), 2);
	ck_assert_int_eq(store_must_copy().files, 2);
	ck_assert_int_eq(kind->size(COPY "c.txt"), -1);
	ck_assert(store.port->compare(store.port, &store.fence, &store.choice, &different, &files, &bytes, &store.err));
	ck_assert_int_eq(different, 0);
	ck_assert_int_eq(files, 2);
	ck_assert_int_eq(bytes, 6);
	kind->put(COPY "a.pdf", "aaaa");
	ck_assert_int_eq(store_differing(), 1);
	kind->drop(COPY "b.pdf");
	ck_assert_int_eq(store_differing(), 2);
	store_must_copy();
	ck_assert_int_eq(store_differing(), 0);
	ck_assert_int_eq(kind->size(COPY "a.pdf"), 3);
}
END_TEST

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

START_TEST(a_call_tells_as_it_goes)
{
	const size_t large = 20 * 1024 * 1024;
	char *content = calloc(1, large + 1);
	struct told told = { 0 };

	memset(content, 'x', large);
	kind->put(SOURCE "a", "first");
	kind->put(SOURCE "b", content);
	kind->put(SOURCE "c", "last");
	free(content);
	store.choice.moved = note_moved;
	store.choice.moved_arg = &told;
	store_must_copy();
	ck_assert_int_ge(told.times, 3 + kind->told_inside);
	ck_assert(!told.went_back);
	ck_assert_int_eq(told.files, 3);
	ck_assert_int_eq(told.bytes, (int64_t)large + 9);
	told = (struct told){ 0 };
	ck_assert_int_eq(store_differing(), 0);
	ck_assert_int_eq(told.files, 3);
	ck_assert_int_eq(told.bytes, (int64_t)large + 9);
}
END_TEST

START_TEST(an_older_owner_is_refused)
{
	struct files_progress p = { 0 };

	kind->put(SOURCE "x", "x");
	store_must_copy();
	store.fence.token = 99;
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_eq(store.err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(store.err.class, ERR_REFUSED);
	err_clear(&store.err);
	ck_assert(!store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err));
	ck_assert_int_eq(store.err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(kind->size(COPY "x"), 1);
	store.fence.token = 101;
	ck_assert_int_gt(store_copy_all(&p), 0);
}
END_TEST

static bool new_owner_comes(void *arg, const char *path)
{
	(void)arg;
	(void)path;
	kind->put("Cust2__g1/.sandbox-token", "200\n");
	return true;
}

START_TEST(a_newer_owner_in_the_middle_of_a_page)
{
	struct files_progress p = { 0 };

	kind->put(SOURCE "x", "x");
	store.choice.wants = new_owner_comes;
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_eq(store.err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(p.files, 0);
}
END_TEST

START_TEST(removing_takes_the_tree_and_nothing_else)
{
	kind->put(SOURCE "a/b/c", "fine");
	kind->put("Cust2__g1x/Documents/neighbour", "n");
	kind->put("Cust2__g/Documents/neighbour", "n");
	store_must_copy();
	err_clear(&store.err);
	ck_assert_msg(store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err), "%s", store.err.text);
	ck_assert_int_eq(kind->size(COPY "a/b/c"), -1);
	ck_assert_int_eq(kind->size("Cust2__g1/.sandbox-token"), -1);
	ck_assert_int_eq(kind->size(SOURCE "a/b/c"), 4);
	ck_assert_int_eq(kind->size("Cust2__g1x/Documents/neighbour"), 1);
	ck_assert_int_eq(kind->size("Cust2__g/Documents/neighbour"), 1);
	ck_assert(store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err));
	atomic_store(&store.stop, true);
	ck_assert(!store.port->remove_root(store.port, &store.fence, "Cust2__g1x", &store.err));
	ck_assert_int_eq(store.err.code, ERR_CODE_ABORTED);
}
END_TEST

static bool stop_at_20(void *arg, const char *path)
{
	int *seen = arg;

	(void)path;
	if (++*seen == 20)
		atomic_store(&store.stop, true);
	return true;
}

START_TEST(the_stop_flag_ends_the_call_and_the_next_goes_on)
{
	struct files_progress p = { 0 };
	int seen = 0;

	make_files(50);
	store.choice.wants = stop_at_20;
	store.choice.arg = &seen;
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_eq(store.err.code, ERR_CODE_ABORTED);
	ck_assert_int_eq(p.files, 0);
	atomic_store(&store.stop, false);
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert_int_eq(p.files, 50);
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

/* Every round some more may be there, none is there in part, and what was there is not written again. */
START_TEST(killed_at_any_moment_it_resumes_and_no_file_is_half)
{
	char first[80] = "", again[80];
	int kills = 0;

	make_files(200);
	for (int i = 0; i < 8; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			struct files_progress p = { 0 };

			_exit(store_copy_all(&p) > 0 ? 0 : 1);
		}
		usleep((useconds_t)(2000 + i * 40000));
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		kills += WIFSIGNALED(status);
		ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
		for (int n = 0; n < 200; n += 7) {
			char source[64], copy[64];
			int64_t size;

			snprintf(source, sizeof source, SOURCE "folder%d/%d", n / 100, n);
			snprintf(copy, sizeof copy, COPY "folder%d/%d", n / 100, n);
			size = kind->size(copy);
			ck_assert(size == -1 || size == kind->size(source));
		}
		if (!*first && kind->size(COPY "folder0/0") >= 0)
			kind->version(COPY "folder0/0", first);
	}
	ck_assert_int_gt(kills, 0);
	ck_assert_int_eq(store_must_copy().files, 200);
	ck_assert_int_eq(store_differing(), 0);
	if (*first) {
		kind->version(COPY "folder0/0", again);
		ck_assert_str_eq(first, again);
	}
}
END_TEST

static TCase *promises(const struct kind *k, void (*setup)(void), void (*teardown)(void))
{
	TCase *tc = tcase_create(k->name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, all_is_copied_and_what_is_equal_is_left_alone);
	tcase_add_test(tc, what_was_written_again_is_copied_again);
	tcase_add_test(tc, a_store_that_the_tenant_does_not_use_is_finished_at_once);
	tcase_add_test(tc, unsafe_requests_are_refused);
	tcase_add_test(tc, names_are_bytes_and_from_any_of_them_on_it_goes_on);
	tcase_add_test(tc, many_come_in_pages);
	tcase_add_test(tc, comparing_counts_what_is_missing_or_differs);
	tcase_add_test(tc, a_call_tells_as_it_goes);
	tcase_add_test(tc, an_older_owner_is_refused);
	tcase_add_test(tc, a_newer_owner_in_the_middle_of_a_page);
	tcase_add_test(tc, removing_takes_the_tree_and_nothing_else);
	tcase_add_test(tc, the_stop_flag_ends_the_call_and_the_next_goes_on);
	tcase_add_test(tc, killed_at_any_moment_it_resumes_and_no_file_is_half);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("files_conformance");
	SRunner *sr = srunner_create(suite);
	enum azurite_result started;
	int failed;

	setenv("BUILD_DIR", BUILD_DIR, 0);
	setenv("SOURCE_DIR", SOURCE_DIR, 0);
	suite_add_tcase(suite, promises(&folder, folder_setup, store_teardown));
	started = azurite_start(&azurite);
	if (started == AZURITE_STARTED)
		suite_add_tcase(suite, promises(&container, container_setup, container_teardown));
	else if (started == AZURITE_ABSENT)
		puts("SKIPPED: no Azurite on this machine");
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	azurite_stop(&azurite);
	return failed != 0 || started == AZURITE_FAILED;
}
