/* SPDX-License-Identifier: Apache-2.0
 * What the engines behind the dialect "sqlserver" share of asking master about databases. */
#ifndef SANDBOX_ODBC_DIALECT_SQLSERVER_H
#define SANDBOX_ODBC_DIALECT_SQLSERVER_H

#include "consumer/adapters/odbc/server.h"

struct sqlserver_answer { /* first cell of the last row; zeros when there is none */
	int64_t number;
	char text[80];
};

/* Of sections whose only argument is the database, on a connection to master. */
bool sqlserver_ask(const struct odbc_settings *s, const char *database, const char *section, struct sqlserver_answer *a,
		   struct err *e);
bool sqlserver_run(const struct odbc_settings *s, const char *database, const char *const *sections, struct err *e);
/* The same on a connection that is there. */
bool sqlserver_ask_on(const struct odbc_settings *s, struct conn *c, const char *database, const char *section,
		      struct sqlserver_answer *a, struct err *e);
/* Connection to master for something about that database; NULL and *e filled, also when its name is none. */
struct link *sqlserver_take(const struct odbc_settings *s, const char *database, struct err *e);
bool sqlserver_is_catalogue(const char *database);

bool sqlserver_exists(const struct odbc_settings *s, const char *database, bool *exists_r, struct err *e);
bool sqlserver_identity(const struct odbc_settings *s, const char *database, char *out, size_t size, struct err *e);
bool sqlserver_is_reachable(const struct odbc_settings *s, const char *database, bool *so_r, struct err *e);

/* ---- dialect_azure_files.c ---- */

/* Has the service taken on something about the database that it has not finished? False, too, where the login may not
 * ask. */
bool azure_is_under_way(const struct odbc_settings *s, const char *database, bool *so_r, struct err *e);

#endif
