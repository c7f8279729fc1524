/* SPDX-License-Identifier: Apache-2.0
 * s26: tells the licence server what the clone calls itself. */
#include "tests/support/step_test.h"

START_TEST(puts_the_company_record)
{
	ck_told("licence.Cust70001.company.serial", NULL);
	ck_step(STEP_update_company_info, STEP_DONE);
	ck_told("licence.Cust70001.company.company", "Test Env - North Ltd");
	ck_told("licence.Cust70001.company.serial", "7000000002");
	ck_told("licence.Cust70001.company.database", WORLD_GENERATION);
	ck_told("licence.Cust70001.company.users_with_plan", "2");
}
END_TEST

STEP_TESTS(update_company_info, puts_the_company_record)
