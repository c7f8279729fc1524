/* SPDX-License-Identifier: Apache-2.0
 * s31: counts the apps to tell, while the target is this clone's. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(counts_active_apps_with_a_url)
{
	ck_step(STEP_notify_partner_apps, STEP_DONE);
	ck_assert_int_eq(w->last.rows, 1);
}
END_TEST

START_TEST(says_what_the_apps_are_told)
{
	ck_step(STEP_notify_partner_apps, STEP_DONE);
	ck_assert_str_eq(w->notice.version_name, "Release_11.12");
	ck_assert_str_eq(w->notice.file_version, "11.12.675.0");
	ck_assert_str_eq(w->notice.public_endpoint, "online4.example");
	ck_assert_ptr_nonnull(strstr(w->notice.proof, "\"left\":0"));
}
END_TEST

START_TEST(refuses_when_another_clone_has_the_target)
{
	w->job.clone_id = "0198f0c2-7d1e-7c5b-9a54-000000000000";
	ck_refused(STEP_notify_partner_apps, "stamp of the target is not this clone's");
}
END_TEST

STEP_TESTS(notify_partner_apps, counts_active_apps_with_a_url, says_what_the_apps_are_told,
	   refuses_when_another_clone_has_the_target)
