/* SPDX-License-Identifier: Apache-2.0
 * s17: leaves one mailbox with one route, and a sender of its own. */
#include "tests/support/step_test.h"

START_TEST(one_mailbox_and_one_route)
{
	ck_step(STEP_provision_mail_service, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM mail_in_filter", 1);
	ck_number(WORLD_GENERATION, "SELECT server_type FROM mail_in_filter", 8);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT address FROM mail_in_filter"),
			 "test-cust70001@mail.sandbox.example");
	ck_number(WORLD_GENERATION, "SELECT category_id FROM mail_in_filter", 1);
	ck_number(WORLD_GENERATION,
		  "SELECT (SELECT count(*) FROM mail_alias) + (SELECT count(*) FROM ms_filter) +"
		  " (SELECT count(*) FROM ms_filter_mail) + (SELECT count(*) FROM ms_trashbin)",
		  0);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT default_mail FROM config"),
			 "test-cust70001@mail.sandbox.example");
	ck_told("mail.test-Cust70001.address", "test-cust70001@mail.sandbox.example");
	ck_told("mail.r-production.tenant_ctx", WORLD_SOURCE);
}
END_TEST

START_TEST(a_lost_answer_does_not_make_a_second_mailbox)
{
	/* twice, because a request on a kept connection that dies is sent anew, under the same key */
	ck_assert(stub_server_fault(
	    w->stubs, "{\"kind\":\"act-then-reset\",\"system\":\"mail\",\"method\":\"PUT\",\"times\":2}"));
	ck_step(STEP_provision_mail_service, STEP_UNSURE);
	ck_step(STEP_provision_mail_service, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM mail_in_filter", 1);
	ck_assert_uint_eq(stub_server_acted(w->stubs, "/provision_mail_service/"), 1);
}
END_TEST

STEP_TESTS(provision_mail_service, one_mailbox_and_one_route, a_lost_answer_does_not_make_a_second_mailbox)
