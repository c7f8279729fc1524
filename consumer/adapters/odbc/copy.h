/* SPDX-License-Identifier: Apache-2.0
 * What the copy remembers in the generation itself (handlers/sql/<dialect>/_core.sql), so that it goes on where it
 * was, whoever goes on. */
#ifndef SANDBOX_ODBC_COPY_H
#define SANDBOX_ODBC_COPY_H

#include "consumer/adapters/odbc/pass.h"

enum copy_phase { COPY_ROWS, COPY_COMPARE, COPY_LATER, COPY_FINISHED };
enum table_phase { TABLE_ROWS, TABLE_READ_BACK, TABLE_DONE, TABLE_COMPARE }; /* the last one by rows_copy.c alone */

enum { SNAPSHOT_NONE = 0, SNAPSHOT_MIXED = -1 };

struct copy_run {
	bool found;
	int run;
	enum copy_phase phase;
	int64_t source_schema, starts;
};

struct copy_table {
	bool found;
	int64_t n;
	char name[NAME_BYTES];
	enum table_phase phase;
	int64_t snapshot;
	struct position at, back_at;
	int64_t bytes, cells_changed;
	uint64_t checksum, back_checksum;
};

struct copy { /* one call of copy_next */
	struct odbc_port *port;
	struct conn *conn;
	const struct sql_filter *filter;
	struct copy_run run;
	int64_t rows_left; /* of what this call may move */
	struct copy_table last; /* that a page was moved of; not found: none in this call */
};

bool copy_read_run(struct copy *copy, struct err *e);
bool copy_write_run(struct copy *copy, struct err *e);
/* The first table that is not done; or with older_than the first one read in another snapshot. */
bool copy_next_table(struct copy *copy, int64_t older_than, struct copy_table *table_r, struct err *e);
bool copy_write_table(struct copy *copy, const struct copy_table *table, struct err *e);
bool copy_totals(struct copy *copy, struct sql_pages *pages, struct err *e);

/* ---- copy_tables.c: one table ---- */

/* Copies the table's next page, or reads the next one back; moves the table's phase on. */
bool copy_table_page(struct copy *copy, struct copy_table *table, struct err *e);
/* Is the table what the source holds now? If not, empties it and copies it whole. In the transaction under way. */
bool copy_table_again(struct copy *copy, struct copy_table *table, struct err *e);

/* ---- copy_schema.c: everything but rows ---- */

/* Empties the generation and makes the source's tables. */
bool copy_tables(struct copy *copy, struct err *e);
/* Makes some of the indexes, views and triggers that are still missing; *more_r tells whether there are others. */
bool copy_later_objects(struct copy *copy, bool *more_r, struct err *e);
/* Makes it the source's to count keys that the tables do not show. */
bool copy_sequences(struct copy *copy, struct err *e);

#endif
