/* SPDX-License-Identifier: Apache-2.0
 * Transactions that an old owner cannot make: the token is looked at in the transaction that it protects. */
#include "consumer/adapters/odbc/port.h"

#include <inttypes.h>
#include <string.h>

bool fence_token(const struct fence *f, int64_t *token_r, struct err *e)
{
	if (f->token == 0 || f->token > INT64_MAX)
		return err_set(e, ERR_MISUSE, 0, "fence", "the token %" PRIu64 " is none", f->token);
	*token_r = (int64_t)f->token;
	return true;
}

static bool fenced(struct err *e)
{
	return err_set(e, ERR_REFUSED, ERR_CODE_FENCED, "fence", "a newer owner has taken over this generation");
}

/* Read behind the lock: a newer owner's token, committed meanwhile, must be seen. */
static bool lock_stamp(struct odbc_port *p, struct conn *c, struct err *e)
{
	const char *sql = server_dialect(p->server)->lock_stamp;
	bool there = false;

	return !sql || (server_has(p->server, c, "sandbox_stamp", NULL, &there, e) &&
			(!there || conn_exec(c, sql, NULL, 0, NULL, e)));
}

static bool check_stamp(struct odbc_port *p, struct conn *c, const struct fence *f, struct err *e)
{
	struct sql_stamp stamp;
	int64_t token = 0;

	if (!fence_token(f, &token, e) || !lock_stamp(p, c, e) || !stamp_read(p, c, &stamp, e))
		return false;
	if (!stamp.found)
		return err_set(e, ERR_REFUSED, 0, "fence", "the generation bears no stamp");
	if (strcmp(stamp.clone_id, f->clone_id) != 0)
		return err_set(e, ERR_REFUSED, 0, "fence", "the generation bears the stamp of another clone");
	if (stamp.token > f->token)
		return fenced(e);
	if (stamp.token == f->token)
		return true;
	const struct sql_args args = ARGS(arg_number("token", token), arg_number("run", f->run));

	return section_exec(p->server, c, "_stamp_raise", &args, NULL, e);
}

bool fenced_begin(struct odbc_port *p, struct conn *c, const struct fence *f, struct err *e)
{
	if (strcmp(f->generation, p->target) != 0)
		return err_set(e, ERR_MISUSE, 0, "fence", "the fence names another generation than this step's");
	if (!conn_begin_write(c, e))
		return false;
	if (check_stamp(p, c, f, e))
		return true;
	conn_rollback(c);
	return false;
}

static bool put_ledger(struct odbc_port *p, struct conn *c, const struct fence *f, const char *section, int64_t rows,
		       const char *cursor, struct err *e)
{
	int64_t token = 0;

	if (!fence_token(f, &token, e))
		return false;
	const struct sql_args args =
	    ARGS(arg_text("clone_id", f->clone_id), arg_number("run", f->run), arg_text("step", f->step),
		 arg_number("token", token), arg_number("rows", rows), arg_text("cursor", cursor));

	return section_exec(p->server, c, section, &args, NULL, e);
}

bool ledger_add(struct odbc_port *p, struct conn *c, const struct fence *f, int64_t rows, struct err *e)
{
	return put_ledger(p, c, f, "_ledger_add", rows, "", e);
}

bool ledger_set(struct odbc_port *p, struct conn *c, const struct fence *f, int64_t rows, const char *cursor,
		struct err *e)
{
	return put_ledger(p, c, f, "_ledger_set", rows, cursor, e);
}

static bool take_number(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)count;
	(void)e;
	*(int64_t *)arg = cells[0].number;
	return false;
}

bool server_fenced_begin(struct odbc_port *p, struct conn *c, const struct fence *f, struct err *e)
{
	int64_t token = 0, seen = 0;

	if (!fence_token(f, &token, e))
		return false;
	const struct sql_args args = ARGS(arg_text("name", f->generation), arg_number("token", token));

	if (!conn_begin_write(c, e))
		return false;
	if (section_query(p->server, c, "_server_token", &args, take_number, &seen, e) &&
	    (seen <= token || fenced(e)) && section_exec(p->server, c, "_server_put_token", &args, NULL, e))
		return true;
	conn_rollback(c);
	return false;
}
