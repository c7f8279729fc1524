/* SPDX-License-Identifier: Apache-2.0
 * What a scripted server says as Azure SQL Database or as Managed Instance: the variables `phase` (what our catalogue
 * remembers of the copy), `db` (the generation: "" the empty one, gone, made, there, broken) and `closed`. */
#ifndef SANDBOX_TEST_ODBC_AZURE_WORLD_H
#define SANDBOX_TEST_ODBC_AZURE_WORLD_H

#include "tests/unit/odbc_sqlserver_world.h"

#include <signal.h>
#include <sys/wait.h>

#define WHEN(name, value) "\"if\": {\"" name "\": \"" value "\"}, "
#define THEN(name, value) "\"set\": {\"" name "\": \"" value "\"}, "
#define TIMES(n)          "\"times\": " #n ", "
#define SAYS(conditions, match, columns, rows) "{" conditions "\"match\": \"" match "\", " ROWS(columns, rows) ","
#define DOES(conditions, match, answer)        "{" conditions "\"match\": \"" match "\", \"answer\": [" answer "]},"

#define ONE(kind)    "[\"a\", \"" kind "\"]"
#define PHASE        "[\"p\", \"int\"], [\"t\", \"bigint\"], [\"s\", \"nvarchar\"]"
#define COPY_STAMP   "[\"s\", \"nvarchar\"], [\"o\", \"nvarchar\"], [\"r\", \"int\"], [\"t\", \"bigint\"]"
#define OURS         "[\"" SOURCE "\", \"" CLONE "\", 1, 1000]"
#define STATE_OF     "SELECT state_desc.*" GENERATION
#define NOTED(n)                                                                                                       \
	DOES(THEN("phase", n), "SET copy_run.*\\\\[1, " n ", 1000", "{\"count\": 1}")                                  \
	SAYS(WHEN("phase", n), "SELECT copy_phase, ", PHASE, "[" n ", 1000, \"" SOURCE "\"]")

/* The copy is in the making at the first look. */
#define MADE_AFTER_A_LOOK(state)                                                                                    \
	SAYS(TIMES(1) WHEN("db", "made"), STATE_OF, ONE("nvarchar"), "[\"" state "\"]")                                \
	SAYS(WHEN("db", "made") THEN("db", "there"), STATE_OF, ONE("nvarchar"), "[\"ONLINE\"]")

#define AZURE(edition)                                                                                                 \
	RULE("EngineEdition", ONE("int"), "[" edition "]")                                                             \
	NOTED("1") NOTED("2") NOTED("3") NOTED("4")                                                                    \
	RULE("SELECT copy_phase, ", PHASE, "")                                                                         \
	SAYS(WHEN("phase", "1"), "SELECT source_ctx, owner", COPY_STAMP, OURS)                                         \
	SAYS(WHEN("phase", "2"), "SELECT source_ctx, owner", COPY_STAMP, OURS)                                         \
	SAYS(WHEN("phase", "3"), "SELECT source_ctx, owner", COPY_STAMP, OURS)                                         \
	DOES(THEN("db", "gone"), "^DROP DATABASE .*" GENERATION, "")                                                   \
	SAYS(WHEN("db", "gone"), "FROM sys.databases WHERE name.*" GENERATION, ONE("nvarchar"), "")                    \
	DOES(WHEN("db", "gone"), "^<LOGIN " GENERATION, "{\"error\": [4060, 11, \"there is none\"]}")                  \
	DOES(WHEN("db", "made"), "^<LOGIN " GENERATION, "{\"error\": [4060, 11, \"it is not there yet\"]}")            \
	DOES(WHEN("db", "broken"), "^<LOGIN " GENERATION, "{\"error\": [4060, 11, \"it will never be there\"]}")       \
	SAYS(WHEN("db", "broken"), STATE_OF, ONE("nvarchar"), "[\"SUSPECT\"]")                                         \
	RULE("USER_NAME", ONE("int"), "[1]")                                                                           \
	DOES(THEN("closed", "yes"), "^DENY CONNECT TO public", "")                                                     \
	DOES(THEN("closed", ""), "^REVOKE CONNECT FROM public", "")                                                    \
	SAYS(WHEN("closed", "yes"), "grantee_principal_id = 0", ONE("int"), "[0]")                                     \
	RULE("grantee_principal_id = 0", ONE("int"), "[1]")                                                            \
	ONCE("SELECT N'KILL '", ONE("nvarchar"), "[\"KILL 55\"]")                                                      \
	RULE("SELECT N'KILL '", ONE("nvarchar"), "")                                                                   \
	DOES("", "^KILL 55", "{\"error\": [6106, 16, \"it is not active\"]}")                                          \
	RULE("operation NOT LIKE", ONE("int"), "[0]")                                                                  \
	RULE("SELECT TOP .1. error_code", ONE("int"), "[40564]")                                                       \
	RULE("database_files|master_files", ONE("bigint"), "[1000000]")                                                \
	RULE("@@SPID AS", ONE("int"), "[77]")                                                                          \
	RULE("COUNT.DISTINCT t.object_id", "[\"r\", \"bigint\"], [\"t\", \"int\"]", "[123, 4]")

/* Until it is finished or an error comes. */
static inline bool copy_on(struct fixture *x, struct sql_pages *pages, struct err *e)
{
	for (int i = 0; i < 1000 && !pages->finished; i++)
		if (!x->sql->copy_next(x->sql, &x->fence, NULL, pages, e))
			return false;
	return pages->finished;
}

/* Another process begins the copy and dies when `text` was asked. */
static inline void die_after(struct fixture *x, const struct tds_server *tds, const char *text)
{
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct sql_pages pages = { 0 };
		struct err e = { 0 };

		fixture_open(x);
		copy_on(x, &pages, &e);
		_exit(0);
	}
	for (int i = 0; i < 6000 && tds_server_asked(tds, text) == 0; i++)
		usleep(10000);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert_uint_gt(tds_server_asked(tds, text), 0);
}

#endif
