/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/file_store.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct store store = {
	.fence = { "clone", 1, "clone_documents", "Cust2", "Cust2__g1", 100 },
	.choice = { .source_root = "Cust1", .folder = "Documents" },
};

void store_setup(void)
{
	snprintf(store.root, sizeof store.root, "%s/sandbox-files-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(store.root));
	ck_assert_int_eq(chdir(store.root), 0);
	ck_assert_int_eq(mkdir("Cust1", 0755) | mkdir("Cust1/Documents", 0755) | mkdir("outside", 0755), 0);
	store.port = files_fs_new(store.root, &store.stop, &store.err);
	ck_assert_msg(store.port, "%s", store.err.text);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void store_teardown(void)
{
	files_fs_free(&store.port);
	ck_assert_int_eq(chdir("/"), 0);
	nftw(store.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void store_put(const char *path, const char *content, size_t len)
{
	FILE *f = fopen(path, "w");

	ck_assert_msg(f, "%s: %s", path, strerror(errno));
	ck_assert_uint_eq(fwrite(content, 1, len, f), len);
	fclose(f);
}

void store_put_text(const char *path, const char *content)
{
	store_put(path, content, strlen(content));
}

bool store_has_text(const char *path, const char *content)
{
	char found[256] = "";
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(found, 1, sizeof found - 1, f) : 0;

	if (f)
		fclose(f);
	return f && len == strlen(content) && memcmp(found, content, len) == 0;
}

int store_copy_all(struct files_progress *progress)
{
	int calls = 0;

	err_clear(&store.err);
	while (!progress->finished) {
		if (!store.port->copy_next(store.port, &store.fence, &store.choice, progress, &store.err))
			return -1;
		calls++;
	}
	return calls;
}

struct files_progress store_must_copy(void)
{
	struct files_progress progress = { 0 };

	ck_assert_msg(store_copy_all(&progress) > 0, "%s", store.err.text);
	return progress;
}

int64_t store_differing(void)
{
	int64_t different, files, bytes;

	err_clear(&store.err);
	ck_assert_msg(store.port->compare(store.port, &store.fence, &store.choice, &different, &files, &bytes, &store.err),
	              "%s", store.err.text);
	return different;
}

void store_expect(enum err_class class, const char *part)
{
	ck_assert_int_eq(store.err.class, class);
	ck_assert_msg(strstr(store.err.text, part), "\"%s\" is not in \"%s\"", part, store.err.text);
}

void store_make_files(int count)
{
	char path[64], content[200];

	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof path, "Cust1/Documents/folder%d", i / 1000);
		if (i % 1000 == 0)
			ck_assert_int_eq(mkdir(path, 0755), 0);
		snprintf(path, sizeof path, "Cust1/Documents/folder%d/%d", i / 1000, i);
		store_put(path, content, (size_t)snprintf(content, sizeof content, "%0*d", i % 150, i));
	}
}

void store_make_special_files(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "Cust1/Documents/socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	store_put_text("outside/secret", "secret");
	ck_assert_int_eq(mkfifo("Cust1/Documents/fifo", 0666), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	ck_assert_int_eq(symlink("../../outside/secret", "Cust1/Documents/link"), 0);
	ck_assert_int_eq(symlink("../../outside", "Cust1/Documents/linked_folder"), 0);
	ck_assert_int_eq(symlink("/", "Cust1/Documents/absolute"), 0);
	ck_assert_int_eq(symlink("loop", "Cust1/Documents/loop"), 0);
	store_put_text("Cust1/Documents/fine", "fine");
}
