/* SPDX-License-Identifier: Apache-2.0
 * The functions of row_views.h in every connection to SQLite of this process, also in those that an ODBC driver opens with
 * the same library. */
#ifndef SANDBOX_SQLITE_SQLITE_VIEWS_H
#define SANDBOX_SQLITE_SQLITE_VIEWS_H

#include "consumer/ports/row_views.h"
#include "handlers/base/err.h"

/* Before the first connection that shall have them; may be called again. Lives as long as the process. NULL and *e filled
 * when memory is short. */
struct row_views *sqlite_views(struct err *e);

#endif
