/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the test world. */
#ifndef SANDBOX_TESTS_WORLD_PRIV_H
#define SANDBOX_TESTS_WORLD_PRIV_H

#include "tests/support/world.h"

#include <limits.h>

/* Fills the empty folder: source customer, old sandbox, files. Returns the stubs' first state, owned by the caller. */
char *world_make(const struct world *w);
/* The same with the customer of compose/seed. */
char *world_make_seeded(const struct world *w, int factor);

/* A connection of consumer/adapters/odbc/conn.h to a database file, made when it is to be written. */
struct conn *world_connect(const char *path, bool writes);
void world_path(char out_r[PATH_MAX], const char *folder, const char *part);
void world_make_folder(const char *path);
/* One line for each file and folder in it, with a hash. */
void world_dump_folder(const char *folder, const char *shown, struct buf *out);
/* Copies a folder with all that is in it. */
void world_copy_folder(const char *from, const char *to);

#endif
