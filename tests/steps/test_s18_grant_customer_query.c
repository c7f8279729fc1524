/* SPDX-License-Identifier: Apache-2.0
 * s18: lets the query principal read, and no more. */
#include "tests/support/step_test.h"

START_TEST(grants_reading_only)
{
	world_exec(w, "server",
		   "INSERT INTO permission (database, principal, privilege) VALUES"
		   " ('" WORLD_GENERATION "', 'customer_query', 'UPDATE'),"
		   " ('" WORLD_SOURCE "', 'customer_query', 'UPDATE')");
	ck_step(STEP_grant_customer_query, STEP_DONE);
	ck_number("server", "SELECT count(*) FROM permission WHERE database = '" WORLD_GENERATION "'", 1);
	ck_number("server",
		  "SELECT count(*) FROM permission WHERE database = '" WORLD_GENERATION "' AND privilege = 'SELECT'",
		  1);
	ck_number("server", "SELECT count(*) FROM permission WHERE database = '" WORLD_SOURCE "'", 1);
}
END_TEST

START_TEST(is_skipped_without_a_principal)
{
	w->settings.query_principal = "";
	ck_step(STEP_grant_customer_query, STEP_SKIPPED);
	ck_number("server", "SELECT count(*) FROM permission", 0);
}
END_TEST

STEP_TESTS(grant_customer_query, grants_reading_only, is_skipped_without_a_principal)
