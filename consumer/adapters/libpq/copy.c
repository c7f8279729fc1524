/* SPDX-License-Identifier: Apache-2.0
 * copy_next: some units of the copy of a source into the generation.
 *
 *   rows      units of tables go through the filter, one stream and transaction each, in one snapshot of the source;
 *   compare   units that were copied in another snapshot, by a process that died, are compared with this one; a table
 *             of which one differs is copied again: the copy is the source at one moment;
 *   read back each table is read and has to have the rows and the checksum of what was written;
 *   objects   keys, indexes, views, triggers, key counters;
 *   finished. */
#include "consumer/adapters/libpq/copy.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { STARTS_MAX = 5 };

/* ---- the source ---- */

static bool take_snapshot(struct pg_session *s, struct err *e)
{
	PGresult *r;
	int64_t random;

	if (!pg_do(&s->exporter, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0, e))
		return false;
	r = pg_query(&s->exporter, "SELECT pg_export_snapshot()", NULL, 0, e);
	if (!r)
		return false;
	snprintf(s->exported, sizeof s->exported, "%s", PQgetvalue(r, 0, 0));
	PQclear(r);
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "the system gave no random bytes");
	s->snapshot = (random & INT64_MAX) | 1; /* neither 0 nor negative */
	return true;
}

/* Production is not held to an old state longer than rows are read: an idle transaction is ended by the server. */
static bool see_source(struct pg_copy *copy, struct err *e)
{
	struct pg_session *s = copy->session;
	bool reads_rows = !copy->found || copy->run != copy->call->fence->run || copy->phase < COPY_READ_BACK;

	if (s->schema.mem && (s->snapshot || !reads_rows))
		return true;
	pg_session_leave_source(s);
	pg_schema_done(&s->schema);
	if (!pg_open(&s->exporter, s->settings, PG_SOURCE, s->source, e) || !take_snapshot(s, e) ||
	    !pg_schema_read(&s->exporter, PG_SCHEMA_ALL, &s->schema, e)) {
		err_prepend(e, "source");
		return false;
	}
	if (!reads_rows)
		pg_session_leave_source(s);
	return true;
}

/* ---- beginning ---- */

static bool make_tables(struct pg_copy *copy, struct err *e)
{
	struct pg_session *s = copy->session;

	return pg_fenced_begin(&s->own, copy->call->fence, e) && pg_schema_drop(&s->own, e) &&
	       pg_objects_make(&s->own, &s->schema.before, e) && pg_copy_enter(copy, e) && pg_copy_write(copy, e) &&
	       pg_fenced_end(&s->own, copy->call->fence, NULL, e);
}

/* A run makes its own copy: what an earlier run of the clone made was changed by its later steps. */
static bool begin_if_needed(struct pg_copy *copy, struct err *e)
{
	const char *schema = copy->session->schema.hash;
	bool mine = copy->found && copy->run == copy->call->fence->run;
	bool moved = mine && copy->phase < COPY_FINISHED && strcmp(copy->schema, schema) != 0;

	if (mine && !moved)
		return true;
	if (moved && copy->starts >= STARTS_MAX)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "the tables of the source were changed %d times during the copy",
			       STARTS_MAX);
	copy->starts = moved ? copy->starts + 1 : 0;
	copy->run = copy->call->fence->run;
	copy->phase = COPY_ROWS;
	copy->found = true;
	copy->snapshot = copy->session->snapshot;
	snprintf(copy->schema, sizeof copy->schema, "%s", schema);
	return make_tables(copy, e);
}

/* ---- phases ---- */

static bool advance(struct pg_copy *copy, struct err *e)
{
	bool all = false, differ = false;

	switch (copy->phase) {
	case COPY_ROWS:
		if (!pg_copy_rows(copy, &all, e))
			return false;
		break;
	case COPY_COMPARE:
		if (!pg_copy_compare(copy, &all, &differ, e))
			return false;
		if (differ) {
			copy->phase = COPY_ROWS;
			return true;
		}
		if (all)
			pg_session_leave_source(copy->session);
		break;
	case COPY_READ_BACK:
		if (!pg_copy_read_back(copy, &all, e))
			return false;
		break;
	case COPY_OBJECTS:
		if (!pg_copy_objects(copy, &all, e) || (all && !pg_copy_finish(copy, e)))
			return false;
		break;
	case COPY_FINISHED:
		return true;
	}
	if (all)
		copy->phase++;
	return true;
}

static bool remember(struct pg_copy *copy, struct sql_pages *pages, struct err *e)
{
	struct pg *own = &copy->session->own;

	if (!pg_fenced_queue(own, e) || !pg_copy_write(copy, e) || !pg_copy_totals(copy, pages, e))
		return false;
	snprintf(pages->cursor, sizeof pages->cursor, "run %d phase %d", copy->run, (int)copy->phase);
	return pg_queue_ledger(own, copy->call->fence, pages->rows, pages->cursor, e) &&
	       pg_fenced_end(own, copy->call->fence, NULL, e);
}

/* A snapshot is the session's: another one's tables are compared before the rows count as copied. */
static void follow_snapshot(struct pg_copy *copy)
{
	if (copy->session->snapshot && copy->phase < COPY_READ_BACK)
		copy->snapshot = copy->session->snapshot;
}

bool pg_copy_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e)
{
	struct pg_copy copy = { .session = session, .call = call };
	struct sql_pages next = { 0 };

	if (!pg_open(&session->own, session->settings, PG_TARGET, session->target, e) ||
	    !pg_copy_read(&copy, e) || !see_source(&copy, e) || !begin_if_needed(&copy, e))
		return false;
	follow_snapshot(&copy);
	if (!advance(&copy, e) || !remember(&copy, &next, e))
		return false;
	next.finished = copy.phase == COPY_FINISHED;
	*pages = next;
	return true;
}
