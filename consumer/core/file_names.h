/* SPDX-License-Identifier: Apache-2.0
 * Which names a store of files may use, one rule for every kind of store (handlers/ports/files.h): no name leads out of
 * the root it is below. */
#ifndef SANDBOX_CORE_FILE_NAMES_H
#define SANDBOX_CORE_FILE_NAMES_H

#include "handlers/step.h"

#include <stdbool.h>

/* One part of a path, safe to create: not empty, ".", "..", without '/', at most 255 bytes. */
bool file_name_is_safe(const char *name);
/* Names of that kind with '/' between them, shorter than FILES_PATH_MAX. */
bool file_path_is_safe(const char *path);
/* A tenant's folder: a safe name that does not begin with a dot, for those names are ours. */
bool file_root_is_safe(const char *name);

/* May this fence copy that choice? REFUSED, with what is wrong with its places, when not. */
bool file_places_check(const struct fence *f, const struct files_choice *choice, struct err *e);
/* What was wrong, always false: a tenant's folder to remove that is none. */
bool file_root_refused(struct err *e);

#endif
