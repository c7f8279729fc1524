/* SPDX-License-Identifier: Apache-2.0
 * A source on another server than the targets (sql.source_host). */
#ifndef SANDBOX_ODBC_SOURCE_H
#define SANDBOX_ODBC_SOURCE_H

#include "consumer/adapters/odbc/port.h"

static inline bool source_is_distant(const struct odbc_settings *s)
{
	return s->source_host && *s->source_host;
}

/* MISUSE when these settings name another server for a dialect that cannot copy from it. */
bool source_is_allowed(const struct odbc_settings *s, struct err *e);
/* Is that name the distant source's? Databases of the targets' server that bear it are never meant. */
bool source_is_named(const struct odbc_port *p, const char *database);
/* Of the distant source: it exists if it can be connected to, and is known by its number and the moment it was made, to
 * the millisecond; another server's database is hardly ever taken for it, itself always is. */
bool source_exists(struct odbc_port *p, bool *exists_r, struct err *e);
bool source_identity(struct odbc_port *p, char *out, size_t size, struct err *e);

#endif
