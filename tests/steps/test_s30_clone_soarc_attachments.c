/* SPDX-License-Identifier: Apache-2.0
 * s30: copies the attachments the request wants. */
#include "tests/support/step_test.h"
#include <stdio.h>
#include <string.h>

static void ck_attachments(const char *wanted)
{
	static const char *const paths[] = { "0/1", "0/2", "0/3", "0/4", "1/10001" };
	char path[100], found[100] = "";

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		snprintf(path, sizeof path, WORLD_GENERATION "/Attachments/folder%s", paths[i]);
		if (world_file(w, "archive", path) >= 0)
			snprintf(found + strlen(found), sizeof found - strlen(found), " %s", paths[i]);
	}
	ck_assert_str_eq(found, wanted);
}

START_TEST(none_means_those_of_packages)
{
	w->job.attachments = ATTACHMENTS_NONE;
	ck_step(STEP_clone_soarc_attachments, STEP_DONE);
	ck_attachments(" 0/3");
}
END_TEST

START_TEST(without_what_only_requests_use)
{
	ck_step(STEP_clone_soarc_attachments, STEP_DONE);
	ck_attachments(" 0/2 0/3 0/4 1/10001");
}
END_TEST

START_TEST(all_of_them_and_the_missing_one_is_counted)
{
	w->job.attachments = ATTACHMENTS_ALL;
	ck_step(STEP_clone_soarc_attachments, STEP_DONE);
	ck_attachments(" 0/1 0/2 0/3 0/4 1/10001");
	ck_assert_msg(strstr(w->last.detail, "1 rows without a file"), "%s", w->last.detail);
}
END_TEST

START_TEST(a_file_that_no_row_names_stays_behind)
{
	world_put_file(w, "archive", WORLD_SOURCE "/Attachments/folder0/77", "x");
	world_put_file(w, "archive", WORLD_SOURCE "/Attachments/folder9/3", "x");
	world_put_file(w, "archive", WORLD_SOURCE "/Attachments/folder0/03", "x");
	w->job.attachments = ATTACHMENTS_ALL;
	ck_step(STEP_clone_soarc_attachments, STEP_DONE);
	ck_assert_int_eq(w->last.rows, 5);
}
END_TEST

STEP_TESTS(clone_soarc_attachments, none_means_those_of_packages, without_what_only_requests_use,
	   all_of_them_and_the_missing_one_is_counted, a_file_that_no_row_names_stays_behind)
