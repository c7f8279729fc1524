/* SPDX-License-Identifier: Apache-2.0
 * What comes after the rows: indexes and constraints some at a time, the small rest in one transaction; then key
 * counters and statistics. */
#include "consumer/adapters/libpq/copy.h"

#include <stdlib.h>
#include <string.h>

/* Of schema_sql.h: between them are indexes and constraints, which take their time. */
enum { PLACE_PARTITIONS = 1, PLACE_REST = 6 };

/* The names that are made, one a row, are few: a list is searched. */
static bool is_made(const PGresult *made, const char *name)
{
	for (int i = 0; i < PQntuples(made); i++)
		if (strcmp(PQgetvalue(made, i, 0), name) == 0)
			return true;
	return false;
}

/* Those of the first place that has some left; all of the rest together. */
static bool find_pending(struct pg_copy *copy, struct pg_objects *pending_r, struct err *e)
{
	const struct pg_objects *all = &copy->session->schema.after;
	PGresult *made = pg_query(&copy->session->own, "SELECT name FROM public.sandbox_copy_object", NULL, 0, e);
	int64_t place = -1;

	if (!made)
		return false;
	*pending_r = (struct pg_objects){ .object = calloc(all->count + 1, sizeof *all->object) };
	if (!pending_r->object) {
		PQclear(made);
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	}
	for (size_t i = 0; i < all->count; i++) {
		const struct pg_object *o = &all->object[i];

		if ((place >= 0 && o->place != place && place < PLACE_REST) || is_made(made, o->name))
			continue;
		if (place < 0)
			place = o->place;
		pending_r->object[pending_r->count++] = *o;
	}
	PQclear(made);
	return true;
}

static bool remember(struct pg *target, const struct pg_object *o, struct err *e)
{
	return PG_DO(target, "INSERT INTO public.sandbox_copy_object (name) VALUES ($1) ON CONFLICT DO NOTHING", e, o->name);
}

/* Waits for other workers' locks as long as those work. */
static bool make_object(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	const struct pg_object *o = &((const struct pg_objects *)crew->arg)->object[job];
	bool ok = pg_open(&w->target, crew->session->settings, PG_TARGET, crew->session->target, e) &&
		  pg_fenced_begin(&w->target, crew->call->fence, e) &&
		  pg_do(&w->target, "SET LOCAL lock_timeout = 0", NULL, 0, e) &&
		  pg_do(&w->target, "SET LOCAL maintenance_work_mem = '128MB'", NULL, 0, e) &&
		  pg_do(&w->target, o->sql, NULL, 0, e) && remember(&w->target, o, e) && pg_commit(&w->target, e);

	if (!ok)
		err_prepend(e, o->name);
	return ok;
}

static bool make_some(struct pg_copy *copy, struct pg_objects *pending, struct err *e)
{
	const struct pg_settings *settings = copy->session->settings;
	struct pg_crew crew = { .session = copy->session, .call = copy->call, .fn = make_object, .arg = pending,
				.count = pending->count, .until_ms = pg_clock_ms() + settings->call_ms };
	size_t done;

	if (settings->call_units && crew.count > (size_t)settings->call_units)
		crew.count = (size_t)settings->call_units;
	return pg_crew_run(&crew, &done, e);
}

static bool make_together(struct pg_copy *copy, const struct pg_objects *pending, struct err *e)
{
	struct pg *own = &copy->session->own;
	bool ok = pg_fenced_begin(own, copy->call->fence, e) && pg_objects_make(own, pending, e);

	for (size_t i = 0; ok && i < pending->count; i++)
		ok = remember(own, &pending->object[i], e);
	return ok && pg_commit(own, e);
}

bool pg_copy_objects(struct pg_copy *copy, bool *all_r, struct err *e)
{
	struct pg_objects pending;
	bool ok, together;

	if (!find_pending(copy, &pending, e))
		return false;
	*all_r = pending.count == 0;
	together = pending.count && (pending.object[0].place == PLACE_PARTITIONS || pending.object[0].place >= PLACE_REST);
	ok = *all_r || (together ? make_together(copy, &pending, e) : make_some(copy, &pending, e));
	free(pending.object);
	return ok;
}

/* ---- key counters ---- */

/* A counter of an identity column is found by its column: its name may have been given by the server. */
static bool copy_counter(struct pg *source, struct pg *own, const PGresult *r, int row, struct err *e)
{
	const char *name = PQgetvalue(r, row, 0);
	const char *table = PQgetisnull(r, row, 1) ? NULL : PQgetvalue(r, row, 1);
	PGresult *value;
	struct buf sql;
	bool ok;

	buf_init(&sql, 4096);
	ok = buf_printf(&sql, "SELECT last_value, is_called FROM %s", name) ||
	     err_set(e, ERR_REFUSED, 0, "sql", "the name of a sequence is too long");
	value = ok ? pg_query(source, buf_text(&sql), NULL, 0, e) : NULL;
	ok = value && PG_DO(own, "SELECT setval(CASE WHEN $1::text IS NULL THEN $3::text ELSE pg_get_serial_sequence($1, $2)"
			    " END::regclass, $4, $5)", e, table, PQgetvalue(r, row, 2), name, PQgetvalue(value, 0, 0),
			    PQgetvalue(value, 0, 1));
	PQclear(value);
	buf_done(&sql);
	return ok;
}

static bool analyze_tables(struct pg_copy *copy, struct err *e)
{
	const struct pg_schema *schema = &copy->session->schema;
	struct buf sql;
	bool ok = true;

	buf_init(&sql, 4096);
	for (size_t i = 0; ok && i < schema->count; i++) {
		buf_clear(&sql);
		ok = (buf_printf(&sql, "ANALYZE %s", schema->tables[i].quoted) ||
		      err_set(e, ERR_REFUSED, 0, "sql", "the name of a table is too long")) &&
		     pg_do(&copy->session->own, buf_text(&sql), NULL, 0, e);
	}
	buf_done(&sql);
	return ok;
}

static bool copy_counters(struct pg_copy *copy, struct pg *source, struct err *e)
{
	static const char sql[] =
		"SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), CASE d.deptype WHEN 'i' THEN"
		" d.refobjid::regclass::text END, a.attname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
		" LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjsubid > 0"
		" LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
		" WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND c.relname !~ '^sandbox_'"
		" AND NOT EXISTS (SELECT 1 FROM pg_depend AS x WHERE x.deptype = 'e' AND x.classid = 'pg_class'::regclass AND"
		" x.objid = c.oid)";
	PGresult *r = pg_query(source, sql, NULL, 0, e);
	bool ok = r && pg_fenced_begin(&copy->session->own, copy->call->fence, e);

	for (int i = 0; ok && i < PQntuples(r); i++)
		ok = copy_counter(source, &copy->session->own, r, i, e);
	PQclear(r);
	return ok && analyze_tables(copy, e) && pg_commit(&copy->session->own, e);
}

bool pg_copy_finish(struct pg_copy *copy, struct err *e)
{
	struct pg source = { .stop = copy->call->stop };
	bool ok = pg_open(&source, copy->session->settings, PG_SOURCE, copy->session->source, e) &&
		  copy_counters(copy, &source, e);

	pg_close(&source);
	return ok;
}
