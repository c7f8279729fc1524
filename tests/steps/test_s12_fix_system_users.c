/* SPDX-License-Identifier: Apache-2.0
 * s12: gives the platform's system users credentials of this target and drops every ticket. */
#include "tests/support/step_test.h"

START_TEST(platform_users_can_sign_in_here)
{
	ck_step(STEP_fix_system_users, STEP_DONE);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM associate AS a JOIN Credentials AS c ON c.associateId = a.associate_id"
		  " WHERE a.type = 13 AND a.name IN ('NetServer', 'ejSysUser', 'MailSender')"
		  " AND c.isActive = 1 AND length(c.secret) = 64 AND length(c.encryptedCheck) = 64",
		  3);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate WHERE name = 'ejSysUser'", 1);
	ck_number(WORLD_GENERATION, "SELECT ejuserId FROM associate WHERE name = 'ejSysUser'", 1);
}
END_TEST

START_TEST(a_copied_secret_is_replaced)
{
	world_do(w, STEP_fix_system_users);
	world_exec(w, WORLD_GENERATION,
		   "UPDATE Credentials SET secret = 'of the source' WHERE searchName = 'ejSysUser'");
	ck_step(STEP_fix_system_users, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM Credentials WHERE searchName = 'ejSysUser'", 1);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM Credentials WHERE secret = 'of the source'",
		  1); /* the app's */
}
END_TEST

START_TEST(no_ticket_is_left)
{
	world_exec(w, WORLD_GENERATION, "UPDATE registry SET value = 'ticket' WHERE name = 'AnonNSKey'");
	ck_step(STEP_fix_system_users, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM registry WHERE name = 'AnonNSKey' AND value <> ''", 0);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM Credentials WHERE isActive = 2", 0);
}
END_TEST

STEP_TESTS(fix_system_users, platform_users_can_sign_in_here, a_copied_secret_is_replaced, no_ticket_is_left)
