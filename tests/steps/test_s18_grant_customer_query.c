/* SPDX-License-Identifier: Apache-2.0
 * s18: lets the query principal read, and no more. */
#include "tests/support/step_test.h"

static bool can(const char *database, const char *sql)
{
	return world_can(w, database, "customer_query", "ask me", sql);
}

static void on_postgres(void)
{
	world_exec(w, "server", "GRANT \"" WORLD_GENERATION "_w\" TO customer_query");
	ck_step(STEP_grant_customer_query, STEP_DONE);
	ck_assert(!can(WORLD_GENERATION, "SELECT 1")); /* in quarantine */
	world_exec(w, "server", "SELECT sandbox_open('" WORLD_GENERATION "')");
	ck_assert(can(WORLD_GENERATION, "SELECT count(*) FROM person"));
	ck_assert(!can(WORLD_GENERATION, "UPDATE person SET rank = rank RETURNING 1"));
	ck_assert(!can(WORLD_GENERATION, "SELECT token FROM sandbox_stamp"));
	ck_assert(!can(WORLD_SOURCE, "SELECT 1"));
}

START_TEST(grants_reading_only)
{
	if (world_is_postgres()) {
		on_postgres();
		return;
	}
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
	if (!world_is_postgres())
		ck_number("server", "SELECT count(*) FROM permission", 0);
}
END_TEST

STEP_TESTS(grant_customer_query, grants_reading_only, is_skipped_without_a_principal)
