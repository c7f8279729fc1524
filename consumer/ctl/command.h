/* SPDX-License-Identifier: Apache-2.0
 * The commands as one table (commands.c), and a command line read by it. From the table come the help, the manual
 * page and the completion too. */
#ifndef SANDBOX_CTL_COMMAND_H
#define SANDBOX_CTL_COMMAND_H

#include "handlers/base/buf.h"
#include "handlers/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { ARGS_MAX = 4096, OPERANDS_MAX = 64 };

struct ctl;

struct option_row {
	const char *name;  /* without the hyphens */
	const char *value; /* what stands behind it, for people; NULL: a switch */
	const char *words; /* "all|none": the only values it takes; NULL: any */
	bool repeats;
	const char *sentence;
};

struct command {
	const char *noun, *verb; /* verb "": the noun says it all */
	const char *operands;    /* for people: "ID" */
	size_t least, most;      /* how many operands */
	const struct option_row *options;
	size_t option_count;
	const char *formats;  /* of -o, the first one when it is not given; "": it prints no data */
	const char *sentence;
	const char *examples; /* lines without the program's name in front */
	int (*run)(struct ctl *c); /* the exit code */
};

extern const struct command commands[];
extern const size_t command_count;
extern const struct option_row common_options[];
extern const size_t common_option_count;

struct given {
	const struct option_row *option;
	const char *value; /* "" of a switch */
};

struct args {
	const struct command *command; /* NULL: none was named */
	const char *noun;              /* "" none */
	bool help;
	struct given given[ARGS_MAX];
	size_t count;
	const char *operands[OPERANDS_MAX];
	size_t operand_count;
};

/* Reads the words behind the program's name; everything is borrowed from argv. REFUSED with a sentence, and what was
 * probably meant, when they are none of ours. With help set the rest may be incomplete. */
bool args_read(struct args *a, int argc, const char *const *argv, struct err *e);

bool args_has(const struct args *a, const char *option);
/* The value given last; NULL when the option was not given. */
const char *args_text(const struct args *a, const char *option);
/* One after the other, *at beginning with 0; NULL when there is no more. */
const char *args_next(const struct args *a, const char *option, size_t *at);
/* The value as a number from 1 to max, fallback when it was not given. False with *e when it is none. */
bool args_number(const struct args *a, const char *option, long max, long fallback, long *number_r, struct err *e);

/* Is word one of "a|b|c"? */
bool word_is_one_of(const char *word, const char *words);

/* ---- help.c ---- */

bool help_overview(struct buf *out);
bool help_noun(const char *noun, struct buf *out);
bool help_command(const struct command *command, struct buf *out);
/* docs/man/sandboxctl.md and docs/completion.bash; a unit test compares them. */
bool help_manual(struct buf *out);
bool help_completion(struct buf *out);

#endif
