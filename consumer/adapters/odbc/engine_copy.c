/* SPDX-License-Identifier: Apache-2.0
 * copy_next for a server that copies whole databases by itself. Addresses arrive as they are; step 13 masks them there, and
 * until then nobody but the cloner gets in. How the copy is made, and how others are kept out, is the engine's:
 * engine_restore.c, engine_azure.c. What is done is remembered in the server's catalogue, because the copy takes the
 * generation's own ledger away. */
#include "consumer/adapters/odbc/engine_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char where[] = "copy";

/* ---- the state ---- */

static bool take_state(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct copy_state *s = arg;

	(void)count;
	(void)e;
	s->reached = (enum reached)cells[0].number;
	s->file_token = (uint64_t)cells[1].number;
	snprintf(s->source_ctx, sizeof s->source_ctx, "%s", cells[2].text);
	return true;
}

/* Another run begins anew: what an earlier one made was changed by its later steps. */
static bool read_state(struct odbc_port *p, struct conn *c, const struct fence *f, struct copy_state *s, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", f->generation), arg_number("run", f->run));

	memset(s, 0, sizeof *s);
	return section_query(p->server, c, "_copy_state", &args, take_state, s, e);
}

static bool read_fenced(struct odbc_port *p, struct conn *c, const struct fence *f, struct copy_state *s, struct err *e)
{
	if (!server_fenced_begin(p, c, f, e))
		return false;
	if (read_state(p, c, f, s, e) && conn_commit(c, e))
		return true;
	conn_rollback(c);
	return false;
}

bool engine_put_state(struct odbc_port *p, struct conn *catalogue, const struct fence *f, const struct copy_state *s,
		      struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", f->generation), arg_number("run", f->run),
					  arg_number("phase", s->reached), arg_number("token", (int64_t)s->file_token),
					  arg_text("source_ctx", s->source_ctx));

	return section_exec(p->server, catalogue, "_copy_put_state", &args, NULL, e) && conn_commit(catalogue, e);
}

bool engine_reach(struct engine_call *call, enum reached reached, struct err *e)
{
	struct copy_state next = call->state;

	next.reached = reached;
	if (!server_fenced_begin(call->port, call->catalogue, call->fence, e))
		return false;
	if (engine_put_state(call->port, call->catalogue, call->fence, &next, e)) {
		call->state = next;
		return true;
	}
	conn_rollback(call->catalogue);
	return false;
}

/* ---- what engines share ---- */

bool engine_may_begin(struct engine_call *call, struct err *e)
{
	struct odbc_port *p = call->port;
	const struct fence *f = call->fence;
	struct sql_stamp stamp;
	bool there = false;

	/* An earlier run may have died when the empty one was dropped and the copy not begun. */
	if (!p->port.exists(&p->port, f->generation, &there, e) || (there && !port_may_touch(p, f, f->generation, e)) ||
	    !p->port.stamp(&p->port, f->generation, &stamp, e))
		return false;
	if (!stamp.found || strcmp(stamp.clone_id, f->clone_id) != 0)
		return err_set(e, ERR_REFUSED, 0, where, "%s does not bear this clone's stamp", f->generation);
	snprintf(call->state.source_ctx, sizeof call->state.source_ctx, "%s", stamp.source_ctx);
	call->state.file_token = f->token;
	return true;
}

static bool take_token(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	(void)count;
	(void)e;
	*(uint64_t *)arg = (uint64_t)cells[0].number;
	return true;
}

bool engine_left_file(struct odbc_port *p, const char *generation, uint64_t *token_r, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", generation));
	struct conn *c = port_conn(p, SQL_SERVER, e);

	*token_r = 0;
	return c && section_query(p->server, c, "_copy_file", &args, take_token, token_r, e);
}

bool engine_begin_backup(struct engine_call *call, struct err *e)
{
	const struct sql_dialect *d = server_dialect(call->port->server);

	return d->forget_copy(call->port, call->fence->generation, e) && engine_may_begin(call, e) &&
	       engine_reach(call, REACHED_NOTHING, e) && engine_job_begin(call, engine_back_up, "backup", e);
}

bool engine_went_well(const struct engine_call *call, struct err *e)
{
	const struct err *failed = call->failed;

	return !failed || err_set(e, failed->class, failed->code, failed->where, "%s", failed->text);
}

static bool take_count(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	int64_t *numbers = arg;

	(void)e;
	for (size_t i = 0; i < 2 && i < count; i++)
		numbers[i] = cells[i].number;
	return true;
}

static bool put_stamp(struct engine_call *call, struct conn *c, int64_t counts[2], struct err *e)
{
	const struct fence *f = call->fence;
	struct odbc_port *p = call->port;
	int64_t token = 0;

	if (!fence_token(f, &token, e))
		return false;
	const struct sql_args args =
	    ARGS(arg_text("source_ctx", call->state.source_ctx), arg_text("target_ctx", f->target_ctx),
		 arg_text("clone_id", f->clone_id), arg_number("run", f->run), arg_number("token", token));

	return section_exec(p->server, c, "_core_schema", NULL, NULL, e) &&
	       section_exec(p->server, c, "_core_forget_others", &args, NULL, e) &&
	       section_exec(p->server, c, "_stamp_put", &args, NULL, e) &&
	       section_query(p->server, c, "_copy_counts", NULL, take_count, counts, e) &&
	       ledger_set(p, c, f, counts[0], "finished", e) && conn_commit(c, e);
}

bool engine_stamp(struct engine_call *call, struct err *e)
{
	struct conn *c = port_conn(call->port, SQL_TARGET, e);
	int64_t counts[2] = { 0 };

	if (!c || !conn_begin_write(c, e))
		return false;
	if (put_stamp(call, c, counts, e)) {
		call->pages->rows = call->pages->rows_expected = counts[0];
		call->pages->tables_done = call->pages->tables_total = counts[1];
		return true;
	}
	conn_rollback(c);
	return false;
}

static bool ask_count(struct odbc_port *p, const char *section, const struct sql_args *args, int64_t *number_r,
		      struct err *e)
{
	int64_t numbers[2] = { 0 };
	struct place at;
	bool ok = place_take(p, SQL_SERVER, section, args, &at, e) &&
		  section_query(p->server, at.conn, section, args, take_count, numbers, e);

	place_give(p, &at);
	*number_r = numbers[0];
	return ok;
}

/* What the server tells of it; nothing where the login may not ask. */
static bool ask_percent(struct odbc_port *p, const struct sql_args *args, int64_t *percent_r, struct err *e)
{
	struct err failed = { 0 };

	*percent_r = 0;
	return ask_count(p, "_copy_progress", args, percent_r, &failed) || failed.class == ERR_REFUSED ||
	       err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
}

/* By the messages of the statement, where the driver passes them on in time, and by asking the server. */
bool engine_show(struct odbc_port *p, const struct fence *f, const char *word, int session, int64_t percent,
		 struct sql_pages *pages, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", p->source), arg_text("generation", f->generation),
					  arg_number("session", session));
	int64_t size = 0, asked = 0;

	if (!ask_count(p, "_copy_size", &args, &size, e) || !ask_percent(p, &args, &asked, e))
		return false;
	if (asked > percent)
		percent = asked;
	pages->bytes = size / 100 * percent;
	snprintf(pages->cursor, sizeof pages->cursor, "%s %" PRId64 "%%", word, percent);
	return true;
}

/* ---- the port's function ---- */

static bool look(struct odbc_port *p, const struct fence *f, struct sql_pages *next, struct err *e)
{
	struct err failed = { 0 };
	struct engine_call call = { p, port_conn(p, SQL_SERVER, e), f, { 0 }, NULL, next };
	struct engine_job *j;
	bool ok = true;

	if (!call.catalogue)
		return false;
	j = engine_job_look(p, f, &ok, &failed);
	if (j)
		return engine_job_show(p, j, next, e);
	call.failed = ok ? NULL : &failed;
	return read_fenced(p, call.catalogue, f, &call.state, e) &&
	       server_dialect(p->server)->copy_next(&call, e);
}

static bool copy_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct sql_pages next = { .rows = pages->rows };

	(void)filter; /* step 13 masks */
	if (strcmp(f->generation, p->target) != 0 || !p->source[0])
		return err_set(e, ERR_MISUSE, 0, where, "this step has no source, or another generation");
	if (!look(p, f, &next, e))
		return false;
	*pages = next;
	return true;
}

void port_engine_copy(struct sql_port *port)
{
	port->copy_next = copy_next;
}
