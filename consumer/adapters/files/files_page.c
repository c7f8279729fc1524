/* SPDX-License-Identifier: Apache-2.0
 * One page of a copy. Files are written under names of their own in a folder of parts; when all of them are on disk
 * they get their real names. So a name that is there is a whole file, whatever dies.
 *
 * A few files are put on disk one by one, many by one syncfs: every fsync waits for the journal, and 256 of them took
 * three times as long. Both report a write error that happened since the folder of parts was opened. */
#include "consumer/adapters/files/files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_FILES = 256, SYNC_EACH = 8, CHANGED_TRIES = 3 };
static const int64_t page_bytes = 64 * 1024 * 1024;

struct part {
	int fd; /* open while it may be synced by itself */
	char path[FILES_PATH_MAX]; /* the name it will get, below the target folder */
};

struct page {
	const struct files_place *place;
	struct files_progress progress;
	int target, parts;
	char parts_name[NAME_MAX + 1];
	int parent; /* folder of the last path below target, -1 when not open */
	char parent_path[FILES_PATH_MAX];
	struct part batch[PAGE_FILES];
	size_t batch_count;   /* copied; equal ones need no part */
	int64_t files, bytes; /* of this page */
};

static const char *folder_of(const struct page *p)
{
	return p->place->choice->folder;
}

/* ---- folders of the target ---- */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Opens the folder that path lies in; sorted paths mostly share it. -1 with ENOENT when it is not there. */
static int parent_of(struct page *p, const char *path, bool make)
{
	size_t len = (size_t)(base_of(path) - path);

	if (len == 0)
		return p->target;
	if (p->parent >= 0 && strncmp(p->parent_path, path, len - 1) == 0 && p->parent_path[len - 1] == '\0')
		return p->parent;
	files_close(&p->parent);
	memcpy(p->parent_path, path, len - 1);
	p->parent_path[len - 1] = '\0';
	p->parent = make ? files_make_beneath(p->target, p->parent_path)
	                 : files_open_beneath(p->target, p->parent_path, O_RDONLY | O_DIRECTORY, 0);
	return p->parent;
}

/* ---- parts ---- */

static void part_name(const struct page *p, size_t i, char name_r[64])
{
	snprintf(name_r, 64, "%llu-%zu", (unsigned long long)p->place->fence->token, i);
}

bool files_parts_name(const char *folder, char name_r[NAME_MAX + 1])
{
	int n = snprintf(name_r, NAME_MAX + 1, ".parts-%s", folder);

	for (char *c = name_r; *c; c++)
		*c = (char)(*c == '/' ? '%' : *c);
	return n <= NAME_MAX;
}

/* A folder of parts at the beginning is from a try that did not end. The names it gave and the folders it made are found
 * to be right by this one, and nobody knows whether they are on disk: now they are. */
static bool sync_what_was_left(struct page *p, struct err *e)
{
	if (*p->progress.after || faccessat(p->place->generation, p->parts_name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	return syncfs(p->place->generation) == 0 || files_failed(e, "writing to disk what was left", folder_of(p));
}

static bool open_parts(struct page *p, struct err *e)
{
	if (!files_parts_name(folder_of(p), p->parts_name))
		return err_set(e, ERR_REFUSED, 0, "files", "the folder's name is too long");
	if (!sync_what_was_left(p, e))
		return false;
	p->parts = files_make_beneath(p->place->generation, p->parts_name);
	if (p->parts < 0)
		return files_failed(e, "making a folder", folder_of(p));
	return files_remove_below(p->parts, p->place->stop, e); /* what a crash left behind */
}

static void close_parts(struct page *p)
{
	char name[64];

	for (size_t i = 0; i < p->batch_count; i++) {
		files_close(&p->batch[i].fd);
		part_name(p, i, name);
		unlinkat(p->parts, name, 0);
	}
	p->batch_count = 0;
	files_close(&p->parts);
	if (p->progress.finished)
		unlinkat(p->place->generation, p->parts_name, AT_REMOVEDIR);
}

/* ---- the end of a batch ---- */

static bool sync_batch(struct page *p, struct err *e)
{
	bool ok = p->batch_count <= SYNC_EACH || syncfs(p->parts) == 0;

	for (size_t i = 0; ok && p->batch_count <= SYNC_EACH && i < p->batch_count; i++)
		ok = fsync(p->batch[i].fd) == 0;
	return (ok || files_failed(e, "writing files to disk", folder_of(p))) &&
	       files_token_check(p->place->generation, p->place->fence, e);
}

static bool same_parent(const char *a, const char *b)
{
	size_t len = (size_t)(base_of(a) - a);

	return len == (size_t)(base_of(b) - b) && memcmp(a, b, len) == 0;
}

/* A folder that is left must have its new names on disk. */
static bool name_batch(struct page *p, struct err *e)
{
	char name[64];

	for (size_t i = 0; i < p->batch_count; i++) {
		const char *path = p->batch[i].path;
		bool leaves = i + 1 == p->batch_count || !same_parent(path, p->batch[i + 1].path);
		int parent = parent_of(p, path, true);

		part_name(p, i, name);
		if (parent < 0 || renameat(p->parts, name, parent, base_of(path)) != 0)
			return files_failed(e, "naming a file", folder_of(p));
		if (leaves && fsync(parent) != 0)
			return files_failed(e, "writing a folder to disk", folder_of(p));
	}
	return true;
}

/* ---- one file ---- */

static bool is_equal(struct page *p, const char *path, const struct stat *source)
{
	int parent = parent_of(p, path, false);
	struct stat st;

	return parent >= 0 && fstatat(parent, base_of(path), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == source->st_size && st.st_mtim.tv_sec == source->st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == source->st_mtim.tv_nsec;
}

static bool copy_to_part(struct page *p, int from, const struct stat *source, struct err *e)
{
	struct part *part = &p->batch[p->batch_count];
	const struct files_meter meter = { p->place->choice, p->progress.files, p->progress.bytes };
	struct stat st = *source;
	char name[64];

	part_name(p, p->batch_count, name);
	part->fd = openat(p->parts, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (part->fd < 0)
		return files_failed(e, "making a file", folder_of(p));
	p->batch_count++; /* from here on close_parts takes care of it */
	for (int tries = 0; tries < CHANGED_TRIES; tries++) {
		enum files_copied copied = files_copy(from, &st, part->fd, p->place->stop, &meter, e);

		if (copied == FILES_COPY_FAILED)
			return false;
		if (copied == FILES_COPIED)
			return true;
		if (fstat(from, &st) != 0 || lseek(from, 0, SEEK_SET) != 0 || lseek(part->fd, 0, SEEK_SET) != 0 ||
		    ftruncate(part->fd, 0) != 0)
			return files_failed(e, "copying a file again", folder_of(p));
	}
	return err_set(e, ERR_TRANSIENT, 0, "files", "a file in %.60s changes faster than it can be copied", folder_of(p));
}

static bool copy_open_file(struct page *p, int from, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(from, &st) != 0)
		return files_failed(e, "looking at a file", folder_of(p));
	if (!S_ISREG(st.st_mode)) {
		p->progress.refused++;
		return true;
	}
	if (!is_equal(p, path, &st)) {
		struct part *part = &p->batch[p->batch_count];

		if (!copy_to_part(p, from, &st, e))
			return false;
		snprintf(part->path, sizeof part->path, "%s", path);
		if (p->batch_count > SYNC_EACH)
			files_close(&part->fd);
	}
	p->progress.files++;
	p->progress.bytes += st.st_size;
	p->files++;
	p->bytes += st.st_size;
	files_moved(p->place->choice, p->progress.files, p->progress.bytes);
	return true;
}

/* O_NONBLOCK: a fifo that took the file's place must not hold us up. */
static bool copy_file(struct page *p, int dir, const char *name, const char *path, struct err *e)
{
	int from = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool ok;

	if (from < 0 && errno == ENOENT) {
		p->progress.missing++;
		return true;
	}
	if (from < 0 && (errno == ELOOP || errno == ENXIO)) {
		p->progress.refused++;
		return true;
	}
	if (from < 0)
		return files_failed(e, "opening a file", folder_of(p));
	ok = copy_open_file(p, from, path, e);
	files_close(&from);
	return ok;
}

static bool visit(void *arg, int dir, const char *name, const char *path, enum files_kind kind, bool *enough_r,
                  struct err *e)
{
	struct page *p = arg;
	const struct files_choice *choice = p->place->choice;

	if (choice->wants && !choice->wants(choice->arg, path))
		return true;
	if (kind == FILES_KIND_OTHER)
		p->progress.refused++;
	else if (!copy_file(p, dir, name, path, e))
		return false;
	if (strlen(path) < FILES_PATH_MAX)
		memcpy(p->progress.after, path, strlen(path) + 1);
	*enough_r = p->files >= PAGE_FILES || p->bytes >= page_bytes;
	return true;
}

static bool copy_page(struct page *p, struct err *e)
{
	const struct files_walk walk = { p->place->progress->after, p->place->stop, visit, p };
	bool all;

	if (!open_parts(p, e))
		return false;
	p->target = files_make_beneath(p->place->generation, folder_of(p));
	if (p->target < 0)
		return files_failed(e, "making a folder", folder_of(p));
	if (!files_walk(&walk, p->place->source, &all, e))
		return false;
	if (p->batch_count && (!sync_batch(p, e) || !name_batch(p, e)))
		return false;
	p->progress.finished = all;
	return true;
}

bool files_copy_page(const struct files_place *place, struct err *e)
{
	struct page *p = calloc(1, sizeof *p);
	bool ok;

	if (!p)
		return err_set(e, ERR_TRANSIENT, ENOMEM, "files", "no memory");
	p->place = place;
	p->progress = *place->progress;
	p->target = p->parts = p->parent = -1;
	ok = copy_page(p, e);
	if (ok)
		*place->progress = p->progress;
	if (p->parts >= 0)
		close_parts(p);
	files_close(&p->parent);
	files_close(&p->target);
	free(p);
	return ok;
}
