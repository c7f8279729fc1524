/* SPDX-License-Identifier: Apache-2.0
 * SQLite calls a function in the thread that runs the statement, and has no way to hand an ODBC statement anything but
 * numbers and texts: so who looks is remembered by thread. */
#include "consumer/adapters/sqlite/sqlite_views.h"

#include <sqlite3.h>

static _Thread_local const struct row_viewer *viewer;

static void show_to(struct row_views *self, const struct row_viewer *who)
{
	(void)self;
	viewer = who;
}

/* Whatever the type: with a text its bytes have to be asked for before their number. */
static struct row_value value_of(sqlite3_value *v)
{
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		return (struct row_value){ .kind = ROW_INTEGER, .number = sqlite3_value_int64(v) };
	case SQLITE_FLOAT:
		return (struct row_value){ .kind = ROW_REAL, .real = sqlite3_value_double(v) };
	case SQLITE_TEXT: {
		const char *text = (const char *)sqlite3_value_text(v);

		return (struct row_value){ .kind = ROW_TEXT, .bytes = text, .len = (size_t)sqlite3_value_bytes(v) };
	}
	case SQLITE_BLOB: {
		const char *bytes = sqlite3_value_blob(v);

		return (struct row_value){ .kind = ROW_BLOB, .bytes = bytes, .len = (size_t)sqlite3_value_bytes(v) };
	}
	default:
		return (struct row_value){ .kind = ROW_NULL };
	}
}

/* False: the statement has been told to fail. */
static bool see(sqlite3_context *c, sqlite3_value *key, sqlite3_value *column, sqlite3_value *v, struct row_value *value,
		bool can_change)
{
	*value = value_of(v);
	if ((value->kind == ROW_TEXT || value->kind == ROW_BLOB) && !value->bytes && value->len > 0) {
		sqlite3_result_error_nomem(c);
		return false;
	}
	if (value->kind == ROW_TEXT && !value->bytes) {
		sqlite3_result_error_nomem(c);
		return false;
	}
	if (viewer && viewer->see(viewer->arg, sqlite3_value_int64(key), (size_t)sqlite3_value_int64(column), value, can_change))
		return true;
	sqlite3_result_error(c, viewer ? "a row was refused" : "nobody looks at rows", -1);
	return false;
}

static void cell(sqlite3_context *c, int count, sqlite3_value **values)
{
	struct row_value before = value_of(values[2]), value;

	(void)count;
	if (!see(c, values[0], values[1], values[2], &value, true))
		return;
	if (value.kind == ROW_TEXT && (value.bytes != before.bytes || value.len != before.len))
		sqlite3_result_text64(c, value.bytes, value.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	else if (value.kind == ROW_NULL)
		sqlite3_result_null(c);
	else
		sqlite3_result_value(c, values[2]);
}

static void look(sqlite3_context *c, int count, sqlite3_value **values)
{
	struct row_value value;

	for (int i = 1; i + 1 < count; i += 2)
		if (!see(c, values[0], values[i], values[i + 1], &value, false))
			return;
	sqlite3_result_int(c, 1);
}

/* DIRECTONLY: not from a view, a trigger, a default or an index of a tenant's database. */
static int add_functions(sqlite3 *db, char **message, const void *api)
{
	const int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
	int rc = sqlite3_create_function_v2(db, "sandbox_cell", 3, flags, NULL, cell, NULL, NULL, NULL);

	(void)message;
	(void)api;
	return rc == SQLITE_OK ? sqlite3_create_function_v2(db, "sandbox_look", -1, flags, NULL, look, NULL, NULL, NULL) : rc;
}

struct row_views *sqlite_views(struct err *e)
{
	static struct row_views views = { show_to };

	/* The declared type of an entry point is that of a loadable library's. */
	if (sqlite3_auto_extension((void (*)(void))add_functions) == SQLITE_OK)
		return &views;
	err_set(e, ERR_TRANSIENT, 0, "sql", "out of memory");
	return NULL;
}
