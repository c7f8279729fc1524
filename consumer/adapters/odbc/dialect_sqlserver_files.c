/* SPDX-License-Identifier: Apache-2.0
 * SQL Server's databases: made, closed and dropped by statements that allow no transaction around them (226), on
 * connections to master. What they say is in handlers/sql/sqlserver/_server.sql. */
#include "consumer/adapters/odbc/server.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <stdio.h>
#include <string.h>

enum { AZURE_DATABASE = 5, MANAGED_INSTANCE = 8 }; /* SERVERPROPERTY('EngineEdition') */

static const char where[] = "sqlserver";
static const char first_database[] = "master"; /* is there on every server */

static bool is_catalogue(const char *database)
{
	return strcmp(database, dialect_sqlserver.server_database) == 0;
}

static struct link *take(const struct odbc_settings *s, const char *database, struct err *e)
{
	if (database_name_is_legal(database))
		return server_take(s->server, first_database, ACCESS_WRITE, NULL, e);
	err_set(e, ERR_REFUSED, 0, where, "that is no name of a database");
	return NULL;
}

struct answer {
	int64_t number;
	char text[80];
};

static bool take_answer(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct answer *a = arg;

	(void)count;
	(void)e;
	a->number = cells[0].number;
	snprintf(a->text, sizeof a->text, "%s", cells[0].text);
	return true; /* read to the end: the connection is used again */
}

static bool ask(const struct odbc_settings *s, const char *database, const char *section, struct answer *a,
		struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", database));
	struct link *l = take(s, database, e);
	bool ok;

	*a = (struct answer){ 0 };
	ok = l && section_query(s->server, l->conn, section, &args, take_answer, a, e);
	server_give(s->server, &l);
	return ok;
}

static bool exists(const struct odbc_settings *s, const char *database, bool *exists_r, struct err *e)
{
	struct answer a;

	if (!ask(s, database, "_database_exists", &a, e))
		return false;
	*exists_r = a.number > 0;
	return true;
}

static bool is_reachable(const struct odbc_settings *s, const char *database, bool *so_r, struct err *e)
{
	struct answer a;

	if (!ask(s, database, "_database_state", &a, e))
		return false;
	*so_r = strcmp(a.text, "ONLINE") == 0;
	return true;
}

static bool identity(const struct odbc_settings *s, const char *database, char *out, size_t size, struct err *e)
{
	struct answer a;

	if (is_catalogue(database) || strcmp(database, first_database) == 0) {
		snprintf(out, size, "%s", database); /* asking would need a connection to it */
		return true;
	}
	if (!ask(s, database, "_database_identity", &a, e))
		return false;
	if (!a.text[0])
		return err_set(e, ERR_REFUSED, 0, where, "there is no database %s", database);
	snprintf(out, size, "%s", a.text);
	return true;
}

/* Each section in turn, on one connection to master. */
static bool run(const struct odbc_settings *s, const char *database, const char *const *sections, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", database));
	struct link *l = take(s, database, e);
	bool ok = l != NULL;

	for (; ok && *sections; sections++)
		ok = section_exec(s->server, l->conn, *sections, &args, NULL, e);
	server_give(s->server, &l);
	return ok;
}

/* Databases of the two services in the cloud come and go by other statements, which nobody has tried with this. */
static bool is_known_edition(const struct odbc_settings *s, struct err *e)
{
	struct answer a;

	if (!ask(s, dialect_sqlserver.server_database, "_engine_edition", &a, e))
		return false;
	if (a.number == AZURE_DATABASE || a.number == MANAGED_INSTANCE)
		return err_set(e, ERR_REFUSED, 0, where, "%s is not supported: docs/sqlserver.md says what is missing",
			       a.number == AZURE_DATABASE ? "Azure SQL Database" : "Azure SQL Managed Instance");
	return true;
}

static bool create(const struct odbc_settings *s, const char *database, struct err *e)
{
	static const char *const catalogue[] = { "_database_create", NULL };
	static const char *const generation[] = { "_database_create", "_database_close", "_database_prepare", NULL };

	if (is_catalogue(database))
		return is_known_edition(s, e) && run(s, database, catalogue, e);
	return run(s, database, generation, e);
}

static bool drop(const struct odbc_settings *s, const char *database, struct err *e)
{
	static const char *const sections[] = { "_database_drop", NULL };

	if (is_catalogue(database))
		return err_set(e, ERR_MISUSE, 0, where, "the catalogue is not dropped");
	return run(s, database, sections, e);
}

static bool close_to_others(const struct odbc_settings *s, const char *database, bool closed, struct err *e)
{
	static const char *const closing[] = { "_database_close", NULL }, *const opening[] = { "_database_open", NULL };

	return run(s, database, closed ? closing : opening, e);
}

const struct sql_files dialect_sqlserver_files = {
	.exists = exists,
	.identity = identity,
	.is_reachable = is_reachable,
	.create = create,
	.drop = drop,
	.close_to_others = close_to_others,
};
