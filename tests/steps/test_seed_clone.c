/* SPDX-License-Identifier: Apache-2.0
 * All 33 steps on the demo's customer, for a target that never was: what a new user sees must work. */
#include "tests/support/step_test.h"

#include <stdio.h>
#include <string.h>

static char folder[128];

static void clone_all(void)
{
	w = world_of_seed(0);
	w->job.documents = DOCUMENTS_ALL;
	w->job.attachments = ATTACHMENTS_ALL;
	for (int i = 0; i < STEP_END; i++)
		world_do(w, (enum step_id)i);
}

START_TEST(a_handful_of_each)
{
	clone_all();
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_GENERATION);
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
	ck_told("superid.Cust70001.users.1.associate_id", "2");
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM OnlineApp", 2);
	ck_assert_int_gt(world_number(w, WORLD_SOURCE, "SELECT count(*) FROM Email WHERE email_address LIKE '%@%'"),
			 10);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM Email WHERE type = 0 AND email_address LIKE '%@%'"
		  " AND email_address NOT LIKE '%@sandbox.example%' AND email_address NOT LIKE '%@north.example'",
		  0);
	world_free(&w);
}
END_TEST

START_TEST(a_cancelled_clone_leaves_nothing)
{
	w = world_of_seed(0);
	for (int i = 0; i < STEP_enter_running_mode; i++)
		world_do(w, (enum step_id)i);
	ck_assert_int_eq(world_abandon(w), STEP_DONE);
	ck_assert(!world_has_database(w, WORLD_GENERATION));
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION), -1);
	ck_told("hosting.tenants." WORLD_TARGET ".state", "OfflineMaintenance");
	ck_told("mail.test-Cust70001", NULL);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("seed_clone");
	TCase *t = tcase_create("seed_clone");
	SRunner *sr = srunner_create(s);
	int failed;

	if (!world_test_folder(folder, sizeof folder))
		return 1;
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_handful_of_each);
	tcase_add_test(t, a_cancelled_clone_leaves_nothing);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	world_remove_folder(folder);
	srunner_free(sr);
	return failed != 0;
}
