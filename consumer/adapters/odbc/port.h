/* SPDX-License-Identifier: Apache-2.0
 * One step's view of its databases: the struct behind sql_port, and what the files of this adapter share of it. */
#ifndef SANDBOX_ODBC_PORT_H
#define SANDBOX_ODBC_PORT_H

#include "consumer/adapters/odbc/server.h"

#include <pthread.h>

enum { PORT_LINKS = 5, STATEMENT_MAX = 1 << 20 };

struct odbc_port {
	struct sql_port port; /* first: the handlers' view */
	struct odbc_server *server;
	char source[64], previous[64], target[64];
	atomic_bool stop;
	struct link *links[PORT_LINKS]; /* by enum sql_place, the last one for pages of the generation */
	struct pass *pass;              /* of the last link, once pass_of made it */
};

static inline struct odbc_port *port_of(struct sql_port *self)
{
	return (struct odbc_port *)self;
}

/* The connection to that place, opened when first needed. NULL and *e filled. */
struct conn *port_conn(struct odbc_port *p, enum sql_place place, struct err *e);
/* The link that passes use: it may lose whole last transactions, and can read the source beside. */
struct link *port_pages_link(struct odbc_port *p, struct err *e);
/* Gives connections to that database back, so that it can be dropped. */
void port_let_go(struct odbc_port *p, const char *database);

/* ---- places.c ---- */

struct place { /* where a section runs */
	struct conn *conn;
	struct link *link; /* NULL: the port's own connection */
};

/* The place that the section asks for or, when it does not or need not, the asked one. NULL conn and *e on failure. */
bool place_take(struct odbc_port *p, enum sql_place asked, const char *section, const struct sql_args *args,
		struct place *place_r, struct err *e);
/* After a failed place_take, too. */
void place_give(struct odbc_port *p, struct place *place);

/* ---- looks.c ---- */

void port_looks(struct sql_port *port); /* fills in the functions that only look */
/* The stamp as it is in that connection's database. */
bool stamp_read(struct odbc_port *p, struct conn *c, struct sql_stamp *stamp_r, struct err *e);
/* What stands in for the stamp of a generation that the server is just copying, or has copied and that was not stamped yet:
 * it cannot be asked, or bears the source's stamp. Not found when the generation's own stamp counts. */
bool stamp_of_copy(struct odbc_port *p, const char *database, struct sql_stamp *stamp_r, struct err *e);

/* ---- fence.c ---- */

/* Begins a transaction that may write the generation: the stamp is there, is this clone's and bears no newer token
 * than ours; a lower one is raised. Rolls back on failure. */
bool fenced_begin(struct odbc_port *p, struct conn *c, const struct fence *f, struct err *e);
/* Adds to the step's ledger row, or replaces its rows and cursor. */
bool ledger_add(struct odbc_port *p, struct conn *c, const struct fence *f, int64_t rows, struct err *e);
bool ledger_set(struct odbc_port *p, struct conn *c, const struct fence *f, int64_t rows, const char *cursor,
		struct err *e);
/* The same for the server's catalogue: no newer token has acted on the fence's generation. */
bool server_fenced_begin(struct odbc_port *p, struct conn *c, const struct fence *f, struct err *e);
/* The token as the database stores it. MISUSE when it is too large. */
bool fence_token(const struct fence *f, int64_t *token_r, struct err *e);

/* ---- changes.c, databases.c, copy.c, sweep.c, passes.c ---- */

void port_changes(struct sql_port *port);   /* apply, put_proof, apply_server */
void port_databases(struct sql_port *port); /* create, raise, quarantine, drop */
void port_copy(struct sql_port *port);      /* copy_next */
void port_sweeps(struct sql_port *port);    /* mask_next, scan_next */
void port_passes(struct sql_port *port);    /* the three of them by the passes_port of the settings */
void port_engine_copy(struct sql_port *port); /* copy_next by the server itself */
void port_row_copy(struct sql_port *port); /* copy_next by rows of another server */
/* May the fence's owner close, open or drop it? */
bool port_may_touch(struct odbc_port *p, const struct fence *f, const char *database, struct err *e);

#endif
