/* SPDX-License-Identifier: Apache-2.0
 * A tree in bytewise order of its whole paths, from any path on: what makes a copy resumable with nothing but the last
 * path dealt with. A folder sorts as its name with '/' behind it, because so its files' paths begin. */
#include "consumer/adapters/files/files_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MAX_BYTES = 512 * 1024 * 1024, ENTRIES_FIRST = 64 };

enum entry_kind { ENTRY_FILE, ENTRY_FOLDER, ENTRY_OTHER };

struct entry {
	const char *name; /* of a folder with '/' behind it */
	enum entry_kind kind;
};

struct listing {
	struct arena *mem;
	struct entry *entries;
	size_t count, size;
};

struct walking {
	const struct files_walk *walk;
	char path[FILES_PATH_MAX + NAME_MAX + 2];
	size_t len;
	bool enough;
};

static void listing_done(struct listing *l)
{
	arena_free(&l->mem);
	free(l->entries);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static enum entry_kind kind_of(int dir, const struct dirent *d)
{
	struct stat st;

	if (d->d_type == DT_REG)
		return ENTRY_FILE;
	if (d->d_type == DT_DIR)
		return ENTRY_FOLDER;
	if (d->d_type != DT_UNKNOWN)
		return ENTRY_OTHER;
	if (fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ENTRY_FILE; /* it vanished: opening it will say so */
	return S_ISREG(st.st_mode) ? ENTRY_FILE : S_ISDIR(st.st_mode) ? ENTRY_FOLDER : ENTRY_OTHER;
}

/* Is everything this entry stands for at or before the cursor? */
static bool is_behind(const struct walking *w, const char *name, enum entry_kind kind)
{
	const char *after = w->walk->after;
	int order = strncmp(w->path, after, w->len);

	if (order != 0)
		return order < 0;
	after += w->len;
	if (kind == ENTRY_FOLDER && strncmp(name, after, strlen(name)) == 0 && after[strlen(name)])
		return false; /* the cursor is inside; right at the folder means that it was refused */
	return strcmp(name, after) <= 0;
}

static bool grow(struct listing *l)
{
	size_t size = l->size ? l->size * 2 : ENTRIES_FIRST;
	struct entry *grown = realloc(l->entries, size * sizeof *grown);

	if (!grown)
		return false;
	l->entries = grown;
	l->size = size;
	return true;
}

static bool add_entry(struct listing *l, const struct walking *w, int dir, const struct dirent *d, struct err *e)
{
	enum entry_kind kind = kind_of(dir, d);
	char name[NAME_MAX + 2];
	size_t len = strlen(d->d_name);
	const char *kept;

	memcpy(name, d->d_name, len + 1);
	if (kind == ENTRY_FOLDER)
		memcpy(name + len++, "/", 2);
	if (is_behind(w, name, kind))
		return true;
	if (l->count == FILES_NAMES_MAX)
		return err_set(e, ERR_REFUSED, 0, "files", "a folder holds more than %d names", FILES_NAMES_MAX);
	kept = l->count < l->size || grow(l) ? arena_text(l->mem, name, len) : NULL;
	if (!kept)
		return err_set(e, ERR_TRANSIENT, ENOMEM, "files", "no memory for the names of a folder");
	l->entries[l->count].name = kept;
	l->entries[l->count++].kind = kind;
	return true;
}

static bool read_names(struct listing *l, const struct walking *w, DIR *stream, struct err *e)
{
	struct dirent *d;

	while (errno = 0, (d = readdir(stream))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (!add_entry(l, w, dirfd(stream), d, e))
			return false;
	}
	return errno == 0 || files_failed(e, "listing", "a folder");
}

static bool list(struct listing *l, const struct walking *w, int dir, struct err *e)
{
	int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	bool ok;

	if (!stream) {
		files_close(&own);
		return files_failed(e, "listing", "a folder");
	}
	l->mem = arena_new(NAMES_MAX_BYTES);
	ok = l->mem ? read_names(l, w, stream, e) : err_set(e, ERR_TRANSIENT, ENOMEM, "files", "no memory");
	closedir(stream);
	if (ok && l->count)
		qsort(l->entries, l->count, sizeof *l->entries, by_name);
	return ok;
}

static bool walk_folder(struct walking *w, int dir, int depth, struct err *e);

/* A folder that cannot be entered safely is one thing refused, as a link in its place is. */
static bool enter(struct walking *w, int dir, const char *name, int depth, bool *refused_r, struct err *e)
{
	char bare[NAME_MAX + 1];
	size_t len = strlen(name) - 1;
	bool ok;
	int fd;

	memcpy(bare, name, len);
	bare[len] = '\0';
	*refused_r = w->len >= FILES_PATH_MAX - 1 || depth >= FILES_DEPTH_MAX;
	if (*refused_r)
		return true;
	fd = openat(dir, bare, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		*refused_r = errno == ELOOP || errno == ENOTDIR;
		return *refused_r || errno == ENOENT || files_failed(e, "opening a folder", bare);
	}
	ok = walk_folder(w, fd, depth + 1, e);
	files_close(&fd);
	return ok;
}

static bool visit(struct walking *w, int dir, const struct entry *entry, int depth, struct err *e)
{
	bool other = entry->kind == ENTRY_OTHER || w->len >= FILES_PATH_MAX;

	if (files_must_stop(w->walk->stop))
		return files_aborted(e);
	if (entry->kind == ENTRY_FOLDER && (!enter(w, dir, entry->name, depth, &other, e) || !other))
		return e->class == ERR_NONE;
	return w->walk->visit(w->walk->arg, dir, entry->name, w->path, other ? FILES_KIND_OTHER : FILES_KIND_FILE,
	                      &w->enough, e);
}

static bool walk_folder(struct walking *w, int dir, int depth, struct err *e)
{
	struct listing l = { 0 };
	size_t len = w->len;
	bool ok = list(&l, w, dir, e);

	for (size_t i = 0; ok && i < l.count && !w->enough; i++) {
		size_t name_len = strlen(l.entries[i].name);

		memcpy(w->path + len, l.entries[i].name, name_len + 1);
		w->len = len + name_len;
		ok = visit(w, dir, &l.entries[i], depth, e);
	}
	w->len = len;
	listing_done(&l);
	return ok;
}

bool files_walk(const struct files_walk *walk, int dir, bool *all_r, struct err *e)
{
	struct walking w = { .walk = walk };
	bool ok = walk_folder(&w, dir, 0, e);

	*all_r = ok && !w.enough;
	return ok;
}
