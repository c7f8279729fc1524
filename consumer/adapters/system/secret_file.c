/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/system/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char credential[] = "credential:";

static bool refuse(struct err *e, const char *place, const char *why)
{
	return err_set(e, ERR_REFUSED, 0, "secret", "the secret file %.120s %s", place, why);
}

static bool find(const char *place, char path[PATH_MAX], struct err *e)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int n;

	if (strncmp(place, credential, sizeof credential - 1) != 0) {
		n = snprintf(path, PATH_MAX, "%s", place);
		return (n > 0 && n < PATH_MAX && place[0] == '/') || refuse(e, "", "has no absolute path");
	}
	place += sizeof credential - 1;
	if (!folder)
		return refuse(e, place, "is a credential, but systemd gave this program none (CREDENTIALS_DIRECTORY)");
	if (strchr(place, '/') || place[0] == '.' || place[0] == '\0')
		return refuse(e, place, "is no name of a credential");
	n = snprintf(path, PATH_MAX, "%s/%s", folder, place);
	return (n > 0 && n < PATH_MAX) || refuse(e, place, "has a path that is too long");
}

/* systemd lets the service's user read a credential by an access list, which shows as rights of the group. */
static bool check(int fd, const char *place, bool is_credential, struct err *e)
{
	const mode_t others = is_credential ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return refuse(e, place, "cannot be looked at");
	if (!S_ISREG(st.st_mode))
		return refuse(e, place, "is no plain file");
	if (st.st_mode & others)
		return refuse(e, place, "can be used by its group or by others; chmod 600 it");
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse(e, place, "belongs to another user");
	if (st.st_size > SECRET_MAX_BYTES)
		return refuse(e, place, "is too long");
	return true;
}

static bool read_all(int fd, const char *place, struct buf *secret, struct err *e)
{
	char part[4096];
	ssize_t n;

	do {
		n = read(fd, part, sizeof part);
		if (n > 0 && !buf_add(secret, part, (size_t)n))
			return refuse(e, place, "is too long");
	} while (n > 0 || (n < 0 && errno == EINTR));
	explicit_bzero(part, sizeof part);
	if (n < 0)
		return refuse(e, place, "cannot be read");
	return secret->len > 0 || refuse(e, place, "is empty");
}

bool secret_file_read(const char *place, struct buf *secret, struct err *e)
{
	char path[PATH_MAX];
	bool ok;
	int fd;

	buf_clear(secret);
	if (!find(place, path, e))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return refuse(e, place, errno == ENOENT ? "does not exist" : "cannot be opened");
	ok = check(fd, place, strncmp(place, credential, sizeof credential - 1) == 0, e) && read_all(fd, place, secret, e);
	close(fd);
	return ok;
}

bool secret_file_read_text(const char *place, struct buf *secret, struct err *e)
{
	size_t start = 0;

	if (!secret_file_read(place, secret, e))
		return false;
	while (secret->len && strchr(" \t\r\n", secret->data[secret->len - 1]))
		secret->data[--secret->len] = '\0';
	while (start < secret->len && strchr(" \t\r\n", secret->data[start]))
		start++;
	memmove(secret->data, secret->data + start, secret->len - start + 1);
	secret->len -= start;
	for (size_t i = 0; i < secret->len; i++) {
		if ((unsigned char)secret->data[i] < ' ')
			return refuse(e, place, "is no single line of text");
	}
	return secret->len > 0 || refuse(e, place, "is empty");
}

void secret_done(struct buf *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->size);
	buf_done(secret);
}
