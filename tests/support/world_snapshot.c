/* SPDX-License-Identifier: Apache-2.0
 * The whole test world as lines of text, one for each thing, so that two worlds can be compared. */
#include "consumer/adapters/odbc/conn.h"
#include "consumer/core/fnv.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- tables: one line with the hash of its rows ---- */

struct dump {
	struct conn *conn;
	const char *database;
	struct buf *out;
	struct buf columns;
	uint64_t hash;
	int64_t rows;
};

/* Who wrote and when, and which state of the source was read, is not what was written. */
static bool is_bookkeeping(const char *column)
{
	static const char *const names[] = { "token", "last_token", "updated_at", "created_at", "snapshot" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(column, names[i]) == 0)
			return true;
	return false;
}

static bool add_column(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct dump *d = arg;

	(void)count, (void)e;
	if (is_bookkeeping(cells[0].text))
		return true;
	return buf_printf(&d->columns, "%s\"%s\"", d->columns.len ? "," : "", cells[0].text);
}

static bool hash_row(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct dump *d = arg;

	uint64_t hash = FNV64_START;

	(void)e;
	for (size_t i = 0; i < count; i++) {
		hash = fnv64(hash, cells[i].is_null ? "n" : "v", 1);
		hash = fnv64(hash, cells[i].text, cells[i].len + 1);
	}
	d->hash += hash; /* the order of rows does not count */
	d->rows++;
	return true;
}

static void query(struct conn *conn, conn_row_fn *fn, void *arg, const char *fmt, const char *a, const char *b)
{
	struct err e = { 0 };
	struct buf sql;

	buf_init(&sql, 1 << 16);
	ck_assert(buf_printf(&sql, fmt, a, b));
	ck_assert_msg(conn_query(conn, buf_text(&sql), NULL, 0, fn, arg, &e), "%s: %s", buf_text(&sql), e.text);
	buf_done(&sql);
}

/* Tables of the cloner, not of the tenant, are shown without their bookkeeping. */
static void dump_table(struct dump *d, const char *table)
{
	buf_clear(&d->columns);
	d->hash = 0;
	d->rows = 0;
	if (strncmp(table, "sandbox_", 8) == 0 || strcmp(d->database, "_server") == 0)
		query(d->conn, add_column, d, "SELECT name FROM pragma_table_xinfo('%s') ORDER BY cid", table, NULL);
	else
		buf_add_text(&d->columns, "*");
	query(d->conn, hash_row, d, "SELECT %s FROM \"%s\"", buf_text(&d->columns), table);
	buf_printf(d->out, "table %s.%s %" PRId64 " rows %016" PRIx64 "\n", d->database, table, d->rows, d->hash);
}

struct tables {
	char name[400][80];
	size_t count;
};

static bool add_table(void *arg, const struct cell *cells, size_t count, struct err *e)
{
	struct tables *tables = arg;

	(void)count, (void)e;
	ck_assert_uint_lt(tables->count, 400);
	snprintf(tables->name[tables->count++], 80, "%s", cells[0].text);
	return true;
}

static void dump_database(const char *folder, const char *file, struct buf *out)
{
	struct dump d = { .out = out };
	struct tables *tables = calloc(1, sizeof *tables);
	char path[PATH_MAX], database[256];

	ck_assert_ptr_nonnull(tables);
	world_path(path, folder, file);
	snprintf(database, sizeof database, "%.*s", (int)(strlen(file) - strlen(".sqlite")), file);
	d.database = database;
	d.conn = world_connect(path, false);
	buf_init(&d.columns, 1 << 16);
	query(d.conn, add_table, tables, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", NULL,
	      NULL);
	for (size_t i = 0; i < tables->count; i++)
		dump_table(&d, tables->name[i]);
	buf_done(&d.columns);
	conn_close(&d.conn);
	free(tables);
}

/* ---- folders ---- */

static void dump_file(const char *path, const char *shown, struct buf *out)
{
	uint64_t hash = FNV64_START;
	int64_t size = 0;
	char block[65536];
	FILE *file = fopen(path, "re");
	size_t n;

	ck_assert_ptr_nonnull(file);
	while ((n = fread(block, 1, sizeof block, file)) > 0) {
		hash = fnv64(hash, block, n);
		size += (int64_t)n;
	}
	fclose(file);
	buf_printf(out, "file %s %" PRId64 " bytes %016" PRIx64 "\n", shown, size, hash);
}

static int is_seen(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
	       strncmp(entry->d_name, ".sandbox-", 9) != 0;
}

void world_dump_folder(const char *folder, const char *shown, struct buf *out)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_seen, alphasort);

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX], name[PATH_MAX];
		struct stat status;

		world_path(path, folder, entries[i]->d_name);
		world_path(name, shown, entries[i]->d_name);
		free(entries[i]);
		ck_assert_int_eq(lstat(path, &status), 0);
		if (S_ISDIR(status.st_mode)) {
			buf_printf(out, "folder %s\n", name);
			world_dump_folder(path, name, out);
		} else if (S_ISREG(status.st_mode)) {
			dump_file(path, name, out);
		} else {
			buf_printf(out, "other %s\n", name);
		}
	}
	if (count >= 0)
		free(entries);
}

static void dump_databases(const struct world *w, struct buf *out)
{
	char folder[PATH_MAX];
	struct dirent **entries;
	int count;

	if (w->postgres) {
		world_postgres_dump((struct world *)(uintptr_t)w, NULL, out);
		return;
	}
	world_path(folder, w->folder, "db");
	count = scandir(folder, &entries, is_seen, alphasort);
	for (int i = 0; i < count; i++) {
		const char *dot = strrchr(entries[i]->d_name, '.');

		if (dot && strcmp(dot, ".sqlite") == 0)
			dump_database(folder, entries[i]->d_name, out);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* ---- the stubs ---- */

static void forget_time_and_tokens(json_t *tenant)
{
	json_object_del(tenant, "tasks");
	json_object_del(tenant, "web_config");
	json_object_del(json_object_get(tenant, "stamp"), "token");
}

static void dump_stubs(struct world *w, struct buf *out)
{
	json_t *state = stub_server_state(w->stubs), *world, *tenant, *system;
	const char *name;
	char *text;

	ck_assert_msg(state, "the stubs do not answer");
	world = json_object_get(state, "world");
	json_object_foreach(json_object_get(json_object_get(world, "hosting"), "tenants"), name, tenant)
	    forget_time_and_tokens(tenant);
	json_object_foreach(world, name, system)
	{
		text = json_dumps(system, JSON_SORT_KEYS | JSON_COMPACT);
		ck_assert_ptr_nonnull(text);
		buf_printf(out, "stub %s %s\n", name, text);
		free(text);
	}
	json_decref(state);
}

void world_snapshot_of(struct world *w, const char *database, struct buf *out)
{
	char folder[PATH_MAX], file[128];

	if (w->postgres) {
		world_postgres_dump(w, database, out);
		return;
	}
	world_path(folder, w->folder, "db");
	snprintf(file, sizeof file, "%s.sqlite", database);
	dump_database(folder, file, out);
}

void world_snapshot(struct world *w, struct buf *out)
{
	char path[PATH_MAX];

	buf_clear(out);
	dump_databases(w, out);
	dump_stubs(w, out);
	world_path(path, w->folder, "objects");
	world_dump_folder(path, "objects", out);
	world_path(path, w->folder, "archive");
	world_dump_folder(path, "archive", out);
	ck_assert(!out->failed);
}

void world_assert_same(const struct buf *one, const struct buf *other, const char *what)
{
	const char *a = buf_text(one), *b = buf_text(other);

	while (*a || *b) {
		size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");

		ck_assert_msg(la == lb && strncmp(a, b, la) == 0, "%s: the worlds differ\n  %.*s\n  %.*s", what,
			      (int)la, a, (int)lb, b);
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
	}
}
