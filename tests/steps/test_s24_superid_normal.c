/* SPDX-License-Identifier: Apache-2.0
 * s24: tells SuperID that the target is normal again. */
#include "tests/support/step_test.h"

START_TEST(sets_normal)
{
	ck_told("superid.Cust70001.state", "in_migration");
	ck_step(STEP_superid_normal, STEP_DONE);
	ck_told("superid.Cust70001.state", "normal");
}
END_TEST

STEP_TESTS(superid_normal, sets_normal)
