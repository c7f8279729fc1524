/* SPDX-License-Identifier: Apache-2.0
 * The rows of a copy: units of a table's pages, each one stream and one transaction, some at a time. */
#include "consumer/adapters/libpq/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the workers' connections ---- */

/* A snapshot whose transaction was ended is no fault of the source: the next call takes another. */
static bool open_source(struct pg_session *s, struct pg_worker *w, struct err *e)
{
	char sql[96];

	if (!pg_open(&w->source, s->settings, PG_SOURCE, s->source, e))
		return false;
	if (w->in_snapshot)
		return true;
	snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%.60s'", s->exported);
	w->in_snapshot = pg_queue(&w->source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0, e) &&
			 pg_queue(&w->source, sql, NULL, 0, e) && pg_queue_end(&w->source, NULL, NULL, e);
	if (!w->in_snapshot && e->class == ERR_REFUSED)
		e->class = ERR_TRANSIENT;
	return w->in_snapshot;
}

/* ---- statements ---- */

static bool too_long(const struct pg_table *t, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", t->quoted);
}

static bool add_columns(struct buf *sql, const struct pg_table *t)
{
	bool ok = true;

	for (size_t i = 0, n = 0; ok && i < t->count; i++)
		if (!t->columns[i].is_generated)
			ok = buf_add_text(sql, n++ ? ", " : "") && buf_add_text(sql, t->columns[i].quoted);
	return ok;
}

static const char *format_of(const struct pg_table *t)
{
	return t->is_binary ? " (FORMAT binary)" : "";
}

static bool select_unit(struct buf *sql, const struct pg_unit *u)
{
	return buf_add_text(sql, "COPY (SELECT ") && add_columns(sql, u->table) &&
	       buf_printf(sql, " FROM ONLY %s WHERE ctid >= '(%" PRId64 ",0)' AND ctid < '(%" PRId64 ",0)') TO STDOUT%s;",
			  u->table->quoted, u->first_page, u->end_page, format_of(u->table));
}

static bool write_unit(struct buf *sql, const struct pg_unit *u)
{
	return buf_printf(sql, "COPY %s (", u->table->quoted) && add_columns(sql, u->table) &&
	       buf_printf(sql, ") FROM STDIN%s;", format_of(u->table));
}

static bool read_table(struct buf *sql, const struct pg_unit *u)
{
	return !u->table->has_rows ||
	       (buf_printf(sql, "COPY %s (", u->table->quoted) && add_columns(sql, u->table) &&
		buf_printf(sql, ") TO STDOUT%s;", format_of(u->table)));
}

/* One stream for each unit of the parcel, all of them asked for at once. */
static bool ask(struct pg *pg, struct buf *sql, const char *begin, bool (*add)(struct buf *sql, const struct pg_unit *u),
		const struct pg_unit *units, size_t count, struct err *e)
{
	bool ok;

	buf_clear(sql);
	ok = buf_add_text(sql, begin);
	for (size_t i = 0; ok && i < count; i++)
		ok = add(sql, &units[i]) || too_long(units[i].table, e);
	return ok && (sql->len == 0 || pg_send(pg, buf_text(sql), e));
}

/* The columns that take part, in the order of the statements above; free() the list. */
static bool set_work(struct pg_worker *w, const struct pg_table *t, const struct sql_filter *filter, struct err *e)
{
	const struct pg_column **columns = calloc(t->count + 1, sizeof(void *));
	size_t n = 0;

	if (!columns)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	for (size_t i = 0; i < t->count; i++)
		if (!t->columns[i].is_generated)
			columns[n++] = &t->columns[i];
	w->work.table = t->name;
	w->work.columns = columns;
	w->work.count = n;
	w->work.is_binary = t->is_binary;
	w->work.filter = filter;
	return true;
}

static void end_work(struct pg_worker *w)
{
	free((void *)(uintptr_t)w->work.columns);
	w->work.columns = NULL;
}

/* ---- copying ---- */

static bool stream_unit(struct pg_crew *crew, struct pg_worker *w, struct pg_unit *u, struct err *e)
{
	bool ok = set_work(w, u->table, crew->call->filter, e) && pg_copy_in(&w->target, e);

	if (ok)
		ok = pg_copy_end(&w->target, pg_copy_out(&w->source, e) && pg_crew_stream(crew, w, &w->source, &w->target, e), e);
	end_work(w);
	u->lines = w->work.lines;
	if (!ok)
		err_prepend(e, u->table->quoted);
	return ok;
}

static bool put_units(struct pg_crew *crew, struct pg_worker *w, const struct pg_unit *units, size_t count, struct err *e)
{
	bool ok = true;

	for (size_t i = 0; ok && i < count; i++)
		ok = pg_copy_put_unit(&w->target, &units[i], crew->session->snapshot, e);
	return ok && pg_fenced_end(&w->target, crew->call->fence, NULL, e);
}

/* Both ends are asked before either is waited for. */
static bool copy_units(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	const struct pg_parcel *parcel = &crew->parcels[job];
	struct pg_unit *units = &((struct pg_copy *)crew->arg)->units[parcel->first];
	bool ok = open_source(crew->session, w, e) && pg_worker_target(crew->session, w, crew->call->fence, e) &&
		  ask(&w->source, &w->sql, "", select_unit, units, parcel->count, e) &&
		  ask(&w->target, &w->sql, "BEGIN; " PG_FENCE_SQL "; ", write_unit, units, parcel->count, e);

	for (size_t i = 0; ok && i < parcel->count; i++)
		ok = stream_unit(crew, w, &units[i], e);
	if (!ok)
		return pg_blame_fence(&w->target, crew->call->fence, e);
	return put_units(crew, w, units, parcel->count, e);
}

static int64_t pages_of(const void *arg, size_t thing)
{
	const struct pg_unit *u = &((const struct pg_copy *)arg)->units[thing];
	int64_t end = u->end_page && u->end_page < u->table->pages ? u->end_page : u->table->pages;

	return end > u->first_page ? end - u->first_page : 0;
}

static bool run(struct pg_copy *copy, pg_job_fn *fn, size_t count, bool *all_r, struct err *e)
{
	const struct pg_settings *settings = copy->session->settings;
	struct pg_crew crew = { .session = copy->session, .call = copy->call, .fn = fn, .arg = copy,
				.until_ms = pg_clock_ms() + settings->call_ms };
	bool few = settings->call_units && count > (size_t)settings->call_units;
	size_t done;
	bool ok = pg_crew_run(&crew, few ? (size_t)settings->call_units : count, pages_of, &done, e);

	*all_r = ok && done == count;
	return ok;
}

bool pg_copy_rows(struct pg_copy *copy, bool *all_r, struct err *e)
{
	size_t count;
	bool ok;

	if (!pg_copy_units(copy, false, &copy->units, &count, e))
		return false;
	ok = run(copy, copy_units, count, all_r, e);
	free(copy->units);
	return ok;
}

/* ---- a source that may have moved since another snapshot ---- */

static bool compare_unit(struct pg_crew *crew, struct pg_worker *w, struct pg_unit *u, struct err *e)
{
	bool ok = set_work(w, u->table, crew->call->filter, e) && pg_copy_out(&w->source, e) &&
		  pg_crew_stream(crew, w, &w->source, NULL, e);

	end_work(w);
	u->lines = w->work.lines;
	u->differs = u->lines.rows != u->rows || u->lines.checksum != u->checksum;
	return ok;
}

static bool compare_units(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	const struct pg_parcel *parcel = &crew->parcels[job];
	struct pg_unit *units = &((struct pg_copy *)crew->arg)->units[parcel->first];
	bool ok = open_source(crew->session, w, e) && pg_worker_target(crew->session, w, crew->call->fence, e) &&
		  ask(&w->source, &w->sql, "", select_unit, units, parcel->count, e);

	for (size_t i = 0; ok && i < parcel->count; i++)
		ok = compare_unit(crew, w, &units[i], e);
	ok = ok && pg_fenced_queue(&w->target, e);
	for (size_t i = 0; ok && i < parcel->count; i++)
		ok = units[i].differs || pg_copy_put_unit(&w->target, &units[i], crew->session->snapshot, e);
	return ok && pg_fenced_end(&w->target, crew->call->fence, NULL, e);
}

/* The whole table again: which of its rows came from these pages is not known any more. */
static bool begin_table_again(struct pg_copy *copy, const struct pg_unit *u, struct err *e)
{
	struct pg *own = &copy->session->own;
	char n[24];
	struct buf sql;
	bool ok;

	snprintf(n, sizeof n, "%" PRId64, u->n);
	buf_init(&sql, 4096);
	ok = (buf_printf(&sql, "TRUNCATE %s", u->table->quoted) || too_long(u->table, e)) &&
	     pg_fenced_begin(own, copy->call->fence, e) && pg_do(own, buf_text(&sql), NULL, 0, e) &&
	     PG_DO(own, "UPDATE public.sandbox_copy_unit SET done = 0, snapshot = 0, rows = 0, bytes = 0, cells_changed = 0,"
		   " checksum = 0 WHERE n = $1", e, n) && pg_commit(own, e);
	buf_done(&sql);
	return ok;
}

bool pg_copy_compare(struct pg_copy *copy, bool *all_r, bool *differ_r, struct err *e)
{
	size_t count;
	bool ok;

	*differ_r = false;
	if (!pg_copy_units(copy, true, &copy->units, &count, e))
		return false;
	ok = run(copy, compare_units, count, all_r, e);
	for (size_t i = 0; ok && i < count; i++) {
		if (!copy->units[i].differs)
			continue;
		*differ_r = true;
		ok = begin_table_again(copy, &copy->units[i], e);
	}
	free(copy->units);
	return ok;
}

/* ---- reading back ---- */

static bool read_back(struct pg_crew *crew, struct pg_worker *w, struct pg_unit *u, struct err *e)
{
	const struct pg_lines *lines = &w->work.lines;
	bool ok = set_work(w, u->table, NULL, e);

	w->work.lines = (struct pg_lines){ 0 };
	if (ok && u->table->has_rows)
		ok = pg_copy_out(&w->target, e) && pg_crew_stream(crew, w, &w->target, NULL, e);
	end_work(w);
	if (!ok)
		return false;
	return (lines->rows == u->rows && lines->checksum == u->checksum) ||
	       err_set(e, ERR_REFUSED, 0, "sql",
		       "table %s was read back different: %" PRId64 " rows written, %" PRId64 " read, checksum %s",
		       u->table->quoted, u->rows, lines->rows, lines->checksum == u->checksum ? "equal" : "different");
}

static bool read_back_tables(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	static const char sql[] = "UPDATE public.sandbox_copy SET checked = 1 WHERE n = $1";
	const struct pg_parcel *parcel = &crew->parcels[job];
	struct pg_unit *units = &((struct pg_copy *)crew->arg)->units[parcel->first];
	char n[24];
	bool ok = pg_worker_target(crew->session, w, crew->call->fence, e) &&
		  ask(&w->target, &w->sql, "", read_table, units, parcel->count, e);

	for (size_t i = 0; ok && i < parcel->count; i++)
		ok = read_back(crew, w, &units[i], e);
	ok = ok && pg_fenced_queue(&w->target, e);
	for (size_t i = 0; ok && i < parcel->count; i++) {
		snprintf(n, sizeof n, "%" PRId64, units[i].n);
		ok = PG_QUEUE(&w->target, sql, e, n);
	}
	return ok && pg_fenced_end(&w->target, crew->call->fence, NULL, e);
}

bool pg_copy_read_back(struct pg_copy *copy, bool *all_r, struct err *e)
{
	size_t count;
	bool ok;

	if (!pg_copy_tables(copy, &copy->units, &count, e))
		return false;
	ok = run(copy, read_back_tables, count, all_r, e);
	free(copy->units);
	return ok;
}
