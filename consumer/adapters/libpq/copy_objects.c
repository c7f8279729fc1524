/* SPDX-License-Identifier: Apache-2.0
 * What comes after the rows: indexes and constraints some at a time, the small rest in one transaction, the planner's
 * samples some at a time; then key counters. */
#include "consumer/adapters/libpq/copy.h"

#include <stdlib.h>
#include <string.h>

/* Of schema_sql.h: between the first two are indexes and constraints, which take their time, and so do samples. What the
 * rest makes may depend on each other. */
enum { PLACE_PARTITIONS = 1, PLACE_REST = 6, PLACE_SAMPLES = 12, CALLS_LONGER = 5 };

static int64_t group_of(const struct pg_object *o)
{
	return o->place >= PLACE_REST && o->place < PLACE_SAMPLES ? PLACE_REST : o->place;
}

static bool is_together(const struct pg_object *o)
{
	return o->place == PLACE_PARTITIONS || group_of(o) == PLACE_REST;
}

/* The names that are made, one a row, are few: a list is searched. */
static bool is_made(const PGresult *made, const char *name)
{
	for (int i = 0; i < PQntuples(made); i++)
		if (strcmp(PQgetvalue(made, i, 0), name) == 0)
			return true;
	return false;
}

static int larger_first(const void *a, const void *b)
{
	int64_t left = ((const struct pg_object *)a)->pages, right = ((const struct pg_object *)b)->pages;

	return (left < right) - (left > right);
}

/* Those of the first group that has some left. */
static bool find_pending(struct pg_copy *copy, struct pg_objects *pending_r, struct err *e)
{
	const struct pg_objects *all = &copy->session->schema.after;
	PGresult *made = pg_query(&copy->session->own, "SELECT name FROM public.sandbox_copy_object", NULL, 0, e);
	int64_t group = -1;

	if (!made)
		return false;
	*pending_r = (struct pg_objects){ .object = calloc(all->count + 1, sizeof *all->object) };
	if (!pending_r->object) {
		PQclear(made);
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	}
	for (size_t i = 0; i < all->count; i++) {
		const struct pg_object *o = &all->object[i];

		if ((group >= 0 && group_of(o) != group) || is_made(made, o->name))
			continue;
		group = group_of(o);
		pending_r->object[pending_r->count++] = *o;
	}
	PQclear(made);
	if (pending_r->count > 0 && !is_together(&pending_r->object[0]))
		qsort(pending_r->object, pending_r->count, sizeof *pending_r->object, larger_first);
	return true;
}

static bool remember(struct pg *target, const struct pg_object *o, struct err *e)
{
	return PG_QUEUE(target, "INSERT INTO public.sandbox_copy_object (name) VALUES ($1) ON CONFLICT DO NOTHING", e, o->name);
}

/* A transaction for each. Waits for other workers' locks as long as those work. */
static bool queue_object(struct pg *target, const struct pg_object *o, struct err *e)
{
	return pg_fenced_queue(target, e) && pg_queue(target, "SET LOCAL lock_timeout = 0", NULL, 0, e) &&
	       pg_queue(target, o->sql, NULL, 0, e) && remember(target, o, e) && pg_queue(target, "COMMIT", NULL, 0, e);
}

static bool make_objects(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	const struct pg_parcel *parcel = &crew->parcels[job];
	const struct pg_object *objects = &((const struct pg_objects *)crew->arg)->object[parcel->first];
	bool ok = pg_worker_target(crew->session, w, crew->call->fence, e);
	size_t failed, each = 0;

	for (size_t i = 0; ok && i < parcel->count; i++) {
		ok = queue_object(&w->target, &objects[i], e);
		each = each ? each : w->target.queued;
	}
	if (!ok || pg_queue_end(&w->target, NULL, &failed, e))
		return ok;
	err_prepend(e, objects[failed / each].name);
	return pg_blame_fence(&w->target, crew->call->fence, e);
}

static int64_t pages_of(const void *arg, size_t thing)
{
	return ((const struct pg_objects *)arg)->object[thing].pages;
}

static bool make_some(struct pg_copy *copy, struct pg_objects *pending, struct err *e)
{
	const struct pg_settings *settings = copy->session->settings;
	struct pg_crew crew = { .session = copy->session, .call = copy->call, .fn = make_objects, .arg = pending,
				.until_ms = pg_clock_ms() + CALLS_LONGER * settings->call_ms };
	bool few = settings->call_units && pending->count > (size_t)settings->call_units;
	size_t done;

	return pg_crew_run(&crew, few ? (size_t)settings->call_units : pending->count, pages_of, &done, e);
}

static bool make_together(struct pg_copy *copy, const struct pg_objects *pending, struct err *e)
{
	struct pg *own = &copy->session->own;
	bool ok = pg_fenced_begin(own, copy->call->fence, e) && pg_objects_make(own, pending, e);

	for (size_t i = 0; ok && i < pending->count; i++)
		ok = remember(own, &pending->object[i], e) && (own->queued < QUEUE_MAX || pg_queue_end(own, NULL, NULL, e));
	return ok && pg_fenced_end(own, copy->call->fence, NULL, e);
}

bool pg_copy_objects(struct pg_copy *copy, bool *all_r, struct err *e)
{
	struct pg_objects pending;
	bool ok;

	if (!find_pending(copy, &pending, e))
		return false;
	*all_r = pending.count == 0;
	ok = *all_r || (is_together(&pending.object[0]) ? make_together(copy, &pending, e) : make_some(copy, &pending, e));
	free(pending.object);
	return ok;
}

/* ---- key counters ---- */

/* All counters' values in one answer, each with its row's number in front. */
static PGresult *read_counters(struct pg *source, const PGresult *counters, struct err *e)
{
	PGresult *values;
	struct buf sql;
	bool ok = true;

	buf_init(&sql, SQL_MAX);
	for (int i = 0; ok && i < PQntuples(counters); i++)
		ok = buf_printf(&sql, "%sSELECT %d, last_value, is_called FROM %s", i ? " UNION ALL " : "", i,
				PQgetvalue(counters, i, 0)) ||
		     err_set(e, ERR_REFUSED, 0, "sql", "the names of the sequences are too long");
	values = ok ? pg_query(source, buf_text(&sql), NULL, 0, e) : NULL;
	buf_done(&sql);
	return values;
}

/* A counter of an identity column is found by its column: its name may have been given by the server. */
static bool put_counter(struct pg *own, const PGresult *counters, const PGresult *values, int row, struct err *e)
{
	int at = (int)pg_number(values, row, 0);
	const char *table = PQgetisnull(counters, at, 1) ? NULL : PQgetvalue(counters, at, 1);

	return PG_QUEUE(own, "SELECT setval(CASE WHEN $1::text IS NULL THEN $3::text ELSE pg_get_serial_sequence($1, $2)"
			" END::regclass, $4, $5)", e, table, PQgetvalue(counters, at, 2), PQgetvalue(counters, at, 0),
			PQgetvalue(values, row, 1), PQgetvalue(values, row, 2)) &&
	       (own->queued < QUEUE_MAX || pg_queue_end(own, NULL, NULL, e));
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
	struct pg *own = &copy->session->own;
	PGresult *counters = pg_query(source, sql, NULL, 0, e);
	PGresult *values = PQntuples(counters) > 0 ? read_counters(source, counters, e) : NULL;
	bool ok = counters && (values || PQntuples(counters) == 0) && pg_fenced_queue(own, e);

	for (int i = 0; ok && i < PQntuples(values); i++)
		ok = put_counter(own, counters, values, i, e);
	PQclear(values);
	PQclear(counters);
	return ok && pg_fenced_end(own, copy->call->fence, NULL, e);
}

bool pg_copy_finish(struct pg_copy *copy, struct err *e)
{
	struct pg source = { .stop = copy->call->stop };
	bool ok = pg_open(&source, copy->session->settings, PG_SOURCE, copy->session->source, e) &&
		  copy_counters(copy, &source, e);

	pg_close(&source);
	return ok;
}
