/* SPDX-License-Identifier: Apache-2.0
 * SQL Server through FreeTDS or Microsoft's driver: connections, what an error number means, and the catalogue's
 * questions. Transactions are the driver's. Numbers decide, never SQLSTATE: the two drivers give different states for
 * the same thing (docs/sqlserver.md). */
#include "consumer/adapters/odbc/dialect.h"

#include "consumer/adapters/odbc/engine_copy.h"
#include "consumer/adapters/odbc/source.h"
#include "consumer/adapters/odbc/sql_text.h"

#include <string.h>

/* ---- connecting ---- */

/* Databases that are asked for things and never made, dropped or copied. */
static bool is_a_database(const char *name)
{
	return database_name_is_legal(name) || strcmp(name, "master") == 0;
}

static bool is_freetds(const char *driver)
{
	return strcasestr(driver, "freetds") || strcasestr(driver, "tdsodbc");
}

/* Both encrypt unless that is switched off; only Microsoft's looks whose certificate it is. The words are libpq's, and
 * two of SQL Server's own. */
static const char *encryption(bool freetds, const char *tls)
{
	static const struct {
		const char *tls, *freetds, *microsoft;
	} words[] = {
		{ "prefer", "Encryption=require;", "Encrypt=yes;TrustServerCertificate=no;" },
		{ "require", "Encryption=require;", "Encrypt=yes;TrustServerCertificate=no;" },
		{ "verify-ca", NULL, "Encrypt=yes;TrustServerCertificate=no;" },
		{ "verify-full", NULL, "Encrypt=yes;TrustServerCertificate=no;" },
		{ "trust", "Encryption=require;", "Encrypt=yes;TrustServerCertificate=yes;" },
		{ "strict", NULL, "Encrypt=strict;" },
		{ "disable", "Encryption=off;", "Encrypt=no;" },
	};

	if (!tls || !*tls)
		tls = "require";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(tls, words[i].tls) == 0)
			return freetds ? words[i].freetds : words[i].microsoft;
	return NULL;
}

/* ConnectRetryCount=0: a connection that was lost is not made again behind our back, without its SET options. */
static bool connection(const struct odbc_settings *s, const char *database, enum access access, struct buf *out)
{
	bool of_source = access == ACCESS_SOURCE || access == ACCESS_SNAPSHOT;
	bool other = of_source && s->source_user && *s->source_user, distant = of_source && source_is_distant(s);
	const char *user = other ? s->source_user : s->user, *password = other ? s->source_password : s->password;
	const char *host = distant ? s->source_host : s->host;
	int port = distant ? s->source_port : s->port;
	bool freetds = s->driver && is_freetds(s->driver);
	const char *encrypt = encryption(freetds, s->tls);

	if (!connection_part_is_legal(s->driver) || !connection_part_is_legal(host) || strchr(host, ',') ||
	    !connection_part_is_legal(user) || !connection_part_is_legal(password) || !is_a_database(database) ||
	    !encrypt)
		return false;
	if (freetds)
		return buf_printf(out,
				  "Driver=%s;Server=%s;Port=%d;Database=%s;UID=%s;PWD=%s;%sTDS_Version=7.4;"
				  "ClientCharset=UTF-8;APP=sandbox-clone;",
				  s->driver, host, port, database, user, password, encrypt);
	return buf_printf(out,
			  "Driver=%s;Server=tcp:%s,%d;Database=%s;UID=%s;PWD=%s;%sMARS_Connection=no;"
			  "ConnectRetryCount=0;APP=sandbox-clone;",
			  s->driver, host, port, database, user, password, encrypt);
}

/* Indexes on computed columns, filtered indexes and indexed views refuse writes under other options (1934). An error
 * ends the transaction at once, so that no half of it can be committed. Counts are wanted: SQLRowCount tells them.
 * Dates are written as year, month, day, whatever the login's language says. */
#define SESSION                                                                                                        \
	"SET ANSI_NULLS ON; SET ANSI_PADDING ON; SET ANSI_WARNINGS ON; SET ARITHABORT ON; SET CONCAT_NULL_YIELDS_NULL ON; " \
	"SET QUOTED_IDENTIFIER ON; SET NUMERIC_ROUNDABORT OFF; SET XACT_ABORT ON; SET NOCOUNT OFF; " \
	"SET LANGUAGE us_english; SET DATEFORMAT ymd; SET LOCK_TIMEOUT 10000; " \
	"SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET TEXTSIZE 2147483647"

static const char *const on_connect[] = { SESSION, NULL };
static const char *const on_connect_snapshot[] = { SESSION, "SET TRANSACTION ISOLATION LEVEL SNAPSHOT", NULL };

/* ---- failures ---- */

struct meaning {
	int native;
	enum err_class class;
	const char *hint;
};

static const char lost[] = "the connection was lost";
static const char in_the_way[] = "another transaction was in the way";
static const char busy_server[] = "the server is too busy or moving";
static const char in_use[] = "the database is in use";
static const char copy_failed[] = "the service's copy failed";
static const char full[] = "disk full, make room on the server";
static const char login_refused[] = "the server does not accept the login";

/* What may pass; a number that is not here is a refusal. Lists: SqlClient's retryable errors, EF Core's, Microsoft's
 * page on connectivity of Azure SQL, and those of backup, restore and dropping. */
static const struct meaning meanings[] = {
	/* of the network, by either driver or the operating system */
	{ -1, ERR_REFUSED, "the server's certificate is not trusted: give it one of a known authority for the name in"
			   " sql.host, or say sql.sslmode = trust" },
	{ 20, ERR_REFUSED, "the server offers no encryption: switch it on there, or say sql.sslmode = disable" },
	{ 64, ERR_TRANSIENT, lost },
	{ 104, ERR_TRANSIENT, lost },
	{ 121, ERR_TRANSIENT, lost },
	{ 233, ERR_TRANSIENT, lost },
	{ 10053, ERR_TRANSIENT, lost },
	{ 10054, ERR_TRANSIENT, lost },
	{ 10057, ERR_TRANSIENT, "the server cannot be reached" },
	{ 10060, ERR_TRANSIENT, "the server cannot be reached" },
	{ 10061, ERR_TRANSIENT, "the server cannot be reached" },
	{ 20002, ERR_TRANSIENT, "the server hung up before the login; if it stays so, it does not encrypt (sql.sslmode)" },
	{ 20003, ERR_TRANSIENT, "the server did not answer in time" },
	{ 20004, ERR_TRANSIENT, lost },
	{ 20006, ERR_TRANSIENT, lost },
	{ 20009, ERR_TRANSIENT, "the server cannot be reached" },
	{ 20017, ERR_TRANSIENT, lost },
	/* somebody else is at it */
	{ 1204, ERR_TRANSIENT, "the server is short of locks" },
	{ 1205, ERR_TRANSIENT, in_the_way },
	{ 1222, ERR_TRANSIENT, "another connection holds the lock" },
	{ 3960, ERR_TRANSIENT, in_the_way },
	{ 3961, ERR_TRANSIENT, "a table of the source was altered during the copy" },
	{ 3952, ERR_REFUSED, "the source allows no snapshots (ALTER DATABASE ... SET ALLOW_SNAPSHOT_ISOLATION ON)" },
	{ 41301, ERR_TRANSIENT, in_the_way },
	{ 41302, ERR_TRANSIENT, in_the_way },
	{ 41305, ERR_TRANSIENT, in_the_way },
	{ 41325, ERR_TRANSIENT, in_the_way },
	{ 41839, ERR_TRANSIENT, in_the_way },
	{ 3930, ERR_TRANSIENT, "the transaction was doomed by an earlier error" },
	/* databases that come and go */
	{ 615, ERR_TRANSIENT, busy_server },
	{ 926, ERR_TRANSIENT, "the database is being recovered" },
	{ 1807, ERR_TRANSIENT, "another database is being made" },
	{ 3023, ERR_TRANSIENT, "another backup is under way" },
	{ 3101, ERR_TRANSIENT, in_use },
	{ 3702, ERR_TRANSIENT, in_use },
	{ 5061, ERR_TRANSIENT, in_use },
	{ 5064, ERR_TRANSIENT, in_use },
	{ 5069, ERR_TRANSIENT, in_use },
	{ 924, ERR_TRANSIENT, in_use },
	{ 927, ERR_TRANSIENT, "the database is being restored" },
	/* 4060 also says that the name is wrong: the step's budget is the cap */
	{ 4060, ERR_TRANSIENT, "the database cannot be opened now" },
	{ 4221, ERR_TRANSIENT, busy_server },
	{ 997, ERR_TRANSIENT, busy_server },
	{ 10928, ERR_TRANSIENT, busy_server },
	{ 10929, ERR_TRANSIENT, busy_server },
	{ 40143, ERR_TRANSIENT, busy_server },
	{ 40197, ERR_TRANSIENT, busy_server },
	{ 40501, ERR_TRANSIENT, busy_server },
	{ 40540, ERR_TRANSIENT, busy_server },
	{ 40613, ERR_TRANSIENT, busy_server },
	{ 42108, ERR_TRANSIENT, busy_server },
	{ 42109, ERR_TRANSIENT, busy_server },
	{ 49918, ERR_TRANSIENT, busy_server },
	{ 49919, ERR_TRANSIENT, busy_server },
	{ 49920, ERR_TRANSIENT, busy_server },
	/* copies that the service makes */
	{ 40561, ERR_REFUSED, "the service refuses the copy: source or target is not there" },
	{ 40562, ERR_REFUSED, "the source was dropped while it was copied" },
	{ 40563, ERR_TRANSIENT, copy_failed },
	{ 40564, ERR_TRANSIENT, copy_failed },
	{ 40565, ERR_TRANSIENT, "the source is being copied already, and the service makes one copy at a time" },
	{ 40566, ERR_TRANSIENT, copy_failed },
	{ 40567, ERR_TRANSIENT, copy_failed },
	{ 40568, ERR_TRANSIENT, copy_failed },
	{ 40569, ERR_TRANSIENT, copy_failed },
	{ 40570, ERR_TRANSIENT, copy_failed },
	{ 40571, ERR_TRANSIENT, copy_failed },
	{ 40549, ERR_TRANSIENT, busy_server },
	{ 40551, ERR_TRANSIENT, busy_server },
	{ 40552, ERR_TRANSIENT, busy_server },
	{ 40553, ERR_TRANSIENT, busy_server },
	{ 40544, ERR_REFUSED, "the database has reached the size its service objective allows" },
	{ 6005, ERR_TRANSIENT, "the server is shutting down" },
	{ 596, ERR_TRANSIENT, "the session was ended on the server" },
	/* room */
	{ 701, ERR_TRANSIENT, "the server is short of memory" },
	{ 802, ERR_TRANSIENT, "the server is short of memory" },
	{ 8645, ERR_TRANSIENT, "the server is short of memory" },
	{ 1101, ERR_TRANSIENT, full },
	{ 1105, ERR_TRANSIENT, full },
	{ 3257, ERR_TRANSIENT, full },
	{ 9002, ERR_TRANSIENT, "the transaction log is full" },
	/* refusals that deserve words */
	{ 18456, ERR_REFUSED, login_refused },
	{ 18470, ERR_REFUSED, login_refused },
	{ 911, ERR_REFUSED, "there is no such database" },
	{ 916, ERR_REFUSED, "the login may not enter the database: it must own it or have a user in it" },
	{ 262, ERR_REFUSED, "the cloner's login lacks a permission" },
	{ 229, ERR_REFUSED, "the cloner's login lacks a permission" },
	{ 300, ERR_REFUSED, "the cloner's login lacks a permission" },
	{ 2627, ERR_REFUSED, "a rule of the table was broken" },
	{ 2601, ERR_REFUSED, "a rule of the table was broken" },
	{ 515, ERR_REFUSED, "a rule of the table was broken" },
	{ 547, ERR_REFUSED, "a rule of the table was broken" },
	{ 3169, ERR_REFUSED, "the backup is of a newer server than this one" },
	{ 3201, ERR_REFUSED, "the server cannot open the backup's file (sql.folder, as the server sees it)" },
	{ 3241, ERR_REFUSED, "the backup's file is damaged" },
	{ 41922, ERR_REFUSED,
	  "the source is encrypted with the service's own key, which no backup may leave with: use a key of your own" },
	{ 33111, ERR_REFUSED, "the source is encrypted and its certificate is not on this server" },
};

static const struct meaning *meaning_of(int native)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].native == native)
			return &meanings[i];
	return NULL;
}

/* ERR_NONE: the record only speaks beside another one that says what it is. */
static enum err_class classify(const char *sqlstate, int native, const char **hint_r)
{
	const struct meaning *m = meaning_of(native);
	static const int beside[] = { 3621, 3013, 3211, 3014, 5060, 5701, 5703 };

	*hint_r = m ? m->hint : NULL;
	if (m)
		return m->class;
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
		if (native == beside[i])
			return ERR_NONE;
	/* Without a number it is the driver itself: a lost connection, a timeout, a cancelled statement. */
	if (native == 0 && (strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "HYT", 3) == 0)) {
		*hint_r = sqlstate[0] == 'H' ? "the server did not answer in time" : lost;
		return ERR_TRANSIENT;
	}
	if (native == 0 && (strcmp(sqlstate, "HY000") == 0 || strcmp(sqlstate, "HY008") == 0))
		return ERR_TRANSIENT;
	return strncmp(sqlstate, "01", 2) == 0 ? ERR_NONE : ERR_REFUSED;
}

/* The server waits for locks by itself, LOCK_TIMEOUT long. */
static bool is_busy(int native)
{
	(void)native;
	return false;
}

/* The server said why it did not commit: with XACT_ABORT everything is rolled back then. A lost connection says nothing. */
static bool commit_failed_surely(int native)
{
	static const int rolled_back[] = { 1205, 3960, 3930, 3998, 41301, 41302, 41305, 41325, 9002, 547, 2627, 2601 };

	for (size_t i = 0; i < sizeof rolled_back / sizeof *rolled_back; i++)
		if (native == rolled_back[i])
			return true;
	return false;
}

/* ---- catalogue ---- */

/* Tables of passes are named schema.table; a schema with a dot in its name would be split wrongly: such a table is odd.
 * So are those whose texts an UPDATE does not reach: rows of a system-versioned table leave their old values in its
 * history, a sql_variant hides its type, an external table is elsewhere, one in memory has pages of its own. */
#define TEXT_TYPES "N'char', N'varchar', N'nchar', N'nvarchar', N'text', N'ntext', N'xml', N'json'"
#define NOT_OURS   "t.is_ms_shipped = 0 AND t.name NOT LIKE N'sandbox[_]%'"

/* The index whose columns tell the rows of table t apart: the primary key, else a unique index of all rows whose columns
 * are never NULL. Not one that is switched off, holds a part of the rows, or counts writes (rowversion): masking would
 * move its rows. */
#define KEY_OF_T                                                                                                       \
	"(SELECT TOP (1) i.index_id FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.is_unique = 1"         \
	" AND i.is_disabled = 0 AND i.is_hypothetical = 0 AND i.has_filter = 0 AND NOT EXISTS (SELECT 1"               \
	" FROM sys.index_columns AS x JOIN sys.columns AS y ON y.object_id = x.object_id AND y.column_id = x.column_id"\
	" WHERE x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0 AND (y.is_nullable = 1"    \
	" OR y.is_computed = 1 OR TYPE_NAME(y.system_type_id) = N'timestamp'))"                                        \
	" ORDER BY i.is_primary_key DESC, i.index_id)"

static const struct sql_catalogue catalogue = {
	.has_table = "SELECT COUNT(*) FROM sys.objects WHERE type IN ('U', 'V') AND name = ?",
	.has_column = "SELECT COUNT(*) FROM sys.objects AS o JOIN sys.columns AS c ON c.object_id = o.object_id"
		      " WHERE o.type IN ('U', 'V') AND o.name = ? AND c.name = ?",
	/* Only those that hold text: of the others nothing is looked at, and they need no key. */
	.tables = { "SELECT s.name + N'.' + t.name, N'',"
		    " CASE WHEN CHARINDEX(N'.', s.name) > 0 OR t.temporal_type <> 0 OR t.is_external = 1"
		    " OR t.is_memory_optimized = 1 OR EXISTS (SELECT 1 FROM sys.columns AS c"
		    " WHERE c.object_id = t.object_id AND TYPE_NAME(c.system_type_id) = N'sql_variant')"
		    " THEN 1 ELSE 0 END"
		    " FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
		    " WHERE " NOT_OURS " AND EXISTS (SELECT 1 FROM sys.columns AS c WHERE c.object_id = t.object_id"
		    " AND TYPE_NAME(c.system_type_id) IN (" TEXT_TYPES ", N'sql_variant')) ORDER BY t.object_id" },
	/* Only what is text, and the key. */
	.columns = { "SELECT c.name, CONCAT(TYPE_NAME(c.system_type_id), N'(', CASE WHEN c.max_length < 0 THEN 0"
		     " WHEN TYPE_NAME(c.system_type_id) IN (N'nchar', N'nvarchar') THEN c.max_length / 2"
		     " ELSE c.max_length END, N')'),"
		     " CASE WHEN c.is_computed = 1 THEN 1 ELSE 0 END, COALESCE(k.key_ordinal, 0)"
		     " FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
		     " JOIN sys.columns AS c ON c.object_id = t.object_id"
		     " LEFT JOIN sys.index_columns AS k ON k.object_id = c.object_id AND k.column_id = c.column_id"
		     " AND k.key_ordinal > 0 AND k.index_id = " KEY_OF_T
		     " WHERE s.name + N'.' + t.name = ? AND (k.key_ordinal > 0"
		     " OR TYPE_NAME(c.system_type_id) IN (" TEXT_TYPES ")) ORDER BY c.column_id" },
	/* A key of one whole number is what pages go by. */
	.hidden_key = { "SELECT CASE WHEN COUNT(*) = 1 AND MAX(CASE WHEN TYPE_NAME(c.system_type_id) IN"
			" (N'tinyint', N'smallint', N'int', N'bigint') THEN 1 ELSE 0 END) = 1 THEN 1 ELSE 0 END"
			" FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
			" JOIN sys.index_columns AS k ON k.object_id = t.object_id AND k.key_ordinal > 0"
			" AND k.index_id = " KEY_OF_T
			" JOIN sys.columns AS c ON c.object_id = k.object_id AND c.column_id = k.column_id"
			" WHERE s.name + N'.' + t.name = ?" },
	/* Those that are on, how to bring them back, and how to take them away. */
	.triggers = "SELECT g.name, N'ENABLE TRIGGER ' + QUOTENAME(s.name) + N'.' + QUOTENAME(g.name) + N' ON '"
		    " + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name),"
		    " N'DISABLE TRIGGER ' + QUOTENAME(s.name) + N'.' + QUOTENAME(g.name) + N' ON '"
		    " + QUOTENAME(s.name) + N'.' + QUOTENAME(t.name)"
		    " FROM sys.triggers AS g JOIN sys.tables AS t ON t.object_id = g.parent_id"
		    " JOIN sys.schemas AS s ON s.schema_id = t.schema_id"
		    " WHERE g.is_disabled = 0 AND s.name + N'.' + t.name = ?",
};

#define ON_EVERY_ENGINE                                                                                                \
	.server_database = "sandbox_server", .on_connect = { on_connect, on_connect, on_connect, on_connect, on_connect_snapshot },         \
	.lock_stamp = "SELECT one FROM dbo.sandbox_stamp WITH (HOLDLOCK) WHERE one = 1", .cancels_running = true,      \
	.wide_texts = true, .progress_native = 3211, .connection = connection, .classify = classify,                   \
	.is_busy = is_busy, .commit_failed_surely = commit_failed_surely, .catalogue = &catalogue,                     \
	.paging = &dialect_sqlserver_paging

const struct sql_dialect dialect_sqlserver = {
	.name = "sqlserver",
	.engine = sqlserver_engine,
	.copy_next = engine_restore_next,
	.forget_copy = engine_restore_forget,
	.files = &dialect_sqlserver_files,
	ON_EVERY_ENGINE,
};

static const char *const said_on_azure[] = { "azure", "sqlserver", NULL };

const struct sql_dialect dialect_azuresql = {
	.name = "azuresql",
	.shared_statements = said_on_azure,
	.sees_one_database = true,
	.copy_next = engine_copy_of_next,
	.files = &dialect_azuresql_files,
	ON_EVERY_ENGINE,
};

const struct sql_dialect dialect_sqlmanaged = {
	.name = "sqlmanaged",
	.shared_statements = said_on_azure,
	.copy_next = engine_from_url_next,
	.forget_copy = engine_from_url_forget,
	.files = &dialect_sqlmanaged_files,
	ON_EVERY_ENGINE,
};
