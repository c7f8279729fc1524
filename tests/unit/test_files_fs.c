/* SPDX-License-Identifier: Apache-2.0
 * The file store on real folders: hostile names, swaps, crashes, full disks, old owners. */
#include "consumer/adapters/files/files_fs.h"
#include "consumer/adapters/files/files_priv.h"

#include <check.h>
#include <errno.h>
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
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[256];
static struct files_port *port;
static atomic_bool stop;
static struct err err;
static struct fence fence = { "clone", 1, "clone_documents", "Cust2", "Cust2__g1", 100 };
static struct files_choice choice = { "Cust1", "Documents", NULL, NULL };

/* ---- small helpers ---- */

static void setup(void)
{
	snprintf(root, sizeof root, "%s/sandbox-files-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(chdir(root), 0);
	ck_assert_int_eq(mkdir("Cust1", 0755) | mkdir("Cust1/Documents", 0755) | mkdir("outside", 0755), 0);
	port = files_fs_new(root, &stop, &err);
	ck_assert_msg(port, "%s", err.text);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	files_fs_free(&port);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *content, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_msg(f, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(fwrite(content, 1, len, f), len);
	fclose(f);
}

static void put_text(const char *path, const char *content)
{
	put(path, content, strlen(content));
}

static bool has_text(const char *path, const char *content)
{
	char found[256] = "";
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(found, 1, sizeof found - 1, f) : 0;

	if (f)
		fclose(f);
	return f && len == strlen(content) && memcmp(found, content, len) == 0;
}

/* Copies to the end; how many calls it took, or -1 with err. */
static int copy_all(struct files_progress *progress)
{
	int calls = 0;

	err_clear(&err);
	while (!progress->finished) {
		if (!port->copy_next(port, &fence, &choice, progress, &err))
			return -1;
		calls++;
	}
	return calls;
}

static struct files_progress must_copy(void)
{
	struct files_progress progress = { 0 };

	ck_assert_msg(copy_all(&progress) > 0, "%s", err.text);
	return progress;
}

static int64_t differing(void)
{
	int64_t different, files, bytes;

	err_clear(&err);
	ck_assert_msg(port->compare(port, &fence, &choice, &different, &files, &bytes, &err), "%s", err.text);
	return different;
}

static void expect(enum err_class class, const char *part)
{
	ck_assert_int_eq(err.class, class);
	ck_assert_msg(strstr(err.text, part), "\"%s\" is not in \"%s\"", part, err.text);
}

/* ---- copying ---- */

START_TEST(a_tree_is_copied_with_time_and_narrow_modes)
{
	struct files_progress p;
	struct stat a, b, again;

	umask(0);
	ck_assert_int_eq(mkdir("Cust1/Documents/anna", 0777) | mkdir("Cust1/Documents/anna/2026.1", 0777), 0);
	put_text("Cust1/Documents/anna/2026.1/offer.txt", "offer");
	put_text("Cust1/Documents/top.txt", "top");
	put_text("Cust1/Documents/empty", "");
	ck_assert_int_eq(chmod("Cust1/Documents/top.txt", 0777) | chmod("Cust1/Documents/empty", 0400), 0);
	p = must_copy();
	ck_assert_int_eq(p.files, 3);
	ck_assert_int_eq(p.bytes, 8);
	ck_assert_int_eq(p.refused + p.missing, 0);
	ck_assert(has_text("Cust2__g1/Documents/anna/2026.1/offer.txt", "offer"));
	ck_assert_int_eq(stat("Cust1/Documents/top.txt", &a) | stat("Cust2__g1/Documents/top.txt", &b), 0);
	ck_assert_int_eq(b.st_mode & 07777, 0640);
	ck_assert_int_eq(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
	ck_assert_int_eq(stat("Cust2__g1/Documents/empty", &a), 0);
	ck_assert_int_eq(a.st_mode & 07777, 0600);
	ck_assert_int_eq(stat("Cust2__g1/Documents/anna", &a), 0);
	ck_assert_int_eq(a.st_mode & 07777, 0750);
	ck_assert_int_eq(differing(), 0);
	ck_assert_int_ne(access("Cust2__g1/.parts-Documents", F_OK), 0);

	/* An equal file is left alone, a changed one is replaced. */
	put_text("Cust1/Documents/empty", "no more");
	must_copy();
	ck_assert_int_eq(stat("Cust2__g1/Documents/top.txt", &again), 0);
	ck_assert_uint_eq(again.st_ino, b.st_ino);
	ck_assert(has_text("Cust2__g1/Documents/empty", "no more"));
}
END_TEST

START_TEST(a_store_that_the_tenant_does_not_use_is_finished_at_once)
{
	struct files_progress p = { 0 };

	choice.folder = "Attachments";
	ck_assert_int_eq(copy_all(&p), 1);
	choice.source_root = "Cust99";
	p.finished = false;
	ck_assert_int_eq(copy_all(&p), 1);
	ck_assert_int_eq(p.files, 0);
	ck_assert_int_eq(differing(), 0);
}
END_TEST

START_TEST(unsafe_requests_are_refused)
{
	static const char *const bad[] = { "", ".", "..", "../Cust3", "a/b", "/etc", ".hidden" };
	static const char *const bad_paths[] = { "", "..", "a/..", "a//b", "/a", "a/", "./a", ".parts-Documents" };
	struct files_progress p = { 0 };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		fence.generation = bad[i];
		ck_assert_int_eq(copy_all(&p), -1);
		expect(ERR_REFUSED, "");
		fence.generation = "Cust2__g1";
		choice.source_root = bad[i];
		ck_assert_int_eq(copy_all(&p), -1);
		expect(ERR_REFUSED, "");
		choice.source_root = "Cust1";
		err_clear(&err);
		ck_assert(!port->remove_root(port, &fence, bad[i], &err));
		expect(ERR_REFUSED, "");
	}
	for (size_t i = 0; i < sizeof bad_paths / sizeof bad_paths[0]; i++) {
		choice.folder = bad_paths[i];
		ck_assert_int_eq(copy_all(&p), -1);
		expect(ERR_REFUSED, "");
	}
	choice.folder = "Documents";
	fence.generation = "Cust1";
	ck_assert_int_eq(copy_all(&p), -1);
	expect(ERR_REFUSED, "onto themselves");
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
		put_text(path, names[i]);
	}
	memset(longest, 'n', 255);
	longest[255] = '\0';
	snprintf(path, sizeof path, "Cust1/Documents/%s", longest);
	put_text(path, "longest");
	choice.wants = note;
	p = must_copy();
	ck_assert_int_eq(p.files, NAMES + 1);
	ck_assert_int_eq(p.refused, 0);
	ck_assert_int_eq(differing(), 0);
	for (int i = 1; i < NAMES + 1; i++)
		ck_assert_msg(strcmp(order[i - 1], order[i]) < 0, "%s before %s", order[i - 1], order[i]);
	/* From any of them on: exactly the ones behind it. */
	for (int i = 0; i < NAMES + 1; i++) {
		char after[FILES_PATH_MAX];
		struct files_progress from = { 0 };

		strcpy(after, order[i]);
		strcpy(from.after, after);
		ordered = 0;
		ck_assert_int_eq(copy_all(&from), 1);
		ck_assert_int_eq(from.files, NAMES - i);
		ordered = 0;
		must_copy(); /* fills order again */
	}
}
END_TEST

static void make_special_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "Cust1/Documents/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	put_text("outside/secret", "secret");
	ck_assert_int_eq(mkfifo("Cust1/Documents/fifo", 0666), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	ck_assert_int_eq(symlink("../../outside/secret", "Cust1/Documents/link"), 0);
	ck_assert_int_eq(symlink("../../outside", "Cust1/Documents/linked_folder"), 0);
	ck_assert_int_eq(symlink("/", "Cust1/Documents/absolute"), 0);
	ck_assert_int_eq(symlink("loop", "Cust1/Documents/loop"), 0);
	put_text("Cust1/Documents/fine", "fine");
}

START_TEST(what_is_no_file_is_refused_and_counted)
{
	struct files_progress p;

	make_special_files();
	p = must_copy();
	ck_assert_int_eq(p.refused, 6);
	ck_assert_int_eq(p.files, 1);
	ck_assert_int_ne(access("Cust2__g1/Documents/linked_folder", F_OK), 0);
	ck_assert_int_ne(access("Cust2__g1/Documents/link", F_OK), 0);
	ck_assert_int_eq(differing(), 0);
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
	put_text("unreachable", "x");
	ck_assert_int_eq(chdir(root) | chdir("Cust1/Documents") | mkdir("z", 0755) | chdir("z"), 0);
	for (int i = 0; i < FILES_DEPTH_MAX + 5; i++)
		ck_assert_int_eq(mkdir("e", 0755) | chdir("e"), 0);
	put_text("unreachable", "x");
	ck_assert_int_eq(chdir(root), 0);
	for (int i = 0; i < 300; i++) {
		char path[64];

		snprintf(path, sizeof path, "Cust1/Documents/z/f%03d", i);
		put_text(path, "x");
	}
	p = must_copy();
	ck_assert_int_eq(p.files, 300);
	ck_assert_int_eq(p.refused, 2);
}
END_TEST

START_TEST(a_link_in_the_place_of_a_folder_is_refused)
{
	struct files_progress p = { 0 };

	put_text("outside/secret", "secret");
	ck_assert_int_eq(symlink("../outside", "Cust1/Attachments"), 0);
	choice.folder = "Attachments";
	ck_assert_int_eq(copy_all(&p), -1);
	expect(ERR_REFUSED, "a link or a file");
	choice.folder = "Documents";
	ck_assert_int_eq(symlink("outside", "Cust2__g1"), 0);
	put_text("Cust1/Documents/x", "x");
	ck_assert_int_eq(copy_all(&p), -1);
	ck_assert_int_ne(access("outside/Documents", F_OK), 0);
	err_clear(&err);
	ck_assert(!port->remove_root(port, &fence, "Cust2__g1", &err));
	expect(ERR_REFUSED, "a link or a file");
	ck_assert(has_text("outside/secret", "secret"));
}
END_TEST

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

	put_text("outside/secret", "secret");
	put_text("Cust1/Documents/vanishes", "x");
	put_text("Cust1/Documents/to_fifo", "x");
	put_text("Cust1/Documents/to_link", "x");
	choice.wants = swap_before_opening;
	p = must_copy();
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
	put_text("Cust1/Documents/f/file", "public");
	put_text("outside/file", "secret");
	ck_assert_int_eq(symlink("../../outside", "Cust1/evil"), 0);
	atomic_store(&swapping, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, swap_folder, NULL), 0);
	for (int i = 0; i < 150; i++) {
		struct files_progress p = must_copy();

		entered += p.files == 1;
		ck_assert(p.files == 0 || has_text("Cust2__g1/Documents/f/file", "public"));
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
	char *big = calloc(1, 48 << 20);

	put("Cust1/Documents/busy", big, 48 << 20);
	free(big);
	atomic_store(&swapping, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, keep_writing, NULL), 0);
	while (!atomic_load(&writing))
		sched_yield();
	ck_assert_int_eq(copy_all(&p), -1);
	expect(ERR_TRANSIENT, "changes faster");
	atomic_store(&swapping, false);
	pthread_join(thread, NULL);
	must_copy();
	ck_assert_int_eq(differing(), 0);
}
END_TEST

/* ---- pages, stop, crash, full disk ---- */

static void make_files(int count)
{
	char path[64], content[200];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "Cust1/Documents/folder%d", i / 1000);
		if (i % 1000 == 0)
			ck_assert_int_eq(mkdir(path, 0755), 0);
		snprintf(path, sizeof path, "Cust1/Documents/folder%d/%d", i / 1000, i);
		put(path, content, (size_t)snprintf(content, sizeof content, "%0*d", i % 150, i));
	}
}

START_TEST(five_thousand_files_come_in_pages)
{
	struct files_progress p = { 0 };
	int calls;

	make_files(5000);
	calls = copy_all(&p);
	ck_assert_int_ge(calls, 5000 / 256);
	ck_assert_int_le(calls, 5000 / 256 + 2);
	ck_assert_int_eq(p.files, 5000);
	ck_assert_int_eq(differing(), 0);
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
	ck_assert_int_eq(copy_all(&p), 2);
	ck_assert_int_eq(p.bytes, 120 << 20);
}
END_TEST

static bool stop_at_300(void *arg, const char *path)
{
	int *seen = arg;

	(void)path;
	if (++*seen == 300)
		atomic_store(&stop, true);
	return true;
}

START_TEST(the_stop_flag_ends_the_call_and_the_next_goes_on)
{
	struct files_progress p = { 0 };
	int seen = 0;

	make_files(500);
	choice.wants = stop_at_300;
	choice.arg = &seen;
	ck_assert_int_eq(copy_all(&p), -1);
	ck_assert_int_eq(err.code, ERR_CODE_ABORTED);
	ck_assert_int_eq(p.files, 256);
	atomic_store(&stop, false);
	ck_assert_int_gt(copy_all(&p), 0);
	ck_assert_int_eq(p.files, 500);
	ck_assert_int_eq(differing(), 0);
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

	make_files(700);
	for (int i = 0; i < 40; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			struct files_progress p = { 0 };

			_exit(copy_all(&p) > 0 ? 0 : 1);
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
	must_copy();
	ck_assert_int_eq(differing(), 0);
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
		put(path, content, 300000);
	}
	free(content);
	ck_assert_int_eq(mkdir("Cust2__g1", 0755), 0);
	if (!mount_small("Cust2__g1")) {
		signal(SIGXFSZ, SIG_IGN);
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 200000, 200000 }), 0);
		ck_assert_int_eq(copy_all(&p), -1);
		expect(ERR_TRANSIENT, "larger than the store allows");
		return;
	}
	files_fs_free(&port); /* the root of before does not see the new mount */
	port = files_fs_new(root, &stop, &err);
	ck_assert_int_eq(copy_all(&p), -1);
	expect(ERR_TRANSIENT, "disk full");
	ck_assert_int_eq(p.files, 0);
	ck_assert_int_eq(rmdir("Cust2__g1/.parts-Documents"), 0); /* empty: the parts are gone */
	ck_assert_int_eq(mount("none", "Cust2__g1", NULL, MS_REMOUNT, "size=8m"), 0);
	ck_assert_int_gt(copy_all(&p), 0);
	ck_assert_int_eq(differing(), 0);
	umount("Cust2__g1");
}
END_TEST

/* ---- old owners, removing ---- */

START_TEST(an_older_owner_is_refused)
{
	struct files_progress p = { 0 };

	put_text("Cust1/Documents/x", "x");
	must_copy();
	fence.token = 99;
	ck_assert_int_eq(copy_all(&p), -1);
	ck_assert_int_eq(err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	err_clear(&err);
	ck_assert(!port->remove_root(port, &fence, "Cust2__g1", &err));
	ck_assert_int_eq(err.code, ERR_CODE_FENCED);
	ck_assert_int_eq(access("Cust2__g1/Documents/x", F_OK), 0);
	fence.token = 101;
	ck_assert_int_gt(copy_all(&p), 0);
}
END_TEST

/* The owner that copies learns in the middle that it is the older one: nothing of its batch gets a name. */
static bool new_owner_comes(void *arg, const char *path)
{
	(void)arg;
	(void)path;
	put_text("Cust2__g1/.sandbox-token", "200\n");
	return true;
}

START_TEST(a_newer_owner_in_the_middle_of_a_batch)
{
	struct files_progress p = { 0 };

	put_text("Cust1/Documents/x", "x");
	choice.wants = new_owner_comes;
	ck_assert_int_eq(copy_all(&p), -1);
	ck_assert_int_eq(err.code, ERR_CODE_FENCED);
	ck_assert_int_ne(access("Cust2__g1/Documents/x", F_OK), 0);
}
END_TEST

START_TEST(removing_takes_the_tree_and_nothing_else)
{
	put_text("outside/secret", "secret");
	make_special_files();
	must_copy();
	ck_assert_int_eq(rename("Cust1", "Cust2"), 0);
	ck_assert_int_eq(mkdir("Cust2x", 0755), 0);
	err_clear(&err);
	ck_assert_msg(port->remove_root(port, &fence, "Cust2", &err), "%s", err.text);
	ck_assert_int_ne(access("Cust2", F_OK), 0);
	ck_assert_int_eq(access("Cust2__g1/Documents/fine", F_OK) | access("Cust2x", F_OK), 0);
	ck_assert(has_text("outside/secret", "secret"));
	ck_assert(port->remove_root(port, &fence, "Cust2", &err));
	atomic_store(&stop, true);
	ck_assert(!port->remove_root(port, &fence, "Cust2__g1", &err));
	ck_assert_int_eq(err.code, ERR_CODE_ABORTED);
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

	choice.wants = wants_pdf;
	put_text("Cust1/Documents/a.pdf", "aaa");
	put_text("Cust1/Documents/b.pdf", "bbb");
	put_text("Cust1/Documents/c.txt", "c");
	ck_assert_int_eq(differing(), 2);
	ck_assert_int_eq(must_copy().files, 2);
	ck_assert_int_ne(access("Cust2__g1/Documents/c.txt", F_OK), 0);
	ck_assert(port->compare(port, &fence, &choice, &different, &files, &bytes, &err));
	ck_assert_int_eq(different, 0);
	ck_assert_int_eq(files, 2);
	ck_assert_int_eq(bytes, 6);
	put_text("Cust2__g1/Documents/a.pdf", "aaaa");
	ck_assert_int_eq(differing(), 1);
	ck_assert_int_eq(unlink("Cust2__g1/Documents/b.pdf"), 0);
	ck_assert_int_eq(differing(), 2);
	ck_assert_int_eq(unlink("Cust2__g1/Documents/a.pdf"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "Cust2__g1/Documents/a.pdf"), 0);
	ck_assert_int_eq(differing(), 2);
	must_copy(); /* replaces the link itself */
	ck_assert(has_text("Cust2__g1/Documents/a.pdf", "aaa"));
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

	put_text("outside/secret", "secret");
	ck_assert_int_eq(mkdir("Cust1/Documents/f", 0755), 0);
	put_text("Cust1/Documents/f/x", "x");
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
	ck_assert_ptr_null(files_fs_new("/nonexistent/root", NULL, &err));
	expect(ERR_REFUSED, "there is none");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files_fs");
	TCase *tc = tcase_create("files_fs");
	SRunner *sr = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, a_tree_is_copied_with_time_and_narrow_modes);
	tcase_add_test(tc, a_store_that_the_tenant_does_not_use_is_finished_at_once);
	tcase_add_test(tc, unsafe_requests_are_refused);
	tcase_add_test(tc, names_are_bytes_and_come_in_their_order);
	tcase_add_test(tc, what_is_no_file_is_refused_and_counted);
	tcase_add_test(tc, too_deep_or_too_long_is_refused_once);
	tcase_add_test(tc, a_link_in_the_place_of_a_folder_is_refused);
	tcase_add_test(tc, swaps_between_listing_and_opening);
	tcase_add_test(tc, a_folder_swapped_for_a_link_again_and_again_leads_nowhere);
	tcase_add_test(tc, a_file_that_changes_all_the_time_is_said);
	tcase_add_test(tc, five_thousand_files_come_in_pages);
	tcase_add_test(tc, a_page_ends_after_64_mib);
	tcase_add_test(tc, the_stop_flag_ends_the_call_and_the_next_goes_on);
	tcase_add_test(tc, killed_at_any_moment_it_resumes_and_no_file_is_half);
	tcase_add_test(tc, a_full_disk_is_said_and_leaves_no_part);
	tcase_add_test(tc, an_older_owner_is_refused);
	tcase_add_test(tc, a_newer_owner_in_the_middle_of_a_batch);
	tcase_add_test(tc, removing_takes_the_tree_and_nothing_else);
	tcase_add_test(tc, comparing_counts_what_is_missing_or_differs);
	tcase_add_test(tc, opening_beneath_with_and_without_the_kernels_help);
	suite_add_tcase(suite, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
