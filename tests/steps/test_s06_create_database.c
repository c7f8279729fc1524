/* SPDX-License-Identifier: Apache-2.0
 * s06: makes the generation, in quarantine, stamped inside and outside. */
#include "tests/support/step_test.h"

START_TEST(makes_a_stamped_database)
{
	ck_step(STEP_create_database, STEP_DONE);
	ck_assert(world_has_database(w, WORLD_GENERATION));
	ck_number("server", "SELECT quarantined FROM database_entry WHERE name = '" WORLD_GENERATION "'", 1);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_stamp WHERE target_ctx = '" WORLD_TARGET "'", 1);
	ck_told("hosting.tenants." WORLD_TARGET ".stamp.database", WORLD_GENERATION);
	ck_told("hosting.tenants." WORLD_TARGET ".stamp.clone_id", w->job.clone_id);
}
END_TEST

START_TEST(refuses_the_generation_of_another_clone)
{
	world_do(w, STEP_create_database);
	world_exec(w, WORLD_GENERATION, "UPDATE sandbox_stamp SET clone_id = 'another'");
	ck_refused(STEP_create_database, "stamp of another clone");
}
END_TEST

STEP_TESTS(create_database, makes_a_stamped_database, refuses_the_generation_of_another_clone)
