/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/odbc/source.h"

#include <stdio.h>
#include <string.h>

bool source_is_allowed(const struct odbc_settings *s, struct err *e)
{
	return !source_is_distant(s) || strcmp(s->dialect, "sqlserver") == 0 ||
	       err_set(e, ERR_MISUSE, 0, "sql", "sql.source_host is for sql.dialect = sqlserver alone");
}

bool source_is_named(const struct odbc_port *p, const char *database)
{
	return source_is_distant(server_settings(p->server)) && p->source[0] && strcasecmp(database, p->source) == 0;
}

bool source_exists(struct odbc_port *p, bool *exists_r, struct err *e)
{
	*exists_r = port_conn(p, SQL_SOURCE, e) != NULL;
	return *exists_r;
}

struct answer {
	char *out;
	size_t size;
};

static bool take_identity(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	const struct answer *a = arg;

	(void)count;
	(void)e;
	snprintf(a->out, a->size, "%s", cells[0].text);
	return true;
}

bool source_identity(struct odbc_port *p, char *out, size_t size, struct err *e)
{
	struct conn *c = port_conn(p, SQL_SOURCE, e);
	struct answer a = { out, size };

	out[0] = '\0';
	return c && section_query(p->server, c, "_rows_source_identity", NULL, take_identity, &a, e) &&
	       (out[0] || err_set(e, ERR_REFUSED, 0, "sql", "the source's server does not say which database %s is", p->source));
}
