/* SPDX-License-Identifier: Apache-2.0
 * s02: waits for what still works on the target, in the registry and in its old database. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(waits_for_a_batch_task_that_lives)
{
	world_exec(w, WORLD_TARGET, "UPDATE BatchTask SET updated = '2026-08-01 09:59:30'");
	while (world_call(w, STEP_wait_customer_tasks) == STEP_WAIT && strstr(w->last.waiting_on, "batch") == NULL)
		continue;
	ck_assert_str_eq(w->last.waiting_on, "batch tasks in the old database to end");
	world_exec(w, WORLD_TARGET, "UPDATE BatchTask SET state = 4");
	ck_step(STEP_wait_customer_tasks, STEP_DONE);
}
END_TEST

START_TEST(does_not_wait_for_one_that_died)
{
	ck_number(WORLD_TARGET, "SELECT count(*) FROM BatchTask WHERE state = 3", 1);
	ck_step(STEP_wait_customer_tasks, STEP_DONE);
}
END_TEST

START_TEST(needs_no_old_database)
{
	world_drop_file(w, "db", WORLD_TARGET ".sqlite");
	ck_step(STEP_wait_customer_tasks, STEP_DONE);
}
END_TEST

STEP_TESTS(wait_customer_tasks, waits_for_a_batch_task_that_lives, does_not_wait_for_one_that_died,
	   needs_no_old_database)
