/* SPDX-License-Identifier: Apache-2.0
 * s10: leaves the generation one user, the target's own. */
#include "tests/support/step_test.h"

START_TEST(only_the_targets_user_is_left)
{
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
	world_exec(w, "server",
		   "INSERT INTO database_user (database, name, login_sid, roles) VALUES"
		   " ('" WORLD_GENERATION "', '" WORLD_TARGET "_app', 'orphan', 'db_owner')");
	ck_step(STEP_map_login, STEP_DONE);
	ck_number("server", "SELECT count(*) FROM database_user WHERE login_sid = 'orphan' OR roles = 'db_owner'", 0);
}
END_TEST

STEP_TESTS(map_login, only_the_targets_user_is_left, a_user_of_another_login_is_mapped_anew)
