/* SPDX-License-Identifier: Apache-2.0
 * Looking at the test world from outside, and disturbing it. */
#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/dialect.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- files ---- */

void world_path(char out_r[PATH_MAX], const char *folder, const char *part)
{
	ck_assert_int_lt(snprintf(out_r, PATH_MAX, "%s/%s", folder, part), PATH_MAX);
}

void world_make_folder(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof part, "%s", path);
	for (char *p = part + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(part, 0755);
			*p = '/';
		}
	mkdir(part, 0755);
}

static char copy_from[PATH_MAX], copy_to[PATH_MAX]; /* nftw has no argument */

static int copy_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	char to[2 * PATH_MAX], block[65536];
	FILE *in, *out;
	size_t n;

	(void)at;
	snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(copy_from));
	if (type == FTW_D) {
		mkdir(to, status->st_mode & 0777);
		return 0;
	}
	if (type != FTW_F || !S_ISREG(status->st_mode))
		return 0;
	in = fopen(path, "re");
	out = fopen(to, "we");
	if (!in || !out)
		return -1;
	fchmod(fileno(out), status->st_mode & 0777);
	while ((n = fread(block, 1, sizeof block, in)) > 0)
		fwrite(block, 1, n, out);
	fclose(in);
	return fclose(out);
}

/* In a process of its own: closing a file drops the locks that SQLite holds on it in this one. */
void world_copy_folder(const char *from, const char *to)
{
	int status = -1;
	pid_t child;

	snprintf(copy_from, sizeof copy_from, "%s", from);
	snprintf(copy_to, sizeof copy_to, "%s", to);
	child = fork();
	if (child == 0)
		_exit(nftw(from, copy_one, 16, FTW_PHYS) != 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s could not be copied", from);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)status, (void)type, (void)at;
	return remove(path);
}

void world_remove_folder(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int64_t world_file(const struct world *w, const char *part, const char *path)
{
	char full[PATH_MAX];
	struct stat status;

	snprintf(full, sizeof full, "%s/%s/%s", w->folder, part, path);
	return lstat(full, &status) == 0 ? (int64_t)status.st_size : -1;
}

void world_put_file(const struct world *w, const char *part, const char *path, const char *content)
{
	char full[PATH_MAX], *slash;
	FILE *file;

	snprintf(full, sizeof full, "%s/%s/%s", w->folder, part, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	world_make_folder(full);
	*slash = '/';
	file = fopen(full, "we");
	ck_assert_msg(file, "%s cannot be written", full);
	fputs(content, file);
	ck_assert_int_eq(fclose(file), 0);
}

void world_link_file(const struct world *w, const char *part, const char *target, const char *path)
{
	char from[PATH_MAX], full[PATH_MAX];

	snprintf(full, sizeof full, "%s/%s/%s", w->folder, part, path);
	snprintf(from, sizeof from, "%s/%s/%s", w->folder, part, target);
	ck_assert_int_eq(symlink(*target == '/' ? target : from, full), 0);
}

void world_drop_file(const struct world *w, const char *part, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof full, "%s/%s/%s", w->folder, part, path);
	ck_assert_int_eq(remove(full), 0);
}

/* ---- databases ---- */

static void file_of(const struct world *w, const char *database, char out_r[PATH_MAX])
{
	snprintf(out_r, PATH_MAX, "%s/db/%s.sqlite", w->folder, strcmp(database, "server") == 0 ? "_server" : database);
}

bool world_has_database(struct world *w, const char *database)
{
	char path[PATH_MAX];

	if (w->postgres)
		return world_postgres_has(w, strcmp(database, "server") == 0 ? "_sandbox" : database);
	file_of(w, database, path);
	return access(path, F_OK) == 0;
}

struct conn *world_connect(const char *path, bool writes)
{
	static const struct odbc_settings settings = { .dialect = "sqlite", .busy_timeout_ms = 2000 };
	static struct odbc_env *env;
	struct err e = { 0 };
	char connection[PATH_MAX + 64];
	struct conn *c;

	if (!env)
		env = odbc_env_new(&e);
	ck_assert_msg(env, "%s", e.text);
	snprintf(connection, sizeof connection, "Driver=SQLite3;NoTXN=1;NoWCHAR=1;Timeout=2000;Database=%s", path);
	c = conn_open(env, &dialect_sqlite, connection, writes ? ACCESS_WRITE : ACCESS_READ, &settings, &e);
	ck_assert_msg(c, "%s", e.text);
	return c;
}

static struct conn *connect_to(struct world *w, const char *database, bool writes)
{
	char path[PATH_MAX];

	ck_assert_msg(world_has_database(w, database), "there is no database %s", database);
	if (w->postgres)
		return world_postgres_connect(w, strcmp(database, "server") == 0 ? "_sandbox" : database);
	file_of(w, database, path);
	return world_connect(path, writes);
}

void world_exec(struct world *w, const char *database, const char *sql)
{
	struct conn *c = connect_to(w, database, true);
	struct err e = { 0 };

	ck_assert_msg(conn_exec(c, sql, NULL, 0, NULL, &e), "%s: %s", sql, e.text);
	conn_close(&c);
}

int64_t world_number(struct world *w, const char *database, const char *sql)
{
	struct conn *c = connect_to(w, database, false);
	struct err e = { 0 };
	int64_t number = 0;
	bool found = false;

	ck_assert_msg(conn_number(c, sql, NULL, 0, &number, &found, &e), "%s: %s", sql, e.text);
	conn_close(&c);
	return number;
}

const char *world_text(struct world *w, const char *database, const char *sql)
{
	struct conn *c = connect_to(w, database, false);
	struct err e = { 0 };
	const char *kept;
	bool found = false;
	struct buf text;

	buf_init(&text, 1 << 20);
	ck_assert_msg(conn_text(c, sql, NULL, 0, &text, &found, &e), "%s: %s", sql, e.text);
	conn_close(&c);
	kept = arena_text(w->texts, buf_text(&text), text.len);
	buf_done(&text);
	ck_assert_ptr_nonnull(kept);
	return kept;
}

int64_t world_count_bytes(const char *path, const char *bytes)
{
	size_t len = strlen(bytes), size;
	int64_t found = 0;
	struct stat status;
	char *content;
	FILE *file = fopen(path, "re");

	if (!file)
		return 0;
	ck_assert_int_eq(fstat(fileno(file), &status), 0);
	content = malloc((size_t)status.st_size + 1);
	ck_assert_ptr_nonnull(content);
	size = fread(content, 1, (size_t)status.st_size, file);
	fclose(file);
	for (char *at = content; (at = memmem(at, size - (size_t)(at - content), bytes, len)); at += len)
		found++;
	free(content);
	return found;
}

int64_t world_bytes(struct world *w, const char *database, const char *bytes)
{
	char path[PATH_MAX], log[PATH_MAX + 8];

	if (w->postgres)
		return world_postgres_bytes(w, database, bytes);
	file_of(w, database, path);
	snprintf(log, sizeof log, "%s-wal", path);
	return world_count_bytes(path, bytes) + world_count_bytes(log, bytes);
}

bool world_count_rule(struct world *w, const char *section, int64_t *left_r)
{
	const struct sql_args args = {
		6,
		{ { "source_endpoint", { .kind = SQL_TEXT, .text = "https://online3.example/" WORLD_SOURCE } },
		  { "target_endpoint", { .kind = SQL_TEXT, .text = "https://online4.example/" WORLD_TARGET } },
		  { "service_path", { .kind = SQL_TEXT, .text = "/cust70000/cs/scripts/" } },
		  { "files_root", { .kind = SQL_TEXT, .text = WORLD_GENERATION } },
		  { "sink_host", { .kind = SQL_TEXT, .text = w->settings.sink_host } },
		  { "clone_hex", { .kind = SQL_TEXT, .text = "0198f0c27d1e7c5b9a542f6f2a1b9c10" } } },
	};

	err_clear(&w->err);
	return w->ports.sql->scalar(w->ports.sql, SQL_TARGET, section, &args, left_r, &w->err);
}

/* ---- the outside systems ---- */

const char *world_told(struct world *w, const char *path)
{
	json_t *state = stub_server_state(w->stubs), *at = json_object_get(state, "world");
	const char *kept = NULL;
	char *copy = strdup(path), *rest = copy, *name;

	ck_assert_msg(state, "the stubs do not answer");
	while (at && (name = strsep(&rest, ".")))
		at = json_is_array(at) ? json_array_get(at, (size_t)atol(name)) : json_object_get(at, name);
	if (json_is_integer(at))
		kept = arena_printf(w->texts, "%" JSON_INTEGER_FORMAT, json_integer_value(at));
	else if (json_is_string(at))
		kept = arena_text(w->texts, json_string_value(at), json_string_length(at));
	else if (at)
		kept = "there";
	free(copy);
	json_decref(state);
	return kept;
}
