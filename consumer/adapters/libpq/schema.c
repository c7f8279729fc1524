/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/libpq/schema.h"

#include "consumer/adapters/libpq/schema_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 1600, PAGES_FIELD = 4, MANY = 32, MANY_BYTES = 128 << 10 };
/* How rows are summed up: a copy begun by a version that did it in another way begins again. */
#define CHECKSUMS UINT64_C(14695981039346656038)
#define SCHEMA_MAX_BYTES ((size_t)128 << 20)

static bool too_large(struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the definitions of the source are too large");
}

static const char *keep(struct pg_schema *s, const PGresult *r, int row, int column)
{
	return arena_text(s->mem, PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}

static void hash_result(uint64_t *hash, const PGresult *r, int column)
{
	for (int i = 0; i < PQntuples(r); i++)
		for (const char *p = PQgetvalue(r, i, column); *p; p++)
			*hash = (*hash ^ (unsigned char)*p) * 1099511628211u;
}

/* ---- tables ---- */

static bool take_table(struct pg_schema *s, const PGresult *r, int row, struct pg_table *t, struct err *e)
{
	const char *odd = PQgetvalue(r, row, 6);

	if (*odd)
		return err_set(e, ERR_REFUSED, 0, "sql", "%.60s is %s: it cannot be copied", PQgetvalue(r, row, 2), odd);
	t->name = keep(s, r, row, 1);
	t->quoted = keep(s, r, row, 2);
	t->has_rows = PQgetvalue(r, row, 3)[0] != 'p';
	t->is_stored = PQgetvalue(r, row, 3)[0] != 'm';
	t->expected = pg_number(r, row, 4);
	t->pages = pg_number(r, row, 5);
	return (t->name && t->quoted) || too_large(e);
}

static bool take_column(struct pg_schema *s, const PGresult *r, int row, struct pg_column *c, struct err *e)
{
	c->name = keep(s, r, row, 1);
	c->quoted = keep(s, r, row, 2);
	c->width = (size_t)pg_number(r, row, 3);
	c->is_text = pg_number(r, row, 4);
	c->is_exact = pg_number(r, row, 5);
	c->is_generated = pg_number(r, row, 6);
	c->is_binary = pg_number(r, row, 7);
	return (c->name && c->quoted) || too_large(e);
}

/* Both results are ordered by the table's number, and columns may be of others. */
static bool take_tables(struct pg_schema *s, const PGresult *tables, const PGresult *columns, struct err *e)
{
	int at = 0, end = PQntuples(columns);

	s->count = (size_t)PQntuples(tables);
	s->tables = arena_take(s->mem, (s->count + 1) * sizeof *s->tables);
	if (!s->tables)
		return too_large(e);
	for (size_t i = 0; i < s->count; i++) {
		struct pg_table *t = &s->tables[i];
		const char *oid = PQgetvalue(tables, (int)i, 0);
		int first;

		while (at < end && atoll(PQgetvalue(columns, at, 0)) < atoll(oid))
			at++;
		first = at;
		while (at < end && strcmp(PQgetvalue(columns, at, 0), oid) == 0)
			at++;
		t->count = (size_t)(at - first);
		t->columns = arena_take(s->mem, (t->count + 1) * sizeof *t->columns);
		if (!t->columns || t->count > COLUMNS_MAX)
			return too_large(e);
		if (!take_table(s, tables, (int)i, t, e))
			return false;
		t->is_binary = true;
		for (size_t k = 0; k < t->count; k++) {
			if (!take_column(s, columns, first + (int)k, &t->columns[k], e))
				return false;
			t->is_binary = t->is_binary && (t->columns[k].is_binary || t->columns[k].is_generated);
		}
	}
	return true;
}

static bool read_tables(struct pg *pg, enum pg_schema_part part, struct pg_schema *s, uint64_t *hash, struct err *e)
{
	PGresult *tables = pg_query(pg, part == PG_SCHEMA_ALL ? tables_sql : texts_sql, NULL, 0, e);
	PGresult *columns = tables ? pg_query(pg, columns_sql, NULL, 0, e) : NULL;
	bool ok = columns && take_tables(s, tables, columns, e);

	hash_result(hash, columns, 2);
	PQclear(tables);
	PQclear(columns);
	return ok;
}

/* ---- objects ---- */

static bool read_objects(struct pg *pg, struct pg_schema *s, const char *sql, struct pg_objects *list, uint64_t *hash,
			 struct err *e)
{
	PGresult *r = pg_query(pg, sql, NULL, 0, e);
	bool ok = r != NULL;

	list->count = (size_t)PQntuples(r);
	list->object = ok ? arena_take(s->mem, (list->count + 1) * sizeof *list->object) : NULL;
	ok = ok && (list->object || too_large(e));
	for (size_t i = 0; ok && i < list->count; i++) {
		struct pg_object *o = &list->object[i];

		o->name = keep(s, r, (int)i, 2);
		o->sql = keep(s, r, (int)i, 3);
		o->place = pg_number(r, (int)i, 0);
		o->pages = PQnfields(r) > PAGES_FIELD ? pg_number(r, (int)i, PAGES_FIELD) : 0;
		ok = (o->name && o->sql) || too_large(e);
	}
	hash_result(hash, r, 3);
	PQclear(r);
	return ok;
}

static bool refuse_strange(struct pg *pg, struct err *e)
{
	PGresult *r = pg_query(pg, strange_sql, NULL, 0, e);
	bool ok = r && (PQntuples(r) == 0 ||
			err_set(e, ERR_REFUSED, 0, "sql", "%.100s of the source cannot be copied", PQgetvalue(r, 0, 0)));

	PQclear(r);
	return ok;
}

bool pg_schema_read(struct pg *pg, enum pg_schema_part part, struct pg_schema *s, struct err *e)
{
	uint64_t hash = CHECKSUMS;
	bool ok;

	*s = (struct pg_schema){ .mem = arena_new(SCHEMA_MAX_BYTES) };
	if (!s->mem)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	ok = read_tables(pg, part, s, &hash, e) &&
	     (part != PG_SCHEMA_ALL || (refuse_strange(pg, e) && read_objects(pg, s, before_sql, &s->before, &hash, e) &&
				read_objects(pg, s, after_sql, &s->after, &hash, e)));
	snprintf(s->hash, sizeof s->hash, "%016" PRIx64, hash);
	if (!ok)
		pg_schema_done(s);
	return ok;
}

void pg_schema_done(struct pg_schema *s)
{
	arena_free(&s->mem);
	*s = (struct pg_schema){ 0 };
}

/* ---- making and removing ---- */

bool pg_schema_drop(struct pg *pg, struct err *e)
{
	PGresult *r = pg_query(pg, drop_sql, NULL, 0, e);
	bool ok = r != NULL;

	for (int i = 0; ok && i < PQntuples(r); i++)
		ok = pg_queue(pg, PQgetvalue(r, i, 0), NULL, 0, e) && (pg->queued < MANY || pg_queue_end(pg, NULL, NULL, e));
	PQclear(r);
	return ok && pg_queue_end(pg, NULL, NULL, e);
}

/* Those of list from `from` on that are sent together: none of which `done` is true, few enough for the server's room. */
static size_t end_of_many(const struct pg_objects *list, const bool *done, size_t from)
{
	size_t end = from, bytes = 0;

	for (; end < list->count && end - from < MANY && bytes < MANY_BYTES && !done[end]; end++)
		bytes += strlen(list->object[end].sql);
	return end;
}

/* Makes what stands between the two in one round trip, or nothing of it. */
static bool try_many(struct pg *pg, const struct pg_objects *list, size_t from, size_t end, bool *made_r, struct err *e)
{
	struct err why = { 0 };
	bool ok = pg_queue(pg, "SAVEPOINT many", NULL, 0, e);
	size_t failed;

	for (size_t i = from; ok && i < end; i++)
		ok = pg_queue(pg, list->object[i].sql, NULL, 0, e);
	if (!ok || !pg_queue(pg, "RELEASE SAVEPOINT many", NULL, 0, e))
		return false;
	*made_r = pg_queue_end(pg, NULL, &failed, &why);
	if (*made_r)
		return true;
	if (why.class != ERR_REFUSED)
		return err_set(e, why.class, why.code, why.where, "%s", why.text);
	if (e->class == ERR_NONE) { /* told when nothing else helps */
		err_set(e, why.class, why.code, why.where, "%s", why.text);
		if (failed > 0 && from + failed - 1 < end)
			err_prepend(e, list->object[from + failed - 1].name);
	}
	struct err ignored = { 0 };

	return pg_do(pg, "ROLLBACK TO SAVEPOINT many", NULL, 0, &ignored);
}

/* One that fails is left for the next round, and those sent with it are made one by one. */
static bool make_round(struct pg *pg, const struct pg_objects *list, bool *done, size_t *left, struct err *e)
{
	for (size_t i = 0, end; i < list->count; i = end) {
		bool made = false;

		end = end_of_many(list, done, i);
		if (end == i) {
			end++;
			continue;
		}
		if (!try_many(pg, list, i, end, &made, e))
			return false;
		for (size_t one = i; !made && one < end; one++) {
			if (end - i > 1 && !try_many(pg, list, one, one + 1, &done[one], e))
				return false;
			*left -= done[one];
		}
		for (size_t one = i; made && one < end; one++) {
			done[one] = true;
			--*left;
		}
	}
	return true;
}

bool pg_objects_make(struct pg *pg, const struct pg_objects *list, struct err *e)
{
	size_t left = list->count, before;
	bool *done = calloc(list->count + 1, sizeof *done), ok;

	if (!done)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	do {
		before = left;
		err_clear(e);
		ok = make_round(pg, list, done, &left, e);
	} while (ok && left > 0 && left < before);
	free(done);
	if (ok && left == 0)
		err_clear(e);
	return ok && left == 0;
}
