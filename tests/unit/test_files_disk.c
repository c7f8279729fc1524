/* SPDX-License-Identifier: Apache-2.0
 * The file store and the disk: the calls that put bytes and names on it are watched here, in their order, and made to fail.
 * What a name stands for must be on disk before it gets that name, and the name itself before a call returns. */
#include "tests/support/file_store.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is on disk, as far as the calls tell; the linker takes these before the C library's ---- */

enum { NAMES_MAX = 2000 };

struct name {
	char path[512];
	bool is_dirty; /* a file: bytes that are not on disk; a folder: names that are not */
};

static struct {
	bool is_on;
	struct name names[NAMES_MAX];
	int count;
	int named_early; /* files that got their names before their bytes were on disk */
	int syncs, syncs_of_all, copies;
	int64_t copied;
	/* what goes wrong: the n-th of them, and with which errno */
	int fail_sync, fail_sync_of_all, fail_copy, errno_of;
	const char *fail_sync_below; /* or the first below this folder */
	bool copies_nothing, copies_little;
} disk;

static struct name *find(const char *path)
{
	for (int i = 0; i < disk.count; i++)
		if (strcmp(disk.names[i].path, path) == 0)
			return &disk.names[i];
	return NULL;
}

static void set_dirty(const char *path, bool is_dirty)
{
	struct name *name = find(path);

	if (!name && !is_dirty)
		return;
	if (!name) {
		if (disk.count == NAMES_MAX)
			abort();
		name = &disk.names[disk.count++];
		snprintf(name->path, sizeof name->path, "%s", path);
	}
	name->is_dirty = is_dirty;
}

static void path_of(int fd, char path_r[512])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path_r, 511);
	path_r[len < 0 ? 0 : len] = '\0';
}

static void path_at(int dir, const char *name, char path_r[512])
{
	char folder[512];

	path_of(dir, folder);
	snprintf(path_r, 512, "%.250s/%.250s", folder, name);
}

static int dirty_below(const char *part)
{
	int count = 0;

	for (int i = 0; i < disk.count; i++)
		count += disk.names[i].is_dirty && strstr(disk.names[i].path, part) != NULL;
	return count;
}

static void *real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

/* The real one is not called: the tests would wait for a busy disk. */
int fsync(int fd)
{
	char path[512];

	path_of(fd, path);
	if (disk.is_on && (++disk.syncs == disk.fail_sync ||
	                   (disk.fail_sync_below && strstr(path, disk.fail_sync_below)))) {
		disk.fail_sync_below = NULL;
		errno = disk.errno_of;
		return -1;
	}
	set_dirty(path, false);
	return 0;
}

int syncfs(int fd)
{
	if (disk.is_on && ++disk.syncs_of_all == disk.fail_sync_of_all) {
		errno = disk.errno_of;
		return -1;
	}
	for (int i = 0; i < disk.count; i++)
		disk.names[i].is_dirty = false;
	return fcntl(fd, F_GETFD) < 0 ? -1 : 0;
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	int (*next)(int, const char *, mode_t);
	int code;
	char path[512];

	*(void **)&next = real("mkdirat");
	code = next(dir, name, mode);
	path_of(dir, path);
	if (code == 0 && disk.is_on)
		set_dirty(path, true);
	return code;
}

int renameat(int from, const char *old, int to, const char *new)
{
	int (*next)(int, const char *, int, const char *);
	char path[512];
	int code;

	*(void **)&next = real("renameat");
	code = next(from, old, to, new);
	if (code != 0 || !disk.is_on)
		return code;
	path_at(from, old, path);
	disk.named_early += find(path) && find(path)->is_dirty;
	set_dirty(path, false);
	path_of(to, path);
	set_dirty(path, true);
	return code;
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t len, unsigned flags)
{
	ssize_t (*next)(int, off64_t *, int, off64_t *, size_t, unsigned);
	char path[512];
	ssize_t n;

	*(void **)&next = real("copy_file_range");
	if (!disk.is_on)
		return next(from, from_at, to, to_at, len, flags);
	if (++disk.copies == disk.fail_copy) {
		errno = disk.errno_of;
		return -1;
	}
	if (disk.copies_nothing)
		return 0;
	n = next(from, from_at, to, to_at, disk.copies_little && len > 1000 ? 1000 : len, flags);
	path_of(to, path);
	if (n > 0) {
		disk.copied += n;
		set_dirty(path, true);
	}
	return n;
}

static void watch(void)
{
	memset(&disk, 0, sizeof disk);
	disk.is_on = true;
	disk.errno_of = EIO;
}

static void setup(void)
{
	disk.is_on = false;
	store_setup();
}

static void teardown(void)
{
	disk.is_on = false;
	store_teardown();
}

/* ---- the order ---- */

static void make_some(int count)
{
	char path[64], content[32];

	ck_assert_int_eq(mkdir("Cust1/Documents/a", 0755) | mkdir("Cust1/Documents/b", 0755), 0);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "Cust1/Documents/%s/%03d", i % 2 ? "a" : "b", i);
		snprintf(content, sizeof content, "this is file %d", i);
		store_put_text(path, content);
	}
}

static void check_some(int count)
{
	char path[64], content[32];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "Cust2__g1/Documents/%s/%03d", i % 2 ? "a" : "b", i);
		snprintf(content, sizeof content, "this is file %d", i);
		ck_assert_msg(store_has_text(path, content), "%s", path);
	}
}

static int named(void)
{
	char path[64];
	int count = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "Cust2__g1/Documents/%s/%03d", i % 2 ? "a" : "b", i);
		count += access(path, F_OK) == 0;
	}
	return count;
}

START_TEST(a_few_files_are_on_disk_before_they_get_their_names)
{
	make_some(5);
	watch();
	ck_assert_int_eq(store_must_copy().files, 5);
	ck_assert_int_eq(disk.copied, 5 * (int64_t)strlen("this is file 0"));
	ck_assert_int_eq(disk.named_early, 0);
	ck_assert_int_eq(disk.syncs_of_all, 0);
	ck_assert_int_ge(disk.syncs, 5);
	ck_assert_int_eq(dirty_below("Cust2__g1"), 0);
	check_some(5);
}
END_TEST

START_TEST(many_files_are_on_disk_before_they_get_their_names)
{
	make_some(300);
	watch();
	ck_assert_int_eq(store_must_copy().files, 300);
	ck_assert_int_eq(disk.named_early, 0);
	ck_assert_int_ge(disk.syncs_of_all, 1);
	ck_assert_int_eq(dirty_below("Cust2__g1"), 0);
	check_some(300);
}
END_TEST

/* A folder that is made must be there after a crash as well: the one above it is put on disk. */
START_TEST(so_are_the_names_of_folders_and_the_token)
{
	struct files_progress p = { 0 };

	ck_assert_int_eq(mkdir("Cust1/Documents/deep", 0755) | mkdir("Cust1/Documents/deep/er", 0755), 0);
	store_put_text("Cust1/Documents/deep/er/x", "x");
	watch();
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert_int_eq(disk.syncs_of_all, 0);
	ck_assert_int_eq(dirty_below(store.root), 0);
	ck_assert(store_has_text("Cust2__g1/.sandbox-token", "100\n"));
}
END_TEST

/* Names that were given before, and folders: all are found to be right, and none may be on disk yet. */
START_TEST(what_a_try_left_that_was_killed_is_put_on_disk)
{
	struct files_progress p = { 0 };

	make_some(3);
	store_must_copy();
	ck_assert_int_eq(mkdir("Cust2__g1/.parts-Documents", 0750), 0);
	watch();
	set_dirty(store.root, true);
	for (int i = 0; i < 4; i++) {
		static const char *const folders[] = { "", "/Documents", "/Documents/a", "/Documents/b" };
		char path[512];

		snprintf(path, sizeof path, "%.250s/Cust2__g1%s", store.root, folders[i]);
		set_dirty(path, true);
	}
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(disk.copies, 0);
	ck_assert_int_eq(disk.syncs_of_all, 1);
	ck_assert_int_eq(dirty_below(store.root), 0);
}
END_TEST

/* ---- a disk that says no ---- */

/* After an error the pages may be gone: the file is written from its source again, not only synced again. */
START_TEST(a_failed_sync_names_nothing_and_the_bytes_are_written_again)
{
	static const int counts[] = { 5, 250 };
	struct files_progress p = { 0 };
	int count = counts[_i], before;

	make_some(count);
	watch();
	disk.fail_sync_below = _i == 0 ? "/.parts-Documents/" : NULL;
	disk.fail_sync_of_all = _i == 1;
	ck_assert_int_eq(store_copy_all(&p), -1);
	store_expect(ERR_TRANSIENT, "writing files to disk in Documents failed: EIO");
	ck_assert_int_eq(p.files, 0);
	ck_assert_int_eq(named(), 0);
	before = disk.copies;
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert_int_ge(disk.copies, before + count);
	ck_assert_int_eq(p.files, count);
	check_some(count);
}
END_TEST

/* Whichever of them fails: the call says so, and the next one puts on disk what was not, though all names are there. */
START_TEST(every_sync_that_fails_is_said_and_made_good)
{
	int failed = 0;

	make_some(3);
	for (int n = 1;; n++) {
		struct files_progress p = { 0 };
		int calls;

		err_clear(&store.err);
		watch();
		disk.fail_sync = n;
		calls = store_copy_all(&p);
		if (disk.syncs < n)
			break; /* there was no n-th */
		ck_assert_msg(calls == -1, "sync %d failed and nobody said so", n);
		ck_assert_int_eq(store.err.class, ERR_TRANSIENT);
		ck_assert_int_eq(p.files, 0);
		failed++;
		ck_assert_msg(store_copy_all(&p) > 0, "%s", store.err.text);
		ck_assert_msg(dirty_below("Cust2__g1") + dirty_below(store.root) == 0, "after sync %d failed", n);
		disk.is_on = false;
		ck_assert(store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err));
	}
	ck_assert_int_ge(failed, 3 + 2 + 3); /* files, folders with new names, folders that were made */
	check_some(3);
}
END_TEST

/* ---- the kernel's copy, and ours where it has none ---- */

static void copy_one(const char *content, size_t len)
{
	char *found = malloc(len + 1);
	FILE *f;

	err_clear(&store.err);
	store_put("Cust1/Documents/one", content, len);
	store_must_copy();
	f = fopen("Cust2__g1/Documents/one", "r");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(found, 1, len + 1, f), len);
	ck_assert_mem_eq(found, content, len);
	fclose(f);
	free(found);
}

START_TEST(what_the_kernel_does_not_copy_is_copied_by_hand)
{
	static const int reasons[] = { EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EINTR };
	const size_t len = 300000;
	char *content = malloc(len);

	for (size_t r = 0; r < sizeof reasons / sizeof *reasons + 2; r++) {
		for (size_t i = 0; i < len; i++)
			content[i] = (char)('a' + (i * 31 + r) % 26);
		watch();
		disk.copies_nothing = r == sizeof reasons / sizeof *reasons;
		disk.copies_little = r > sizeof reasons / sizeof *reasons;
		disk.fail_copy = r < sizeof reasons / sizeof *reasons ? 1 : 0;
		disk.errno_of = disk.fail_copy ? reasons[r] : 0;
		copy_one(content, len);
		ck_assert_int_ge(disk.copies, 1);
		disk.is_on = false;
		ck_assert_int_eq(unlink("Cust2__g1/Documents/one"), 0);
	}
	free(content);
}
END_TEST

START_TEST(a_read_that_fails_is_said_and_leaves_no_name)
{
	struct files_progress p = { 0 };

	store_put_text("Cust1/Documents/one", "text");
	watch();
	disk.fail_copy = 1;
	ck_assert_int_eq(store_copy_all(&p), -1);
	store_expect(ERR_TRANSIENT, "copying a file in Documents failed: EIO");
	ck_assert_int_ne(access("Cust2__g1/Documents/one", F_OK), 0);
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert(store_has_text("Cust2__g1/Documents/one", "text"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files_disk");
	TCase *tc = tcase_create("files_disk");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_few_files_are_on_disk_before_they_get_their_names);
	tcase_add_test(tc, many_files_are_on_disk_before_they_get_their_names);
	tcase_add_test(tc, so_are_the_names_of_folders_and_the_token);
	tcase_add_test(tc, what_a_try_left_that_was_killed_is_put_on_disk);
	tcase_add_loop_test(tc, a_failed_sync_names_nothing_and_the_bytes_are_written_again, 0, 2);
	tcase_add_test(tc, every_sync_that_fails_is_said_and_made_good);
	tcase_add_test(tc, what_the_kernel_does_not_copy_is_copied_by_hand);
	tcase_add_test(tc, a_read_that_fails_is_said_and_leaves_no_name);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
