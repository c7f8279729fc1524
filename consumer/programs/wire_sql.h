/* SPDX-License-Identifier: Apache-2.0
 * The databases as the configuration names them. */
#ifndef SANDBOX_WIRE_SQL_H
#define SANDBOX_WIRE_SQL_H

#include "consumer/adapters/azure/azure_files.h"
#include "consumer/adapters/odbc/odbc_sql.h"
#include "consumer/adapters/system/secret_file.h"
#include "consumer/core/config.h"

struct wire_sql {
	struct odbc_settings settings; /* for odbc_server_open; valid until wire_sql_done */
	struct buf password, source_password, folder_sas;
	struct azure_container backups; /* of a Managed Instance; without a SAS nobody removes them */
	struct passes_port *passes;
};

/* Reads secrets; connects to nothing. wire_sql_done is needed in any case. */
bool wire_sql_init(struct wire_sql *w, const struct config *c, struct err *e);
/* After the server was closed. */
void wire_sql_done(struct wire_sql *w);

#endif
