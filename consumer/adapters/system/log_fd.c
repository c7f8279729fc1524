/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/log_fd.h"

#include "consumer/adapters/system/clock_system.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

bool log_fd_write(void *arg, const char *line, size_t len)
{
	struct pollfd p = { (int)(intptr_t)arg, POLLOUT, 0 };

	while (len) {
		ssize_t n;

		if (poll(&p, 1, 100) <= 0 || !(p.revents & POLLOUT))
			return false;
		n = write(p.fd, line, len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static int64_t now(void *arg)
{
	(void)arg;
	return clock_utc_ms();
}

struct log *log_stderr_new(const struct config *c)
{
	const char *format = config_text(c, CONF_LOG_FORMAT);
	bool json = strcmp(format, "json") == 0 || (strcmp(format, "auto") == 0 && !isatty(STDERR_FILENO));
	const struct log_settings settings = {
		.level = log_level_by_name(config_text(c, CONF_LOG_LEVEL)),
		.format = json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT,
		.line_max = (size_t)config_bytes(c, CONF_LOG_LINE_MAX),
		.write = log_fd_write,
		.write_arg = (void *)(intptr_t)STDERR_FILENO,
		.utc_ms = now,
	};

	return log_new(&settings);
}
