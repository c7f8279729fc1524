/* SPDX-License-Identifier: Apache-2.0
 * s13: masks what is left and proves that nothing is. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(proves_what_was_masked_on_the_way)
{
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_stamp WHERE proof LIKE '%\"left\":0}'", 1);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT masked_at FROM sandbox_stamp"),
			 "2026-08-01T10:00:00Z");
	ck_assert_ptr_nonnull(strstr(w->last.detail, "0 outside the mask domain"));
	world_take_over(w);
	ck_step(STEP_mask_email_domains, STEP_ALREADY);
}
END_TEST

START_TEST(masks_what_was_not)
{
	world_exec(w, WORLD_GENERATION,
		   "UPDATE person SET x_note = 'write to Late.Comer@Company.com' WHERE person_id = 2");
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT x_note FROM person WHERE person_id = 2"),
			 "write to Late.Comer_Company.com@sandbox.example");
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate WHERE userName = 'tester@company.example'", 1);
}
END_TEST

START_TEST(an_address_behind_the_proof_is_refused)
{
	world_do(w, STEP_mask_email_domains);
	world_exec(w, WORLD_GENERATION, "UPDATE person SET x_note = 'late.comer@company.com' WHERE person_id = 2");
	ck_refused(STEP_mask_email_domains, "person.x_note");
}
END_TEST

START_TEST(another_domain_needs_another_proof)
{
	world_do(w, STEP_mask_email_domains);
	world_take_over(w);
	w->run++;
	w->job.mask_domain = "other.example";
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM Email WHERE email_address LIKE '%@other.example'", 4);
}
END_TEST

START_TEST(no_mask_wanted_is_told_and_stamped)
{
	w->job.mask_enabled = false;
	ck_step(STEP_mask_email_domains, STEP_SKIPPED);
	ck_assert_str_eq(w->last.detail, "mask disabled by request");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT proof FROM sandbox_stamp"), "{\"masked\":false}");
}
END_TEST

STEP_TESTS(mask_email_domains, proves_what_was_masked_on_the_way, masks_what_was_not,
	   an_address_behind_the_proof_is_refused, another_domain_needs_another_proof,
	   no_mask_wanted_is_told_and_stamped)
