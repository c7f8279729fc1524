/* SPDX-License-Identifier: Apache-2.0
 * Passes over whole databases, for those whose rows another library moves much faster than the one that speaks the
 * rest of SQL: what copy_next, mask_next and scan_next of handlers/ports/sql.h promise, from one process and with any
 * number of clones at a time. Thread-safe. */
#ifndef SANDBOX_PORTS_PASSES_H
#define SANDBOX_PORTS_PASSES_H

#include "handlers/ports/sql.h"

#include <stdatomic.h>

struct passes_call {
	const char *source, *target;    /* databases; names that were checked */
	const struct fence *fence;      /* NULL for scan_next */
	const struct sql_filter *filter;
	const atomic_bool *stop;        /* set: what runs is cancelled, TRANSIENT with ERR_CODE_ABORTED */
};

struct passes_port {
	bool (*copy_next)(struct passes_port *self, const struct passes_call *call, struct sql_pages *pages,
			  struct err *e);
	bool (*mask_next)(struct passes_port *self, const struct passes_call *call, struct sql_pages *pages,
			  struct err *e);
	bool (*scan_next)(struct passes_port *self, const struct passes_call *call, struct sql_pages *pages,
			  struct err *e);
	/* Lets go of every connection to that database, which is about to be dropped. */
	void (*forget)(struct passes_port *self, const char *database);
};

#endif
