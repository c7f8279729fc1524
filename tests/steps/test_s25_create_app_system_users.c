/* SPDX-License-Identifier: Apache-2.0
 * s25: knows the target's apps and no others. */
#include "tests/support/step_test.h"

START_TEST(apps_of_the_target_only)
{
	ck_step(STEP_create_app_system_users, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM OnlineApp", 2);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM OnlineApp WHERE clientId IN ('sync-app', 'view-app')", 2);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate WHERE type = 13", 4);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM Credentials WHERE searchName = 'Sync-a1b2c3' AND isActive = 1", 1);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM Credentials WHERE searchName LIKE 'Old App%' OR secret LIKE '%source%'", 0);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM UserRoleLink WHERE associate_id NOT IN"
		  " (SELECT associate_id FROM associate)",
		  0);
}
END_TEST

START_TEST(platform_users_are_left_alone)
{
	const char *before =
	    world_text(w, WORLD_GENERATION, "SELECT secret FROM Credentials WHERE searchName = 'NetServer'");

	ck_step(STEP_create_app_system_users, STEP_DONE);
	ck_assert_str_eq(
	    world_text(w, WORLD_GENERATION, "SELECT secret FROM Credentials WHERE searchName = 'NetServer'"), before);
}
END_TEST

STEP_TESTS(create_app_system_users, apps_of_the_target_only, platform_users_are_left_alone)
