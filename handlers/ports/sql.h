/* SPDX-License-Identifier: Apache-2.0
 * The databases of one clone, seen by a handler: the server's catalogue, the source (read only), the database that
 * was in service before, and the generation being built. Statements are named sections of handlers/sql/<dialect>/
 * and take their values bound, never pasted. Every change of the generation is one transaction together with its
 * row in sandbox_ledger, after the stamp was seen to bear no newer token than ours (design section 4).
 *
 * Errors: TRANSIENT (busy, lost before COMMIT), UNSURE (lost during COMMIT or a statement outside transactions),
 * REFUSED (constraint, missing object; ERR_CODE_FENCED when the stamp bears a newer token). */
#ifndef SANDBOX_PORTS_SQL_H
#define SANDBOX_PORTS_SQL_H

#include "handlers/base/arena.h"
#include "handlers/base/buf.h"
#include "handlers/base/err.h"
#include "handlers/ports/fence.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sql_place {
	SQL_PLACE_UNSET,
	SQL_SERVER,   /* catalogue of databases, logins, users, grants */
	SQL_SOURCE,   /* the source tenant's database; opened read only by a login that can only read */
	SQL_PREVIOUS, /* the target's database before this clone; read only here */
	SQL_TARGET,   /* the generation this clone builds */
};

enum sql_kind { SQL_NULL, SQL_NUMBER, SQL_TEXT };

struct sql_value {
	enum sql_kind kind;
	int64_t number;
	const char *text; /* UTF-8, NUL-terminated */
};

struct sql_arg {
	const char *name; /* as in the statement, without the colon */
	struct sql_value value;
};

enum { SQL_ARGS_MAX = 12 };

struct sql_args {
	size_t count;
	struct sql_arg arg[SQL_ARGS_MAX];
};

struct sql_row {
	size_t count;
	const struct sql_value *values; /* borrowed until the callback returns */
};

typedef bool sql_row_fn(void *arg, const struct sql_row *row, struct err *e); /* false ends the reading */

struct sql_change {
	const char *statement;
	struct sql_args args;
};

struct sql_ledger { /* what sandbox_ledger remembers of one step of this clone and run */
	bool found;
	uint64_t token;
	int64_t rows;
	char cursor[512]; /* where a paged step is; "" at its start */
};

struct sql_identity { /* the server's own idea of which database this is: not a name (design section 6) */
	char server_id[80];
	char database_id[80];
};

struct sql_stamp { /* the single row of sandbox_stamp in a sandbox database */
	bool found;
	char source_ctx[CTX_MAX + 1], target_ctx[CTX_MAX + 1], clone_id[CLONE_ID_MAX + 1];
	int run;
	uint64_t token;
	char masked_at[32]; /* RFC 3339 UTC; "" until the proof was 0 */
	char proof[256];    /* what the proof counted, as JSON; "" until it was 0 */
};

/* What a masking filter says of one text cell. */
enum sql_cell { SQL_CELL_KEEP, SQL_CELL_REPLACE, SQL_CELL_NULL };

/* Called for every text cell that is copied, masked or scanned. width_chars is the column's declared width, 0 when it
 * has none. With SQL_CELL_REPLACE the new text is in *out (cleared before the call). */
typedef enum sql_cell sql_filter_fn(void *arg, const char *table, const char *column, size_t width_chars,
                                    const char *text, size_t len, struct buf *out);

struct sql_filter {
	sql_filter_fn *cell;
	void *arg;
};

struct sql_pages { /* progress of copy_next, mask_next and scan_next; zero it, or restore it from the ledger */
	char cursor[512]; /* opaque; the call writes it, the ledger stores it */
	int64_t tables_done, tables_total;
	int64_t rows, bytes;   /* of this pass so far */
	int64_t rows_expected; /* an estimate, 0 when unknown */
	int64_t cells_changed;
	char table[64];     /* the one under way, cut when its name is longer; "" none, or several at a time */
	int64_t table_rows, table_bytes; /* of it so far */
	/* "", or the file that the copy made on the way and could not remove: it holds every address. */
	char left_behind[128];
	bool finished;
};

struct sql_port {
	/* ---- looking ---- */
	/* A section whose "needs:" table or column is not there counts nothing: 0 for scalar, NULL for text, no rows.
	 * Arguments that a statement does not name are ignored, in looks and changes alike. */
	/* First column of the first row. No row at all is REFUSED for scalar and *value_r = NULL for text. */
	bool (*scalar)(struct sql_port *self, enum sql_place place, const char *statement, const struct sql_args *args,
	               int64_t *value_r, struct err *e);
	bool (*text)(struct sql_port *self, enum sql_place place, const char *statement, const struct sql_args *args,
	             struct arena *mem, const char **value_r, struct err *e);
	/* At most 1,000,000 rows, streamed. */
	bool (*rows)(struct sql_port *self, enum sql_place place, const char *statement, const struct sql_args *args,
	             sql_row_fn *fn, void *arg, struct err *e);
	/* Is there such a table or, with column not NULL, such a column? Compared without case. */
	bool (*has)(struct sql_port *self, enum sql_place place, const char *table, const char *column, bool *has_r,
	            struct err *e);
	bool (*ledger)(struct sql_port *self, const struct fence *f, struct sql_ledger *ledger_r, struct err *e);
	/* Of any database by name. REFUSED when there is none; exists asks first. */
	bool (*exists)(struct sql_port *self, const char *database, bool *exists_r, struct err *e);
	bool (*identity)(struct sql_port *self, const char *database, struct sql_identity *identity_r, struct err *e);
	bool (*stamp)(struct sql_port *self, const char *database, struct sql_stamp *stamp_r, struct err *e);

	/* ---- acting on the generation: one transaction with stamp check and ledger row ---- */
	/* A section whose "needs:" table or column is not there is passed over. rows_r may be NULL. */
	bool (*apply)(struct sql_port *self, const struct fence *f, const struct sql_change *changes, size_t count,
	              int64_t *rows_r, struct err *e);
	bool (*put_proof)(struct sql_port *self, const struct fence *f, const char *masked_at, const char *proof_json,
	                  struct err *e);

	/* ---- acting on the server, outside transactions; all can be repeated ---- */
	/* Makes the generation, in quarantine (only the cloner may connect), with stamp and ledger in it. */
	bool (*create_database)(struct sql_port *self, const struct fence *f, const char *source_ctx, struct err *e);
	/* Raises the token of the generation's stamp to the fence's, so that an older owner is refused from now on. */
	bool (*raise_token)(struct sql_port *self, const struct fence *f, struct err *e);
	/* Only the cloner may connect from now on / everybody with a user may. */
	bool (*quarantine)(struct sql_port *self, const struct fence *f, const char *database, bool closed, struct err *e);
	bool (*drop_database)(struct sql_port *self, const struct fence *f, const char *database, struct err *e);
	/* Runs a catalogue statement (logins, users, grants) that bears the token where the catalogue can check it. */
	bool (*apply_server)(struct sql_port *self, const struct fence *f, const struct sql_change *change, struct err *e);

	/* ---- passes over whole databases, one page a call, cursor and effect in one transaction ---- */
	/* Copies schema and rows of the source through the filter, then indexes; verifies count and checksum per table;
	 * NULL stays NULL. Starts from the live catalogue of the source. */
	bool (*copy_next)(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
	                  struct sql_pages *pages, struct err *e);
	/* Rewrites the generation's text cells that the filter wants changed. */
	bool (*mask_next)(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
	                  struct sql_pages *pages, struct err *e);
	/* Shows every text cell of the generation to the filter, whose answer is ignored: the proof's own pass.
	 * Writes nothing. */
	bool (*scan_next)(struct sql_port *self, const struct sql_filter *filter, struct sql_pages *pages, struct err *e);
};

#endif
