/* SPDX-License-Identifier: Apache-2.0
 * Brings the seed customer (compose/seed), which is a SQLite file, into a database of a test's PostgreSQL. */
#ifndef SANDBOX_TESTS_POSTGRES_CUSTOMER_H
#define SANDBOX_TESTS_POSTGRES_CUSTOMER_H

#include "tests/support/postgres_server.h"

#include <stdint.h>

/* Makes the roles cloner (no superuser), reader and customer_query (with a password, "ask me") as docs/databases.md
 * says, and the database, which only the reader may connect to, with the file's tables, rows, indexes and views; beside
 * them a counter, a foreign key, a trigger, a type of its own and a computed column. */
void postgres_customer_make(const struct postgres_server *s, const char *file, const char *database);

/* By the server's administrator, or by anybody with a password. The first cell as a number; *found_r false, and nothing
 * else told, when the connection or the statement was refused. found_r NULL: that fails the test. */
int64_t postgres_number(const struct postgres_server *s, const char *database, const char *user, const char *password,
			const char *sql, bool *found_r);
/* How often the bytes are in the database's files after a checkpoint. */
int64_t postgres_bytes(const struct postgres_server *s, const char *database, const char *bytes);

#endif
