/* SPDX-License-Identifier: Apache-2.0
 * copy_next: one page of the copy of a source into the generation, in one transaction with what it remembers.
 *
 *   rows      table after table is copied through the filter and read back;
 *   compare   where the source moved meanwhile, its tables are compared again in one snapshot, and what differs is
 *             copied again in that same transaction: the copy is the source as it was at one moment;
 *   later     indexes, views, triggers, key counters;
 *   finished  everything is brought to disk.
 *
 * The source is attached to the generation's connection, read only; one transaction sees one snapshot of it and lets
 * it go at its end, so production is held up by one page at a time, and by the comparison only when it moved. */
#include "consumer/adapters/odbc/copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { STARTS_MAX = 5 };

static const struct sql_paging *paging_of(const struct odbc_port *p)
{
	return server_dialect(p->server)->paging;
}

/* ---- the source beside the generation ---- */

static bool attach(struct odbc_port *p, struct conn *c, struct err *e)
{
	struct pass *pass = p->pass;
	char identity[80];
	int64_t attached = 0;
	bool found;

	if (!server_dialect(p->server)->files->identity(server_settings(p->server), p->source, identity,
							sizeof identity, e))
		return false;
	if (strcmp(pass->source, p->source) == 0 && strcmp(pass->source_identity, identity) == 0)
		return true;
	pass->source[0] = '\0';
	pass->snapshot = SNAPSHOT_NONE;
	if (!conn_number(c, paging_of(p)->source_is_attached, NULL, 0, &attached, &found, e) ||
	    (attached && !conn_exec(c, paging_of(p)->detach_source, NULL, 0, NULL, e)))
		return false;
	buf_clear(&pass->sql);
	if (!paging_of(p)->attach_source(server_settings(p->server), p->source, &pass->sql))
		return err_set(e, ERR_REFUSED, 0, "sql", "the source cannot be attached under that name");
	if (!conn_exec(c, buf_text(&pass->sql), NULL, 0, NULL, e)) {
		err_prepend(e, "source");
		return false;
	}
	snprintf(pass->source, sizeof pass->source, "%s", p->source);
	snprintf(pass->source_identity, sizeof pass->source_identity, "%s", identity);
	return true;
}

/* A number for the state of the source that this transaction sees: the same until somebody changes it. Unknown after
 * every start of a process, hence random. */
static bool pin_snapshot(struct odbc_port *p, struct conn *c, int64_t *schema_r, struct err *e)
{
	struct pass *pass = p->pass;
	int64_t version = 0, ignored, random;
	bool found;

	if (!conn_number(c, paging_of(p)->pin_source, NULL, 0, &ignored, &found, e) ||
	    !conn_number(c, paging_of(p)->source_version, NULL, 0, &version, &found, e) ||
	    !conn_number(c, paging_of(p)->source_schema, NULL, 0, schema_r, &found, e))
		return false;
	if (pass->snapshot != SNAPSHOT_NONE && version == pass->source_version)
		return true;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		return err_set(e, ERR_TRANSIENT, 0, "sql", "the system gave no random bytes");
	pass->source_version = version;
	pass->snapshot = (random & INT64_MAX) | 1; /* neither 0 nor negative */
	return true;
}

static bool exists(const struct odbc_port *p, const char *database, struct err *e)
{
	bool there = false;

	if (!database[0])
		return err_set(e, ERR_MISUSE, 0, "sql", "this step has no source");
	return server_dialect(p->server)->files->exists(server_settings(p->server), database, &there, e) &&
	       (there || err_set(e, ERR_REFUSED, 0, "sql", "there is no source database %s", database));
}

/* ---- phases ---- */

/* A run makes its own copy: what an earlier run of the clone made was changed by its later steps. */
static bool begin_if_needed(struct copy *copy, const struct fence *f, int64_t schema, struct err *e)
{
	bool moved = copy->run.found && copy->run.run == f->run && copy->run.phase < COPY_FINISHED &&
		     copy->run.source_schema != schema;

	if (copy->run.found && copy->run.run == f->run && !moved)
		return true;
	if (moved && copy->run.starts >= STARTS_MAX)
		return err_set(e, ERR_TRANSIENT, 0, "sql",
			       "the tables of the source were changed %d times during the copy", STARTS_MAX);
	copy->run = (struct copy_run){
		.found = true, .run = f->run, .source_schema = schema, .starts = moved ? copy->run.starts + 1 : 0
	};
	return copy_tables(copy, e);
}

static bool rows_phase(struct copy *copy, struct err *e)
{
	struct copy_table table;

	do {
		if (!copy_next_table(copy, SNAPSHOT_NONE, &table, e))
			return false;
		if (!table.found) {
			copy->run.phase = COPY_COMPARE;
			return true;
		}
		if (!copy_table_page(copy, &table, e) || !copy_write_table(copy, &table, e))
			return false;
		copy->last = table;
	} while (copy->rows_left > 0);
	return true;
}

static bool compare_phase(struct copy *copy, struct err *e)
{
	struct copy_table table;

	for (;;) {
		if (!copy_next_table(copy, copy->port->pass->snapshot, &table, e))
			return false;
		if (!table.found)
			break;
		if (!copy_table_again(copy, &table, e) || !copy_write_table(copy, &table, e))
			return false;
	}
	copy->run.phase = COPY_LATER;
	return true;
}

static bool later_phase(struct copy *copy, struct err *e)
{
	bool more;

	if (!copy_later_objects(copy, &more, e))
		return false;
	if (more)
		return true;
	copy->run.phase = COPY_FINISHED;
	return copy_sequences(copy, e);
}

/* Where nothing raw is read any more, what an index needs to be sorted may go to files, and not only into memory. Tables
 * of the session go with the change, hence outside of a transaction. */
static bool sort_on_disk(struct odbc_port *p, struct conn *c, bool on_disk, struct err *e)
{
	const struct sql_inside *inside = server_settings(p->server)->views ? paging_of(p)->inside : NULL;

	if (!inside || p->pass->sorts_on_disk == on_disk)
		return true;
	for (const char *const *sql = on_disk ? inside->sort_on_disk : inside->sort_in_memory; *sql; sql++)
		if (!conn_exec(c, *sql, NULL, 0, NULL, e))
			return false;
	p->pass->sorts_on_disk = on_disk;
	return pass_session(p, c, e);
}

/* The cursor tells it also to whoever takes over. */
static bool is_later(const char *cursor)
{
	int run, phase = 0;

	return sscanf(cursor, "run %d phase %d", &run, &phase) == 2 && phase == COPY_LATER;
}

static bool advance(struct copy *copy, const struct fence *f, struct err *e)
{
	int64_t schema;

	if (!pin_snapshot(copy->port, copy->conn, &schema, e) || !copy_read_run(copy, e) ||
	    !begin_if_needed(copy, f, schema, e))
		return false;
	switch (copy->run.phase) {
	case COPY_ROWS:
		return rows_phase(copy, e);
	case COPY_COMPARE:
		return compare_phase(copy, e);
	case COPY_LATER:
		return later_phase(copy, e);
	default:
		return true;
	}
}

static bool remember(struct copy *copy, const struct fence *f, struct sql_pages *pages, struct err *e)
{
	if (!copy_write_run(copy, e) || !copy_totals(copy, pages, e))
		return false;
	pages->table_rows = copy->last.at.rows;
	pages->table_bytes = copy->last.bytes;
	snprintf(pages->table, sizeof pages->table, "%.*s", (int)sizeof pages->table - 1, copy->last.name);
	snprintf(pages->cursor, sizeof pages->cursor, "run %d phase %d", copy->run.run, (int)copy->run.phase);
	return ledger_set(copy->port, copy->conn, f, pages->rows, pages->cursor, e);
}

static bool copy_next(struct sql_port *self, const struct fence *f, const struct sql_filter *filter,
		      struct sql_pages *pages, struct err *e)
{
	struct odbc_port *p = port_of(self);
	struct copy copy = { .port = p, .filter = filter, .rows_left = (int64_t)server_settings(p->server)->page_rows };
	struct sql_pages next = { 0 };

	if (!exists(p, p->source, e))
		return false;
	copy.conn = pass_conn(p, e);
	if (!copy.conn || !attach(p, copy.conn, e) || !sort_on_disk(p, copy.conn, is_later(pages->cursor), e) ||
	    !fenced_begin(p, copy.conn, f, e))
		return false;
	if (!advance(&copy, f, e) || !remember(&copy, f, &next, e) || !conn_commit(copy.conn, e)) {
		conn_rollback(copy.conn);
		pass_rolled_back(p->pass);
		return false;
	}
	next.finished = copy.run.phase == COPY_FINISHED;
	if (next.finished && (!sort_on_disk(p, copy.conn, false, e) || !pass_settle(p, copy.conn, e)))
		return false;
	*pages = next;
	return true;
}

void port_copy(struct sql_port *port)
{
	port->copy_next = copy_next;
}
