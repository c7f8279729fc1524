/* SPDX-License-Identifier: Apache-2.0
 * s16: copies the Template folder into the generation's tree. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(copies_the_templates_of_the_source)
{
	ck_step(STEP_clone_azure_templates, STEP_DONE);
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION "/Template/letter.docx"), 20);
	ck_assert_int_ge(world_file(w, "objects", WORLD_GENERATION "/Template/USR/mail.htm"), 0);
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION "/Template/old.docx"), -1);
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION "/Documents"), -1);
	ck_assert_int_eq(w->last.rows, 3);
	world_take_over(w);
	ck_step(STEP_clone_azure_templates, STEP_ALREADY);
}
END_TEST

START_TEST(a_link_out_of_the_root_is_not_followed)
{
	world_link_file(w, "objects", "/etc/passwd", WORLD_SOURCE "/Template/passwd");
	ck_step(STEP_clone_azure_templates, STEP_DONE);
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION "/Template/passwd"), -1);
	ck_assert_ptr_nonnull(strstr(w->last.detail, "1 names refused"));
}
END_TEST

STEP_TESTS(clone_azure_templates, copies_the_templates_of_the_source, a_link_out_of_the_root_is_not_followed)
