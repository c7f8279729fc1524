/* SPDX-License-Identifier: Apache-2.0
 * Going over one table page by page: how large the next page may be, its rows, what a filter wants changed. */
#ifndef SANDBOX_ODBC_PASS_H
#define SANDBOX_ODBC_PASS_H

#include "consumer/adapters/odbc/packed.h"
#include "consumer/adapters/odbc/port.h"
#include "consumer/adapters/odbc/sql_text.h"

enum { NAME_BYTES = IDENTIFIER_MAX + 1 }; /* of a table, with its NUL */
/* REFUSED: says which table; always false. */
bool pass_name_too_long(const char *table, struct err *e);

struct new_column {      /* the changed texts of one column in the page under way */
	struct buf json; /* {"key": "text", ...} */
	size_t count;
};

struct odd_text { /* a changed text with a NUL inside, which JSON cannot carry into the database */
	struct odd_text *next;
	int64_t key;
	size_t column, len;
	char text[];
};

struct swept_table {
	const char *name;
	bool is_odd; /* not an ordinary table */
};

struct swept_tables { /* of the generation, as a pass over all of them read it last */
	struct arena *mem;
	struct swept_table *items;
	size_t count, size;
};

struct pass {              /* kept with its connection, also when the next port of the step gets it */
	struct arena *mem; /* of the shape */
	struct table_shape shape;
	struct swept_tables tables;
	enum beside where;
	bool has_shape;
	size_t guess; /* how many rows make a good page: no more than needed are measured */
	struct packed_cell *cells;
	enum change *changes;
	struct new_column *columns;
	struct odd_text *odd;
	struct buf sql, page, text;
	/* The bounds that the session keeps: of which table without hidden key, and behind how many rows. */
	char bounds_of[NAME_BYTES];
	enum beside bounds_where;
	int64_t bounds_rows;
	bool sorts_on_disk; /* sql_inside.sort_on_disk was executed */
	/* The source beside the generation: "" when none is, and the number given to its state. */
	char source[64], source_identity[80];
	int64_t source_version, snapshot;
};

struct position {         /* where in a table the next page begins */
	bool begun;       /* false: at its first row */
	int64_t last_key; /* behind this one, for a table with hidden key */
	int64_t rows;     /* behind so many */
};

struct page {
	int64_t rows; /* 0: the table has no more */
	int64_t first, last;
	bool is_first;
};

/* The connection for passes, with p->pass and the tables of its session. NULL and *e filled. */
struct conn *pass_conn(struct odbc_port *p, struct err *e);
/* Makes the tables of the session that are not there. */
bool pass_session(const struct odbc_port *p, struct conn *c, struct err *e);
/* The session's part of the page under way was rolled back. */
void pass_rolled_back(struct pass *pass);
/* Reads the table's shape unless it is the last one that this port read. REFUSED when it has no key to go by. */
bool pass_shape(struct odbc_port *p, struct conn *c, enum beside where, const char *table, struct err *e);

/* Can the pass go on from there, or must the table be begun again, because its bounds went with another connection? */
bool pass_can_resume(const struct pass *pass, const struct position *at);
/* The next page: at most max_rows rows and about 2 MiB, but at least one row. */
bool pass_next(struct odbc_port *p, struct conn *c, const struct position *at, size_t max_rows, struct page *page_r,
	       struct err *e);
/* Shows the rows of the page. */
bool pass_rows(struct odbc_port *p, struct conn *c, const struct page *page, packed_row_fn *fn, void *arg,
	       struct err *e);
/* Moves behind the page. */
bool pass_advance(struct odbc_port *p, struct conn *c, const struct page *page, struct position *at, struct err *e);

/* Asks the filter about one text. *changed_r: the new value is in *cell, borrowed until the next call, and is
 * remembered for pass_write. filter may be NULL. */
bool pass_filter(struct pass *pass, const struct sql_filter *filter, int64_t key, size_t column,
		 struct packed_cell *cell, bool *changed_r, struct err *e);
/* ---- pass_inside.c: pages that never leave the library of their database ---- */

struct inside_tally {
	int64_t rows; /* 0: the table has no more */
	int64_t bytes, cells_changed;
	uint64_t checksum; /* of the values as the filter wants them */
};

struct inside_look {
	const struct sql_filter *filter; /* may be NULL */
	bool adds_up;                    /* the checksum is wanted */
	bool computed;                   /* show computed columns, too */
	bool only_if_same;               /* stay before a page in which the filter wants something changed */
};

/* Can the table that was shaped last be gone over so? */
bool pass_is_inside(const struct odbc_port *p);
/* Shows the next page of at most max_rows rows, and moves behind it. */
bool pass_look_inside(struct odbc_port *p, struct conn *c, struct position *at, size_t max_rows,
		      const struct inside_look *look, struct inside_tally *tally_r, struct err *e);
/* Copies it from the source as the filter, which may be NULL, wants it. */
bool pass_copy_inside(struct odbc_port *p, struct conn *c, struct position *at, size_t max_rows,
		      const struct sql_filter *filter, struct inside_tally *tally_r, struct err *e);

/* Brings what a pass changed to disk, when the pass ends. */
bool pass_settle(struct odbc_port *p, struct conn *c, struct err *e);
/* Forgets the changes of the page under way. */
void pass_forget_changes(struct pass *pass);
/* Copies the page from the source, or rewrites its changed rows, with the changes that were remembered. */
bool pass_copy(struct odbc_port *p, struct conn *c, const struct page *page, struct err *e);
bool pass_rewrite(struct odbc_port *p, struct conn *c, const struct page *page, struct err *e);

#endif
