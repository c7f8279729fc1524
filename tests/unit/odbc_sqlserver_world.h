/* SPDX-License-Identifier: Apache-2.0
 * The SQL port in SQL Server's dialect on a scripted server that has a source and a generation of ours. */
#ifndef SANDBOX_TEST_ODBC_SQLSERVER_WORLD_H
#define SANDBOX_TEST_ODBC_SQLSERVER_WORLD_H

#include "tests/support/tds_server.h"
#include "tests/unit/odbc_fixture.h"

#include <limits.h>

#define ROWS(columns, rows) "\"answer\": [{\"columns\": [" columns "], \"rows\": [" rows "]}]}"
#define RULE(match, columns, rows) "{\"match\": \"" match "\", " ROWS(columns, rows) ","
#define ONCE(match, columns, rows) "{\"times\": 1, \"match\": \"" match "\", " ROWS(columns, rows) ","

/* A server with a source, a generation that bears this clone's stamp, and the catalogue of ours. */
#define SERVER                                                                                                         \
	RULE("EngineEdition", "[\"e\", \"int\"]", "[3]")                                                               \
	RULE("SELECT id FROM dbo.sandbox_identity", "[\"i\", \"nvarchar\"]", "[\"server\"]")                           \
	RULE("SELECT CONCAT.database_id.*" SOURCE, "[\"i\", \"nvarchar\"]", "[\"5:a\"]")                               \
	RULE("SELECT CONCAT.database_id.*" GENERATION, "[\"i\", \"nvarchar\"]", "[\"6:b\"]")                           \
	RULE("SELECT COUNT.* FROM sys.databases WHERE name", "[\"n\", \"int\"]", "[1]")                                \
	RULE("SELECT state_desc", "[\"s\", \"nvarchar\"]", "[\"ONLINE\"]")                                             \
	RULE("SELECT COUNT.* FROM sys.objects", "[\"n\", \"int\"]", "[1]")                                             \
	RULE("SELECT one FROM dbo.sandbox_stamp", "[\"n\", \"int\"]", "[1]")                                           \
	RULE("SELECT source_ctx, target_ctx",                                                                          \
	     "[\"s\", \"nvarchar\"], [\"t\", \"nvarchar\"], [\"c\", \"nvarchar\"], [\"r\", \"int\"], [\"k\", "         \
	     "\"bigint\"], [\"m\", \"nvarchar\"], [\"p\", \"nvarchar\"]",                                              \
	     "[\"" SOURCE "\", \"" TARGET "\", \"" CLONE "\", 1, 1000, \"\", \"\"]")                                   \
	RULE("SELECT source_ctx, owner", "[\"s\", \"nvarchar\"], [\"o\", \"nvarchar\"], [\"r\", \"int\"], [\"t\", \"bigint\"]", "") \
	RULE("SELECT token FROM dbo.sandbox_generation_token", "[\"t\", \"bigint\"]", "[1000]")                        \
	RULE("SELECT copy_token FROM", "[\"t\", \"bigint\"]", "")                                                      \
	RULE("SELECT owner FROM", "[\"o\", \"nvarchar\"]", "[\"" CLONE "\"]")                                          \
	RULE("SELECT token, rows, cursor_at", "[\"t\", \"bigint\"], [\"r\", \"bigint\"], [\"c\", \"nvarchar\"]", "")   \
	"{\"match\": \"nothing at all\", \"answer\": []}"

static char driver[PATH_MAX];

/* NULL when the driver or python3 cannot be had. No connection is made. */
static inline struct tds_server *world_start(struct fixture *x, int which, const char *rules)
{
	char script[32768];
	struct tds_server *tds;

	if (!tds_driver_path((enum tds_driver)which, driver, sizeof driver))
		return NULL;
	ck_assert_int_lt(snprintf(script, sizeof script, "[%s%s]", rules, SERVER), (int)sizeof script);
	tds = tds_server_start(script);
	if (!tds) {
		puts("SKIPPED: python3 is not installed");
		return NULL;
	}
	fixture_folder(x);
	x->settings = (struct odbc_settings){ .dialect = "sqlserver",
					      .driver = driver,
					      .folder = "/backups",
					      .host = "127.0.0.1",
					      .port = tds_server_port(tds),
					      .user = "cloner",
					      .password = "secret",
					      .tls = "disable",
					      .schema = "crm7",
					      .query_timeout_ms = 60000 };
	return tds;
}

static inline struct tds_server *world_open(struct fixture *x, int which, const char *rules)
{
	struct tds_server *tds = world_start(x, which, rules);

	if (tds)
		fixture_open(x);
	return tds;
}

static inline void world_close(struct fixture *x, struct tds_server **tds)
{
	fixture_close(x);
	rmdir(x->folder);
	tds_server_stop(tds);
}

/* Each text was asked, and behind the one before it. */
static inline void asked_in_order(const struct tds_server *tds, const char *const *texts)
{
	char *log = tds_server_log(tds), *at = log;

	for (; *texts; texts++) {
		char *found = strstr(at, *texts);

		ck_assert_msg(found, "not asked, or too early: %s\n%.4000s", *texts, at);
		at = found;
	}
	free(log);
}

#endif
