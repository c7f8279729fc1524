/* SPDX-License-Identifier: Apache-2.0
 * A new database through ODBC: one connection, one transaction, one prepared INSERT at a time. */
#include "compose/seed/seed_priv.h"

#include "consumer/adapters/odbc/sql_text.h"

#include <sql.h>
#include <sqlext.h>
#include <stdlib.h>
#include <string.h>

struct seed_db {
	SQLHENV env;
	SQLHDBC dbc;
	SQLHSTMT insert;
	SQLLEN lengths[SEED_COLUMNS_MAX];
};

static bool failed(SQLSMALLINT type, SQLHANDLE handle, const char *doing, struct err *e)
{
	SQLCHAR state[6] = "", text[200] = "";
	SQLINTEGER native = 0;
	SQLSMALLINT len;

	SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, &len);
	return err_set(e, ERR_TRANSIENT, (int)native, "seed", "%s: %.150s", doing, (const char *)text);
}

static bool connect_to(struct seed_db *db, const char *driver, const char *path, struct err *e)
{
	struct buf text;
	SQLRETURN rc;

	if (!connection_part_is_legal(driver) || !connection_part_is_legal(path))
		return err_set(e, ERR_REFUSED, 0, "seed", "the driver or the folder has characters that may not be there");
	if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &db->env)) ||
	    !SQL_SUCCEEDED(SQLSetEnvAttr(db->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)(uintptr_t)SQL_OV_ODBC3, 0)) ||
	    !SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, db->env, &db->dbc)))
		return err_set(e, ERR_TRANSIENT, 0, "seed", "the ODBC driver manager gave no connection");
	buf_init(&text, 8192);
	buf_printf(&text, "Driver=%s;NoTXN=1;NoWCHAR=1;FKSupport=0;Database=%s", driver, path);
	rc = SQLDriverConnect(db->dbc, NULL, (SQLCHAR *)text.data, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
	buf_done(&text);
	return SQL_SUCCEEDED(rc) || failed(SQL_HANDLE_DBC, db->dbc, "the database cannot be opened", e);
}

/* Nobody sees the file before it is whole and on disk, so there is nothing to roll back to. */
static bool begin(struct seed_db *db, struct err *e)
{
	return seed_db_exec(db, "PRAGMA journal_mode=OFF", e) && seed_db_exec(db, "PRAGMA synchronous=OFF", e) &&
	       seed_db_exec(db, "BEGIN", e);
}

struct seed_db *seed_db_open(const char *driver, const char *path, struct err *e)
{
	struct seed_db *db = calloc(1, sizeof *db);

	if (!db) {
		err_set(e, ERR_TRANSIENT, 0, "seed", "no memory");
		return NULL;
	}
	if (!connect_to(db, driver, path, e) || !begin(db, e))
		seed_db_close(&db);
	return db;
}

bool seed_db_exec(struct seed_db *db, const char *sql, struct err *e)
{
	SQLHSTMT stmt;
	bool ok;

	if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, db->dbc, &stmt)))
		return failed(SQL_HANDLE_DBC, db->dbc, "no statement", e);
	ok = SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS) != SQL_ERROR ||
	     failed(SQL_HANDLE_STMT, stmt, "a statement failed", e);
	SQLFreeHandle(SQL_HANDLE_STMT, stmt);
	return ok;
}

static void drop_insert(struct seed_db *db)
{
	if (db->insert)
		SQLFreeHandle(SQL_HANDLE_STMT, db->insert);
	db->insert = NULL;
}

bool seed_db_prepare(struct seed_db *db, const struct seed_table *table, struct err *e)
{
	struct buf sql;
	bool ok;

	drop_insert(db);
	if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, db->dbc, &db->insert)))
		return failed(SQL_HANDLE_DBC, db->dbc, "no statement", e);
	buf_init(&sql, 64 * 1024);
	buf_add_text(&sql, "INSERT INTO ");
	sql_quote_name(&sql, table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		buf_add_text(&sql, i ? ", " : " (");
		sql_quote_name(&sql, table->columns[i].name);
	}
	for (size_t i = 0; i < table->column_count; i++)
		buf_add_text(&sql, i ? ", ?" : ") VALUES (?");
	ok = buf_add_text(&sql, ")") && SQL_SUCCEEDED(SQLPrepare(db->insert, (SQLCHAR *)sql.data, SQL_NTS));
	buf_done(&sql);
	return ok || failed(SQL_HANDLE_STMT, db->insert, table->name, e);
}

static SQLRETURN bind(struct seed_db *db, size_t i, const struct seed_column *column, struct seed_cell *cell)
{
	bool bytes = column->type == SEED_BYTES;
	SQLSMALLINT type = bytes ? SQL_LONGVARBINARY : column->type == SEED_NUMBER ? SQL_BIGINT : SQL_LONGVARCHAR;
	size_t len = cell->text.len;

	db->lengths[i] = cell->is_null ? SQL_NULL_DATA : (SQLLEN)len;
	return SQLBindParameter(db->insert, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, bytes ? SQL_C_BINARY : SQL_C_CHAR,
	                        type, len ? len : 1, 0, (SQLPOINTER)(uintptr_t)buf_text(&cell->text), (SQLLEN)len,
	                        &db->lengths[i]);
}

bool seed_db_insert(struct seed_db *db, const struct seed_table *table, struct seed_cell *cells, struct err *e)
{
	for (size_t i = 0; i < table->column_count; i++) {
		if (!SQL_SUCCEEDED(bind(db, i, &table->columns[i], &cells[i])))
			return failed(SQL_HANDLE_STMT, db->insert, table->name, e);
	}
	if (!SQL_SUCCEEDED(SQLExecute(db->insert)))
		return failed(SQL_HANDLE_STMT, db->insert, table->name, e);
	SQLFreeStmt(db->insert, SQL_CLOSE);
	return true;
}

bool seed_db_commit(struct seed_db *db, struct err *e)
{
	drop_insert(db);
	return seed_db_exec(db, "COMMIT", e);
}

void seed_db_close(struct seed_db **dbp)
{
	struct seed_db *db = dbp ? *dbp : NULL;

	if (!db)
		return;
	drop_insert(db);
	if (db->dbc) {
		SQLDisconnect(db->dbc);
		SQLFreeHandle(SQL_HANDLE_DBC, db->dbc);
	}
	if (db->env)
		SQLFreeHandle(SQL_HANDLE_ENV, db->env);
	free(db);
	*dbp = NULL;
}
