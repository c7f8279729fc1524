/* SPDX-License-Identifier: Apache-2.0
 * A file store in a new folder, for the tests of the file adapter: Cust1 is the source, Cust2__g1 the generation. */
#ifndef SANDBOX_TESTS_FILE_STORE_H
#define SANDBOX_TESTS_FILE_STORE_H

#include "consumer/adapters/files/files_fs.h"

struct store {
	char root[256]; /* the working folder of the test */
	struct files_port *port;
	atomic_bool stop;
	struct err err; /* of the last call */
	struct fence fence;
	struct files_choice choice;
};

extern struct store store;

/* Fixture: a root with Cust1/Documents and a folder outside. */
void store_setup(void);
void store_teardown(void);

void store_put(const char *path, const char *content, size_t len);
void store_put_text(const char *path, const char *content);
bool store_has_text(const char *path, const char *content);
/* So many small files below Cust1/Documents, a thousand in a folder. */
void store_make_files(int count);
/* A fifo, a socket and four links beside one good file. */
void store_make_special_files(void);

/* Copies to the end; how many calls it took, or -1 with store.err. */
int store_copy_all(struct files_progress *progress);
struct files_progress store_must_copy(void);
int64_t store_differing(void);
void store_expect(enum err_class class, const char *part);

#endif
