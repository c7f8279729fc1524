/* SPDX-License-Identifier: Apache-2.0
 * SQLite through sqliteodbc: connections, failures and the catalogue's questions. */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <string.h>

/* Numbers of SQLite's result codes; its header is another library's. */
enum {
	LITE_BUSY = 5,
	LITE_LOCKED = 6,
	LITE_NOMEM = 7,
	LITE_READONLY = 8,
	LITE_INTERRUPT = 9,
	LITE_IOERR = 10,
	LITE_CORRUPT = 11,
	LITE_FULL = 13,
	LITE_CANTOPEN = 14,
	LITE_PROTOCOL = 15,
	LITE_SCHEMA = 17,
	LITE_CONSTRAINT = 19,
	LITE_NOTADB = 26
};

/* The driver has its own idea of transactions (NoTXN=1 turns it off), of creating files (NoCreat=1) and of wide
 * characters. Its own waiting for locks is short because nothing can interrupt it: conn.c repeats what was busy. */
static bool connection(const struct odbc_settings *s, const char *database, enum access access, struct buf *out)
{
	if (!connection_part_is_legal(s->driver) || !connection_part_is_legal(s->folder) ||
	    (!database_name_is_legal(database) && strcmp(database, dialect_sqlite.server_database) != 0))
		return false;
	if (!buf_printf(out, "Driver=%s;NoTXN=1;NoCreat=1;NoWCHAR=1;FKSupport=0;Timeout=100;Database=", s->driver))
		return false;
	if (access != ACCESS_READ && access != ACCESS_SOURCE)
		return buf_printf(out, "%s/%s.sqlite", s->folder, database);
	if (!buf_add_text(out, "file:"))
		return false;
	for (const char *p = s->folder; *p; p++)
		if (strchr("%?#", *p) ? !buf_printf(out, "%%%02X", (unsigned)*p) : !buf_add(out, p, 1))
			return false;
	return buf_printf(out, "/%s.sqlite?mode=ro", database);
}

static const char *const on_read[] = { "PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY", NULL };
/* What a commit has promised survives a loss of power. */
static const char *const on_write[] = { "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=ON",
					"PRAGMA foreign_keys=OFF", NULL };
/* After a loss of power the last pages may be missing, together with the rows that remember them; SIGKILL loses
 * nothing. The last page of a pass is brought to disk (paging.settle). */
static const char *const on_pages[] = { "PRAGMA journal_mode=WAL",        "PRAGMA synchronous=NORMAL",
					"PRAGMA secure_delete=ON",        "PRAGMA foreign_keys=OFF",
					"PRAGMA temp_store=MEMORY",       "PRAGMA cache_size=-8192",
					"PRAGMA wal_autocheckpoint=4000", NULL };

static enum err_class classify(const char *sqlstate, int native, const char **hint_r)
{
	(void)sqlstate; /* the driver gives HY000 for all */
	*hint_r = NULL;
	switch (native) {
	case LITE_BUSY:
	case LITE_LOCKED:
		*hint_r = "another program holds the lock on it";
		return ERR_TRANSIENT;
	case LITE_FULL:
		*hint_r = "disk full, make room in the folder of the databases (sql.folder)";
		return ERR_TRANSIENT;
	case LITE_IOERR:
		*hint_r = "disk full or failing";
		return ERR_TRANSIENT;
	case LITE_NOMEM:
	case LITE_INTERRUPT:
	case LITE_CANTOPEN:
	case LITE_PROTOCOL:
	case LITE_SCHEMA:
		return ERR_TRANSIENT;
	case LITE_CONSTRAINT:
		*hint_r = "a rule of the table was broken";
		return ERR_REFUSED;
	case LITE_READONLY:
		*hint_r = "this connection may only read, and may not roll back what a writer that died left in a journal";
		return ERR_REFUSED;
	case LITE_CORRUPT:
	case LITE_NOTADB:
		*hint_r = "the file is damaged or no database";
		return ERR_REFUSED;
	default:
		return ERR_REFUSED;
	}
}

static bool is_busy(int native)
{
	return native == LITE_BUSY || native == LITE_LOCKED;
}

static bool commit_failed_surely(int native)
{
	return is_busy(native) || native == LITE_FULL || native == LITE_INTERRUPT || native == LITE_CONSTRAINT;
}

#define NOT_OURS "name NOT LIKE 'sandbox\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
/* One call of the pragma for all tables: beside an attached database each call tries all views anew. */
#define TABLES(schema)                                                                                                 \
	"WITH l AS MATERIALIZED (SELECT name, type FROM pragma_table_list WHERE schema = '" schema "') "               \
	"SELECT m.name, m.sql, l.type <> 'table' FROM " schema ".sqlite_master AS m LEFT JOIN l ON l.name = m.name "   \
	"WHERE m.type = 'table' AND m." NOT_OURS_M " ORDER BY m.rowid"
#define NOT_OURS_M "name NOT LIKE 'sandbox\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
#define COLUMNS(schema)                                                                                                \
	"SELECT name, type, hidden <> 0, pk FROM pragma_table_xinfo WHERE arg = ? AND schema = '" schema               \
	"' ORDER BY cid"
/* A table without hidden key is its own index. pragma_table_list would say it, too, but tries all views at each call. */
#define HIDDEN_KEY(schema) "SELECT count(*) = 0 FROM pragma_index_info WHERE arg = ? AND schema = '" schema "'"

static const char *const copy_sequences[] = {
	"DELETE FROM main.sqlite_sequence",
	"INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM source.sqlite_sequence", NULL
};

static const struct sql_catalogue catalogue = {
	.has_table = "SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE",
	.has_column = "SELECT count(*) FROM pragma_table_xinfo WHERE arg = ? AND name = ? COLLATE NOCASE",
	.tables = { TABLES("main"), TABLES("source") },
	.columns = { COLUMNS("main"), COLUMNS("source") },
	.hidden_key = { HIDDEN_KEY("main"), HIDDEN_KEY("source") },
	.later =
	    "SELECT type, name, sql FROM source.sqlite_master AS s WHERE type <> 'table' AND sql IS NOT NULL "
	    "AND " NOT_OURS
	    " AND tbl_name NOT LIKE 'sandbox\\_%' ESCAPE '\\' AND NOT EXISTS (SELECT 1 FROM main.sqlite_master AS m"
	    " WHERE m.type = s.type AND m.name = s.name)"
	    " ORDER BY CASE type WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid",
	.own = "SELECT type, name FROM main.sqlite_master WHERE " NOT_OURS " AND type <> 'index'"
	       " ORDER BY CASE type WHEN 'trigger' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid",
	.triggers = "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
	.has_sequences = "SELECT (SELECT count(*) FROM main.sqlite_master WHERE name = 'sqlite_sequence')"
			 " + (SELECT count(*) FROM source.sqlite_master WHERE name = 'sqlite_sequence')",
	.copy_sequences = copy_sequences,
};

static const char *const standard[] = { "standard", NULL };

const struct sql_dialect dialect_sqlite = {
	.name = "sqlite",
	.shared_statements = standard,
	.server_database = "_server",
	.begin_read = "BEGIN",
	.begin_write = "BEGIN IMMEDIATE", /* a reader that wants to write later may deadlock */
	.commit = "COMMIT",
	.rollback = "ROLLBACK",
	.on_connect = { on_read, on_write, on_pages, on_read },
	.changes = "SELECT changes()",
	.connection = connection,
	.classify = classify,
	.is_busy = is_busy,
	.commit_failed_surely = commit_failed_surely,
	.files = &dialect_sqlite_files,
	.catalogue = &catalogue,
	.paging = &dialect_sqlite_paging,
};
