/* SPDX-License-Identifier: Apache-2.0
 * s21: tells SuperID that the users are being linked anew. */
#include "tests/support/step_test.h"

START_TEST(sets_in_migration)
{
	ck_told("superid.Cust70001.state", "normal");
	ck_step(STEP_superid_in_migration, STEP_DONE);
	ck_told("superid.Cust70001.state", "in_migration");
	ck_told("superid.Cust70000.state", "normal");
}
END_TEST

STEP_TESTS(superid_in_migration, sets_in_migration)
