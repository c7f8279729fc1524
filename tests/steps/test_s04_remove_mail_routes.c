/* SPDX-License-Identifier: Apache-2.0
 * s04: removes the routes of exactly this tenant. */
#include "tests/support/step_test.h"

START_TEST(removes_only_the_targets_routes)
{
	ck_step(STEP_remove_mail_routes, STEP_DONE);
	ck_told("mail.r-sandbox", NULL);
	ck_told("mail.r-production.tenant_ctx", WORLD_SOURCE);
	ck_told("mail.r-neighbour.tenant_ctx", "Cust700012");
	ck_assert_int_eq(w->last.rows, 1);
}
END_TEST

START_TEST(looks_again_when_the_answer_was_lost)
{
	ck_assert(stub_server_fault(
	    w->stubs, "{\"kind\":\"act-then-reset\",\"system\":\"mail\",\"method\":\"DELETE\",\"times\":2}"));
	ck_step(STEP_remove_mail_routes, STEP_UNSURE);
	ck_step(STEP_remove_mail_routes, STEP_DONE);
	ck_assert_uint_eq(stub_server_acted(w->stubs, "/remove_mail_routes/"), 1);
}
END_TEST

STEP_TESTS(remove_mail_routes, removes_only_the_targets_routes, looks_again_when_the_answer_was_lost)
