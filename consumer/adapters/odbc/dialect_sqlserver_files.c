/* SPDX-License-Identifier: Apache-2.0
 * SQL Server's databases: made, closed and dropped by statements that allow no transaction around them (226), on
 * connections to master. What they say is in handlers/sql/sqlserver/_server.sql. And which engine it is. */
#include "consumer/adapters/odbc/dialect_sqlserver.h"

#include "consumer/adapters/odbc/source.h"
#include "consumer/adapters/odbc/sql_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AZURE_DATABASE = 5, MANAGED_INSTANCE = 8, EDGE = 9 }; /* SERVERPROPERTY('EngineEdition'); 1 to 4 are plain */
enum { CONTAINER_MAX = 200 };

static const char where[] = "sqlserver";
static const char first_database[] = "master"; /* is there on every server */

bool sqlserver_is_catalogue(const char *database)
{
	return strcmp(database, dialect_sqlserver.server_database) == 0;
}

struct link *sqlserver_take(const struct odbc_settings *s, const char *database, struct err *e)
{
	if (database_name_is_legal(database))
		return server_take(s->server, first_database, ACCESS_WRITE, NULL, e);
	err_set(e, ERR_REFUSED, 0, where, "that is no name of a database");
	return NULL;
}

static bool take_answer(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct sqlserver_answer *a = arg;

	(void)count;
	(void)e;
	a->number = cells[0].number;
	snprintf(a->text, sizeof a->text, "%s", cells[0].text);
	return true; /* read to the end: the connection is used again */
}

bool sqlserver_ask_on(const struct odbc_settings *s, struct conn *c, const char *database, const char *section,
		      struct sqlserver_answer *a, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", database));

	*a = (struct sqlserver_answer){ 0 };
	return section_query(s->server, c, section, &args, take_answer, a, e);
}

bool sqlserver_ask(const struct odbc_settings *s, const char *database, const char *section, struct sqlserver_answer *a,
		   struct err *e)
{
	struct link *l = sqlserver_take(s, database, e);
	bool ok = l && sqlserver_ask_on(s, l->conn, database, section, a, e);

	server_give(s->server, &l);
	return ok;
}

bool sqlserver_exists(const struct odbc_settings *s, const char *database, bool *exists_r, struct err *e)
{
	struct sqlserver_answer a;

	if (!sqlserver_ask(s, database, "_database_exists", &a, e))
		return false;
	*exists_r = a.number > 0;
	return true;
}

bool sqlserver_is_reachable(const struct odbc_settings *s, const char *database, bool *so_r, struct err *e)
{
	struct sqlserver_answer a;

	if (!sqlserver_ask(s, database, "_database_state", &a, e))
		return false;
	*so_r = strcmp(a.text, "ONLINE") == 0;
	return true;
}

bool sqlserver_identity(const struct odbc_settings *s, const char *database, char *out, size_t size, struct err *e)
{
	struct sqlserver_answer a;

	if (sqlserver_is_catalogue(database) || strcmp(database, first_database) == 0) {
		snprintf(out, size, "%s", database); /* asking would need a connection to it */
		return true;
	}
	if (!sqlserver_ask(s, database, "_database_identity", &a, e))
		return false;
	if (!a.text[0])
		return err_set(e, ERR_REFUSED, 0, where, "there is no database %s", database);
	snprintf(out, size, "%s", a.text);
	return true;
}

/* Each section in turn, on one connection to master. */
bool sqlserver_run(const struct odbc_settings *s, const char *database, const char *const *sections, struct err *e)
{
	const struct sql_args args = ARGS(arg_text("database", database));
	struct link *l = sqlserver_take(s, database, e);
	bool ok = l != NULL;

	for (; ok && *sections; sections++)
		ok = section_exec(s->server, l->conn, *sections, &args, NULL, e);
	server_give(s->server, &l);
	return ok;
}

/* ---- which engine ---- */

/* https://account.blob.core.windows.net/container, and folders in it: what a backup's name is put behind. No query: the
 * server has a credential of its own for it. */
static bool is_container(const char *url)
{
	static const char begin[] = "https://";
	size_t slashes = 0;

	if (strncmp(url, begin, strlen(begin)) != 0 || strlen(url) > CONTAINER_MAX)
		return false;
	for (const char *p = url += strlen(begin); *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("-._/", *p))
			return false;
		if (*p == '/' && (p == url || p[-1] == '/'))
			return false;
		slashes += *p == '/' && p[1];
	}
	return slashes > 0 && !strstr(url, "..");
}

static const struct sql_dialect *own_server(const struct odbc_settings *s, struct err *e)
{
	if (source_is_distant(s) || connection_part_is_legal(s->folder))
		return &dialect_sqlserver;
	err_set(e, ERR_MISUSE, 0, where, "sql.folder must name the server's folder of backups");
	return NULL;
}

static const struct sql_dialect *managed_instance(const struct odbc_settings *s, struct err *e)
{
	if (is_container(s->folder))
		return &dialect_sqlmanaged;
	err_set(e, ERR_MISUSE, 0, where,
		"the server is an Azure SQL Managed Instance: sql.folder must be the container for backups, "
		"https://account.blob.core.windows.net/container, without a signature (at most %d characters)",
		CONTAINER_MAX);
	return NULL;
}

const struct sql_dialect *sqlserver_engine(const struct odbc_settings *s, struct err *e)
{
	struct sqlserver_answer a;

	if (!sqlserver_ask(s, dialect_sqlserver.server_database, "_engine_edition", &a, e))
		return NULL;
	if (source_is_distant(s) && (a.number == AZURE_DATABASE || a.number == MANAGED_INSTANCE)) {
		err_set(e, ERR_MISUSE, 0, where, "sql.source_host is for targets on a SQL Server of one's own, not on Azure's");
		return NULL;
	}
	if (a.number == AZURE_DATABASE)
		return &dialect_azuresql;
	if (a.number == MANAGED_INSTANCE)
		return managed_instance(s, e);
	if ((a.number >= 1 && a.number <= 4) || a.number == EDGE)
		return own_server(s, e);
	err_set(e, ERR_REFUSED, 0, where, "the server's EngineEdition is %" PRId64 ", which is no engine that is known here",
		a.number);
	return NULL;
}

/* ---- a server of one's own ---- */

static bool create(const struct odbc_settings *s, const char *database, struct err *e)
{
	static const char *const catalogue[] = { "_database_create", NULL };
	static const char *const generation[] = { "_database_create", "_database_close", "_database_prepare", NULL };

	return sqlserver_run(s, database, sqlserver_is_catalogue(database) ? catalogue : generation, e);
}

static bool drop(const struct odbc_settings *s, const char *database, struct err *e)
{
	static const char *const sections[] = { "_database_drop", NULL };

	if (sqlserver_is_catalogue(database))
		return err_set(e, ERR_MISUSE, 0, where, "the catalogue is not dropped");
	return sqlserver_run(s, database, sections, e);
}

static bool close_to_others(const struct odbc_settings *s, const char *database, bool closed, struct err *e)
{
	static const char *const closing[] = { "_database_close", NULL }, *const opening[] = { "_database_open", NULL };

	return sqlserver_run(s, database, closed ? closing : opening, e);
}

const struct sql_files dialect_sqlserver_files = {
	.exists = sqlserver_exists,
	.identity = sqlserver_identity,
	.is_reachable = sqlserver_is_reachable,
	.create = create,
	.drop = drop,
	.close_to_others = close_to_others,
};
