/* SPDX-License-Identifier: Apache-2.0
 * The columns of sandbox_tenant_clone and of sandbox_tenant, each once, and the statements made of them. */
#ifndef SANDBOX_ODBC_TENANTS_COLUMNS_H
#define SANDBOX_ODBC_TENANTS_COLUMNS_H

#include "consumer/adapters/odbc/conn.h"
#include "consumer/ports/tenants.h"

enum { TENANTS_BINDS_MAX = 48 };

/* CREATE TABLE, and INSERT or UPDATE of one row; both end with the column `changed`, the number of the change. */
bool clone_table_make(struct buf *sql);
bool clone_table_put(struct buf *sql);
bool row_table_make(struct buf *sql);
bool row_table_put(struct buf *sql);
/* "ctx, clone_id, ..." in the order of clone_of_cells. */
bool clone_table_list(struct buf *sql);

/* Values for the INSERT; their number. The texts are borrowed. */
size_t clone_binds(const struct clone_facts *f, int64_t changed, struct bind binds[TENANTS_BINDS_MAX]);
size_t row_binds(const struct tenant_row *row, int64_t changed, struct bind binds[TENANTS_BINDS_MAX]);
/* REFUSED when a cell does not fit: the table was written by something else. */
bool clone_of_cells(const struct cell *cells, size_t count, struct clone_facts *facts_r, struct err *e);

#endif
