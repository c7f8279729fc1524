/* SPDX-License-Identifier: Apache-2.0
 * Databases of Azure SQL Database and of Managed Instance. Neither can be set to RESTRICTED_USER or SINGLE_USER as a server
 * of one's own can: a database is closed from inside, by denying CONNECT to public, and who is in is put out by KILL. Only
 * dbo gets in then, which is who made the database: the cloner's login. */
#include "consumer/adapters/odbc/dialect_sqlserver.h"

#include <string.h>
#include <time.h>

enum {
	TRIES = 100,
	PAUSE_MS = 100,
	EXISTS_ALREADY = 1801,
	IN_USE = 3702,
	NOT_THERE = 3701,
	NO_SESSION = 6106, /* it ended by itself */
};

static const char where[] = "azure";

static void pause_a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

/* One of the sections, on a connection to master; a failure with that number counts as done. */
static bool run_but(const struct odbc_settings *s, const char *database, const char *section, int ignored, struct err *e)
{
	const char *const sections[] = { section, NULL };
	struct err failed = { 0 };

	if (sqlserver_run(s, database, sections, &failed) || failed.code == ignored)
		return true;
	return err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
}

bool azure_is_under_way(const struct odbc_settings *s, const char *database, bool *so_r, struct err *e)
{
	struct sqlserver_answer a = { 0 };
	struct err failed = { 0 };

	*so_r = false;
	if (!sqlserver_ask(s, database, "_copy_under_way", &a, &failed) && failed.class != ERR_REFUSED)
		return err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
	*so_r = a.number > 0;
	return true;
}

/* ---- closing ---- */

/* KILL is over before the session is: what it did is rolled back first. */
static bool end_sessions(const struct odbc_settings *s, struct conn *c, const char *database, bool all, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", database), arg_number("all", all));

	for (int i = 0; i < TRIES; i++) {
		size_t count = 0;

		if (!section_exec_rows(s->server, c, "_sessions", &args, NO_SESSION, &count, e))
			return false;
		if (count == 0)
			return true;
		pause_a_moment();
	}
	return err_set(e, ERR_TRANSIENT, IN_USE, where, "sessions in %s do not end, though they were killed", database);
}

static bool close_on(const struct odbc_settings *s, struct conn *c, const char *database, struct err *e)
{
	struct sqlserver_answer owned;

	if (!sqlserver_ask_on(s, c, database, "_database_owned", &owned, e))
		return false;
	if (owned.number != 1)
		return err_set(e, ERR_REFUSED, 0, where,
			       "the cloner's login is not the owner of %s and would lock itself out: make it so "
			       "(ALTER AUTHORIZATION ON DATABASE::)", database);
	return section_exec(s->server, c, "_database_close", NULL, NULL, e) && end_sessions(s, c, database, false, e);
}

static bool close_to_others(const struct odbc_settings *s, const char *database, bool closed, struct err *e)
{
	struct link *l = NULL;
	bool ok;

	if (sqlserver_is_catalogue(database))
		return err_set(e, ERR_MISUSE, 0, where, "the catalogue is not closed");
	l = server_take(s->server, database, ACCESS_WRITE, NULL, e);
	if (!l)
		return false;
	ok = closed ? close_on(s, l->conn, database, e) : section_exec(s->server, l->conn, "_database_open", NULL, NULL, e);
	server_give(s->server, &l);
	return ok;
}

/* ---- making ---- */

static bool create(const struct odbc_settings *s, const char *database, struct err *e)
{
	bool there = false;

	if (!sqlserver_exists(s, database, &there, e) ||
	    (!there && !run_but(s, database, "_database_create", EXISTS_ALREADY, e)))
		return false;
	return sqlserver_is_catalogue(database) || close_to_others(s, database, true, e);
}

/* ---- dropping ---- */

/* Gone means gone: what bears the name next is another database. */
static bool await_gone(const struct odbc_settings *s, const char *database, struct err *e)
{
	bool there = true;

	for (int i = 0; i < TRIES; i++) {
		if (!sqlserver_exists(s, database, &there, e))
			return false;
		if (!there)
			return true;
		pause_a_moment();
	}
	return err_set(e, ERR_TRANSIENT, 0, where, "%s is still being dropped", database);
}

/* One that the service is about to make would come after the drop. */
static bool is_not_coming(const struct odbc_settings *s, const char *database, struct err *e)
{
	bool comes = false;

	if (!azure_is_under_way(s, database, &comes, e))
		return false;
	return !comes || err_set(e, ERR_TRANSIENT, 0, where, "%s is about to be made; it is dropped when it is there", database);
}

static bool is_droppable(const struct odbc_settings *s, const char *database, bool *there_r, struct err *e)
{
	if (sqlserver_is_catalogue(database))
		return err_set(e, ERR_MISUSE, 0, where, "the catalogue is not dropped");
	return sqlserver_exists(s, database, there_r, e) && (*there_r || is_not_coming(s, database, e));
}

/* The service puts everybody out by itself, and ends a copy that is being made. */
static bool drop_on_service(const struct odbc_settings *s, const char *database, struct err *e)
{
	bool there = false;

	if (!is_droppable(s, database, &there, e))
		return false;
	return !there || (run_but(s, database, "_database_drop", NOT_THERE, e) && await_gone(s, database, e));
}

static bool put_out_and_drop(const struct odbc_settings *s, const char *database, struct err *e)
{
	struct link *l = sqlserver_take(s, database, e);
	bool ok = l && end_sessions(s, l->conn, database, true, e);

	server_give(s->server, &l);
	return ok && run_but(s, database, "_database_drop", NOT_THERE, e);
}

/* Somebody may come in between KILL and DROP. */
static bool drop_on_instance(const struct odbc_settings *s, const char *database, struct err *e)
{
	struct err failed = { 0 };
	bool there = false;

	if (!is_droppable(s, database, &there, e))
		return false;
	for (int i = 0; there && i < TRIES; i++) {
		err_clear(&failed);
		if (put_out_and_drop(s, database, &failed))
			return await_gone(s, database, e);
		if (failed.code != IN_USE)
			break;
		pause_a_moment();
	}
	return !there || err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
}

const struct sql_files dialect_azuresql_files = {
	.exists = sqlserver_exists,
	.identity = sqlserver_identity,
	.is_reachable = sqlserver_is_reachable,
	.create = create,
	.drop = drop_on_service,
	.close_to_others = close_to_others,
};

const struct sql_files dialect_sqlmanaged_files = {
	.exists = sqlserver_exists,
	.identity = sqlserver_identity,
	.is_reachable = sqlserver_is_reachable,
	.create = create,
	.drop = drop_on_instance,
	.close_to_others = close_to_others,
};
