/* SPDX-License-Identifier: Apache-2.0
 * The tenants port (consumer/ports/tenants.h) as four tables of a database: sandbox_tenant is the one for others to
 * read. */
#ifndef SANDBOX_ODBC_TENANTS_H
#define SANDBOX_ODBC_TENANTS_H

#include "consumer/adapters/odbc/odbc_sql.h"
#include "consumer/ports/tenants.h"

/* settings->dialect is sqlite or postgresql. Opens the database, made when SQLite does not have it, and makes the
 * tables it lacks. A connection that is lost is made again by the next change. NULL and *e filled on failure. */
struct tenants_port *tenants_odbc_open(const struct odbc_settings *settings, const char *database, struct err *e);

#endif
