/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, PIECE_BYTES = 4096 };

static bool path_of(const char *folder, const char *key, const char *suffix, char path[PATH_BYTES])
{
	const char *slash = strchr(key, '/');
	int n;

	if (!folder || !slash)
		return false;
	n = snprintf(path, PATH_BYTES, "%s/%.*s-%s%s", folder, (int)(slash - key), key, slash + 1, suffix);
	return n > 0 && n < PATH_BYTES;
}

void folder_write(const char *folder, const char *key, const char *text, size_t len)
{
	char path[PATH_BYTES], temporary[PATH_BYTES];
	bool ok;
	FILE *file;

	if (!path_of(folder, key, ".avsc", path) || !path_of(folder, key, ".new", temporary))
		return;
	file = fopen(temporary, "we");
	if (!file)
		return;
	ok = fwrite(text, 1, len, file) == len;
	ok &= fflush(file) == 0 && fsync(fileno(file)) == 0;
	ok &= fclose(file) == 0;
	if (!ok || rename(temporary, path) != 0)
		unlink(temporary);
}

bool folder_read(const char *folder, const char *key, struct buf *text)
{
	char path[PATH_BYTES], piece[PIECE_BYTES];
	size_t n;
	FILE *file = path_of(folder, key, ".avsc", path) ? fopen(path, "re") : NULL;

	if (!file)
		return false;
	while ((n = fread(piece, 1, sizeof piece, file)) > 0 && buf_add(text, piece, n))
		;
	fclose(file);
	return !text->failed && text->len > 0;
}
