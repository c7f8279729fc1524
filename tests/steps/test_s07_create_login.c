/* SPDX-License-Identifier: Apache-2.0
 * s07: gives the target a login of its own. */
#include "tests/support/step_test.h"

#define IN_SERVER(what) "SELECT count(*) FROM pg_roles WHERE rolname = '" WORLD_TARGET "_app' AND " what

START_TEST(makes_an_enabled_login_with_a_sealed_secret)
{
	ck_step(STEP_create_login, STEP_DONE);
	if (world_is_postgres()) {
		ck_number("server", IN_SERVER("rolcanlogin AND NOT rolsuper AND NOT rolcreatedb AND NOT rolcreaterole"), 1);
		ck_number("server", "SELECT count(*) FROM pg_authid WHERE rolname = '" WORLD_TARGET "_app' AND rolpassword LIKE"
			  " 'SCRAM-SHA-256$%'", 1);
		return;
	}
	ck_number("server", "SELECT count(*) FROM login WHERE name = '" WORLD_TARGET "_app' AND disabled = 0", 1);
	ck_number("server", "SELECT length(secret_hash) FROM login WHERE name = '" WORLD_TARGET "_app'", 64);
	ck_number("server", "SELECT sid <> secret_hash FROM login WHERE name = '" WORLD_TARGET "_app'", 1);
}
END_TEST

START_TEST(enables_the_one_that_is_there)
{
	if (world_is_postgres()) {
		world_exec(w, "server", "CREATE ROLE \"" WORLD_TARGET "_app\" NOLOGIN PASSWORD 'as it was'");
		ck_assert(!world_can(w, "postgres", WORLD_TARGET "_app", "as it was", "SELECT 1"));
		ck_step(STEP_create_login, STEP_DONE);
		ck_assert(world_can(w, "postgres", WORLD_TARGET "_app", "as it was", "SELECT 1"));
		return;
	}
	world_exec(w, "server",
		   "INSERT INTO login (name, sid, secret_hash, disabled) VALUES"
		   " ('" WORLD_TARGET "_app', 'old sid', 'old hash', 1)");
	ck_step(STEP_create_login, STEP_DONE);
	ck_number("server",
		  "SELECT count(*) FROM login WHERE sid = 'old sid' AND secret_hash = 'old hash' AND disabled = 0", 1);
}
END_TEST

STEP_TESTS(create_login, makes_an_enabled_login_with_a_sealed_secret, enables_the_one_that_is_there)
