/* SPDX-License-Identifier: Apache-2.0
 * The file store in trouble: swaps under the copy, SIGKILL, full disks, owners that are too late. */
#include "tests/support/file_store.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- things that change under the copy ---- */

static bool swap_before_opening(void *arg, const char *path)
{
	(void)arg;
	if (strcmp(path, "vanishes") == 0)
		unlink("Cust1/Documents/vanishes");
	if (strcmp(path, "to_fifo") == 0)
		ck_assert_int_eq(unlink("Cust1/Documents/to_fifo") | mkfifo("Cust1/Documents/to_fifo", 0600), 0);
	if (strcmp(path, "to_link") == 0)
		ck_assert_int_eq(unlink("Cust1/Documents/to_link") |
		                 symlink("../../outside/secret", "Cust1/Documents/to_link"), 0);
	return true;
}

START_TEST(swaps_between_listing_and_opening)
{
	struct files_progress p;

	store_put_text("outside/secret", "secret");
	store_put_text("Cust1/Documents/vanishes", "x");
	store_put_text("Cust1/Documents/to_fifo", "x");
	store_put_text("Cust1/Documents/to_link", "x");
	store.choice.wants = swap_before_opening;
	p = store_must_copy();
	ck_assert_int_eq(p.missing, 1);
	ck_assert_int_eq(p.refused, 2);
	ck_assert_int_eq(p.files, 0);
}
END_TEST

static atomic_bool swapping, writing;

static void *swap_folder(void *arg)
{
	(void)arg;
	while (atomic_load(&swapping)) {
		if (renameat2(AT_FDCWD, "Cust1/Documents/f", AT_FDCWD, "Cust1/evil", RENAME_EXCHANGE) != 0)
			break;
	}
	return NULL;
}

START_TEST(a_folder_swapped_for_a_link_again_and_again_leads_nowhere)
{
	pthread_t thread;
	int entered = 0;

	ck_assert_int_eq(mkdir("Cust1/Documents/f", 0755), 0);
	store_put_text("Cust1/Documents/f/file", "public");
	store_put_text("outside/file", "secret");
	ck_assert_int_eq(symlink("../../outside", "Cust1/evil"), 0);
	atomic_store(&swapping, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, swap_folder, NULL), 0);
	for (int i = 0; i < 150; i++) {
		struct files_progress p = store_must_copy();

		entered += p.files == 1;
		ck_assert(p.files == 0 || store_has_text("Cust2__g1/Documents/f/file", "public"));
		unlink("Cust2__g1/Documents/f/file");
	}
	atomic_store(&swapping, false);
	pthread_join(thread, NULL);
	ck_assert_int_gt(entered, 0);
}
END_TEST

static void *keep_writing(void *arg)
{
	FILE *f = fopen("Cust1/Documents/busy", "a");

	(void)arg;
	while (atomic_load(&swapping)) {
		fputs("more and more\n", f);
		fflush(f);
		atomic_store(&writing, true);
	}
	fclose(f);
	return NULL;
}

START_TEST(a_file_that_changes_all_the_time_is_said)
{
	struct files_progress p = { 0 };
	pthread_t thread;
	int copied = 0;
	char *big = calloc(1, 48 << 20);

	store_put("Cust1/Documents/busy", big, 48 << 20);
	free(big);
	atomic_store(&swapping, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, keep_writing, NULL), 0);
	while (!atomic_load(&writing))
		sched_yield();
	for (int tries = 0; copied != -1 && tries < 100; tries++) /* on a busy machine the writer may stand still */
		copied = store_copy_all(&p);
	ck_assert_int_eq(copied, -1);
	store_expect(ERR_TRANSIENT, "changes faster");
	atomic_store(&swapping, false);
	pthread_join(thread, NULL);
	store_must_copy();
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

/* ---- stop, crash, full disk ---- */

static bool stop_at_300(void *arg, const char *path)
{
	int *seen = arg;

	(void)path;
	if (++*seen == 300)
		atomic_store(&store.stop, true);
	return true;
}

START_TEST(the_stop_flag_ends_the_call_and_the_next_goes_on)
{
	struct files_progress p = { 0 };
	int seen = 0;

	store_make_files(500);
	store.choice.wants = stop_at_300;
	store.choice.arg = &seen;
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_eq(store.err.code, ERR_CODE_ABORTED);
	ck_assert_int_eq(p.files, 256);
	atomic_store(&store.stop, false);
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert_int_eq(p.files, 500);
	ck_assert_int_eq(store_differing(), 0);
}
END_TEST

static int wrong_files;

/* Whatever bears its real name is whole. */
static int check_whole(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char source[4096];
	struct stat s;

	(void)ftw;
	if (type == FTW_F && !strstr(path, "/.")) {
		snprintf(source, sizeof source, "Cust1/%s", path + sizeof "Cust2__g1");
		wrong_files += stat(source, &s) != 0 || s.st_size != st->st_size || s.st_mtim.tv_nsec != st->st_mtim.tv_nsec;
	}
	return 0;
}

START_TEST(killed_at_any_moment_it_resumes_and_no_file_is_half)
{
	int kills = 0;

	store_make_files(700);
	for (int i = 0; i < 40; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			struct files_progress p = { 0 };

			_exit(store_copy_all(&p) > 0 ? 0 : 1);
		}
		usleep((useconds_t)(500 + (i * 7919) % 20000));
		kill(child, SIGKILL);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		kills += WIFSIGNALED(status);
		ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
		nftw("Cust2__g1", check_whole, 16, FTW_PHYS);
		ck_assert_int_eq(wrong_files, 0);
	}
	ck_assert_int_gt(kills, 5);
	store_must_copy();
	ck_assert_int_eq(store_differing(), 0);
	ck_assert_int_ne(access("Cust2__g1/.parts-Documents", F_OK), 0);
}
END_TEST

static bool mount_small(const char *folder)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", folder, "tmpfs", 0, "size=512k") == 0;
}

START_TEST(a_full_disk_is_said_and_leaves_no_part)
{
	struct files_progress p = { 0 };
	char *content = calloc(1, 300000);

	for (int i = 0; i < 4; i++) {
		char path[64];

		snprintf(path, sizeof path, "Cust1/Documents/%d", i);
		memset(content, 'a' + i, 300000);
		store_put(path, content, 300000);
	}
	free(content);
	ck_assert_int_eq(mkdir("Cust2__g1", 0755), 0);
	if (!mount_small("Cust2__g1")) {
		signal(SIGXFSZ, SIG_IGN);
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 200000, 200000 }), 0);
		ck_assert_int_eq(store_copy_all(&p), -1);
		store_expect(ERR_TRANSIENT, "larger than the store allows");
		return;
	}
	files_fs_free(&store.port); /* the store.root of before does not see the new mount */
	store.port = files_fs_new(store.root, &store.stop, &store.err);
	ck_assert_int_eq(store_copy_all(&p), -1);
	store_expect(ERR_TRANSIENT, "disk full");
	ck_assert_int_eq(p.files, 0);
	ck_assert_int_eq(rmdir("Cust2__g1/.parts-Documents"), 0); /* empty: the parts are gone */
	ck_assert_int_eq(mount("none", "Cust2__g1", NULL, MS_REMOUNT, "size=8m"), 0);
	ck_assert_int_gt(store_copy_all(&p), 0);
	ck_assert_int_eq(store_differing(), 0);
	umount("Cust2__g1");
}
END_TEST

/* ---- old owners, removing ---- */

START_TEST(an_older_owner_is_refused)
{
	struct files_progress p = { 0 };

	store_put_text("Cust1/Documents/x", "x");
	store_must_copy();
	store.fence.token = 99;
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_eq(store.err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(store.err.class, ERR_REFUSED);
	err_clear(&store.err);
	ck_assert(!store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err));
	ck_assert_int_eq(store.err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(access("Cust2__g1/Documents/x", F_OK), 0);
	store.fence.token = 101;
	ck_assert_int_gt(store_copy_all(&p), 0);
}
END_TEST

/* The owner that copies learns in the middle that it is the older one: nothing of its batch gets a name. */
static bool new_owner_comes(void *arg, const char *path)
{
	(void)arg;
	(void)path;
	store_put_text("Cust2__g1/.sandbox-token", "200\n");
	return true;
}

START_TEST(a_newer_owner_in_the_middle_of_a_batch)
{
	struct files_progress p = { 0 };

	store_put_text("Cust1/Documents/x", "x");
	store.choice.wants = new_owner_comes;
	ck_assert_int_eq(store_copy_all(&p), -1);
	ck_assert_int_eq(store.err.code, ERR_CODE_FENCED);
	ck_assert_int_ne(access("Cust2__g1/Documents/x", F_OK), 0);
}
END_TEST

START_TEST(removing_takes_the_tree_and_nothing_else)
{
	store_put_text("outside/secret", "secret");
	store_make_special_files();
	store_must_copy();
	ck_assert_int_eq(rename("Cust1", "Cust2"), 0);
	ck_assert_int_eq(mkdir("Cust2x", 0755), 0);
	err_clear(&store.err);
	ck_assert_msg(store.port->remove_root(store.port, &store.fence, "Cust2", &store.err), "%s", store.err.text);
	ck_assert_int_ne(access("Cust2", F_OK), 0);
	ck_assert_int_eq(access("Cust2__g1/Documents/fine", F_OK) | access("Cust2x", F_OK), 0);
	ck_assert(store_has_text("outside/secret", "secret"));
	ck_assert(store.port->remove_root(store.port, &store.fence, "Cust2", &store.err));
	atomic_store(&store.stop, true);
	ck_assert(!store.port->remove_root(store.port, &store.fence, "Cust2__g1", &store.err));
	ck_assert_int_eq(store.err.code, ERR_CODE_ABORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files_trouble");
	TCase *tc = tcase_create("files_trouble");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, store_setup, store_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, swaps_between_listing_and_opening);
	tcase_add_test(tc, a_folder_swapped_for_a_link_again_and_again_leads_nowhere);
	tcase_add_test(tc, a_file_that_changes_all_the_time_is_said);
	tcase_add_test(tc, the_stop_flag_ends_the_call_and_the_next_goes_on);
	tcase_add_test(tc, killed_at_any_moment_it_resumes_and_no_file_is_half);
	tcase_add_test(tc, a_full_disk_is_said_and_leaves_no_part);
	tcase_add_test(tc, an_older_owner_is_refused);
	tcase_add_test(tc, a_newer_owner_in_the_middle_of_a_batch);
	tcase_add_test(tc, removing_takes_the_tree_and_nothing_else);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
