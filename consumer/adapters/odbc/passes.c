/* SPDX-License-Identifier: Apache-2.0
 * Copying, masking and scanning for a dialect without paging: handed on to the passes_port of the settings. */
#include "consumer/adapters/odbc/port.h"

#include <string.h>

static struct passes_port *passes_of(const struct odbc_port *p, struct err *e)
{
	struct passes_port *passes = server_settings(p->server)->passes;

	if (!passes)
		err_set(e, ERR_MISUSE, 0, "sql", "nothing here can go over the tables of %s",
			server_dialect(p->server)->name);
	return passes;
}

static struct passes_call call_of(const struct odbc_port *p, const struct fence *f, const struct sql_filter *filter)
{
	return (struct passes_call){ p->source, p->target, f, filter, &p->stop };
}

static bool is_ours(const struct odbc_port *p, const struct fence *f, struct err *e)
{
	return strcmp(f->generation, p->target) == 0 ||
	       err_set(e, ERR_MISUSE, 0, "fence", "the fence names another generation than this step's");
}

static bool copy_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	const struct passes_call call = call_of(p, f, filter);
	struct passes_port *passes = passes_of(p, e);

	if (passes && !p->source[0])
		return err_set(e, ERR_MISUSE, 0, "sql", "this step has no source");
	return passes && is_ours(p, f, e) && passes->copy_next(passes, &call, pages, e);
}

static bool mask_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	const struct passes_call call = call_of(p, f, filter);
	struct passes_port *passes = passes_of(p, e);

	return passes && is_ours(p, f, e) && passes->mask_next(passes, &call, pages, e);
}

static bool scan_next(struct sql_port *self, const struct sql_filter *filter, struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	const struct passes_call call = call_of(p, NULL, filter);
	struct passes_port *passes = passes_of(p, e);

	return passes && passes->scan_next(passes, &call, pages, e);
}

void port_passes(struct sql_port *port)
{
	port->copy_next = copy_next;
	port->mask_next = mask_next;
	port->scan_next = scan_next;
}
