/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/libpq/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAST_PAGE INT64_C(4294967295) /* no table has more */

static const char *text_of(int64_t number, char out[24])
{
	snprintf(out, 24, "%" PRId64, number);
	return out;
}

bool pg_copy_read(struct pg_copy *copy, struct err *e)
{
	static const char sql[] = "SELECT run, phase, snapshot, schema, starts FROM public.sandbox_copy_run";
	const struct fence *f = copy->call->fence;
	struct pg *own = &copy->session->own;
	PGresult *r;

	if (!pg_take_over(own, f, e) || !pg_fenced_queue(own, e) || !pg_queue(own, sql, NULL, 0, e) ||
	    !pg_fenced_end(own, f, &r, e))
		return false;
	copy->found = PQntuples(r) == 1;
	if (copy->found) {
		copy->run = (int)pg_number(r, 0, 0);
		copy->phase = (enum copy_phase)pg_number(r, 0, 1);
		copy->snapshot = pg_number(r, 0, 2);
		snprintf(copy->schema, sizeof copy->schema, "%s", PQgetvalue(r, 0, 3));
		copy->starts = (int)pg_number(r, 0, 4);
	}
	PQclear(r);
	return true;
}

bool pg_copy_write(struct pg_copy *copy, struct err *e)
{
	static const char sql[] =
		"INSERT INTO public.sandbox_copy_run (one, run, phase, snapshot, schema, starts) VALUES (1, $1, $2, $3, $4, $5)"
		" ON CONFLICT (one) DO UPDATE SET run = excluded.run, phase = excluded.phase, snapshot = excluded.snapshot,"
		" schema = excluded.schema, starts = excluded.starts";
	char run[24], phase[24], snapshot[24], starts[24];

	return PG_QUEUE(&copy->session->own, sql, e, text_of(copy->run, run), text_of(copy->phase, phase),
		     text_of(copy->snapshot, snapshot), copy->schema, text_of(copy->starts, starts));
}

bool pg_copy_totals(struct pg_copy *copy, struct sql_pages *pages, struct err *e)
{
	static const char sql[] = /* and the table under way: the largest with rows left, then with rows to be read back */
		"WITH t AS (SELECT c.n, c.name, c.checked, c.expected, min(u.done) AS done, sum(u.rows) AS rows,"
		" sum(u.bytes) AS bytes, sum(u.cells_changed) AS cells_changed FROM public.sandbox_copy AS c"
		" LEFT JOIN public.sandbox_copy_unit AS u ON u.n = c.n GROUP BY c.n, c.name, c.checked, c.expected)"
		" SELECT a.*, coalesce((parse_ident(b.name))[2], ''), coalesce(b.rows, 0), coalesce(b.bytes, 0) FROM"
		" (SELECT count(*), coalesce(sum(checked), 0), coalesce(sum(rows), 0), coalesce(sum(bytes), 0),"
		" coalesce(sum(cells_changed), 0), coalesce(sum(greatest(expected, rows)), 0) FROM t) AS a LEFT JOIN"
		" (SELECT * FROM t WHERE checked = 0 ORDER BY done, expected DESC, n LIMIT 1) AS b ON true";
	struct pg *own = &copy->session->own;
	PGresult *r;

	if (!pg_queue(own, sql, NULL, 0, e) || !pg_queue_end(own, &r, NULL, e))
		return pg_blame_fence(own, copy->call->fence, e);
	pages->tables_total = pg_number(r, 0, 0);
	pages->tables_done = pg_number(r, 0, 1);
	pages->rows = pg_number(r, 0, 2);
	pages->bytes = pg_number(r, 0, 3);
	pages->cells_changed = pg_number(r, 0, 4);
	pages->rows_expected = pg_number(r, 0, 5);
	snprintf(pages->table, sizeof pages->table, "%.*s", (int)sizeof pages->table - 1, PQgetvalue(r, 0, 6));
	pages->table_rows = pg_number(r, 0, 7);
	pages->table_bytes = pg_number(r, 0, 8);
	PQclear(r);
	return true;
}

static bool enter_table(struct pg *own, const struct pg_table *t, int64_t n, int64_t unit_pages, struct err *e)
{
	char number[24], expected[24], first[24], end[24];

	text_of(n, number);
	if (!PG_QUEUE(own, "INSERT INTO public.sandbox_copy (n, name, expected) VALUES ($1, $2, $3)", e, number, t->quoted,
		   text_of(t->expected, expected)))
		return false;
	for (int64_t page = 0; t->has_rows && (page == 0 || page < t->pages); page += unit_pages) {
		text_of(page, first);
		text_of(page + unit_pages < t->pages ? page + unit_pages : LAST_PAGE, end);
		if (!PG_QUEUE(own, "INSERT INTO public.sandbox_copy_unit (n, first_page, end_page) VALUES ($1, $2, $3)", e, number,
			   first, end))
			return false;
	}
	return own->queued < QUEUE_MAX || pg_queue_end(own, NULL, NULL, e);
}

bool pg_copy_enter(struct pg_copy *copy, struct err *e)
{
	const struct pg_schema *schema = &copy->session->schema;
	struct pg *own = &copy->session->own;
	bool ok = pg_queue(own, "DELETE FROM public.sandbox_copy_unit", NULL, 0, e) &&
		  pg_queue(own, "DELETE FROM public.sandbox_copy", NULL, 0, e) &&
		  pg_queue(own, "DELETE FROM public.sandbox_copy_object", NULL, 0, e);

	for (size_t i = 0; ok && i < schema->count; i++)
		ok = enter_table(own, &schema->tables[i], (int64_t)i + 1, copy->session->settings->unit_pages, e);
	return ok;
}

static bool take_unit(struct pg_copy *copy, const PGresult *r, int row, struct pg_unit *u, struct err *e)
{
	const struct pg_schema *schema = &copy->session->schema;

	u->n = pg_number(r, row, 0);
	u->first_page = pg_number(r, row, 1);
	u->end_page = pg_number(r, row, 2);
	u->rows = pg_number(r, row, 3);
	u->checksum = strtoull(PQgetvalue(r, row, 4), NULL, 10); /* modulo 2^64, whatever its sign */
	if (u->n < 1 || (size_t)u->n > schema->count)
		return err_set(e, ERR_BUG, 0, "sql", "the copy remembers a table that is not there");
	u->table = &schema->tables[u->n - 1];
	return true;
}

static bool read_units(struct pg_copy *copy, const char *sql, const char *const *values, int values_count,
		       struct pg_unit **units_r, size_t *count_r, struct err *e)
{
	PGresult *r = pg_query(&copy->session->own, sql, values, values_count, e);
	size_t count = (size_t)PQntuples(r);
	struct pg_unit *units = r ? calloc(count + 1, sizeof *units) : NULL;
	bool ok = r && (units || err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory"));

	for (size_t i = 0; ok && i < count; i++)
		ok = take_unit(copy, r, (int)i, &units[i], e);
	PQclear(r);
	if (!ok) {
		free(units);
		return false;
	}
	*units_r = units;
	*count_r = count;
	return true;
}

bool pg_copy_units(struct pg_copy *copy, bool done, struct pg_unit **units_r, size_t *count_r, struct err *e)
{
	static const char sql[] = /* the longest tables first, so that none is left alone at the end */
		"SELECT u.n, u.first_page, u.end_page, u.rows, u.checksum FROM public.sandbox_copy_unit AS u"
		" JOIN public.sandbox_copy AS c ON c.n = u.n WHERE CASE WHEN $1::bigint = 0 THEN u.done = 0 ELSE u.done = 1 AND"
		" u.snapshot <> $1::bigint END ORDER BY c.expected DESC, u.n, u.first_page";
	char snapshot[24];
	const char *const values[] = { text_of(done ? copy->session->snapshot : 0, snapshot) };

	return read_units(copy, sql, values, 1, units_r, count_r, e);
}

bool pg_copy_tables(struct pg_copy *copy, struct pg_unit **units_r, size_t *count_r, struct err *e)
{
	static const char sql[] =
		"SELECT c.n, 0, 0, coalesce(sum(u.rows), 0), (coalesce(sum(u.checksum::numeric), 0) % 18446744073709551616)::text"
		" FROM public.sandbox_copy AS c LEFT JOIN public.sandbox_copy_unit AS u ON u.n = c.n WHERE c.checked = 0"
		" GROUP BY c.n ORDER BY coalesce(sum(u.bytes), 0) DESC, c.n";

	return read_units(copy, sql, NULL, 0, units_r, count_r, e);
}

bool pg_copy_put_unit(struct pg *target, const struct pg_unit *u, int64_t snapshot, struct err *e)
{
	static const char sql[] =
		"UPDATE public.sandbox_copy_unit SET done = 1, snapshot = $3, rows = $4, bytes = $5, cells_changed = $6,"
		" checksum = $7 WHERE n = $1 AND first_page = $2";
	const struct pg_lines *lines = &u->lines;
	char n[24], first[24], number[24], rows[24], bytes[24], cells[24], checksum[24];

	return PG_QUEUE(target, sql, e, text_of(u->n, n), text_of(u->first_page, first), text_of(snapshot, number),
		     text_of(lines->rows, rows), text_of(lines->bytes, bytes), text_of(lines->cells_changed, cells),
		     text_of((int64_t)lines->checksum, checksum));
}
