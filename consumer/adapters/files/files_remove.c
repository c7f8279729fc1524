/* SPDX-License-Identifier: Apache-2.0
 * Removing a tree. Links are removed, never followed; another file system mounted inside is left alone and said. */
#include "consumer/adapters/files/files_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool remove_folder(int dir, dev_t device, int depth, const atomic_bool *stop, struct err *e);

static bool is_gone(int rc)
{
	return rc == 0 || errno == ENOENT;
}

static bool remove_subfolder(int dir, const char *name, dev_t device, int depth, const atomic_bool *stop, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return errno == ENOENT || files_failed(e, "removing", "a folder");
	ok = remove_folder(fd, device, depth, stop, e);
	files_close(&fd);
	return ok && (is_gone(unlinkat(dir, name, AT_REMOVEDIR)) || files_failed(e, "removing", "a folder"));
}

static bool remove_entry(int dir, const char *name, dev_t device, int depth, const atomic_bool *stop, struct err *e)
{
	if (files_must_stop(stop))
		return files_aborted(e);
	if (is_gone(unlinkat(dir, name, 0)))
		return true;
	if (errno != EISDIR && errno != EPERM)
		return files_failed(e, "removing", "a folder");
	return remove_subfolder(dir, name, device, depth + 1, stop, e);
}

static bool remove_names(DIR *stream, dev_t device, int depth, const atomic_bool *stop, struct err *e)
{
	struct dirent *d;

	while (errno = 0, (d = readdir(stream))) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (!remove_entry(dirfd(stream), d->d_name, device, depth, stop, e))
			return false;
	}
	return errno == 0 || files_failed(e, "listing", "a folder");
}

static bool remove_folder(int dir, dev_t device, int depth, const atomic_bool *stop, struct err *e)
{
	int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = own >= 0 ? fdopendir(own) : NULL;
	struct stat st;
	bool ok = false;

	if (!stream || fstat(own, &st) != 0)
		files_failed(e, "listing", "a folder");
	else if (st.st_dev != device)
		err_set(e, ERR_REFUSED, 0, "files", "another file system is mounted inside the folder to remove");
	else if (depth > 4 * FILES_DEPTH_MAX)
		err_set(e, ERR_REFUSED, 0, "files", "the folder to remove is nested deeper than %d", 4 * FILES_DEPTH_MAX);
	else
		ok = remove_names(stream, device, depth, stop, e);
	if (stream)
		closedir(stream);
	else
		files_close(&own);
	return ok;
}

bool files_remove_below(int dir, const atomic_bool *stop, struct err *e)
{
	struct stat st;

	if (fstat(dir, &st) != 0)
		return files_failed(e, "removing", "a folder");
	return remove_folder(dir, st.st_dev, 0, stop, e);
}
