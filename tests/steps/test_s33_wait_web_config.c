/* SPDX-License-Identifier: Apache-2.0
 * s33: waits for the web servers. */
#include "tests/support/step_test.h"

START_TEST(waits_until_nothing_is_pending)
{
	ck_assert_int_eq(world_call(w, STEP_wait_web_config), STEP_WAIT);
	ck_assert_str_eq(w->last.waiting_on, "web server configuration to be written");
	ck_step(STEP_wait_web_config, STEP_DONE);
}
END_TEST

STEP_TESTS(wait_web_config, waits_until_nothing_is_pending)
