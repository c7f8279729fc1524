/* SPDX-License-Identifier: Apache-2.0
 * Databases that come, are closed and go. The handlers' guard has proved that the target may be touched; here is what
 * can be refused without it: the source under any name, another target's database, a newer owner's. */
#include "consumer/adapters/odbc/engine_copy.h"
#include "consumer/adapters/odbc/port.h"

#include <stdio.h>
#include <string.h>

static const char where[] = "database";

static const struct sql_files *files_of(const struct odbc_port *p)
{
	return server_dialect(p->server)->files;
}

static bool exists(struct odbc_port *p, const char *database, bool *exists_r, struct err *e)
{
	return files_of(p)->exists(server_settings(p->server), database, exists_r, e);
}

static bool stamp_of(struct odbc_port *p, const char *database, struct sql_stamp *stamp_r, struct err *e)
{
	return p->port.stamp(&p->port, database, stamp_r, e);
}

static bool is_not_source(struct odbc_port *p, const char *database, struct err *e)
{
	struct sql_identity mine, its;
	bool there = false;

	if (!p->source[0])
		return err_set(e, ERR_MISUSE, 0, where, "without knowing the source no database is touched");
	if (strcasecmp(p->source, database) == 0)
		return err_set(e, ERR_REFUSED, 0, where, "%s is the source", database);
	if (!p->port.exists(&p->port, p->source, &there, e))
		return false;
	if (!there)
		return true;
	if (!p->port.identity(&p->port, p->source, &its, e) || !p->port.identity(&p->port, database, &mine, e))
		return false;
	return strcmp(mine.database_id, its.database_id) != 0 ||
	       err_set(e, ERR_REFUSED, 0, where, "%s is the source under another name", database);
}

static bool belongs_by_name(const char *database, const char *target_ctx)
{
	size_t len = strlen(target_ctx);

	return len > 0 && strncmp(database, target_ctx, len) == 0 &&
	       (database[len] == '\0' || strncmp(database + len, "__g", 3) == 0);
}

bool port_may_touch(struct odbc_port *p, const struct fence *f, const char *database, struct err *e)
{
	struct sql_stamp stamp;

	if (!is_not_source(p, database, e))
		return false;
	if (!belongs_by_name(database, f->target_ctx))
		return err_set(e, ERR_REFUSED, 0, where, "%s is no database of %s", database, f->target_ctx);
	if (!stamp_of(p, database, &stamp, e))
		return false;
	if (!stamp.found) /* one that an operator approved by name, or a generation whose making was broken off */
		return true;
	if (strcmp(stamp.target_ctx, f->target_ctx) != 0)
		return err_set(e, ERR_REFUSED, 0, where, "%s bears the stamp of another target", database);
	if (strcmp(database, f->generation) == 0 && strcmp(stamp.clone_id, f->clone_id) != 0)
		return err_set(e, ERR_REFUSED, 0, where, "%s bears the stamp of another clone", database);
	if (stamp.token > f->token)
		return err_set(e, ERR_REFUSED, ERR_CODE_FENCED, where, "a newer owner has taken over %s", database);
	return true;
}

/* ---- making one ---- */

static bool take_owner(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	char *owner = arg;

	(void)count;
	(void)e;
	snprintf(owner, CLONE_ID_MAX + 1, "%s", cells[0].text);
	return false;
}

/* One that is there already must be what this clone began to make. */
static bool check_present(struct odbc_port *p, struct conn *server, const struct fence *f, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", f->generation));
	char owner[CLONE_ID_MAX + 1] = "";
	struct sql_stamp stamp;
	bool there = false;

	if (!exists(p, f->generation, &there, e) || !there)
		return there || e->class == ERR_NONE;
	if (!is_not_source(p, f->generation, e) || !stamp_of(p, f->generation, &stamp, e) ||
	    !section_query(p->server, server, "_server_owner", &args, take_owner, owner, e))
		return false;
	if (strcmp(stamp.found ? stamp.clone_id : owner, f->clone_id) != 0)
		return err_set(e, ERR_REFUSED, 0, where, "%s exists and is not this clone's", f->generation);
	return true;
}

/* First whose it is, durably, and only then the database: one without an owner would belong to nobody after a crash. */
static bool enter(struct odbc_port *p, struct conn *server, const struct fence *f, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", f->generation), arg_text("owner", f->clone_id));

	if (!server_fenced_begin(p, server, f, e))
		return false;
	if (check_present(p, server, f, e) && section_exec(p->server, server, "_server_put_database", &args, NULL, e) &&
	    conn_commit(server, e))
		return true;
	conn_rollback(server);
	return false;
}

static bool create(struct odbc_port *p, struct conn *server, const struct fence *f, struct err *e)
{
	if (!server_fenced_begin(p, server, f, e))
		return false;
	if (check_present(p, server, f, e) && files_of(p)->create(server_settings(p->server), f->generation, e) &&
	    conn_commit(server, e))
		return true;
	conn_rollback(server);
	return false;
}

static bool put_stamp(struct odbc_port *p, struct conn *c, const struct fence *f, const char *source_ctx, struct err *e)
{
	int64_t token = 0;

	if (!fence_token(f, &token, e))
		return false;
	const struct sql_args args =
	    ARGS(arg_text("source_ctx", source_ctx), arg_text("target_ctx", f->target_ctx),
		 arg_text("clone_id", f->clone_id), arg_number("run", f->run), arg_number("token", token));

	if (!conn_begin_write(c, e))
		return false;
	if (section_exec(p->server, c, "_core_schema", NULL, NULL, e) &&
	    section_exec(p->server, c, "_stamp_put", &args, NULL, e) && conn_commit(c, e))
		return true;
	conn_rollback(c);
	return false;
}

static bool raise_stamp(struct odbc_port *p, const struct fence *f, struct err *e)
{
	struct conn *c = port_conn(p, SQL_TARGET, e);

	if (!c || !fenced_begin(p, c, f, e))
		return false;
	if (conn_commit(c, e))
		return true;
	conn_rollback(c);
	return false;
}

static bool create_database(struct sql_port *self, const struct fence *f, const char *source_ctx, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct conn *server, *c;

	if (strcmp(f->generation, p->target) != 0 || !belongs_by_name(f->generation, f->target_ctx))
		return err_set(e, ERR_MISUSE, 0, where, "the fence names a generation that is not this step's");
	server = port_conn(p, SQL_SERVER, e);
	if (!server || !enter(p, server, f, e) || !create(p, server, f, e))
		return false;
	c = port_conn(p, SQL_TARGET, e);
	return c && put_stamp(p, c, f, source_ctx, e) && raise_stamp(p, f, e);
}

/* One whose making was broken off bears no stamp yet, and one that the server copies none that counts: then the server
 * remembers the token, and who makes it to the end raises the stamp. */
static bool raise_token(struct sql_port *self, const struct fence *f, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct conn *server = port_conn(p, SQL_SERVER, e);
	struct sql_stamp copy, stamp = { 0 };

	if (!server || !stamp_of_copy(p, f->generation, &copy, e) ||
	    (!copy.found && !stamp_of(p, f->generation, &stamp, e)) || (stamp.found && !raise_stamp(p, f, e)) ||
	    !server_fenced_begin(p, server, f, e))
		return false;
	if (conn_commit(server, e))
		return true;
	conn_rollback(server);
	return false;
}

/* ---- closing and dropping ---- */

static bool quarantine(struct sql_port *self, const struct fence *f, const char *database, bool closed, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", database), arg_number("quarantined", closed));
	struct odbc_port *p = port_of(self);
	struct conn *server = port_conn(p, SQL_SERVER, e);

	if (!server || !port_may_touch(p, f, database, e) || !server_fenced_begin(p, server, f, e))
		return false;
	if (section_exec(p->server, server, "_server_quarantine", &args, NULL, e) &&
	    files_of(p)->close_to_others(server_settings(p->server), database, closed, e) && conn_commit(server, e))
		return true;
	conn_rollback(server);
	return false;
}

static bool forget_copy(struct odbc_port *p, const char *database, struct err *e)
{
	const struct sql_dialect *d = server_dialect(p->server);

	return !d->forget_copy || d->forget_copy(p, database, e);
}

static bool drop_database(struct sql_port *self, const struct fence *f, const char *database, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("name", database));
	struct odbc_port *p = port_of(self);
	struct conn *server = port_conn(p, SQL_SERVER, e);
	bool there = false;

	if (!server || !exists(p, database, &there, e))
		return false;
	engine_job_cancel(p, f, database);
	if (there ? !port_may_touch(p, f, database, e) : !belongs_by_name(database, f->target_ctx))
		return err_set(e, ERR_REFUSED, 0, where, "%s is no database of %s", database, f->target_ctx);
	if (!server_fenced_begin(p, server, f, e))
		return false;
	port_let_go(p, database);
	if (files_of(p)->drop(server_settings(p->server), database, e) && forget_copy(p, database, e) &&
	    section_exec(p->server, server, "_server_forget_database", &args, NULL, e) && conn_commit(server, e))
		return true;
	conn_rollback(server);
	return false;
}

void port_databases(struct sql_port *port)
{
	port->create_database = create_database;
	port->raise_token = raise_token;
	port->quarantine = quarantine;
	port->drop_database = drop_database;
}
