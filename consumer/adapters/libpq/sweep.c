/* SPDX-License-Identifier: Apache-2.0
 * The cursor says how many tables are done and which page is next in the one under way. Masking writes only rows that
 * change, without their table's triggers. When any did, what was copied was not as it should be: all tables are made
 * anew in the end, because updates and deletes, also those of the rules, leave the old rows in their pages. */
#include "consumer/adapters/libpq/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 1600, AHEAD_MAX = 64 };
#define LAST_PAGE      INT64_C(4294967295)
#define CHANGED_MAX    ((size_t)512 << 20)
static const char finished_word[] = "finished";

struct stretch { /* pages of a table */
	const struct pg_table *table;
	int64_t first_page, end_page;
	struct pg_lines lines; /* what was seen in it */
};

struct sweep {
	struct pg_session *session;
	const struct passes_call *call;
	struct sql_pages *pages;
	bool writes;
	int64_t next_page; /* of the table under way */
	struct stretch ahead[AHEAD_MAX];
	const struct pg_column *columns[COLUMNS_MAX + 1]; /* of a rewrite: the row's place comes first */
	size_t count;
	struct buf changed; /* lines of rows that have to be rewritten, one behind the other */
};

static const struct pg_column place_column = { .name = "ctid", .is_exact = true };

/* ---- cursor ---- */

static bool read_cursor(struct sweep *s, struct err *e)
{
	struct sql_pages *p = s->pages;

	p->finished = strncmp(p->cursor, finished_word, strlen(finished_word)) == 0;
	if (!p->cursor[0])
		return true;
	return sscanf(p->cursor, "%*s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &p->tables_done,
		      &s->next_page, &p->rows, &p->bytes, &p->cells_changed) == 5 ||
	       err_set(e, ERR_MISUSE, 0, "sql", "the cursor of a pass is damaged");
}

static void write_cursor(struct sweep *s)
{
	struct sql_pages *p = s->pages;

	snprintf(p->cursor, sizeof p->cursor,
		 "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, p->finished ? finished_word : "table",
		 p->tables_done, s->next_page, p->rows, p->bytes, p->cells_changed);
}

/* ---- one stretch of pages ---- */

static bool too_long(const struct pg_table *t, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", t->quoted);
}

static bool takes_part(const struct sweep *s, const struct pg_column *c)
{
	return c->is_text && !(s->writes && c->is_generated);
}

static bool from_pages(struct buf *sql, const struct stretch *at, const char *format)
{
	return buf_printf(sql, " FROM ONLY %s WHERE ctid >= '(%" PRId64 ",0)' AND ctid < '(%" PRId64 ",0)') TO STDOUT%s",
			  at->table->quoted, at->first_page, at->end_page, format);
}

/* The columns that take part; in the binary format where all of them can. */
static size_t texts_of(const struct sweep *s, const struct pg_table *t, const struct pg_column **columns, bool *is_binary_r)
{
	size_t n = 0;

	*is_binary_r = true;
	for (size_t i = 0; i < t->count; i++) {
		if (!takes_part(s, &t->columns[i]))
			continue;
		*is_binary_r = *is_binary_r && t->columns[i].is_binary;
		columns[n++] = &t->columns[i];
	}
	return n;
}

/* The texts alone. */
static bool select_texts(const struct sweep *s, struct buf *sql, const struct stretch *at)
{
	const struct pg_column *columns[COLUMNS_MAX];
	bool is_binary, ok = true;
	size_t n = texts_of(s, at->table, columns, &is_binary);

	for (size_t i = 0; ok && i < n; i++)
		ok = buf_add_text(sql, i ? ", " : "COPY (SELECT ") && buf_add_text(sql, columns[i]->quoted);
	return ok && from_pages(sql, at, is_binary ? " (FORMAT binary)" : "") && buf_add_text(sql, ";");
}

/* The texts with the place of their row. */
static bool select_rows(struct sweep *s, struct buf *sql, const struct stretch *at)
{
	bool ok;

	s->columns[0] = &place_column;
	s->count = 1;
	buf_clear(sql);
	ok = buf_add_text(sql, "COPY (SELECT ctid");
	for (size_t i = 0; ok && i < at->table->count; i++) {
		const struct pg_column *c = &at->table->columns[i];

		if (!takes_part(s, c))
			continue;
		s->columns[s->count++] = c;
		ok = buf_add_text(sql, ", ") && buf_add_text(sql, c->quoted);
	}
	return ok && from_pages(sql, at, "");
}

/* The old line is only looked at; what the filter changed is kept as the line that it should be. */
static bool see_line(struct sweep *s, struct pg_line_work *work, const char *line, size_t len, struct err *e)
{
	int64_t before = work->lines.cells_changed;
	size_t start = s->changed.len;

	if (!pg_line(work, line, len, e))
		return false;
	if (work->lines.cells_changed > before)
		return true;
	s->changed.len = start; /* nothing in it changed */
	return true;
}

/* A scan's filter may answer what it likes. */
static enum sql_cell only_look(void *arg, const char *table, const char *column, size_t width, const char *text,
			       size_t len, struct buf *out)
{
	const struct sql_filter *filter = arg;

	filter->cell(filter->arg, table, column, width, text, len, out);
	return SQL_CELL_KEEP;
}

static bool see_pages(struct sweep *s, struct stretch *at, struct err *e)
{
	struct pg_worker *w = &s->session->workers[0];
	size_t len = 0;
	char *line;
	bool ok;

	if (!select_rows(s, &w->sql, at))
		return too_long(at->table, e);
	w->work.table = at->table->name;
	w->work.columns = s->columns;
	w->work.count = s->count;
	w->work.is_binary = false;
	w->work.filter = s->call->filter;
	w->work.out = &s->changed;
	w->work.lines = (struct pg_lines){ 0 };
	buf_clear(&s->changed);
	if (!pg_send(&s->session->own, buf_text(&w->sql), e) || !pg_copy_out(&s->session->own, e))
		return false;
	do {
		ok = pg_copy_line(&s->session->own, &line, &len, e);
		if (ok && line)
			ok = see_line(s, &w->work, line, len, e);
		PQfreemem(line);
	} while (ok && line);
	at->lines = w->work.lines;
	w->work.columns = NULL;
	w->work.filter = NULL;
	return ok;
}

/* ---- rewriting ---- */

/* What makes each of the table's triggers again as it is: some are off, or always on, and stay so. */
static PGresult *read_triggers(struct sweep *s, const struct pg_table *t, struct err *e)
{
	static const char sql[] =
		"SELECT format('ALTER TABLE %s %s TRIGGER %I', $1::text, CASE tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R'"
		" THEN 'ENABLE REPLICA' ELSE 'ENABLE' END, tgname) FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal"
		" AND tgenabled <> 'D'";

	return pg_query(&s->session->own, sql, &(const char *){ t->quoted }, 1, e);
}

static bool switch_off(struct sweep *s, const struct pg_table *t, struct err *e)
{
	struct buf *sql = &s->session->workers[0].sql;

	buf_clear(sql);
	if (!buf_printf(sql, "ALTER TABLE %s DISABLE TRIGGER USER", t->quoted))
		return too_long(t, e);
	return pg_do(&s->session->own, buf_text(sql), NULL, 0, e);
}

static bool switch_on(struct sweep *s, const PGresult *triggers, struct err *e)
{
	bool ok = true;

	for (int i = 0; ok && i < PQntuples(triggers); i++)
		ok = pg_do(&s->session->own, PQgetvalue(triggers, i, 0), NULL, 0, e);
	return ok;
}

/* The changed rows are put beside the table as they are to be, and laid over it by their place. */
static bool lay_over(struct sweep *s, const struct pg_table *t, struct err *e)
{
	struct pg *own = &s->session->own;
	struct buf *sql = &s->session->workers[0].sql;
	bool ok;

	buf_clear(sql);
	ok = buf_add_text(sql, "CREATE TEMP TABLE sandbox_changed ON COMMIT DROP AS SELECT ctid AS \"sandbox place\"");
	for (size_t i = 1; ok && i < s->count; i++)
		ok = buf_printf(sql, ", %s", s->columns[i]->quoted);
	if (!ok || !buf_printf(sql, " FROM %s WITH NO DATA", t->quoted))
		return too_long(t, e);
	if (!pg_do(own, buf_text(sql), NULL, 0, e) || !pg_send(own, "COPY pg_temp.sandbox_changed FROM STDIN", e) ||
	    !pg_copy_in(own, e) ||
	    !pg_copy_end(own, pg_copy_put(own, buf_text(&s->changed), s->changed.len, e), e))
		return false;
	buf_clear(sql);
	ok = buf_printf(sql, "UPDATE ONLY %s AS t SET ", t->quoted);
	for (size_t i = 1; ok && i < s->count; i++)
		ok = buf_printf(sql, "%s%s = c.%s", i > 1 ? ", " : "", s->columns[i]->quoted, s->columns[i]->quoted);
	if (!ok || !buf_add_text(sql, " FROM pg_temp.sandbox_changed AS c WHERE t.ctid = c.\"sandbox place\""))
		return too_long(t, e);
	return pg_do(own, buf_text(sql), NULL, 0, e) && pg_do(own, "DROP TABLE pg_temp.sandbox_changed", NULL, 0, e);
}

static bool rewrite(struct sweep *s, const struct pg_table *t, struct err *e)
{
	PGresult *triggers;
	bool ok;

	if (s->changed.len == 0)
		return true;
	triggers = read_triggers(s, t, e);
	ok = triggers && (PQntuples(triggers) == 0 || switch_off(s, t, e)) && lay_over(s, t, e) && switch_on(s, triggers, e);
	PQclear(triggers);
	return ok;
}

/* The samples of the statistics are texts of rows too, and the old ones lie in a table like any other. */
static bool settle(struct sweep *s, struct err *e)
{
	return pg_do(&s->session->own, "VACUUM (FULL, ANALYZE)", NULL, 0, e) &&
	       pg_do(&s->session->own, "VACUUM (FULL) pg_catalog.pg_statistic", NULL, 0, e);
}

/* ---- looking ahead: stretches that need no writing are read some at a time ---- */

static bool is_read(const struct sweep *s, const struct pg_table *t)
{
	bool has_texts = false;

	for (size_t i = 0; i < t->count; i++)
		has_texts |= takes_part(s, &t->columns[i]);
	return has_texts && t->has_rows && (t->is_stored || !s->writes);
}

static void skip_tables(struct sweep *s)
{
	struct sql_pages *p = s->pages;

	while (s->next_page == 0 && p->tables_done < p->tables_total && !is_read(s, &s->session->schema.tables[p->tables_done]))
		p->tables_done++;
}

static void pass_by(struct sweep *s, const struct stretch *at)
{
	struct sql_pages *p = s->pages;

	p->rows += at->lines.rows;
	p->bytes += at->lines.bytes;
	p->cells_changed += at->lines.cells_changed;
	snprintf(p->table, sizeof p->table, "%.*s", (int)sizeof p->table - 1, at->table->name);
	s->next_page = at->end_page == LAST_PAGE ? 0 : at->end_page;
	p->tables_done += at->end_page == LAST_PAGE;
	skip_tables(s);
	p->finished = p->tables_done >= p->tables_total;
}

/* What comes next, as far as there is room for it. */
static size_t plan(const struct sweep *s, struct stretch list[AHEAD_MAX])
{
	int64_t table = s->pages->tables_done, page = s->next_page, unit = s->session->settings->unit_pages;
	size_t n = 0;

	while (n < AHEAD_MAX && table < s->pages->tables_total) {
		const struct pg_table *t = &s->session->schema.tables[table];
		bool is_last = page + unit >= t->pages;

		if (page > 0 || is_read(s, t))
			list[n++] = (struct stretch){ .table = t, .first_page = page, .end_page = is_last ? LAST_PAGE : page + unit };
		page = is_last ? 0 : page + unit;
		table += is_last;
	}
	return n;
}

static bool ask(struct sweep *s, struct pg_worker *w, const struct stretch *ahead, size_t count, struct err *e)
{
	buf_clear(&w->sql);
	for (size_t i = 0; i < count; i++)
		if (!select_texts(s, &w->sql, &ahead[i]))
			return too_long(ahead[i].table, e);
	return pg_open(&w->target, s->session->settings, PG_TARGET, s->session->target, e) &&
	       pg_send(&w->target, buf_text(&w->sql), e);
}

static bool look_at(struct pg_crew *crew, struct pg_worker *w, struct stretch *at, struct err *e)
{
	const struct sweep *s = crew->arg;
	const struct sql_filter only = { only_look, (void *)(uintptr_t)s->call->filter };
	const struct pg_column *columns[COLUMNS_MAX];
	bool ok;

	w->work.table = at->table->name;
	w->work.columns = columns;
	w->work.count = texts_of(s, at->table, columns, &w->work.is_binary);
	w->work.filter = s->writes ? s->call->filter : &only;
	ok = pg_copy_out(&w->target, e) && pg_crew_stream(crew, w, &w->target, NULL, e);
	at->lines = w->work.lines;
	w->work.columns = NULL;
	w->work.filter = NULL;
	return ok;
}

static bool look(struct pg_crew *crew, struct pg_worker *w, size_t job, struct err *e)
{
	struct sweep *s = crew->arg;
	struct stretch *ahead = &s->ahead[crew->parcels[job].first];
	size_t count = crew->parcels[job].count;
	bool ok = ask(s, w, ahead, count, e);

	for (size_t i = 0; ok && i < count; i++)
		ok = look_at(crew, w, &ahead[i], e);
	return ok;
}

static int64_t pages_of(const void *arg, size_t thing)
{
	const struct stretch *at = &((const struct sweep *)arg)->ahead[thing];
	int64_t end = at->end_page < at->table->pages ? at->end_page : at->table->pages;

	return end > at->first_page ? end - at->first_page : 0;
}

/* Takes those away from the stretches ahead that are done, up to the first that has to be rewritten. */
static bool look_ahead(struct sweep *s, size_t count, struct err *e)
{
	const struct pg_settings *settings = s->session->settings;
	struct pg_crew crew = { .session = s->session, .call = s->call, .fn = look, .arg = s,
				.until_ms = pg_clock_ms() + settings->call_ms };
	size_t done;

	if (settings->call_units && count > (size_t)settings->call_units)
		count = (size_t)settings->call_units;
	if (!pg_crew_run(&crew, count, pages_of, &done, e))
		return false;
	for (size_t i = 0; i < done && !s->session->is_dirty; i++) {
		if (s->writes && s->ahead[i].lines.cells_changed > 0)
			s->session->is_dirty = true;
		else
			pass_by(s, &s->ahead[i]);
	}
	return true;
}

/* ---- passes ---- */

/* Settling comes in no transaction, before the cursor says that all is done. */
static bool keep_cursor(struct sweep *s, struct err *e)
{
	struct pg *own = &s->session->own;

	if (s->pages->finished && s->pages->cells_changed && !settle(s, e))
		return false;
	write_cursor(s);
	return pg_take_over(own, s->call->fence, e) && pg_fenced_queue(own, e) &&
	       pg_queue_ledger(own, s->call->fence, s->pages->rows, s->pages->cursor, e) &&
	       pg_fenced_end(own, s->call->fence, NULL, e);
}

static bool mask_stretch(struct sweep *s, struct stretch *at, struct err *e)
{
	struct pg *own = &s->session->own;

	if (!pg_fenced_begin(own, s->call->fence, e) || !see_pages(s, at, e) || !rewrite(s, at->table, e))
		return false;
	pass_by(s, at);
	if (s->pages->finished) /* the transaction must not hold what settling wants */
		return pg_commit(own, e) && keep_cursor(s, e);
	write_cursor(s);
	return pg_queue_ledger(own, s->call->fence, s->pages->rows, s->pages->cursor, e) &&
	       pg_fenced_end(own, s->call->fence, NULL, e);
}

/* Once something had to be rewritten more will have to be: the rest is not read twice. */
static bool one_call(struct sweep *s, struct err *e)
{
	int64_t until_ms = pg_clock_ms() + s->session->settings->call_ms, units = s->session->settings->call_units;
	size_t count = plan(s, s->ahead);
	bool ok = true;

	if (!s->writes)
		return look_ahead(s, count, e);
	if (!s->session->is_dirty) {
		int64_t before = s->pages->tables_done, page = s->next_page;

		if (!look_ahead(s, count, e))
			return false;
		if (s->pages->tables_done != before || s->next_page != page)
			return keep_cursor(s, e);
	}
	for (int64_t i = 0; ok && !s->pages->finished && (i == 0 || pg_clock_ms() < until_ms) && (!units || i < units); i++) {
		plan(s, s->ahead);
		ok = mask_stretch(s, &s->ahead[0], e);
	}
	return ok;
}

static bool begin(struct sweep *s, struct err *e)
{
	struct pg_session *session = s->session;

	if (!s->call->filter || !s->call->filter->cell)
		return err_set(e, ERR_MISUSE, 0, "sql", "a pass over texts needs a filter");
	if (!read_cursor(s, e) || !pg_open(&session->own, session->settings, PG_TARGET, session->target, e) ||
	    (!session->schema.mem && !pg_schema_read(&session->own, PG_SCHEMA_TEXTS, &session->schema, e)))
		return false;
	s->pages->tables_total = (int64_t)session->schema.count;
	skip_tables(s);
	return true;
}

static bool pass(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, bool writes, struct err *e)
{
	struct sql_pages next = *pages;
	struct sweep s = { .session = session, .call = call, .pages = &next, .writes = writes };
	bool ok;

	buf_init(&s.changed, CHANGED_MAX);
	ok = begin(&s, e);
	if (ok && !next.finished && next.tables_done >= next.tables_total) {
		next.finished = true;
		ok = !writes || keep_cursor(&s, e);
	} else if (ok && !next.finished) {
		ok = one_call(&s, e);
	}
	buf_done(&s.changed);
	if (!ok)
		return false;
	write_cursor(&s);
	*pages = next;
	return true;
}

bool pg_mask_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	return pass(session, call, pages, true, e);
}

bool pg_scan_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	return pass(session, call, pages, false, e);
}
