/* SPDX-License-Identifier: Apache-2.0
 * The rows of a copy: units of a table's pages, each one stream and one transaction, some at a time. */
#include "consumer/adapters/libpq/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the workers' connections ---- */

static bool open_source(struct pg_session *s, struct pg_worker *w, struct err *e)
{
	char sql[96];

	if (!pg_open(&w->source, s->settings, PG_SOURCE, s->source, e))
		return false;
	if (w->in_snapshot)
		return true;
	snprintf(sql, sizeof sql, "SET TRANSACTION SNAPSHOT '%.60s'", s->exported);
	w->in_snapshot = pg_do(&w->source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0, e) &&
			 pg_do(&w->source, sql, NULL, 0, e);
	return w->in_snapshot;
}

/* A commit that a loss of power takes away takes along the row that remembers it. */
static bool open_target(struct pg_session *s, struct pg_worker *w, struct err *e)
{
	if (w->target.conn)
		return true;
	return pg_open(&w->target, s->settings, PG_TARGET, s->target, e) &&
	       pg_do(&w->target, "SET synchronous_commit = off; ", NULL, 0, e) &&
	       pg_do(&w->target, "SET maintenance_work_mem = '128MB'", NULL, 0, e);
}

/* ---- statements ---- */

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
	buf_clear(sql);
	return buf_add_text(sql, "COPY (SELECT ") && add_columns(sql, u->table) &&
	       buf_printf(sql, " FROM ONLY %s WHERE ctid >= '(%" PRId64 ",0)' AND ctid < '(%" PRId64 ",0)') TO STDOUT%s",
			  u->table->quoted, u->first_page, u->end_page, format_of(u->table));
}

static bool copy_table(struct buf *sql, const struct pg_table *t, const char *direction)
{
	buf_clear(sql);
	return buf_printf(sql, "COPY %s (", t->quoted) && add_columns(sql, t) && buf_printf(sql, ") %s%s", direction, format_of(t));
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

static bool too_long(const struct pg_table *t, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", t->quoted);
}

/* ---- copying ---- */

static bool stream_unit(struct pg_crew *crew, struct pg_worker *w, const struct pg_unit *u, struct err *e)
{
	bool ok;

	if (!copy_table(&w->sql, u->table, "FROM STDIN"))
		return too_long(u->table, e);
	if (!pg_copy_in(&w->target, buf_text(&w->sql), e))
		return false;
	ok = (select_unit(&w->sql, u) || too_long(u->table, e)) && pg_copy_out(&w->source, buf_text(&w->sql), e) &&
	     pg_crew_stream(crew, w, &w->source, &w->target, e);
	return pg_copy_end(&w->target, ok, e);
}

static bool copy_unit(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	struct pg_copy *copy = crew->arg;
	const struct pg_unit *u = &copy->units[job];
	bool ok = open_source(crew->session, w, e) && open_target(crew->session, w, e) &&
		  set_work(w, u->table, crew->call->filter, e);

	ok = ok && pg_fenced_begin(&w->target, crew->call->fence, e) && stream_unit(crew, w, u, e) &&
	     pg_copy_put_unit(&w->target, u, crew->session->snapshot, &w->work.lines, e) && pg_commit(&w->target, e);
	end_work(w);
	if (!ok)
		err_prepend(e, u->table->quoted);
	return ok;
}

static bool run(struct pg_copy *copy, pg_job_fn *fn, size_t count, bool *all_r, struct err *e)
{
	const struct pg_settings *settings = copy->session->settings;
	struct pg_crew crew = { .session = copy->session, .call = copy->call, .fn = fn, .arg = copy, .count = count,
				.until_ms = pg_clock_ms() + settings->call_ms };
	size_t done = 0;
	bool ok;

	if (settings->call_units && crew.count > (size_t)settings->call_units)
		crew.count = (size_t)settings->call_units;
	ok = pg_crew_run(&crew, &done, e);
	*all_r = ok && done == count;
	return ok;
}

bool pg_copy_rows(struct pg_copy *copy, bool *all_r, struct err *e)
{
	size_t count;
	bool ok;

	if (!pg_copy_units(copy, false, &copy->units, &count, e))
		return false;
	ok = run(copy, copy_unit, count, all_r, e);
	free(copy->units);
	return ok;
}

/* ---- a source that may have moved since another snapshot ---- */

static bool compare_unit(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	struct pg_copy *copy = crew->arg;
	struct pg_unit *u = &copy->units[job];
	const struct pg_lines *lines = &w->work.lines;
	bool ok = open_source(crew->session, w, e) && open_target(crew->session, w, e) &&
		  set_work(w, u->table, crew->call->filter, e);

	ok = ok && (select_unit(&w->sql, u) || too_long(u->table, e)) && pg_copy_out(&w->source, buf_text(&w->sql), e) &&
	     pg_crew_stream(crew, w, &w->source, NULL, e);
	end_work(w);
	if (!ok)
		return false;
	u->differs = lines->rows != u->rows || lines->checksum != u->checksum;
	return u->differs || (pg_fenced_begin(&w->target, crew->call->fence, e) &&
			      pg_copy_put_unit(&w->target, u, crew->session->snapshot, lines, e) && pg_commit(&w->target, e));
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
	ok = run(copy, compare_unit, count, all_r, e);
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

static bool read_back(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	struct pg_copy *copy = crew->arg;
	const struct pg_unit *u = &copy->units[job];
	const struct pg_lines *lines = &w->work.lines;
	char n[24];
	bool ok = open_target(crew->session, w, e) && set_work(w, u->table, NULL, e);

	snprintf(n, sizeof n, "%" PRId64, u->n);
	w->work.lines = (struct pg_lines){ 0 };
	if (ok && u->table->has_rows)
		ok = (copy_table(&w->sql, u->table, "TO STDOUT") || too_long(u->table, e)) &&
		     pg_copy_out(&w->target, buf_text(&w->sql), e) && pg_crew_stream(crew, w, &w->target, NULL, e);
	end_work(w);
	if (!ok)
		return false;
	if (lines->rows != u->rows || lines->checksum != u->checksum)
		return err_set(e, ERR_REFUSED, 0, "sql",
			       "table %s was read back different: %" PRId64 " rows written, %" PRId64 " read, checksum %s",
			       u->table->quoted, u->rows, lines->rows, lines->checksum == u->checksum ? "equal" : "different");
	return pg_fenced_begin(&w->target, crew->call->fence, e) &&
	       PG_DO(&w->target, "UPDATE public.sandbox_copy SET checked = 1 WHERE n = $1", e, n) && pg_commit(&w->target, e);
}

bool pg_copy_read_back(struct pg_copy *copy, bool *all_r, struct err *e)
{
	size_t count;
	bool ok;

	if (!pg_copy_tables(copy, &copy->units, &count, e))
		return false;
	ok = run(copy, read_back, count, all_r, e);
	free(copy->units);
	return ok;
}
