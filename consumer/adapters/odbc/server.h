/* SPDX-License-Identifier: Apache-2.0
 * What all ports share: statements, idle connections by database, and the watchdog that cancels. */
#ifndef SANDBOX_ODBC_SERVER_H
#define SANDBOX_ODBC_SERVER_H

#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/statements.h"

enum { SQL_STATEMENT_MAX = 1 << 20 };

struct pass; /* what passes over tables keep in a connection's session, pass.h */
void pass_free(struct pass **pass);

struct link {              /* a connection and where it leads */
	struct link *next; /* of the idle ones */
	struct link *next_live;
	struct conn *conn;
	char database[64];
	char identity[80]; /* which file or database that was: a name may be used again for another */
	enum access access;
	int64_t idle_since_ms;
	int64_t snapshot, source_schema; /* ACCESS_SNAPSHOT: its own number, 0 before it begins; of the tables it sees */
	struct pass *pass; /* NULL until one was made */
};

const struct odbc_settings *server_settings(const struct odbc_server *s);
const struct sql_dialect *server_dialect(const struct odbc_server *s);
const char *server_id(const struct odbc_server *s);

struct engine_jobs; /* engine_copy.h */
struct engine_jobs *server_jobs(struct odbc_server *s);

/* An idle connection or a new one; REFUSED when there is no such database. It obeys `stop` until it is given back. */
struct link *server_take(struct odbc_server *s, const char *database, enum access access, const atomic_bool *stop,
			 struct err *e);
/* One of ACCESS_SNAPSHOT for the copy of that generation: the idle one, whose transaction goes on, or a new one. It is
 * closed when it was idle for SNAPSHOT_IDLE_MS, or when server_forget is told of the source or the generation. */
enum { SNAPSHOT_IDLE_MS = 5 * 60 * 1000 };
struct link *server_take_snapshot(struct odbc_server *s, const char *source, const char *generation,
				  const atomic_bool *stop, struct err *e);
/* Closes it: what it has begun is rolled back. *l becomes NULL; NULL-safe. */
void server_close(struct odbc_server *s, struct link **l);
/* Gives it back, rolled back; closes it when it is tainted or enough are idle. *l becomes NULL; NULL-safe. */
void server_give(struct odbc_server *s, struct link **l);
/* Closes the idle connections of a database that is about to go. */
void server_forget(struct odbc_server *s, const char *database);

/* ---- sections, run on any connection ---- */

/* Executes all statements of a section; rows_r, which may be NULL, counts what they changed. */
bool section_exec(const struct odbc_server *s, struct conn *c, const char *name, const struct sql_args *args,
		  int64_t *rows_r, struct err *e);
/* Executes a section that is one statement with a result. */
bool section_query(const struct odbc_server *s, struct conn *c, const char *name, const struct sql_args *args,
		   conn_row_fn *fn, void *arg, struct err *e);
/* Executes the statements that a section of "-- runs: its rows" answers, one by one; a failure with the number `ignored`
 * (0: none) counts as done. count_r, which may be NULL: how many there were. section_exec does it for them, too. */
bool section_exec_rows(const struct odbc_server *s, struct conn *c, const char *name, const struct sql_args *args, int ignored,
		       size_t *count_r, struct err *e);
/* The section itself; NULL and *e filled (MISUSE) when there is none. */
const struct section *server_section(const struct odbc_server *s, const char *name, struct err *e);
/* Is everything there that the section needs? */
bool section_is_needed(const struct odbc_server *s, struct conn *c, const char *name, bool *needed_r, struct err *e);
bool server_has(const struct odbc_server *s, struct conn *c, const char *table, const char *column, bool *has_r,
		struct err *e);

/* Arguments of a section, for the adapter's own use: ARGS(arg_text("name", t), arg_number("n", 1)). */
#define ARGS(...)                                                                                                      \
	((struct sql_args){ sizeof(struct sql_arg[]){ __VA_ARGS__ } / sizeof(struct sql_arg), { __VA_ARGS__ } })

static inline struct sql_arg arg_text(const char *name, const char *text)
{
	return (struct sql_arg){ name, { .kind = SQL_TEXT, .text = text } };
}

static inline struct sql_arg arg_number(const char *name, int64_t number)
{
	return (struct sql_arg){ name, { .kind = SQL_NUMBER, .number = number } };
}

#endif
