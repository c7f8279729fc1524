/* SPDX-License-Identifier: Apache-2.0
 * s03: binds the target to the clusters it had. */
#include "tests/support/step_test.h"

START_TEST(binds_to_the_home_clusters)
{
	ck_told("hosting.tenants." WORLD_TARGET ".web_cluster", "web9");
	ck_step(STEP_connect_old_clusters, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".web_cluster", "web4");
	ck_told("hosting.tenants." WORLD_TARGET ".db_cluster", "db4");
	ck_assert_uint_eq(stub_server_acted(w->stubs, "/connect_old_clusters/"), 1);
}
END_TEST

STEP_TESTS(connect_old_clusters, binds_to_the_home_clusters)
