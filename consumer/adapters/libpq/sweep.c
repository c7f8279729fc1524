/* SPDX-License-Identifier: Apache-2.0
 * The cursor says how many tables are done and which page is next in the one under way. Masking writes only rows that
 * change, without their table's triggers. When any did, what was copied was not as it should be: all tables are made
 * anew in the end, because updates and deletes, also those of the rules, leave the old rows in their pages. */
#include "consumer/adapters/libpq/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 1600, STATEMENT_MAX = 1 << 20 };
#define LAST_PAGE      INT64_C(4294967295)
#define CHANGED_MAX    ((size_t)512 << 20)
static const char finished_word[] = "finished";

struct sweep {
	struct pg_session *session;
	const struct passes_call *call;
	struct sql_pages *pages;
	bool writes;
	int64_t next_page; /* of the table under way */
	const struct pg_table *table;
	const struct pg_column *columns[COLUMNS_MAX + 1]; /* of a stream: the row's place comes first */
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

static bool too_long(const struct sweep *s, struct err *e)
{
	return err_set(e, ERR_REFUSED, 0, "sql", "the statement for table %s is too long", s->table->quoted);
}

static bool select_pages(struct sweep *s, struct buf *sql, int64_t end)
{
	bool ok;

	s->columns[0] = &place_column;
	s->count = 1;
	buf_clear(sql);
	ok = buf_add_text(sql, "COPY (SELECT ctid");
	for (size_t i = 0; ok && i < s->table->count; i++) {
		const struct pg_column *c = &s->table->columns[i];

		if (!c->is_text || (s->writes && c->is_generated))
			continue;
		s->columns[s->count++] = c;
		ok = buf_add_text(sql, ", ") && buf_add_text(sql, c->quoted);
	}
	return ok && buf_printf(sql, " FROM ONLY %s WHERE ctid >= '(%" PRId64 ",0)' AND ctid < '(%" PRId64 ",0)') TO STDOUT",
				s->table->quoted, s->next_page, end);
}

/* The old line is only looked at; what the filter changed is kept as the line that it should be. */
static bool see_line(struct sweep *s, struct pg_line_work *work, const char *line, size_t len, struct err *e)
{
	int64_t before = work->lines.cells_changed;
	size_t start = s->changed.len;

	if (!pg_line(work, line, len, e))
		return false;
	if (!s->writes || work->lines.cells_changed > before)
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

static bool see_pages(struct sweep *s, struct pg_worker *w, int64_t end, struct err *e)
{
	const struct sql_filter look = { only_look, (void *)(uintptr_t)s->call->filter };
	size_t len = 0;
	char *line;
	bool ok;

	if (!select_pages(s, &w->sql, end))
		return too_long(s, e);
	w->work.table = s->table->name;
	w->work.columns = s->columns;
	w->work.count = s->count;
	w->work.filter = s->writes ? s->call->filter : &look;
	w->work.out = s->writes ? &s->changed : NULL;
	w->work.lines = (struct pg_lines){ 0 };
	buf_clear(&s->changed);
	if (!pg_copy_out(&s->session->own, buf_text(&w->sql), e))
		return false;
	do {
		ok = pg_copy_line(&s->session->own, &line, &len, e);
		if (ok && line)
			ok = see_line(s, &w->work, line, len, e);
		PQfreemem(line);
	} while (ok && line);
	w->work.columns = NULL;
	w->work.filter = NULL;
	return ok;
}

/* ---- rewriting ---- */

static bool alter_triggers(struct sweep *s, struct pg_worker *w, const char *how, struct err *e)
{
	buf_clear(&w->sql);
	if (!buf_printf(&w->sql, "ALTER TABLE %s %s TRIGGER USER", s->table->quoted, how))
		return too_long(s, e);
	return pg_do(&s->session->own, buf_text(&w->sql), NULL, 0, e);
}

/* The changed rows are put beside the table as they are to be, and laid over it by their place. */
static bool lay_over(struct sweep *s, struct pg_worker *w, struct err *e)
{
	struct pg *own = &s->session->own;
	struct buf *sql = &w->sql;
	bool ok = true;

	buf_clear(sql);
	ok = buf_add_text(sql, "CREATE TEMP TABLE sandbox_changed ON COMMIT DROP AS SELECT ctid AS \"sandbox place\"");
	for (size_t i = 1; ok && i < s->count; i++)
		ok = buf_printf(sql, ", %s", s->columns[i]->quoted);
	if (!ok || !buf_printf(sql, " FROM %s WITH NO DATA", s->table->quoted))
		return too_long(s, e);
	if (!pg_do(own, buf_text(sql), NULL, 0, e) || !pg_copy_in(own, "COPY pg_temp.sandbox_changed FROM STDIN", e) ||
	    !pg_copy_end(own, pg_copy_put(own, buf_text(&s->changed), s->changed.len, e), e))
		return false;
	buf_clear(sql);
	ok = buf_printf(sql, "UPDATE ONLY %s AS t SET ", s->table->quoted);
	for (size_t i = 1; ok && i < s->count; i++)
		ok = buf_printf(sql, "%s%s = c.%s", i > 1 ? ", " : "", s->columns[i]->quoted, s->columns[i]->quoted);
	if (!ok || !buf_add_text(sql, " FROM pg_temp.sandbox_changed AS c WHERE t.ctid = c.\"sandbox place\""))
		return too_long(s, e);
	return pg_do(own, buf_text(sql), NULL, 0, e) && pg_do(own, "DROP TABLE pg_temp.sandbox_changed", NULL, 0, e);
}

static bool rewrite(struct sweep *s, struct pg_worker *w, struct err *e)
{
	if (s->changed.len == 0)
		return true;
	if (!s->table->is_stored)
		return err_set(e, ERR_REFUSED, 0, "sql", "the texts of %s were computed when it was made: it has to be refreshed",
			       s->table->quoted);
	return alter_triggers(s, w, "DISABLE", e) && lay_over(s, w, e) && alter_triggers(s, w, "ENABLE", e);
}

/* The samples of the statistics are texts of rows too, and the old ones lie in a table like any other. */
static bool settle(struct sweep *s, struct err *e)
{
	return pg_do(&s->session->own, "VACUUM (FULL, ANALYZE)", NULL, 0, e) &&
	       pg_do(&s->session->own, "VACUUM (FULL) pg_catalog.pg_statistic", NULL, 0, e);
}

/* ---- passes ---- */

static void end_table(struct sweep *s)
{
	s->pages->tables_done++;
	s->next_page = 0;
}

static bool one_stretch(struct sweep *s, struct err *e)
{
	struct pg_worker *w = &s->session->workers[0];
	int64_t end = s->next_page + s->session->settings->unit_pages;
	bool is_last = end >= s->table->pages;

	if (!see_pages(s, w, is_last ? LAST_PAGE : end, e) || !rewrite(s, w, e))
		return false;
	s->pages->rows += w->work.lines.rows;
	s->pages->bytes += w->work.lines.bytes;
	s->pages->cells_changed += w->work.lines.cells_changed;
	s->next_page = end;
	snprintf(s->pages->table, sizeof s->pages->table, "%.*s", (int)sizeof s->pages->table - 1, s->table->name);
	return true;
}

static bool is_over(const struct sweep *s)
{
	const struct pg_table *t = s->table;

	return !t->has_rows || (s->next_page > 0 && s->next_page >= t->pages) || (s->writes && !t->is_stored);
}

/* Settling comes in no transaction, before the cursor says that all is done. */
static bool mask_stretch(struct sweep *s, struct err *e)
{
	struct pg *own = &s->session->own;

	if (is_over(s))
		end_table(s);
	s->pages->finished = s->pages->tables_done >= s->pages->tables_total;
	if (s->pages->finished && s->pages->cells_changed && !settle(s, e))
		return false;
	if (!s->pages->finished)
		s->table = &s->session->schema.tables[s->pages->tables_done];
	if (!pg_fenced_begin(own, s->call->fence, e) || (!s->pages->finished && !is_over(s) && !one_stretch(s, e)))
		return false;
	write_cursor(s);
	return pg_put_ledger(own, s->call->fence, s->pages->rows, s->pages->cursor, e) && pg_commit(own, e);
}

static bool scan_stretch(struct sweep *s, struct err *e)
{
	if (is_over(s))
		end_table(s);
	else if (!one_stretch(s, e))
		return false;
	s->pages->finished = s->pages->tables_done >= s->pages->tables_total;
	write_cursor(s);
	return true;
}

static bool begin(struct sweep *s, struct err *e)
{
	struct pg_session *session = s->session;

	if (!s->call->filter || !s->call->filter->cell)
		return err_set(e, ERR_MISUSE, 0, "sql", "a pass over texts needs a filter");
	buf_init(&s->changed, CHANGED_MAX);
	if (!read_cursor(s, e) || !pg_open(&session->own, session->settings, PG_TARGET, session->target, e) ||
	    (!session->schema.mem && !pg_schema_read(&session->own, PG_SCHEMA_TEXTS, &session->schema, e)))
		return false;
	s->pages->tables_total = (int64_t)session->schema.count;
	return true;
}

static bool pass(struct sweep *s, struct err *e)
{
	int64_t until_ms = pg_clock_ms() + s->session->settings->call_ms, units = s->session->settings->call_units;
	bool ok = begin(s, e);

	for (int64_t i = 0; ok && !s->pages->finished && (i == 0 || pg_clock_ms() < until_ms) && (!units || i < units); i++) {
		if (s->pages->tables_done < s->pages->tables_total)
			s->table = &s->session->schema.tables[s->pages->tables_done];
		else
			s->table = NULL;
		if (!s->table) {
			s->pages->finished = true;
			write_cursor(s);
			break;
		}
		ok = s->writes ? mask_stretch(s, e) : scan_stretch(s, e);
	}
	buf_done(&s->changed);
	return ok;
}

bool pg_mask_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	struct sql_pages next = *pages;
	struct sweep s = { .session = session, .call = call, .pages = &next, .writes = true };

	if (!pass(&s, e))
		return false;
	*pages = next;
	return true;
}

bool pg_scan_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	struct sql_pages next = *pages;
	struct sweep s = { .session = session, .call = call, .pages = &next };

	if (!pass(&s, e))
		return false;
	*pages = next;
	return true;
}
