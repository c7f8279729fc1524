/* SPDX-License-Identifier: Apache-2.0
 * Passes over PostgreSQL databases as COPY streams, which ODBC has none of: see docs/decisions/0009-copy-streams.md.
 * Everything else of PostgreSQL goes through consumer/adapters/odbc. */
#ifndef SANDBOX_LIBPQ_PASSES_H
#define SANDBOX_LIBPQ_PASSES_H

#include "consumer/ports/passes.h"

struct pg_settings {
	const char *host; /* name, address or folder of its socket */
	int port;
	const char *user, *password;
	const char *source_user, *source_password; /* of a login that can only read; "" or NULL: the same */
	const char *tls;                           /* sslmode; "" or NULL: libpq's choice */
	int workers;                               /* streams at a time for one clone; 0 means 2 */
	int64_t unit_pages;                        /* of a table in one transaction; 0 means 4096 (32 MiB) */
	int64_t call_ms;                           /* about how long a call takes; 0 means 2000 */
	int64_t call_units;                        /* at most so many transactions in one call; 0: by time alone */
};

/* Copies the settings; connects when first needed. NULL and *e filled when memory is short. */
struct passes_port *pg_passes_new(const struct pg_settings *settings, struct err *e);
/* Nothing may be under way. NULL-safe; *port becomes NULL. */
void pg_passes_free(struct passes_port **port);

#endif
