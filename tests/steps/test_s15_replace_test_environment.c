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

STEP_TESTS(replace_test_environment, replaces_the_former_link)
