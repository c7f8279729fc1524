/* SPDX-License-Identifier: Apache-2.0
 * A folder of SQLite databases behind the real adapter, for the tests of the adapter. */
#ifndef SANDBOX_TEST_ODBC_FIXTURE_H
#define SANDBOX_TEST_ODBC_FIXTURE_H

#include "consumer/adapters/odbc/conn.h"
#include "consumer/adapters/odbc/odbc_sql.h"
#include "consumer/adapters/sqlite/sqlite_views.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE     "Cust70000"
#define TARGET     "Cust70001"
#define GENERATION TARGET "__g1abc"
#define CLONE      "0b9d6d2e-7a55-4a0e-9a63-3f4f0c7f0001"

struct fixture {
	char folder[128];
	struct odbc_settings settings;
	struct odbc_server *server;
	struct sql_port *sql;
	struct fence fence;
};

#define must(call)                                                                                                     \
	do {                                                                                                           \
		struct err e_ = { 0 }, *e = &e_;                                                                       \
		ck_assert_msg((call), "%s: %s (%s)", #call, e_.text, err_class_name(e_.class));                        \
	} while (0)

/* The call fails with that class; the error is in `failure`. */
#define must_fail(call, wanted)                                                                                        \
	do {                                                                                                           \
		struct err *e = &failure;                                                                              \
		err_clear(e);                                                                                          \
		ck_assert_msg(!(call), "%s worked", #call);                                                            \
		ck_assert_msg(failure.class == (wanted), "%s: %s instead of %s: %s", #call,                            \
			      err_class_name(failure.class), err_class_name(wanted), failure.text);                    \
	} while (0)

static struct err failure __attribute__((unused));

static inline void fixture_folder(struct fixture *x)
{
	const char *base = getenv("TMPDIR");

	memset(x, 0, sizeof *x);
	snprintf(x->folder, sizeof x->folder, "%s/sandbox-odbc-XXXXXX", base ? base : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(x->folder));
	x->settings = (struct odbc_settings){ .dialect = "sqlite",
					      .driver = "SQLite3",
					      .folder = x->folder,
					      .busy_timeout_ms = 2000,
					      .query_timeout_ms = 60000 };
	x->fence = (struct fence){ .clone_id = CLONE,
				   .run = 1,
				   .step = "copy_database",
				   .target_ctx = TARGET,
				   .generation = GENERATION,
				   .token = 1000 };
}

static inline void fixture_open(struct fixture *x)
{
	const struct odbc_databases databases = { SOURCE, "", GENERATION };

	must((x->server = odbc_server_open(&x->settings, e)));
	must((x->sql = odbc_sql_open(x->server, &databases, e)));
}

static inline void fixture_close(struct fixture *x)
{
	odbc_sql_close(&x->sql);
	odbc_server_close(&x->server);
}

static inline void fixture_remove(struct fixture *x)
{
	DIR *d;
	struct dirent *entry;

	fixture_close(x);
	d = opendir(x->folder);
	while (d && (entry = readdir(d))) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", x->folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(x->folder);
}

/* Executes statements, each a string, NULL at the end, on a database that is made when it is not there. */
static inline void script(const struct fixture *x, const char *database, const char *const *statements)
{
	struct odbc_env *env;
	struct buf text;
	struct conn *c;

	buf_init(&text, 4096);
	must(dialect_sqlite_files.create(&x->settings, database, e));
	must((env = odbc_env_new(e)));
	ck_assert(dialect_sqlite.connection(&x->settings, database, ACCESS_WRITE, &text));
	must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_WRITE, &x->settings, e)));
	must(conn_begin_write(c, e));
	for (; *statements; statements++)
		must(conn_exec(c, *statements, NULL, 0, NULL, e));
	must(conn_commit(c, e));
	conn_close(&c);
	odbc_env_free(&env);
	buf_done(&text);
}

#define SCRIPT(x, database, ...) script(x, database, (const char *const[]){ __VA_ARGS__, NULL })

/* First cell of the answer as text, "NULL" when it is NULL or there is no row; freed by the caller. */
static inline char *ask(const struct fixture *x, const char *database, const char *sql)
{
	struct odbc_env *env;
	struct buf text, out;
	struct conn *c;
	bool found;
	char *answer;

	buf_init(&text, 4096);
	buf_init(&out, (size_t)256 << 20);
	must((env = odbc_env_new(e)));
	ck_assert(dialect_sqlite.connection(&x->settings, database, ACCESS_READ, &text));
	must((c = conn_open(env, &dialect_sqlite, buf_text(&text), ACCESS_READ, &x->settings, e)));
	must(conn_text(c, sql, NULL, 0, &out, &found, e));
	answer = strdup(found ? buf_text(&out) : "NULL");
	conn_close(&c);
	odbc_env_free(&env);
	buf_done(&text);
	buf_done(&out);
	return answer;
}

#define ck_ask(x, database, sql, wanted)                                                                               \
	do {                                                                                                           \
		char *answer_ = ask(x, database, sql);                                                                 \
		ck_assert_str_eq(answer_, wanted);                                                                     \
		free(answer_);                                                                                         \
	} while (0)

/* The same question to two databases has one answer. */
#define ck_same(x, a, b, sql)                                                                                          \
	do {                                                                                                           \
		char *first_ = ask(x, a, sql), *second_ = ask(x, b, sql);                                              \
		ck_assert_msg(strcmp(first_, second_) == 0, "%s\n%.300s\n%.300s", sql, first_, second_);               \
		free(first_);                                                                                          \
		free(second_);                                                                                         \
	} while (0)

/* From now on rows stay inside SQLite, as the programs have it; otherwise they travel. Before fixture_open. */
static inline void rows_stay_inside(struct fixture *x)
{
	must((x->settings.views = sqlite_views(e)));
}

static inline void make_generation(struct fixture *x)
{
	must(x->sql->create_database(x->sql, &x->fence, SOURCE, e));
}

static inline bool copy_all(struct fixture *x, const struct sql_filter *filter, struct sql_pages *pages, struct err *e)
{
	while (!pages->finished)
		if (!x->sql->copy_next(x->sql, &x->fence, filter, pages, e))
			return false;
	return true;
}

/* Masks whatever has an '@' into upper case: enough to see where a filter was and was not. */
static inline enum sql_cell shout(void *arg, const char *table, const char *column, size_t width, const char *text,
				  size_t len, struct buf *out)
{
	(void)table;
	(void)column;
	(void)width;
	if (arg)
		++*(int64_t *)arg;
	if (!memchr(text, '@', len))
		return SQL_CELL_KEEP;
	for (size_t i = 0; i < len; i++) {
		char ch = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 32) : text[i];

		buf_add(out, &ch, 1);
	}
	return SQL_CELL_REPLACE;
}

/* A source of three scheduled tasks, and a port for its clone. */
static inline void fixture_schedule(struct fixture *x)
{
	fixture_folder(x);
	SCRIPT(x, SOURCE, "CREATE TABLE schedule (id INTEGER PRIMARY KEY, disabled smallint, title nvarchar(30))",
	       "INSERT INTO schedule VALUES (1, 0, 'one'), (2, 0, ''), (3, 1, NULL)");
	fixture_open(x);
}

/* A generation with the source's rows. */
static inline void fixture_copied(struct fixture *x)
{
	struct sql_pages pages = { 0 };

	make_generation(x);
	must(copy_all(x, NULL, &pages, e));
}

/* The port of another owner. */
static inline struct sql_port *fixture_other_port(const struct fixture *x, struct fence *fence, const char *generation,
                                                  uint64_t token)
{
	const struct odbc_databases databases = { SOURCE, "", generation };
	struct sql_port *port;

	*fence = x->fence;
	fence->generation = generation;
	fence->token = token;
	must((port = odbc_sql_open(x->server, &databases, e)));
	return port;
}

#endif
