/* SPDX-License-Identifier: Apache-2.0
 * The parts of the seed: what tables there are (schema.csv, extras.csv), what is in them (content.txt), how a value is
 * made from its text, and where it goes. */
#ifndef SANDBOX_SEED_SEED_PRIV_H
#define SANDBOX_SEED_SEED_PRIV_H

#include "compose/seed/seed.h"
#include "handlers/base/arena.h"
#include "handlers/base/buf.h"

#include <stddef.h>

enum { SEED_TABLES_MAX = 256, SEED_COLUMNS_MAX = 64, SEED_BLOCKS_MAX = 512 };

enum seed_type { SEED_TEXT, SEED_NUMBER, SEED_TIME, SEED_BYTES };

struct seed_column {
	const char *name;
	enum seed_type type;
	int width; /* characters of a text, 0 when it has no limit */
	const char *sql_type;
	bool nullable, is_key;
};

struct seed_table {
	const char *name;
	struct seed_column columns[SEED_COLUMNS_MAX];
	size_t column_count;
	int64_t rows; /* in all blocks */
};

struct seed_value {
	const char *column; /* of a block of files: "path" or "text" */
	const char *text;
	size_t len;
};

struct seed_block { /* some rows of one table, or some files of one folder */
	struct seed_table *table; /* NULL for files */
	const char *store;        /* "objects" or "archive" */
	const char *folder;
	int64_t first, count;     /* number of its first row or file */
	struct seed_value values[SEED_COLUMNS_MAX];
	size_t value_count;
};

struct seed_plan {
	const struct seed_options *options;
	struct arena *mem;
	struct seed_table *tables[SEED_TABLES_MAX];
	size_t table_count;
	const struct seed_table *persons, *contacts; /* asked for in nearly every row */
	struct seed_block *blocks[SEED_BLOCKS_MAX];
	size_t block_count;
};

/* ---- seed_schema.c ---- */

bool seed_read_schema(struct seed_plan *plan, struct err *e);
struct seed_table *seed_table_by_name(const struct seed_plan *plan, const char *name, size_t len);
/* Appends CREATE TABLE. */
bool seed_table_sql(const struct seed_table *table, struct buf *sql);

/* ---- seed_content.c ---- */

bool seed_read_content(struct seed_plan *plan, struct err *e);
/* The block's value of that column; NULL when it names none. */
const struct seed_value *seed_value_of(const struct seed_block *block, const char *column);
/* The text of the file that was built in; NULL when there is none of that name. */
const char *seed_file(const char *name);

/* ---- seed_text.c ---- */

struct seed_row {
	const struct seed_plan *plan;
	int64_t n, i; /* number in the table and in the block, from 1 */
};

/* Appends the value of that text: see the head of content.txt. False and *e filled when it cannot be understood. */
bool seed_expand(const struct seed_row *row, const char *text, size_t len, struct buf *out, struct err *e);

/* ---- seed_people.c ---- */

/* Appends what person n is called; the first SEED_USERS persons are users. */
enum { SEED_USERS = 12 };
void seed_first_name(int64_t person, struct buf *out);
void seed_last_name(int64_t person, struct buf *out);
void seed_address(int64_t person, struct buf *out);
void seed_company(int64_t contact, struct buf *out);
void seed_short_name(int64_t user, struct buf *out);

/* ---- seed_db.c ---- */

struct seed_db;

/* Opens a new database in that file with everything in one transaction. */
struct seed_db *seed_db_open(const char *driver, const char *path, struct err *e);
bool seed_db_exec(struct seed_db *db, const char *sql, struct err *e);
/* Makes ready to insert into the table; the next rows go there. */
bool seed_db_prepare(struct seed_db *db, const struct seed_table *table, struct err *e);
struct seed_cell {
	struct buf text;
	bool is_null;
};
bool seed_db_insert(struct seed_db *db, const struct seed_table *table, struct seed_cell *cells, struct err *e);
bool seed_db_commit(struct seed_db *db, struct err *e);
void seed_db_close(struct seed_db **db);

/* ---- seed_rows.c ---- */

bool seed_write_rows(const struct seed_plan *plan, struct seed_db *db, struct seed_result *result, struct err *e);

/* ---- seed_files.c ---- */

bool seed_write_files(const struct seed_plan *plan, struct seed_result *result, struct err *e);
bool seed_write_stubs(const struct seed_plan *plan, struct err *e);

#endif
