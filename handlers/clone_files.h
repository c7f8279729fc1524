/* SPDX-License-Identifier: Apache-2.0
 * Copying a folder of the source tenant into the generation's tree of a store: 16 and 27 to 30. */
#ifndef SANDBOX_CLONE_FILES_H
#define SANDBOX_CLONE_FILES_H

#include "handlers/step.h"

/* Where a tenant's files lie below its root, the same in both stores (docs/steps). */
#define FOLDER_TEMPLATES   "Template"
#define FOLDER_DOCUMENTS   "Documents"
#define FOLDER_ATTACHMENTS "Attachments"

struct file_task {
	struct files_port *store;
	const char *folder;
	bool (*wants)(void *arg, const char *path); /* NULL: every file */
	void *arg;
	int64_t rows; /* rows of the database that name a file here; -1 when nobody knows. Only reported. */
};

/* Looks whether every wanted file is there with its size; copies what is not, looks again. What the live source added,
 * lost or changed meanwhile, and rows without a file, are counted in the detail and never fail the step. */
enum step_outcome clone_files(struct step_ctx *c, const struct file_task *task);

#endif
