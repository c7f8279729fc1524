/* SPDX-License-Identifier: Apache-2.0
 * What sandbox_tenant and sandbox_tenant_clone hold: the columns of the one, which others read, and the facts in the
 * other, which only this program does, as one text, because that is written ten thousand times a second. */
#ifndef SANDBOX_ODBC_TENANTS_COLUMNS_H
#define SANDBOX_ODBC_TENANTS_COLUMNS_H

#include "consumer/adapters/odbc/conn.h"
#include "consumer/ports/tenants.h"

enum {
	TENANTS_BINDS_MAX = 32,
	CLONE_CELLS = 3, /* ctx, clone_id, facts */
	FACTS_TEXT_MAX = 4096, /* every text full of what must be escaped */
};

bool clone_table_make(struct buf *sql);
bool row_table_make(struct buf *sql);
/* Of one row, with the values of row_binds. */
bool row_table_update(struct buf *sql);
bool row_table_insert(struct buf *sql);

/* Their number; the texts are borrowed. changed is the number of the change. */
size_t row_binds(const struct tenant_row *row, int64_t changed, struct bind binds[TENANTS_BINDS_MAX]);

/* All facts but the key as one text, and a clone from its cells: REFUSED when they are not what was written. */
bool facts_write(const struct clone_facts *f, struct buf *out);
bool clone_of_cells(const struct cell cells[CLONE_CELLS], struct clone_facts *facts_r, struct err *e);

#endif
