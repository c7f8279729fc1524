/* SPDX-License-Identifier: Apache-2.0
 * A database's catalogue: its tables with their columns, and everything that is no row as the statements that make it. */
#ifndef SANDBOX_LIBPQ_SCHEMA_H
#define SANDBOX_LIBPQ_SCHEMA_H

#include "consumer/adapters/libpq/copy_text.h"
#include "consumer/adapters/libpq/pg.h"
#include "handlers/base/arena.h"

struct pg_table {
	const char *name;   /* as filters know it */
	const char *quoted; /* with its schema */
	struct pg_column *columns;
	size_t count;
	int64_t pages, expected; /* of the server's statistics, roughly */
	bool is_binary;          /* all that is copied of it can go in the binary format */
	bool has_rows;           /* false for one that only unites its partitions */
	bool is_stored;          /* false for a materialized view: read by scans only */
};

struct pg_object {
	const char *name; /* unique in its list */
	const char *sql;
	int64_t place; /* what comes first */
	int64_t pages; /* of the table that has to be read for it */
};

struct pg_objects {
	struct pg_object *object;
	size_t count;
};

struct pg_schema {
	struct arena *mem;
	struct pg_table *tables;
	size_t count;
	struct pg_objects before, after; /* to be made before the rows and after them */
	char hash[40];                   /* of all of it */
};

enum pg_schema_part {
	PG_SCHEMA_ALL,   /* to copy it: tables and all objects */
	PG_SCHEMA_TEXTS, /* to look at it: tables and materialized views alone */
};

/* What cannot be copied is REFUSED by name. */
bool pg_schema_read(struct pg *pg, enum pg_schema_part part, struct pg_schema *schema_r, struct err *e);
void pg_schema_done(struct pg_schema *schema);

/* Removes everything but the cloner's own tables, in the transaction under way. */
bool pg_schema_drop(struct pg *pg, struct err *e);
/* Executes statements that may depend on each other: those that fail are tried again after the others. */
bool pg_objects_make(struct pg *pg, const struct pg_objects *objects, struct err *e);

#endif
