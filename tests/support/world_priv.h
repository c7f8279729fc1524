/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the test world. */
#ifndef SANDBOX_TESTS_WORLD_PRIV_H
#define SANDBOX_TESTS_WORLD_PRIV_H

#include "consumer/adapters/odbc/conn.h"
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

/* How often the bytes are in a file; 0 when there is none. */
int64_t world_count_bytes(const char *path, const char *bytes);
/* Statements of a file beside this one, which end with ';' at the end of a line. */
void world_run_script(struct conn *c, const char *name, bool is_postgres);

/* ---- world_postgres.c: the same on a PostgreSQL of the world's own, in <folder>/pg ---- */

/* Starts the server on the data that the folder has, or makes roles and databases. */
void world_postgres_open(struct world *w);
void world_postgres_stop(struct world *w);
/* Everything written so far is in the files: they can be copied. */
void world_postgres_settle(const struct world *w);
bool world_postgres_has(struct world *w, const char *database);
/* As the server's administrator. */
struct conn *world_postgres_connect(const struct world *w, const char *database);
int64_t world_postgres_bytes(struct world *w, const char *database, const char *bytes);
void world_postgres_dump(struct world *w, const char *database, struct buf *out); /* NULL: all, and the roles */

#endif
