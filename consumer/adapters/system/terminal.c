/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

void terminal_write(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 1000);
		} else if (n < 0 && errno != EINTR) {
			return;
		}
	}
}

void terminal_size(int fd, int *columns_r, int *rows_r)
{
	struct winsize size = { 0 };

	*columns_r = *rows_r = 0;
	if (ioctl(fd, TIOCGWINSZ, &size) != 0)
		return;
	*columns_r = size.ws_col;
	*rows_r = size.ws_row;
}

bool terminal_ask(const char *question, char *answer_r, size_t size)
{
	size_t len = 0;
	char c;

	terminal_write(STDERR_FILENO, question, strlen(question));
	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (c == '\n') {
			answer_r[len] = '\0';
			return true;
		}
		if (len + 1 < size)
			answer_r[len++] = c;
	}
	answer_r[0] = '\0';
	return false;
}

void terminal_sleep(int64_t ms, const volatile sig_atomic_t *stop)
{
	struct timespec wait = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000L };

	if (!*stop)
		nanosleep(&wait, NULL); /* a signal ends it; whoever waits on looks at the clock again */
}

/* ---- files ---- */

static bool refuse(struct err *e, const char *path, const char *why)
{
	return err_set(e, ERR_REFUSED, 0, "file", "%.120s %s", path, why);
}

bool file_load(const char *path, struct buf *content, struct err *e)
{
	bool is_input = strcmp(path, "-") == 0, fits = true;
	int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char part[4096];
	ssize_t n;

	if (fd < 0)
		return refuse(e, path, strerror(errno));
	do {
		n = read(fd, part, sizeof part);
		fits = n <= 0 || buf_add(content, part, (size_t)n);
	} while (fits && (n > 0 || (n < 0 && errno == EINTR)));
	if (!fits)
		refuse(e, path, "is too long");
	else if (n < 0)
		refuse(e, path, strerror(errno));
	if (!is_input)
		close(fd);
	return fits && n == 0;
}

bool file_save(const char *path, const void *data, size_t len, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const char *at = data;
	size_t left = len;
	bool ok;

	if (fd < 0)
		return refuse(e, path, errno == EEXIST ? "is there already; nothing was overwritten" : strerror(errno));
	while (left) {
		ssize_t n = write(fd, at, left);

		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	ok = left == 0 && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (ok)
		return true;
	refuse(e, path, strerror(errno));
	unlink(path); /* half a file would be taken for a whole one */
	return false;
}

bool folder_is_writable(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return refuse(e, path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(e, path, "is no folder");
	return access(path, R_OK | W_OK | X_OK) == 0 || refuse(e, path, strerror(errno));
}

bool clock_is_synchronised(void)
{
	struct timex look = { .modes = 0 };

	return adjtimex(&look) != TIME_ERROR && !(look.status & STA_UNSYNC);
}
