/* SPDX-License-Identifier: Apache-2.0
 * The SQL port (handlers/ports/sql.h) on any database that unixODBC reaches; what differs between databases is in
 * dialect.h. A server object is shared by all threads; a port belongs to one running step and one thread. */
#ifndef SANDBOX_ODBC_SQL_H
#define SANDBOX_ODBC_SQL_H

#include "consumer/ports/passes.h"
#include "consumer/ports/row_views.h"
#include "handlers/ports/sql.h"

#include <stdatomic.h>

struct odbc_server;

struct odbc_settings {
	const char *dialect;      /* "sqlite", "postgresql" or "sqlserver" */
	const char *driver;       /* name in odbcinst.ini, or path of the driver's library */
	const char *folder;       /* where the databases are, for dialects whose databases are files */
	int64_t busy_timeout_ms;  /* how long to wait for a lock before an operation is TRANSIENT */
	int64_t query_timeout_ms; /* a statement that runs longer is cancelled: TRANSIENT; 0 means no limit */
	/* Of dialects whose databases are a server's. */
	const char *host; /* name, address or folder of its socket */
	int port;
	const char *user, *password;
	const char *source_user, *source_password; /* of a login that can only read; "" or NULL: the same as above */
	/* Another server that the source is on: it is copied by rows then (sqlserver); "" or NULL: the same one. */
	const char *source_host;
	int source_port;
	const char *tls;          /* the driver's sslmode; "" or NULL: its own choice */
	const char *schema;       /* of the tenant's tables, where sections name it (sqlserver) */
	struct passes_port *passes; /* goes over whole databases for dialects that have no paging; outlives the server */
	/* Removes the blob of that name from the container `folder` (Managed Instance): the server cannot. NULL: nobody can. */
	bool (*remove_blob)(void *arg, const char *name, const atomic_bool *stop, struct err *e);
	void *remove_arg; /* outlives the server */
	struct row_views *views;  /* of the library that the driver uses, when it is in this process (sqlite); NULL: rows travel */
	struct odbc_server *server; /* filled in by odbc_server_open */
	size_t page_rows;         /* rows of one copy_next, mask_next or scan_next; 0 means 2000 */
};

/* Reads the statements, opens the first connection (the driver is loaded before threads start) and makes the server's
 * catalogue when there is none. Copies the settings. NULL and *e filled on failure. */
struct odbc_server *odbc_server_open(const struct odbc_settings *settings, struct err *e);
/* Every port must be closed before. NULL-safe; *s becomes NULL. */
void odbc_server_close(struct odbc_server **s);

struct odbc_databases { /* names; "" when there is none */
	const char *source, *previous, *target;
};

/* The port of one running step. Copies the names; connects when first needed. NULL and *e filled when a name is not
 * one of a database ([A-Za-z0-9][A-Za-z0-9_-]{0,62}) or memory is short. */
struct sql_port *odbc_sql_open(struct odbc_server *server, const struct odbc_databases *databases, struct err *e);
/* From another thread, before odbc_sql_close: what runs is cancelled, and everything fails with TRANSIENT and
 * ERR_CODE_ABORTED from now on. */
void odbc_sql_cancel(struct sql_port *port);
/* Rolls back what is open. NULL-safe; *port becomes NULL. */
void odbc_sql_close(struct sql_port **port);

#endif
