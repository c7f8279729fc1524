/* SPDX-License-Identifier: Apache-2.0
 * s11: switches scheduled tasks off but for the ticked ones. */
#include "tests/support/step_test.h"

START_TEST(only_the_ticked_schedule_is_on)
{
	ck_step(STEP_disable_scheduled_tasks, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT sum(id) FROM schedule WHERE disabled = 0", 2);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM schedule WHERE lock_pid IS NOT NULL OR asap <> 0", 0);
}
END_TEST

START_TEST(an_id_is_not_taken_for_another_that_contains_it)
{
	static const int64_t twelve[] = { 12, 31 };

	w->job.enable_schedules = twelve;
	w->job.enable_schedule_count = 2;
	ck_step(STEP_disable_scheduled_tasks, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM schedule WHERE disabled = 0", 0);
}
END_TEST

STEP_TESTS(disable_scheduled_tasks, only_the_ticked_schedule_is_on, an_id_is_not_taken_for_another_that_contains_it)
