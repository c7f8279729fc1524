/* SPDX-License-Identifier: Apache-2.0
 * s22: assigns exactly the plans of the request, within the licence. */
#include "tests/support/step_test.h"
#include <string.h>

static struct user_plan users[3] = {
	{ .login = "tester@company.example", .plan = "ten-salesservicemarketing", .is_admin = true },
	{ .associate_id = 3, .plan = "ten-sales" },
	{ .login = "admin@company.example", .plan = "ten-sales" },
};

START_TEST(users_hold_their_plans_and_what_these_turn_on)
{
	ck_step(STEP_assign_user_plans, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM LicenseAssocLink WHERE assocId = 2", 4);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM LicenseAssocLink WHERE assocId = 3", 3);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM LicenseAssocLink", 7);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM LicenseAssocLink WHERE length(encryptedCheck) = 64", 7);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate WHERE length(encryptedCheck) = 64 AND type = 0", 2);
	world_take_over(w);
	ck_step(STEP_assign_user_plans, STEP_ALREADY);
}
END_TEST

START_TEST(a_stray_assignment_is_taken_back)
{
	world_do(w, STEP_assign_user_plans);
	world_exec(w, WORLD_GENERATION, "UPDATE LicenseAssocLink SET assocId = 1 WHERE assocId = 3");
	ck_step(STEP_assign_user_plans, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM LicenseAssocLink WHERE assocId = 1", 0);
}
END_TEST

START_TEST(too_few_seats_are_refused)
{
	users[2].login = "tester@company.example";
	w->job.users = users;
	w->job.user_count = 3;
	ck_refused(STEP_assign_user_plans, "\"ten-sales\" has 1 seats, 2 are asked for");
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM LicenseAssocLink", 0);
}
END_TEST

START_TEST(a_masked_user_is_not_there)
{
	w->job.users = users; /* the third was not in the request when the mask was made */
	w->job.user_count = 3;
	ck_refused(STEP_assign_user_plans, "user 3 of the request is no active employee");
}
END_TEST

START_TEST(an_administrator_needs_a_plan)
{
	w->job.users = users + 1;
	w->job.user_count = 1;
	ck_refused(STEP_assign_user_plans, "no administrator");
}
END_TEST

START_TEST(an_unknown_plan_is_refused)
{
	users[0].plan = "ten-everything";
	w->job.users = users;
	w->job.user_count = 1;
	ck_refused(STEP_assign_user_plans, "no user plan \"ten-everything\"");
	users[0].plan = "user"; /* a licence, but no plan */
	ck_refused(STEP_assign_user_plans, "no user plan \"user\"");
}
END_TEST

STEP_TESTS(assign_user_plans, users_hold_their_plans_and_what_these_turn_on, a_stray_assignment_is_taken_back,
	   too_few_seats_are_refused, a_masked_user_is_not_there, an_administrator_needs_a_plan,
	   an_unknown_plan_is_refused)
