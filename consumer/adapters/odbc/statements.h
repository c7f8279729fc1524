/* SPDX-License-Identifier: Apache-2.0
 * The named sections of handlers/sql/<dialect>/, and of the folder that it shares with others: found by name, checked
 * once, turned into text with '?' where the values go. */
#ifndef SANDBOX_ODBC_STATEMENTS_H
#define SANDBOX_ODBC_STATEMENTS_H

#include "consumer/adapters/odbc/conn.h"
#include "handlers/base/embedded.h"
#include "handlers/ports/sql.h"

enum { NEEDS_MAX = 8, STATEMENT_VALUES_MAX = 48 };

struct section_need {
	char table[64];
	char column[64]; /* "" when the table is enough */
};

/* Where a section runs on an engine whose connections see one database only (sql_dialect.sees_one_database). */
enum section_home {
	HOME_ASKED,    /* where who asks wants it */
	HOME_MASTER,   /* "-- home: master" */
	HOME_SOURCE,   /* "-- home: source" */
	HOME_DATABASE, /* "-- home: database": in the one that its argument `database` names */
};

struct section {
	char name[64];
	char *sql; /* may hold several statements, one after the other */
	struct section_need needs[NEEDS_MAX];
	size_t need_count;
	bool folds_names; /* identifiers go in in lower case */
	bool says_rows;   /* "-- runs: its rows": a question whose answer is the statements to be run, one a row */
	enum section_home home;
	int level; /* of the folder it came from, 0 the dialect's own */
};

struct statements;

/* Reads every file of sql/<dialect>/, and of the folders sql/<shared>/ (NULL at the end; NULL: there is none), one after the
 * other, the sections that nobody before says in its own way. NULL and *e filled when two sections of one folder have one
 * name, when a section is broken or when there is none in a folder. */
struct statements *statements_new(const char *dialect, const char *const *shared, bool folds_names, const struct embedded_file *files,
				  size_t count, struct err *e);
void statements_free(struct statements **s);

/* The section of that name; NULL and *e filled (MISUSE) when there is none. */
const struct section *statements_find(const struct statements *s, const char *name, struct err *e);

struct statement { /* one of a section, ready to execute */
	struct buf sql;
	const char *schema; /* what {schema} stands for, in dialects that name it; else NULL */
	struct bind values[STATEMENT_VALUES_MAX];
	size_t value_count;
};

/* Builds the statement that begins at *at and moves *at behind it; *more_r is false when only spaces were left.
 * Values are bound, identifiers quoted. The texts stay the arguments'. MISUSE when an argument is missing. */
bool statement_next(const struct section *section, const char **at, const struct sql_args *args, struct statement *s,
		    bool *more_r, struct err *e);

#endif
