/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/files/files_fs.h"

#include "consumer/adapters/files/files_priv.h"
#include "consumer/core/file_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct files_fs {
	struct files_port port;
	int root;
	const atomic_bool *stop;
};

/* ---- checking what was asked ---- */

static bool refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_REFUSED, 0, "files", "%s", why);
}

/* Opens <root>/<tenant root>/<folder>; *fd_r is -1 when there is none. */
static bool open_folder(const struct files_fs *fs, const char *tenant_root, const char *folder, int *fd_r,
                        struct err *e)
{
	int tenant = files_open_beneath(fs->root, tenant_root, O_RDONLY | O_DIRECTORY, 0);

	*fd_r = tenant >= 0 ? files_open_beneath(tenant, folder, O_RDONLY | O_DIRECTORY, 0) : -1;
	files_close(&tenant);
	if (*fd_r >= 0 || errno == ENOENT)
		return true;
	if (errno == ELOOP || errno == EXDEV || errno == ENOTDIR)
		return refuse(e, "a link or a file stands in the place of a tenant's folder");
	return files_failed(e, "opening the folder", folder);
}

/* ---- copy ---- */

static bool copy_from(const struct files_fs *fs, struct files_place *place, struct err *e)
{
	place->generation = files_make_beneath(fs->root, place->fence->generation);
	if (place->generation < 0)
		return files_failed(e, "making the generation's folder", place->choice->folder);
	/* It may be there from a try that could not put its name on disk. */
	if (!*place->progress->after && fsync(fs->root) != 0)
		return files_failed(e, "writing the generation's folder to disk", place->choice->folder);
	return files_token_raise(place->generation, place->fence, e) && files_copy_page(place, e);
}

static bool copy_next(struct files_port *self, const struct fence *f, const struct files_choice *choice,
                      struct files_progress *progress, struct err *e)
{
	const struct files_fs *fs = (const struct files_fs *)self;
	struct files_place place = { -1, -1, f, choice, progress, fs->stop };
	bool ok;

	if (!file_places_check(f, choice, e))
		return false;
	if (strnlen(progress->after, sizeof progress->after) == sizeof progress->after)
		return err_set(e, ERR_MISUSE, 0, "files", "the progress of the copy is no text");
	if (progress->finished)
		return true;
	if (!open_folder(fs, choice->source_root, choice->folder, &place.source, e))
		return false;
	if (place.source < 0) { /* the tenant does not use this store */
		progress->finished = true;
		return true;
	}
	ok = copy_from(fs, &place, e);
	files_close(&place.generation);
	files_close(&place.source);
	return ok;
}

/* ---- compare ---- */

struct comparing {
	const struct files_choice *choice;
	int target;
	int64_t different, files, bytes;
};

static bool compare_file(void *arg, int dir, const char *name, const char *path, enum files_kind kind, bool *enough_r,
                         struct err *e)
{
	struct comparing *c = arg;
	struct stat source, copy;
	int fd;

	(void)enough_r;
	if (kind == FILES_KIND_OTHER || (c->choice->wants && !c->choice->wants(c->choice->arg, path)))
		return true;
	if (fstatat(dir, name, &source, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || files_failed(e, "looking at a file", c->choice->folder);
	if (!S_ISREG(source.st_mode))
		return true;
	fd = c->target >= 0 ? files_open_beneath(c->target, path, O_PATH, 0) : -1;
	if (fd < 0 || fstat(fd, &copy) != 0 || !S_ISREG(copy.st_mode) || copy.st_size != source.st_size)
		c->different++;
	files_close(&fd);
	c->files++;
	c->bytes += source.st_size;
	files_moved(c->choice, c->files, c->bytes);
	return true;
}

/* They may hold what no file of the source has any more. */
static bool look_for_parts(const struct files_fs *fs, const char *generation, struct comparing *c, struct err *e)
{
	char name[NAME_MAX + 1];
	int parts = -1;

	if (files_parts_name(c->choice->folder, name) && !open_folder(fs, generation, name, &parts, e))
		return false;
	c->different += parts >= 0;
	files_close(&parts);
	return true;
}

static bool compare(struct files_port *self, const struct fence *f, const struct files_choice *choice,
                    int64_t *different_r, int64_t *files_r, int64_t *bytes_r, struct err *e)
{
	const struct files_fs *fs = (const struct files_fs *)self;
	struct comparing c = { .choice = choice, .target = -1 };
	const struct files_walk walk = { "", fs->stop, compare_file, &c };
	int source = -1;
	bool ok, all;

	ok = file_places_check(f, choice, e) && open_folder(fs, choice->source_root, choice->folder, &source, e) &&
	     open_folder(fs, f->generation, choice->folder, &c.target, e) &&
	     (source < 0 || (files_walk(&walk, source, &all, e) && look_for_parts(fs, f->generation, &c, e)));
	files_close(&source);
	files_close(&c.target);
	*different_r = c.different;
	*files_r = c.files;
	*bytes_r = c.bytes;
	return ok;
}

/* ---- remove ---- */

static bool remove_root(struct files_port *self, const struct fence *f, const char *root, struct err *e)
{
	const struct files_fs *fs = (const struct files_fs *)self;
	bool ok;
	int dir;

	if (!file_root_is_safe(root))
		return file_root_refused(e);
	dir = files_open_beneath(fs->root, root, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0 && errno == ENOENT)
		return true;
	if (dir < 0 && (errno == ELOOP || errno == ENOTDIR || errno == EXDEV))
		return refuse(e, "a link or a file stands in the place of the folder to remove");
	if (dir < 0)
		return files_failed(e, "opening the folder to remove", "the store");
	ok = files_token_check(dir, f, e) && files_remove_below(dir, fs->stop, e);
	files_close(&dir);
	if (!ok)
		return false;
	if (unlinkat(fs->root, root, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return files_failed(e, "removing the folder", "the store");
	return fsync(fs->root) == 0 || files_failed(e, "removing the folder", "the store");
}

/* ---- the port ---- */

struct files_port *files_fs_new(const char *root, const atomic_bool *stop, struct err *e)
{
	struct files_fs *fs = calloc(1, sizeof *fs);

	if (!fs) {
		err_set(e, ERR_TRANSIENT, 0, "files", "no memory");
		return NULL;
	}
	fs->port = (struct files_port){ copy_next, compare, remove_root };
	fs->stop = stop;
	fs->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fs->root < 0) {
		err_set(e, ERR_REFUSED, errno, "files", "the folder %.160s of the store cannot be opened: %s", root,
		        errno == ENOENT ? "there is none" : strerrorname_np(errno));
		free(fs);
		return NULL;
	}
	return &fs->port;
}

void files_fs_free(struct files_port **port)
{
	struct files_fs *fs = port ? (struct files_fs *)*port : NULL;

	if (!fs)
		return;
	files_close(&fs->root);
	free(fs);
	*port = NULL;
}
