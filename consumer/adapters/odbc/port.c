/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/port.h"

#include "consumer/adapters/odbc/source.h"
#include "consumer/adapters/odbc/sql_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_LINK = PORT_LINKS - 1 };

static void give_back(struct odbc_port *p, int slot)
{
	if (slot == PAGES_LINK)
		p->pass = NULL;
	server_give(p->server, &p->links[slot]);
}

static struct link *link_to(struct odbc_port *p, int slot, const char *database, enum access access, struct err *e)
{
	struct link **l = &p->links[slot];

	if (*l && !conn_is_tainted((*l)->conn))
		return *l;
	if (*l) /* what it did was rolled back; a fresh one may work */
		give_back(p, slot);
	if (!database[0]) {
		err_set(e, ERR_MISUSE, 0, "sql", "this step has no such database");
		return NULL;
	}
	*l = server_take(p->server, database, access, &p->stop, e);
	return *l;
}

static struct link *link_of(struct odbc_port *p, enum sql_place place, struct err *e)
{
	switch (place) {
	case SQL_SERVER:
		return link_to(p, 0, server_dialect(p->server)->server_database, ACCESS_WRITE, e);
	case SQL_SOURCE:
		return link_to(p, 1, p->source, ACCESS_SOURCE, e);
	case SQL_PREVIOUS:
		return link_to(p, 2, p->previous, ACCESS_READ, e);
	case SQL_TARGET:
		return link_to(p, 3, p->target, ACCESS_WRITE, e);
	default:
		err_set(e, ERR_MISUSE, 0, "sql", "a statement names no database");
		return NULL;
	}
}

struct conn *port_conn(struct odbc_port *p, enum sql_place place, struct err *e)
{
	struct link *l = link_of(p, place, e);

	return l ? l->conn : NULL;
}

struct link *port_pages_link(struct odbc_port *p, struct err *e)
{
	return link_to(p, PAGES_LINK, p->target, ACCESS_PAGES, e);
}

void port_let_go(struct odbc_port *p, const char *database)
{
	for (int i = 0; i < PORT_LINKS; i++)
		if (p->links[i] && strcmp(p->links[i]->database, database) == 0)
			give_back(p, i);
	server_forget(p->server, database);
}

static bool take_name(char out[64], const char *name, struct err *e)
{
	if (name && name[0] && !database_name_is_legal(name))
		return err_set(e, ERR_REFUSED, 0, "sql", "a name given as a database's is none");
	snprintf(out, 64, "%s", name ? name : "");
	return true;
}

struct sql_port *odbc_sql_open(struct odbc_server *server, const struct odbc_databases *databases, struct err *e)
{
	struct odbc_port *p = calloc(1, sizeof *p);

	if (!p) {
		err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
		return NULL;
	}
	p->server = server;
	if (!take_name(p->source, databases->source, e) || !take_name(p->previous, databases->previous, e) ||
	    !take_name(p->target, databases->target, e)) {
		free(p);
		return NULL;
	}
	port_looks(&p->port);
	port_changes(&p->port);
	port_databases(&p->port);
	if (server_dialect(server)->paging) {
		if (source_is_distant(server_settings(server)))
			port_row_copy(&p->port);
		else
			(server_dialect(server)->copy_next ? port_engine_copy : port_copy)(&p->port);
		port_sweeps(&p->port);
	} else {
		port_passes(&p->port);
	}
	return &p->port;
}

/* The watchdog of the server does the cancelling: it knows which connections are still there. */
void odbc_sql_cancel(struct sql_port *port)
{
	atomic_store(&port_of(port)->stop, true);
}

void odbc_sql_close(struct sql_port **port)
{
	struct odbc_port *p = port && *port ? port_of(*port) : NULL;

	if (!p)
		return;
	for (int i = 0; i < PORT_LINKS; i++)
		give_back(p, i);
	free(p);
	*port = NULL;
}
