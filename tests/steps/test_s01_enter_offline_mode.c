/* SPDX-License-Identifier: Apache-2.0
 * s01: waits for the tasks of the customer, then takes the target offline; refuses what is no sandbox. */
#include "tests/support/step_test.h"

START_TEST(waits_for_tasks_then_goes_offline)
{
	ck_assert_int_eq(world_call(w, STEP_enter_offline_mode), STEP_WAIT);
	ck_assert_str_eq(w->last.waiting_on, "tasks of the customer to end");
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
	ck_step(STEP_enter_offline_mode, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".state", "OfflineMaintenance");
	ck_told("hosting.tenants." WORLD_SOURCE ".state", "Running");
}
END_TEST

START_TEST(is_already_so_for_somebody_else)
{
	world_do(w, STEP_enter_offline_mode);
	world_take_over(w);
	ck_step(STEP_enter_offline_mode, STEP_ALREADY);
}
END_TEST

START_TEST(never_touches_what_is_no_sandbox_of_the_source)
{
	w->job.source_ctx = "Cust70009";
	ck_refused(STEP_enter_offline_mode, "does not link the target to this source");
	w->job.source_ctx = WORLD_TARGET;
	ck_refused(STEP_enter_offline_mode, "same tenant");
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
}
END_TEST

STEP_TESTS(enter_offline_mode, waits_for_tasks_then_goes_offline, is_already_so_for_somebody_else,
	   never_touches_what_is_no_sandbox_of_the_source)
