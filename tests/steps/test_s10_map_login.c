/* SPDX-License-Identifier: Apache-2.0
 * s10: leaves the generation one user, the target's own. */
#include "tests/support/step_test.h"

/* The password of the target's login is sealed: the test gives it another one. */
static bool app_can(const char *sql)
{
	world_exec(w, "server", "ALTER ROLE \"" WORLD_TARGET "_app\" PASSWORD 'known now'");
	return world_can(w, WORLD_GENERATION, WORLD_TARGET "_app", "known now", sql);
}

static void on_postgres(void)
{
	world_exec(w, "server", "CREATE ROLE stranger LOGIN PASSWORD 'ask me'");
	world_exec(w, "server", "GRANT \"" WORLD_GENERATION "_w\" TO stranger");
	world_exec(w, "server", "GRANT CONNECT ON DATABASE \"" WORLD_GENERATION "\" TO customer_query");
	ck_step(STEP_map_login, STEP_DONE);
	ck_assert(!app_can("SELECT 1")); /* in quarantine */
	world_exec(w, "server", "SELECT sandbox_open('" WORLD_GENERATION "')");
	ck_assert(app_can("UPDATE associate SET tooltip = tooltip RETURNING 1"));
	ck_assert(!app_can("SELECT token FROM sandbox_stamp"));
	ck_assert(!world_can(w, WORLD_GENERATION, "stranger", "ask me", "SELECT 1"));
	ck_assert(!world_can(w, WORLD_GENERATION, "customer_query", "ask me", "SELECT 1"));
}

START_TEST(only_the_targets_user_is_left)
{
	if (world_is_postgres()) {
		on_postgres();
		return;
	}
	world_exec(w, "server",
		   "INSERT INTO database_user (database, name, login_sid, roles) VALUES"
		   " ('" WORLD_GENERATION "', 'Cust70000_app', 'sid of the source', 'db_owner')");
	ck_step(STEP_map_login, STEP_DONE);
	ck_number("server", "SELECT count(*) FROM database_user WHERE database = '" WORLD_GENERATION "'", 1);
	ck_number("server",
		  "SELECT count(*) FROM database_user AS u JOIN login AS l ON l.sid = u.login_sid"
		  " WHERE u.database = '" WORLD_GENERATION "' AND l.name = '" WORLD_TARGET "_app'",
		  1);
}
END_TEST

START_TEST(a_user_of_another_login_is_mapped_anew)
{
	if (world_is_postgres()) /* a member is the role itself */
		return;
	world_exec(w, "server",
		   "INSERT INTO database_user (database, name, login_sid, roles) VALUES"
		   " ('" WORLD_GENERATION "', '" WORLD_TARGET "_app', 'orphan', 'db_owner')");
	ck_step(STEP_map_login, STEP_DONE);
	ck_number("server", "SELECT count(*) FROM database_user WHERE login_sid = 'orphan' OR roles = 'db_owner'", 0);
}
END_TEST

STEP_TESTS(map_login, only_the_targets_user_is_left, a_user_of_another_login_is_mapped_anew)
