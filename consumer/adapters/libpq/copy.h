/* SPDX-License-Identifier: Apache-2.0
 * Between the files of the copy. What it remembers is in the generation (handlers/sql/postgresql/_core.sql). */
#ifndef SANDBOX_LIBPQ_COPY_H
#define SANDBOX_LIBPQ_COPY_H

#include "consumer/adapters/libpq/session.h"

enum copy_phase { COPY_ROWS, COPY_COMPARE, COPY_READ_BACK, COPY_OBJECTS, COPY_FINISHED };

struct pg_unit { /* pages of a table that are copied in one transaction */
	const struct pg_table *table;
	int64_t n, first_page, end_page;
	int64_t rows;
	uint64_t checksum;
	bool differs;          /* found by comparing */
	struct pg_lines lines; /* what was seen of it in this call */
};

struct pg_copy { /* one call of copy_next */
	struct pg_session *session;
	const struct passes_call *call;
	bool found;
	int run, starts;
	enum copy_phase phase;
	int64_t snapshot;
	char schema[40];
	struct pg_unit *units; /* of the jobs under way */
};

bool pg_copy_next(struct pg_session *session, const struct passes_call *call, struct sql_pages *pages, struct err *e);

/* ---- copy_state.c ---- */

/* Takes the generation over, and reads what is remembered. */
bool pg_copy_read(struct pg_copy *copy, struct err *e);
/* Queues what is remembered of the run. */
bool pg_copy_write(struct pg_copy *copy, struct err *e);
/* Ends the queue with the question for the totals. */
bool pg_copy_totals(struct pg_copy *copy, struct sql_pages *pages, struct err *e);
/* Empties what is remembered, and enters the tables and their units. */
bool pg_copy_enter(struct pg_copy *copy, struct err *e);
/* The units that are not done, or that are done in another snapshot; free() them. */
bool pg_copy_units(struct pg_copy *copy, bool done, struct pg_unit **units_r, size_t *count_r, struct err *e);
/* Queues that the unit's lines were seen in the snapshot. */
bool pg_copy_put_unit(struct pg *target, const struct pg_unit *unit, int64_t snapshot, struct err *e);
/* The tables that were not read back yet, as units: what they have to hold. */
bool pg_copy_tables(struct pg_copy *copy, struct pg_unit **units_r, size_t *count_r, struct err *e);

/* ---- copy_rows.c, copy_objects.c: one call's worth of a phase; *all_r when nothing of it is left ---- */

bool pg_copy_rows(struct pg_copy *copy, bool *all_r, struct err *e);
bool pg_copy_compare(struct pg_copy *copy, bool *all_r, bool *differ_r, struct err *e);
bool pg_copy_read_back(struct pg_copy *copy, bool *all_r, struct err *e);
bool pg_copy_objects(struct pg_copy *copy, bool *all_r, struct err *e);
/* Key counters. */
bool pg_copy_finish(struct pg_copy *copy, struct err *e);

#endif
