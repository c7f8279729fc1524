/* SPDX-License-Identifier: Apache-2.0
 * A store of files by tenant: the blob store and the archive share are two of them, with the same verbs
 * (docs/decisions/0003). A tenant's files live below `root`, a folder named by the registry; a clone writes only
 * below the folder named as its generation. Paths are relative, '/'-separated bytes; "..", absolute paths, empty
 * parts, NUL and links that point out of the root are refused, counted and never followed. Errors as in tenant.h. */
#ifndef SANDBOX_PORTS_FILES_H
#define SANDBOX_PORTS_FILES_H

#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILES_PATH_MAX = 1024 };

struct files_choice {
	const char *source_root; /* tenant folder to read from */
	const char *folder;      /* below both roots, for example "Template" */
	/* NULL means every file. path is relative to folder. */
	bool (*wants)(void *arg, const char *path);
	void *arg;
	/* NULL, or told as a call goes on: files and bytes dealt with so far, in the middle of a large file too. A copy
	 * goes on counting from its progress, a comparison begins at 0. */
	void (*moved)(void *arg, int64_t files, int64_t bytes);
	void *moved_arg;
};

struct files_progress { /* zero it before the first call; a plain value that can be stored and restored */
	char after[FILES_PATH_MAX]; /* last path dealt with; the listing is sorted bytewise */
	int64_t files, bytes;       /* copied or found equal */
	int64_t refused;            /* names that were not safe */
	int64_t missing;            /* vanished between listing and copy: normal, reported */
	bool finished;
};

struct files_port {
	/* Copies the next page of wanted files into the fence's generation. Each file appears whole or not at all, is
	 * on disk before the call returns, and an equal one already there is left alone. */
	bool (*copy_next)(struct files_port *self, const struct fence *f, const struct files_choice *choice,
	                  struct files_progress *progress, struct err *e);
	/* Compares wanted source files with the generation's copy by name and size: how many are missing or differ. What a
	 * copy that broke off left beside its files counts as one. */
	bool (*compare)(struct files_port *self, const struct fence *f, const struct files_choice *choice,
	                int64_t *different_r, int64_t *files_r, int64_t *bytes_r, struct err *e);
	/* Removes a whole tenant folder of this store. The caller has proved that it may (guard.h). True when there
	 * was none. */
	bool (*remove_root)(struct files_port *self, const struct fence *f, const char *root, struct err *e);
};

#endif
