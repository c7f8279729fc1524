/* SPDX-License-Identifier: Apache-2.0
 * The first state of the test world: databases from customer_*.sql, files in both stores, the seed of the stubs. */
#include "compose/seed/seed.h"
#include "consumer/adapters/odbc/conn.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *read_file(const char *path)
{
	struct buf text;
	char block[4096];
	size_t n;
	FILE *file;

	file = fopen(path, "re");
	ck_assert_msg(file, "%s cannot be read; is SOURCE_DIR set?", path);
	buf_init(&text, 1 << 20);
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		ck_assert(buf_add(&text, block, n));
	fclose(file);
	return text.data;
}

/* A file beside this one; the runner tells where the sources are. */
static char *read_support_file(const char *name)
{
	const char *source = getenv("SOURCE_DIR");
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/tests/support/%s", source ? source : ".", name);
	return read_file(path);
}

static char *in_postgres(char *script)
{
	static const struct {
		const char *from, *to;
	} words[] = { { "nvarchar(max)", "text" }, { "varbinary(max)", "bytea" }, { "nvarchar(", "varchar(" }, { "nvarchar", "text" }, { " datetime", " timestamp" },
		      { "varbinary", "bytea" },    { " x''", " ''" } };
	struct buf out;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const char *at = script, *found;

		buf_init(&out, 8 << 20);
		for (; (found = strstr(at, words[i].from)); at = found + strlen(words[i].from))
			ck_assert(buf_add(&out, at, (size_t)(found - at)) && buf_add_text(&out, words[i].to));
		ck_assert(buf_add_text(&out, at));
		free(script);
		script = out.data;
	}
	return script;
}

void world_run_script(struct conn *c, const char *name, bool is_postgres)
{
	char *script = read_support_file(name), *at, *end;
	struct err e = { 0 };

	if (is_postgres)
		script = in_postgres(script);
	at = script;
	while ((end = strstr(at, ";\n"))) {
		*end = '\0';
		ck_assert_msg(conn_exec(c, at, NULL, 0, NULL, &e), "%s: %s: %.300s", name, e.text, at);
		at = end + 2;
	}
	free(script);
}

static void make_database(const char *folder, const char *database, const char *rows)
{
	char path[PATH_MAX];
	struct err e = { 0 };
	struct conn *c;

	snprintf(path, sizeof path, "%s/db/%s.sqlite", folder, database);
	c = world_connect(path, true);
	ck_assert_msg(conn_exec(c, "PRAGMA synchronous=OFF", NULL, 0, NULL, &e), "%s", e.text);
	ck_assert_msg(conn_exec(c, "BEGIN", NULL, 0, NULL, &e), "%s", e.text);
	world_run_script(c, "customer_tables.sql", false);
	world_run_script(c, rows, false);
	ck_assert_msg(conn_exec(c, "COMMIT", NULL, 0, NULL, &e), "%s", e.text);
	conn_close(&c);
}

/* Documents lie in folders of their owners' short names, attachments by key (domain section 4). */
static void make_files(const struct world *w)
{
	static const char *const both[] = { "Attachments/folder0/1",          "Attachments/folder0/2",
					    "Attachments/folder0/3",          "Attachments/folder0/4",
					    "Attachments/folder1/10001",      "Documents/ADM/2026.1/plan.docx",
					    "Documents/TST/2026.2/offer.docx" };
	static const char *const blobs[] = { "Template/letter.docx", "Template/USR/mail.htm", "Template/scripts/a.js" };
	char path[FILES_PATH_MAX];

	for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
		snprintf(path, sizeof path, WORLD_SOURCE "/%s", both[i]);
		world_put_file(w, "objects", path, both[i]);
		world_put_file(w, "archive", path, path);
	}
	for (size_t i = 0; i < sizeof blobs / sizeof *blobs; i++) {
		snprintf(path, sizeof path, WORLD_SOURCE "/%s", blobs[i]);
		world_put_file(w, "objects", path, blobs[i]);
	}
	world_put_file(w, "objects", WORLD_TARGET "/Template/old.docx", "of the old sandbox");
	world_put_file(w, "archive", WORLD_TARGET "/Documents/OLD/2025.1/x.docx", "of the old sandbox");
	world_put_file(w, "archive", "Cust700012/Documents/x.docx", "of a neighbour");
}

static void make_folders(const struct world *w)
{
	static const char *const parts[] = { "db", "objects", "archive", "stubs" };
	char path[PATH_MAX];
	FILE *key;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		world_path(path, w->folder, parts[i]);
		world_make_folder(path);
	}
	world_path(path, w->folder, "key");
	key = fopen(path, "we");
	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(fchmod(fileno(key), 0600), 0);
	fputs("0123456789abcdef0123456789abcdef", key);
	fclose(key);
}

char *world_make(const struct world *w)
{
	make_folders(w);
	if (!world_is_postgres()) { /* a server makes its own when it is started */
		make_database(w->folder, WORLD_SOURCE, "customer_rows.sql");
		make_database(w->folder, WORLD_TARGET, "old_sandbox_rows.sql");
	}
	make_files(w);
	return read_support_file("world_stubs.json");
}

char *world_make_seeded(const struct world *w, int factor)
{
	char db[PATH_MAX], objects[PATH_MAX], archive[PATH_MAX], stubs[PATH_MAX];
	const struct seed_options options = { .folder = db,
					      .source = WORLD_SOURCE,
					      .target = WORLD_TARGET,
					      .factor = factor,
					      .seed = 42,
					      .objects = objects,
					      .archive = archive,
					      .stubs = stubs };
	struct seed_result result;
	struct err e = { 0 };

	make_folders(w);
	world_path(db, w->folder, "db");
	world_path(objects, w->folder, "objects");
	world_path(archive, w->folder, "archive");
	world_path(stubs, w->folder, "seed.json");
	ck_assert_msg(seed_customer(&options, &result, &e), "%s", e.text);
	return read_file(stubs);
}
