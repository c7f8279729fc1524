/* SPDX-License-Identifier: Apache-2.0
 * s19: restarts the application pool once a run. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(recycles_once_a_run)
{
	const char *key;

	ck_step(STEP_recycle_customer, STEP_DONE);
	key = world_told(w, "hosting.tenants." WORLD_TARGET ".pool_recycled_by");
	ck_assert_ptr_nonnull(strstr(key, "/1/recycle_customer/"));
	world_take_over(w);
	ck_step(STEP_recycle_customer, STEP_ALREADY);
	ck_assert_uint_eq(stub_server_acted(w->stubs, "/recycle_customer/"), 1);
}
END_TEST

START_TEST(a_replay_recycles_again)
{
	world_do(w, STEP_recycle_customer);
	w->run++;
	world_take_over(w);
	ck_step(STEP_recycle_customer, STEP_DONE);
	ck_assert_uint_eq(stub_server_acted(w->stubs, "/recycle_customer/"), 2);
}
END_TEST

STEP_TESTS(recycle_customer, recycles_once_a_run, a_replay_recycles_again)
