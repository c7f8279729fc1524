/* SPDX-License-Identifier: Apache-2.0
 * s05: takes the old sandbox out of service, and nothing else. */
#include "tests/support/step_test.h"

START_TEST(retires_and_closes_the_old_database)
{
	ck_step(STEP_drop_database, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".database", "");
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", WORLD_TARGET);
	ck_number("server", "SELECT quarantined FROM database_entry WHERE name = '" WORLD_TARGET "'", 1);
	if (world_is_postgres())
		ck_assert(!world_can(w, WORLD_TARGET, "customer_query", "ask me", "SELECT 1"));
	ck_assert(world_has_database(w, WORLD_TARGET));
	ck_number(WORLD_SOURCE, "SELECT count(*) FROM associate", 7);
}
END_TEST

START_TEST(refuses_a_database_that_nobody_knows_as_a_sandbox)
{
	w->job.approved_target = "";
	ck_refused(STEP_drop_database, "no sandbox stamp");
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_TARGET);
}
END_TEST

START_TEST(refuses_the_source_under_another_name)
{
	if (world_is_postgres()) /* a database of a server has one name */
		return;
	world_drop_file(w, "db", WORLD_TARGET ".sqlite");
	world_link_file(w, "db", WORLD_SOURCE ".sqlite", WORLD_TARGET ".sqlite");
	ck_refused(STEP_drop_database, "source's under another name");
	ck_number(WORLD_SOURCE, "SELECT count(*) FROM associate", 7);
}
END_TEST

START_TEST(drops_first_when_the_installation_wants_that)
{
	w->settings.previous_drop_first = true;
	ck_step(STEP_drop_database, STEP_DONE);
	ck_assert(!world_has_database(w, WORLD_TARGET));
	ck_assert(world_has_database(w, WORLD_SOURCE));
}
END_TEST

STEP_TESTS(drop_database, retires_and_closes_the_old_database, refuses_a_database_that_nobody_knows_as_a_sandbox,
	   refuses_the_source_under_another_name, drops_first_when_the_installation_wants_that)
