/* SPDX-License-Identifier: Apache-2.0
 * The programs that ours is measured against, run as anybody would run them. */
#ifndef SANDBOX_BENCH_PEER_H
#define SANDBOX_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_ROUNDS_MAX = 15 };

struct peer_figures {
	double wall_s, cpu_s; /* cpu: of the program and all it has started */
};

/* Is there a program of that name on the PATH? */
bool peer_is_there(const char *program);
/* Runs it to its end, its output into the file (NULL: nowhere). False, said on stderr, when it did not end with a code
 * up to code_max: some programs say "nothing found" that way. */
bool peer_run(const char *const *argv, const char *output, int code_max, struct peer_figures *figures_r);

/* ---- one row of a table: figures of several rounds ---- */

struct row {
	const char *name;
	bool is_left_out;
	double wall_s[PEER_ROUNDS_MAX], durable_s[PEER_ROUNDS_MAX], cpu_s[PEER_ROUNDS_MAX];
};

/* Bytes that do not compress, another text for another state. */
void peer_fill(char *bytes, size_t len, uint64_t state);
/* Ends the program with the sentence and errno's. */
void peer_die(const char *what) __attribute__((noreturn));

#endif
