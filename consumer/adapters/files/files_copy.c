/* SPDX-License-Identifier: Apache-2.0
 * The bytes of one file. The kernel copies where it can (and shares the blocks on file systems that do that). */
#include "consumer/adapters/files/files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PART_BYTES = 8 * 1024 * 1024, BUFFER_BYTES = 64 * 1024 };

static bool is_not_supported(void)
{
	return errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EBADF;
}

static bool write_all(int to, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(to, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Both move on by up to PART_BYTES; 0 at the end of the source, -1 with errno. */
static ssize_t copy_part_by_hand(int from, int to)
{
	char buffer[BUFFER_BYTES];
	ssize_t total = 0, n;

	do {
		n = read(from, buffer, sizeof buffer);
		if (n > 0 && !write_all(to, buffer, (size_t)n))
			return -1;
		total += n > 0 ? n : 0;
	} while ((n > 0 && total < PART_BYTES) || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : total;
}

static ssize_t copy_part(int from, int to, bool *by_hand)
{
	ssize_t n = -1;

	if (!*by_hand) {
		do {
			n = copy_file_range(from, NULL, to, NULL, PART_BYTES, 0);
		} while (n < 0 && errno == EINTR);
		/* Some file systems say "nothing" instead of "not supported": reading tells whether it is the end. */
		*by_hand = n == 0 || (n < 0 && is_not_supported());
	}
	return *by_hand ? copy_part_by_hand(from, to) : n;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Ours alone, or readable by the group where the source is: never wider than the source or FILES_FILE_MODE. */
static mode_t narrowed(mode_t mode)
{
	return (mode & FILES_FILE_MODE) | S_IRUSR | S_IWUSR;
}

void files_moved(const struct files_choice *choice, int64_t files, int64_t bytes)
{
	if (choice->moved)
		choice->moved(choice->moved_arg, files, bytes);
}

enum files_copied files_copy(int from, const struct stat *from_stat, int to, const atomic_bool *stop,
                             const struct files_meter *meter, struct err *e)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, from_stat->st_mtim };
	bool by_hand = false;
	off_t total = 0;
	struct stat now;
	ssize_t n;

	while ((n = copy_part(from, to, &by_hand)) > 0) {
		total += n;
		files_moved(meter->choice, meter->files, meter->bytes + total);
		if (files_must_stop(stop)) {
			files_aborted(e);
			return FILES_COPY_FAILED;
		}
	}
	if (n < 0 || fstat(from, &now) != 0 || fchmod(to, narrowed(from_stat->st_mode)) != 0 || futimens(to, times) != 0) {
		files_failed(e, "copying a file", meter->choice->folder);
		return FILES_COPY_FAILED;
	}
	return total == now.st_size && same_time(&now.st_mtim, &from_stat->st_mtim) ? FILES_COPIED : FILES_COPY_CHANGED;
}
