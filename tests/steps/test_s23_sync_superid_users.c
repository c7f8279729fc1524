/* SPDX-License-Identifier: Apache-2.0
 * s23: makes SuperID's list that of the users with a plan. */
#include "tests/support/step_test.h"

START_TEST(lists_exactly_the_users_with_a_plan)
{
	ck_step(STEP_sync_superid_users, STEP_DONE);
	ck_told("superid.Cust70001.users.0.login", "tester@company.example");
	ck_told("superid.Cust70001.users.0.associate_id", "2");
	ck_told("superid.Cust70001.users.1.login", "user@company.example");
	ck_told("superid.Cust70001.users.2", NULL);
	world_take_over(w);
	ck_step(STEP_sync_superid_users, STEP_ALREADY);
}
END_TEST

STEP_TESTS(sync_superid_users, lists_exactly_the_users_with_a_plan)
