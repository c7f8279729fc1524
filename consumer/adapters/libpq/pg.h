/* SPDX-License-Identifier: Apache-2.0
 * One connection of libpq: statements, COPY streams, and the stop flag that ends whatever runs. The only file that
 * calls libpq is pg.c. */
#ifndef SANDBOX_LIBPQ_PG_H
#define SANDBOX_LIBPQ_PG_H

#include "consumer/adapters/libpq/pg_passes.h"

#include <libpq-fe.h>

enum pg_side { PG_SOURCE, PG_TARGET };

struct pg { /* zero it before the first use */
	PGconn *conn;
	const atomic_bool *stop; /* of the call under way */
	size_t queued;           /* statements that were sent and not asked for */
	char owner[96];          /* whom pg_tell_owner told it; "" nobody */
};

/* Connects unless it is connected. A source's session can only read. */
bool pg_open(struct pg *pg, const struct pg_settings *s, enum pg_side side, const char *database, struct err *e);
void pg_close(struct pg *pg);

/* Runs one statement with texts for $1... (NULL is NULL). The result is the caller's to PQclear; NULL and *e on
 * failure. */
PGresult *pg_query(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e);
bool pg_do(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e);
int64_t pg_number(const PGresult *r, int row, int column);
#define PG_DO(pg, sql, e, ...)                                                                                         \
	pg_do(pg, sql, (const char *const[]){ __VA_ARGS__ }, (int)(sizeof((const char *const[]){ __VA_ARGS__ }) /     \
	      sizeof(char *)), e)

/* Sends a statement without waiting for what the server says, so that many cost one round trip. They must answer little
 * (the server has to have room for it while more are sent) and are no COPY. */
bool pg_queue(struct pg *pg, const char *sql, const char *const *values, int count, struct err *e);
#define PG_QUEUE(pg, sql, e, ...)                                                                                      \
	pg_queue(pg, sql, (const char *const[]){ __VA_ARGS__ }, (int)(sizeof((const char *const[]){ __VA_ARGS__ }) /  \
		 sizeof(char *)), e)
/* Waits for all that were queued. The answer of the last one that has rows is the caller's to PQclear when rows_r is
 * not NULL (NULL there when none has). On failure the server passed over those behind the one that failed, and
 * *failed_r, when not NULL, is its number. */
bool pg_queue_end(struct pg *pg, PGresult **rows_r, size_t *failed_r, struct err *e);

/* Sends statements that need no values, with `;` between them; COPYs among them. Their streams are then begun and ended
 * in their order, and what comes between them must succeed. */
bool pg_send(struct pg *pg, const char *sql, struct err *e);
/* Of the next COPY ... TO STDOUT: line after line, or row after row of the binary format; each is the caller's to
 * PQfreemem. *line_r NULL at the end. */
bool pg_copy_out(struct pg *pg, struct err *e);
bool pg_copy_line(struct pg *pg, char **line_r, size_t *len_r, struct err *e);
/* Of the next COPY ... FROM STDIN; `ok` false throws away what was sent. */
bool pg_copy_in(struct pg *pg, struct err *e);
bool pg_copy_put(struct pg *pg, const char *data, size_t len, struct err *e);
bool pg_copy_end(struct pg *pg, bool ok, struct err *e);

#endif
