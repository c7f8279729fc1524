/* SPDX-License-Identifier: Apache-2.0
 * Where a section runs. On most servers a connection reaches every database by name, and who asks says where; on Azure SQL
 * Database it sees its own alone, so a section that is about another one says its home (statements.h). */
#include "consumer/adapters/odbc/port.h"

#include <string.h>

static const char *named_database(const struct sql_args *args)
{
	for (size_t i = 0; args && i < args->count; i++)
		if (strcmp(args->arg[i].name, "database") == 0 && args->arg[i].value.kind == SQL_TEXT)
			return args->arg[i].value.text;
	return "";
}

/* A connection of its own, which sees what is committed: the caller's transaction stays where it is. */
static bool go_to(struct odbc_port *p, const char *database, const char *section, struct place *place_r, struct err *e)
{
	if (!database[0] || strcasecmp(database, p->source) == 0)
		return err_set(e, ERR_MISUSE, 0, "sql", "%s cannot run where it wants to", section);
	place_r->link = server_take(p->server, database, ACCESS_WRITE, &p->stop, e);
	place_r->conn = place_r->link ? place_r->link->conn : NULL;
	return place_r->conn != NULL;
}

bool place_take(struct odbc_port *p, enum sql_place asked, const char *name, const struct sql_args *args,
		struct place *place_r, struct err *e)
{
	const struct section *section = server_section(p->server, name, e);
	enum section_home home = HOME_ASKED;

	*place_r = (struct place){ 0 };
	if (!section)
		return false;
	if (server_dialect(p->server)->sees_one_database)
		home = section->home;
	if (home == HOME_MASTER)
		return go_to(p, "master", name, place_r, e);
	if (home == HOME_DATABASE)
		return go_to(p, named_database(args), name, place_r, e);
	place_r->conn = port_conn(p, home == HOME_SOURCE ? SQL_SOURCE : asked, e);
	return place_r->conn != NULL;
}

void place_give(struct odbc_port *p, struct place *place)
{
	server_give(p->server, &place->link);
	place->conn = NULL;
}
