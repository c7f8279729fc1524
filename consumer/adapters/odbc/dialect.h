/* SPDX-License-Identifier: Apache-2.0
 * What differs between databases behind ODBC: one constant struct each. Adding a database means its dialect_<name>.c
 * here, a line in dialect_find and a folder handlers/sql/<name>/; nothing else in this adapter names a database. */
#ifndef SANDBOX_ODBC_DIALECT_H
#define SANDBOX_ODBC_DIALECT_H

#include "consumer/adapters/odbc/odbc_sql.h"
#include "handlers/base/buf.h"

/* ACCESS_PAGES writes too, but may lose its last transactions, whole ones, when the machine loses power. ACCESS_SOURCE
 * reads what is not ours; ACCESS_SNAPSHOT too, and a transaction that it is in stays as it is while it is idle. */
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_PAGES, ACCESS_SOURCE, ACCESS_SNAPSHOT, ACCESS_END };

struct column_shape {
	const char *name;
	size_t width;   /* declared characters of a text type, 0 when none */
	bool is_stored; /* false for a computed column: shown to filters, never written */
	bool is_simple; /* by its declared type it holds only whole numbers and text */
	bool is_narrow; /* by its declared type it is short */
	bool is_whole;  /* by its declared type it holds whole numbers */
	int key_part;   /* 1.. when part of the primary key, else 0 */
};

struct table_shape {
	const char *name;
	const char *shown; /* what filters are told: the name without its schema */
	struct column_shape *columns;
	size_t count;
	const char *row_key; /* name of the hidden integer key; NULL when pages go by the primary key */
	bool key_is_column;  /* the hidden key is a column too: it needs no writing of its own */
	bool all_tagged;     /* is_simple turned out to be wrong: every value has to say its type */
};

enum beside { BESIDE_MAIN, BESIDE_SOURCE }; /* the connection's own database; the source attached to it */

/* How a column gets its value when a page is written. */
enum change { CHANGE_NONE, CHANGE_TEXT, CHANGE_MAYBE_NULL };

/* A table without hidden key keeps the bounds of its page in the session: above `low`, up to `high`. */
enum bound {
	BOUND_DROP_LOW,
	BOUND_DROP_HIGH,
	BOUND_MAKE_LOW,
	BOUND_MAKE_HIGH,
	BOUND_CLEAR_HIGH,
	BOUND_REACH,
	BOUND_CLEAR_LOW,
	BOUND_ADVANCE
};

/* Text of the catalogue's questions. */
struct sql_catalogue {
	const char *has_table, *has_column; /* counts; bound: name; table and column */
	const char *tables[2];              /* by enum beside: name, definition, 1 when it is no ordinary table */
	const char *columns[2];             /* bound: table. name, type, 1 when computed, part of the key */
	const char *hidden_key[2];          /* bound: table. 1 when it has one */
	const char *later;    /* of the source: kind, name, definition: what main still lacks, in the order of making */
	const char *own;      /* kind, name: all that is not sandbox_*, in an order that can be dropped */
	/* In main; bound: table. Name, definition; or name, the statement that brings it back and the one that takes it
	 * away, where a trigger need not be dropped. */
	const char *triggers;
	const char *has_sequences; /* 2 when main and source both keep key counters outside their tables */
	const char *const *copy_sequences;
};

/* Pages that never leave the library of their database, by the functions of ports/row_views.h; for tables with hidden key.
 * Functions as those of sql_paging. */
struct sql_inside {
	/* Rows and last key of the page. Bound: the least key, or without `first` the one before it; the greatest number of
	 * rows. */
	bool (*reach)(struct buf *sql, const struct table_shape *t, enum beside where, bool first);
	/* Shows the page, with computed columns or without; the number of rows. Bound: first and last key. */
	bool (*look)(struct buf *sql, const struct table_shape *t, enum beside where, bool computed);
	/* Copies the page from the source, and shows each value on its way. Bound: first and last key. */
	bool (*copy)(struct buf *sql, const struct table_shape *t);
	const char *save, *take_back, *let_go; /* part of a transaction */
	/* Where what has to be sorted goes from now on; in either case the session's tables go. */
	const char *const *sort_on_disk, *const *sort_in_memory;
};

/* Passing over a database page by page on one connection that has the generation as its own database and can read the
 * source beside it. The functions append to *sql; false when it grew too long. A page of a table with hidden key is
 * named by its first and last one, bound in that order; the others bind nothing, and `first` says that it is the
 * table's first page. */
struct sql_paging {
	bool (*attach_source)(const struct odbc_settings *s, const char *source, struct buf *sql);
	const char *source_is_attached; /* number of such attachments */
	const char *pin_source;         /* fixes the source's snapshot until the transaction ends; one number */
	const char *source_version;     /* a number that differs when somebody else changed the source */
	const char *source_schema;      /* a number that differs when the source's tables changed */
	const char *detach_source;
	const char *const *session; /* makes the tables of the session that the passes use */
	const char *put_changes;    /* bound: column number, {"key": "new text", ...} */
	const char *clear_changes;
	const char *settle; /* brings everything to disk and leaves no second copy of old pages */
	const char *settle_section; /* the same as a section, instead */
	bool names_schema;          /* tables are named schema.table */
	bool (*set_column)(struct buf *sql, const struct table_shape *t, size_t column); /* bound: text, hidden key */
	bool (*bound)(struct buf *sql, const struct table_shape *t, enum beside where, enum bound op, bool first,
		      size_t rows);
	/* Rows, last key, and bytes, roughly. Bound, with hidden key: the least key, or without `first` the one before
	 * it, and the greatest number of rows. */
	bool (*measure)(struct buf *sql, const struct table_shape *t, enum beside where, bool first);
	/* The page as one text, see packed.h. */
	bool (*read)(struct buf *sql, const struct table_shape *t, enum beside where, bool first);
	bool (*copy)(struct buf *sql, const struct table_shape *t, const enum change *changes, bool first);
	bool (*rewrite)(struct buf *sql, const struct table_shape *t, const enum change *changes, bool first);
	bool (*last_key)(struct buf *sql, const struct table_shape *t, enum beside where);
	/* What the declared type means for the column. */
	void (*shape_column)(struct column_shape *c, const char *type);
	const struct sql_inside *inside; /* NULL: this database's library is not in our process */
	/* Chooses row_key when there is a hidden key; only_key_type is the type of the only key column, or "". */
	bool (*shape_key)(struct table_shape *t, const char *only_key_type);
};

/* Databases that come and go as files. A dialect whose server makes them has its own functions here. */
struct sql_files {
	bool (*exists)(const struct odbc_settings *s, const char *database, bool *exists_r, struct err *e);
	/* The server's own idea of which database it is: the same for every alias. */
	bool (*identity)(const struct odbc_settings *s, const char *database, char *out, size_t size, struct err *e);
	/* Can it be connected to? NULL: whenever it exists. */
	bool (*is_reachable)(const struct odbc_settings *s, const char *database, bool *so_r, struct err *e);
	/* Each may be repeated. create: empty, only for the cloner; left-overs of a dropped one are removed. */
	bool (*create)(const struct odbc_settings *s, const char *database, struct err *e);
	bool (*drop)(const struct odbc_settings *s, const char *database, struct err *e);
	bool (*close_to_others)(const struct odbc_settings *s, const char *database, bool closed, struct err *e);
};

struct engine_call; /* engine_copy.h */
struct odbc_port;   /* port.h */

struct sql_dialect {
	const char *name;
	/* Folders of handlers/sql/ with what it says as others do, NULL at the end, the nearest first; NULL: it says all
	 * itself. */
	const char *const *shared_statements;
	/* Which of several engines that speak the same is this server? Asked once, when the first connection is there;
	 * also refuses settings that do not fit it. NULL and *e on failure. NULL: there is only one. */
	const struct sql_dialect *(*engine)(const struct odbc_settings *s, struct err *e);
	const char *server_database; /* name of the catalogue; cannot be a tenant's */
	const char *begin_read, *begin_write, *commit, *rollback; /* all NULL: the driver's own */
	const char *const *on_connect[ACCESS_END]; /* statements run after connecting, NULL at the end */
	const char *changes;                       /* rows the last statement changed; NULL: as the driver says */
	/* A shared lock on the stamp until the transaction ends, which a newer owner has to wait for; NULL: begin_write
	 * has locked all. */
	const char *lock_stamp;
	bool folds_names;     /* identifiers of sections are given in lower case, as the server keeps unquoted ones */
	bool cancels_running; /* cancelling must name the statement that runs; another one does not do */
	bool wide_texts;      /* texts are bound as national ones: the server would make them its own code page's */
	int progress_native;  /* number of the message that tells how many percent are done; 0: there is none */
	bool sees_one_database; /* a connection cannot name what is in another database: sections have homes */
	/* The server copies whole databases by itself: one look at how far it is, and what comes next. NULL: rows are
	 * copied. */
	bool (*copy_next)(struct engine_call *call, struct err *e);
	/* Removes what a copy that is not finished has left outside the generation, which is dropped. NULL: nothing. */
	bool (*forget_copy)(struct odbc_port *p, const char *generation, struct err *e);
	/* The connection string, from checked parts only. */
	bool (*connection)(const struct odbc_settings *s, const char *database, enum access access, struct buf *out);
	/* What kind of failure that is, and in *hint_r a few words for the operator or NULL. */
	enum err_class (*classify)(const char *sqlstate, int native, const char **hint_r);
	bool (*is_busy)(int native); /* somebody else holds a lock: the statement may be repeated as it is */
	/* After this error of a COMMIT nothing of the transaction is in the database. */
	bool (*commit_failed_surely)(int native);
	const struct sql_files *files;
	const struct sql_catalogue *catalogue;
	const struct sql_paging *paging;
};

/* NULL and *e filled when there is no such dialect. */
const struct sql_dialect *dialect_find(const char *name, struct err *e);

extern const struct sql_dialect dialect_sqlite;
/* It has no paging: a passes_port goes over its tables. */
extern const struct sql_dialect dialect_postgresql;
/* The same for connections alone, which have a limit of their own for each statement: the rows of tenants. */
extern const struct sql_dialect dialect_postgresql_plain;
extern const struct sql_files dialect_postgresql_files;
extern const struct sql_paging dialect_sqlite_paging;
extern const struct sql_inside dialect_sqlite_inside;
extern const struct sql_files dialect_sqlite_files;
/* What a server of the dialect "sqlserver" turns out to be: one of one's own, Azure SQL Database, Managed Instance. */
extern const struct sql_dialect dialect_sqlserver, dialect_azuresql, dialect_sqlmanaged;
const struct sql_dialect *sqlserver_engine(const struct odbc_settings *s, struct err *e);
extern const struct sql_files dialect_sqlserver_files, dialect_azuresql_files, dialect_sqlmanaged_files;
extern const struct sql_paging dialect_sqlserver_paging;

#endif
