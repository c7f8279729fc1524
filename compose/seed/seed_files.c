/* SPDX-License-Identifier: Apache-2.0
 * The files of the customer in both stores, and the file for the stub systems. */
#include "compose/seed/seed_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 * 1024 * 1024 };

static bool failed(struct err *e, const char *doing, const char *path)
{
	return err_set(e, ERR_TRANSIENT, errno, "seed", "%s %.120s: %s", doing, path, strerrorname_np(errno));
}

static bool make_parents(char *path, size_t root_len, struct err *e)
{
	for (char *slash = strchr(path + root_len + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0750);
		*slash = '/';
		if (rc != 0 && errno != EEXIST)
			return failed(e, "cannot make the folders of", path);
	}
	return true;
}

static bool write_whole(const char *path, const struct buf *content, struct err *e)
{
	const struct timespec times[2] = { { 1767600000, 0 }, { 1767600000, 0 } }; /* the same in every run */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	bool ok = fd >= 0 && (content->len == 0 || write(fd, content->data, content->len) == (ssize_t)content->len) &&
	          futimens(fd, times) == 0;

	if (!ok)
		failed(e, "cannot write", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool write_file(const struct seed_row *row, const struct seed_block *block, const char *root, struct buf *path,
                       struct buf *content, struct err *e)
{
	const struct seed_value *name = seed_value_of(block, "path"), *text = seed_value_of(block, "text");

	buf_clear(path);
	buf_clear(content);
	buf_printf(path, "%s/%s/%s/", root, row->plan->options->source, block->folder);
	if (!name || !text)
		return err_set(e, ERR_BUG, 0, "seed", "a block of files needs path and text");
	return seed_expand(row, name->text, name->len, path, e) && seed_expand(row, text->text, text->len, content, e) &&
	       make_parents(path->data, strlen(root), e) && write_whole(path->data, content, e);
}

bool seed_write_files(const struct seed_plan *plan, struct seed_result *result, struct err *e)
{
	struct buf path, content;
	bool ok = true;

	buf_init(&path, PATH_MAX);
	buf_init(&content, FILE_MAX_BYTES);
	for (size_t b = 0; ok && b < plan->block_count; b++) {
		const struct seed_block *block = plan->blocks[b];
		const char *root = !block->store                          ? NULL
		                   : strcmp(block->store, "objects") == 0 ? plan->options->objects
		                                                          : plan->options->archive;

		for (int64_t i = 1; ok && root && i <= block->count; i++) {
			const struct seed_row row = { plan, block->first + i - 1, i };

			ok = write_file(&row, block, root, &path, &content, e);
			result->files++;
		}
	}
	buf_done(&path);
	buf_done(&content);
	return ok;
}

/* stubs.json is content too: the names of the tenants are filled in. */
bool seed_write_stubs(const struct seed_plan *plan, struct err *e)
{
	const struct seed_row row = { plan, 1, 1 };
	const char *text = seed_file("stubs.json");
	struct buf content;
	bool ok;

	if (!text)
		return err_set(e, ERR_BUG, 0, "seed", "stubs.json was not built in");
	buf_init(&content, 1 << 20);
	ok = seed_expand(&row, text, strlen(text), &content, e) && write_whole(plan->options->stubs, &content, e);
	buf_done(&content);
	return ok;
}
