/* SPDX-License-Identifier: Apache-2.0
 * Opening below a folder. */
#include "consumer/adapters/files/files_priv.h"

#include "consumer/core/file_names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void files_close(int *fd)
{
	int kept = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = kept;
}

/* The part at *at as a text; *at moves behind it. False when it is unsafe or does not fit. */
static bool next_part(const char **at, char part_r[NAME_MAX + 1])
{
	size_t len = strcspn(*at, "/");

	if (len <= NAME_MAX) {
		memcpy(part_r, *at, len);
		part_r[len] = '\0';
	}
	if (len > NAME_MAX || !file_name_is_safe(part_r)) {
		errno = EXDEV;
		return false;
	}
	*at += len + ((*at)[len] == '/');
	return true;
}

int files_open_walking(int dir, const char *path, int flags, mode_t mode)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	char part[NAME_MAX + 1];

	while (at >= 0) {
		int next = -1;

		if (next_part(&path, part))
			next = *path ? openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			             : openat(at, part, flags | O_NOFOLLOW | O_CLOEXEC, mode);
		/* With O_DIRECTORY the kernel calls a link "not a directory". */
		if (next < 0 && errno == ENOTDIR)
			errno = ELOOP;
		files_close(&at);
		at = next;
		if (!*path)
			break;
	}
	return at;
}

int files_open_beneath(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned long long)(flags | O_CLOEXEC | O_NOFOLLOW),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	if (!file_path_is_safe(path)) {
		errno = EXDEV;
		return -1;
	}
	do {
		fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
	} while (fd < 0 && (errno == EINTR || errno == EAGAIN)); /* EAGAIN: something was renamed on the way */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return files_open_walking(dir, path, flags, mode);
	return (int)fd;
}

static int make_part(int dir, const char *part)
{
	if (mkdirat(dir, part, FILES_DIR_MODE) == 0) {
		if (fsync(dir) != 0)
			return -1;
	} else if (errno != EEXIST) {
		return -1;
	}
	return openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int files_make_beneath(int dir, const char *path)
{
	int at = files_open_beneath(dir, path, O_RDONLY | O_DIRECTORY, 0);
	char part[NAME_MAX + 1];

	if (at >= 0 || errno != ENOENT)
		return at;
	at = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	while (at >= 0 && *path) {
		int next = next_part(&path, part) ? make_part(at, part) : -1;

		files_close(&at);
		at = next;
	}
	return at;
}

bool files_failed(struct err *e, const char *doing, const char *folder)
{
	if (errno == ENOSPC || errno == EDQUOT)
		return err_set(e, ERR_TRANSIENT, errno, "files", "disk full while %s in %.60s; free some space", doing,
		               folder);
	if (errno == EFBIG)
		return err_set(e, ERR_TRANSIENT, errno, "files", "a file in %.60s is larger than the store allows", folder);
	if (errno == EROFS)
		return err_set(e, ERR_TRANSIENT, errno, "files", "the store of %.60s is read only", folder);
	return err_set(e, ERR_TRANSIENT, errno, "files", "%s in %.60s failed: %s", doing, folder, strerrorname_np(errno));
}

bool files_aborted(struct err *e)
{
	return err_set(e, ERR_TRANSIENT, ERR_CODE_ABORTED, "files", "stopped when asked to");
}

bool files_must_stop(const atomic_bool *stop)
{
	return stop && atomic_load(stop);
}
