/* SPDX-License-Identifier: Apache-2.0
 * A store of files in a folder of this machine, or of a share mounted here: <root>/<tenant root>/<folder>/... */
#ifndef SANDBOX_FILES_FILES_FS_H
#define SANDBOX_FILES_FILES_FS_H

#include "handlers/ports/files.h"

#include <stdatomic.h>

/* root must exist. stop, when not NULL, is looked at between files and between parts of a file: the call then ends
 * with ERR_CODE_ABORTED and nothing half done. May be used by many threads at a time. NULL and *e filled on failure. */
struct files_port *files_fs_new(const char *root, const atomic_bool *stop, struct err *e);
/* NULL-safe. */
void files_fs_free(struct files_port **port);

#endif
