/* SPDX-License-Identifier: Apache-2.0
 * Sections whose answer is statements: the server makes their text, quoting names by QUOTENAME, and each goes out alone and
 * without values, as some of Azure's have to. */
#include "consumer/adapters/odbc/server.h"

#include <stdlib.h>

enum { TEXTS_MAX = 10000, TEXTS_BYTES = 4 << 20 };

struct texts {
	struct arena *mem;
	const char *text[TEXTS_MAX];
	size_t count;
};

static bool take_text(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct texts *all = arg;

	(void)count;
	if (cells[0].is_null) /* QUOTENAME of what is longer than a name */
		return err_set(e, ERR_REFUSED, 0, "sql", "the server cannot make a statement of a name that is too long");
	if (all->count == TEXTS_MAX)
		return err_set(e, ERR_REFUSED, 0, "sql", "the server has more than %d statements to run", TEXTS_MAX);
	all->text[all->count] = arena_text(all->mem, cells[0].text, cells[0].len);
	return all->text[all->count++] || err_set(e, ERR_REFUSED, 0, "sql", "the server's statements are too long");
}

static bool run_one(struct conn *c, const char *sql, int ignored, struct err *e)
{
	struct err failed = { 0 };

	if (conn_exec(c, sql, NULL, 0, NULL, &failed) || (ignored && failed.code == ignored))
		return true;
	return err_set(e, failed.class, failed.code, failed.where, "%s", failed.text);
}

bool section_exec_rows(const struct odbc_server *s, struct conn *c, const char *name, const struct sql_args *args, int ignored,
		       size_t *count_r, struct err *e)
{
	struct texts *all = calloc(1, sizeof *all);
	bool ok;

	if (!all || !(all->mem = arena_new(TEXTS_BYTES))) {
		free(all);
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	}
	ok = section_query(s, c, name, args, take_text, all, e) && e->class == ERR_NONE;
	for (size_t i = 0; ok && i < all->count; i++)
		ok = run_one(c, all->text[i], ignored, e);
	if (count_r)
		*count_r = all->count;
	arena_free(&all->mem);
	free(all);
	return ok;
}
