/* SPDX-License-Identifier: Apache-2.0
 * s15: makes the target the one test environment of the source. */
#include "tests/support/step_test.h"

START_TEST(replaces_the_former_link)
{
	ck_told("superid.Cust70009.test_of", WORLD_SOURCE);
	ck_step(STEP_replace_test_environment, STEP_DONE);
	ck_told("superid.Cust70001.test_of", WORLD_SOURCE);
	ck_told("superid.Cust70009.test_of", "");
}
END_TEST

/* As the clone of another target does it at the same time: SuperID answers our order as it answered the first. */
START_TEST(another_target_takes_the_link_before_the_step_is_recorded)
{
	struct fence other = { .clone_id = "0198f0c2-0009-7c5b-9a54-000000000009", .target_ctx = "Cust70009",
		.step = "replace_test_environment", .token = 9, .run = 1 };

	ck_step(STEP_replace_test_environment, STEP_DONE);
	ck_assert(w->ports.identity->link_test(w->ports.identity, &other, WORLD_SOURCE, "Cust70009", &w->err));
	ck_step(STEP_replace_test_environment, STEP_DONE);
	ck_assert_str_eq(w->last.detail, "linked; Cust70009 has taken the link since");
	ck_told("superid.Cust70009.test_of", WORLD_SOURCE);
	ck_told("superid.Cust70001.test_of", "");
}
END_TEST

static bool link_nothing(struct identity_port *self, const struct fence *f, const char *source_ctx,
                         const char *target_ctx, struct err *e)
{
	(void)self, (void)f, (void)source_ctx, (void)target_ctx, (void)e;
	return true;
}

START_TEST(an_order_that_left_the_source_without_one_is_tried_again)
{
	struct fence other = { .clone_id = "0198f0c2-0009-7c5b-9a54-000000000009", .target_ctx = "Cust70009",
		.step = "replace_test_environment", .token = 9, .run = 1 };

	ck_assert(w->ports.identity->link_test(w->ports.identity, &other, "Cust70001", "Cust70009", &w->err));
	w->ports.identity->link_test = link_nothing;
	ck_step(STEP_replace_test_environment, STEP_RETRY);
	ck_assert_msg(strstr(w->err.text, "second look"), "%s", w->err.text);
}
END_TEST

STEP_TESTS(replace_test_environment, replaces_the_former_link,
           another_target_takes_the_link_before_the_step_is_recorded,
           an_order_that_left_the_source_without_one_is_tried_again)
