/* SPDX-License-Identifier: Apache-2.0
 * s20: gives the clone its own name, serial and licence. */
#include "tests/support/step_test.h"

START_TEST(company_and_licence_are_the_test_tenants)
{
	ck_step(STEP_change_serial_number, STEP_DONE);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM company WHERE ownerContactName = 'Test Env - North Ltd' AND"
		  " dbContactName = ownerContactName AND serialNo = '7000000002' AND"
		  " length(encryptedCheck) = 64",
		  1);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT name FROM contact WHERE contact_id = 1"),
			 "Test Env - North Ltd");
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM ModuleLicense WHERE length(encryptedCheck) = 64", 5);
	ck_number(WORLD_GENERATION,
		  "SELECT licenseNumber FROM ModuleLicense WHERE moduleName = 'ten-salesservicemarketing'", 2);
	ck_number(WORLD_GENERATION,
		  "SELECT (SELECT count(*) FROM LicenseAssocLink) + (SELECT count(*) FROM LicenseSatlLink)", 0);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM ModuleOwner", 1);
}
END_TEST

START_TEST(a_changed_licence_row_is_put_right)
{
	world_do(w, STEP_change_serial_number);
	world_exec(w, WORLD_GENERATION, "UPDATE ModuleLicense SET licenseNumber = 999 WHERE moduleName = 'ten-sales'");
	ck_step(STEP_change_serial_number, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT max(licenseNumber) FROM ModuleLicense", 10);
}
END_TEST

STEP_TESTS(change_serial_number, company_and_licence_are_the_test_tenants, a_changed_licence_row_is_put_right)
