/* SPDX-License-Identifier: Apache-2.0
 * The parts of the file store. Every folder is opened below another open folder and no link is ever followed, so that
 * no name and no swap during the work leads out of the root. */
#ifndef SANDBOX_FILES_FILES_PRIV_H
#define SANDBOX_FILES_FILES_PRIV_H

#include "handlers/base/arena.h"
#include "handlers/ports/files.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { FILES_DEPTH_MAX = 64, FILES_NAMES_MAX = 1000000, FILES_DIR_MODE = 0750, FILES_FILE_MODE = 0640 };

/* ---- files_path.c ---- */

/* openat that stays below dir and follows no link; works on kernels without openat2 too. -1 with errno: ELOOP or
 * EXDEV when the path tried to get out. */
int files_open_beneath(int dir, const char *path, int flags, mode_t mode);
/* The same part by part: what files_open_beneath does where the kernel has no openat2. */
int files_open_walking(int dir, const char *path, int flags, mode_t mode);
/* Opens the folder, making what is missing with FILES_DIR_MODE and putting each new name on disk. */
int files_make_beneath(int dir, const char *path);
/* Closes *fd when it is open and makes it -1; keeps errno. */
void files_close(int *fd);
/* TRANSIENT with a sentence for errno, "disk full" for those that mean that. Always false. */
bool files_failed(struct err *e, const char *doing, const char *folder);
bool files_aborted(struct err *e);
bool files_must_stop(const atomic_bool *stop);

/* ---- files_walk.c ---- */

enum files_kind { FILES_KIND_FILE, FILES_KIND_OTHER }; /* OTHER: link, fifo, device, socket, a name too long or deep */

struct files_walk {
	const char *after; /* only paths behind this one, bytewise */
	const atomic_bool *stop;
	/* Called in bytewise order of the whole path. dir and name say where it is; path is relative to the start. */
	bool (*visit)(void *arg, int dir, const char *name, const char *path, enum files_kind kind, bool *enough_r,
	              struct err *e);
	void *arg;
};

/* Walks the tree below dir. *all_r is false when a visit said enough. Memory: the names of the folders on the way. */
bool files_walk(const struct files_walk *w, int dir, bool *all_r, struct err *e);

/* ---- files_copy.c ---- */

enum files_copied { FILES_COPIED, FILES_COPY_CHANGED, FILES_COPY_FAILED };

struct files_meter { /* how far the call was before this file */
	const struct files_choice *choice;
	int64_t files, bytes;
};

/* Copies all of `from` to the empty file `to`, with time and (narrowed) mode; does not sync. Tells the choice how far it
 * is. CHANGED when the source changed under the copy; FAILED with *e. */
enum files_copied files_copy(int from, const struct stat *from_stat, int to, const atomic_bool *stop,
                             const struct files_meter *meter, struct err *e);
/* Tells, if anybody wants to know. */
void files_moved(const struct files_choice *choice, int64_t files, int64_t bytes);

/* ---- files_remove.c ---- */

/* Removes everything below dir, which stays. */
bool files_remove_below(int dir, const atomic_bool *stop, struct err *e);

/* ---- files_page.c ---- */

struct files_place { /* where a page is read from and written to */
	int source;     /* <root>/<source root>/<folder>; -1 when there is none */
	int generation; /* <root>/<generation> */
	const struct fence *fence;
	const struct files_choice *choice;
	struct files_progress *progress;
	const atomic_bool *stop;
};

/* The name of the folder beside `folder` in which files lie until they are whole. False when it is too long for one. */
bool files_parts_name(const char *folder, char name_r[NAME_MAX + 1]);
/* Copies the page behind the progress and moves it on; leaves it as it was on failure. */
bool files_copy_page(const struct files_place *place, struct err *e);

/* ---- files_token.c ---- */

/* REFUSED with ERR_CODE_FENCED when the tree below generation has seen a newer token than the fence's. */
bool files_token_check(int generation, const struct fence *f, struct err *e);
/* The same, and leaves our token there, on disk, for older owners to see. */
bool files_token_raise(int generation, const struct fence *f, struct err *e);

#endif
