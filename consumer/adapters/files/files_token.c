/* SPDX-License-Identifier: Apache-2.0
 * The newest token a tree of files has seen, in a small file at its top: an owner that lost its lease and wakes up is
 * refused, as the stamp does in the database. */
#include "consumer/adapters/files/files_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char token_file[] = ".sandbox-token";

/* 0 when there is none yet. */
static bool read_token(int generation, uint64_t *token_r, struct err *e)
{
	int fd = files_open_beneath(generation, token_file, O_RDONLY | O_NONBLOCK, 0);
	char text[32] = "";
	ssize_t n;

	*token_r = 0;
	if (fd < 0)
		return errno == ENOENT || files_failed(e, "reading the token", "the generation");
	n = read(fd, text, sizeof text - 1);
	files_close(&fd);
	if (n < 0)
		return files_failed(e, "reading the token", "the generation");
	*token_r = strtoull(text, NULL, 10);
	return true;
}

static bool write_token(int generation, const struct fence *f, struct err *e)
{
	char name[64], text[32];
	int len = snprintf(text, sizeof text, "%" PRIu64 "\n", f->token);
	bool ok;
	int fd;

	snprintf(name, sizeof name, "%s-%" PRIu64, token_file, f->token);
	fd = files_open_beneath(generation, name, O_WRONLY | O_CREAT | O_TRUNC, S_IRUSR | S_IWUSR);
	/* Another step of this run may have put the same file there a moment ago, under the same names. */
	ok = fd >= 0 && write(fd, text, (size_t)len) == len && fsync(fd) == 0 &&
	     (renameat(generation, name, generation, token_file) == 0 || errno == ENOENT);
	if (!ok)
		files_failed(e, "writing the token", "the generation");
	files_close(&fd);
	return ok;
}

static bool check(int generation, const struct fence *f, uint64_t *seen_r, struct err *e)
{
	if (!read_token(generation, seen_r, e))
		return false;
	return *seen_r <= f->token || err_set(e, ERR_REFUSED, ERR_CODE_FENCED, "files",
	                                      "a newer owner has taken over these files");
}

bool files_token_check(int generation, const struct fence *f, struct err *e)
{
	uint64_t seen;

	return check(generation, f, &seen, e);
}

bool files_token_raise(int generation, const struct fence *f, struct err *e)
{
	uint64_t seen;

	if (!check(generation, f, &seen, e) || (seen != f->token && !write_token(generation, f, e)))
		return false;
	/* Ours may be there from a try that could not put its name on disk. */
	return fsync(generation) == 0 || files_failed(e, "writing the token to disk", "the generation");
}
