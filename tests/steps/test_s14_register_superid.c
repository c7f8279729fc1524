/* SPDX-License-Identifier: Apache-2.0
 * s14: registers the target in SuperID by its sandbox name and own serial. */
#include "tests/support/step_test.h"

START_TEST(registers_name_and_serial)
{
	ck_told("superid.Cust70001.name", "an old name");
	ck_step(STEP_register_superid, STEP_DONE);
	ck_told("superid.Cust70001.name", "Test Env - North Ltd");
	ck_told("superid.Cust70001.serial", "7000000002");
	ck_told("superid.Cust70000.name", "North Ltd");
}
END_TEST

START_TEST(comes_again_when_superid_is_down)
{
	ck_assert(stub_server_fault(w->stubs, "{\"kind\":\"status\",\"system\":\"superid\",\"status\":503}"));
	ck_step(STEP_register_superid, STEP_RETRY);
	ck_step(STEP_register_superid, STEP_DONE);
}
END_TEST

STEP_TESTS(register_superid, registers_name_and_serial, comes_again_when_superid_is_down)
