/* SPDX-License-Identifier: Apache-2.0
 * Changes of the generation and of the server's catalogue: each one transaction with its token check. */
#include "consumer/adapters/odbc/port.h"

#include <string.h>

static bool run_changes(struct odbc_port *p, struct conn *c, const struct sql_change *changes, size_t count,
			int64_t *total, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct sql_change *change = &changes[i];
		int64_t rows = 0;
		bool needed;

		if (!section_is_needed(p->server, c, change->statement, &needed, e))
			return false;
		if (needed && !section_exec(p->server, c, change->statement, &change->args, &rows, e))
			return false;
		*total += rows;
	}
	return true;
}

static bool apply(struct sql_port *self, const struct fence *f, const struct sql_change *changes, size_t count,
		  int64_t *rows_r, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct conn *c = port_conn(p, SQL_TARGET, e);
	int64_t total = 0;

	if (!c || !fenced_begin(p, c, f, e))
		return false;
	if (!run_changes(p, c, changes, count, &total, e) || !ledger_add(p, c, f, total, e) || !conn_commit(c, e)) {
		conn_rollback(c);
		return false;
	}
	if (rows_r)
		*rows_r = total;
	return true;
}

static bool put_proof(struct sql_port *self, const struct fence *f, const char *masked_at, const char *proof_json,
		      struct err *e)
{
	const struct sql_args args = ARGS(arg_text("masked_at", masked_at), arg_text("proof", proof_json));
	struct odbc_port *p = port_of(self);
	struct conn *c = port_conn(p, SQL_TARGET, e);

	if (strlen(masked_at) >= sizeof((struct sql_stamp *)0)->masked_at ||
	    strlen(proof_json) >= sizeof((struct sql_stamp *)0)->proof)
		return err_set(e, ERR_MISUSE, 0, "sql", "the proof is too long for the stamp");
	if (!c || !fenced_begin(p, c, f, e))
		return false;
	if (section_exec(p->server, c, "_stamp_proof", &args, NULL, e) && ledger_add(p, c, f, 1, e) &&
	    conn_commit(c, e))
		return true;
	conn_rollback(c);
	return false;
}

/* The token stays locked in the server's catalogue while the change is made, wherever that is. */
static bool apply_server(struct sql_port *self, const struct fence *f, const struct sql_change *change, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct conn *c = port_conn(p, SQL_SERVER, e);
	struct place at;
	int64_t total = 0;
	bool ok;

	if (!c || !server_fenced_begin(p, c, f, e))
		return false;
	ok = place_take(p, SQL_SERVER, change->statement, &change->args, &at, e) &&
	     run_changes(p, at.conn, change, 1, &total, e);
	place_give(p, &at);
	if (ok && conn_commit(c, e))
		return true;
	conn_rollback(c);
	return false;
}

void port_changes(struct sql_port *port)
{
	port->apply = apply;
	port->put_proof = put_proof;
	port->apply_server = apply_server;
}
