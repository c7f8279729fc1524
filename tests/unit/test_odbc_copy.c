/* SPDX-License-Identifier: Apache-2.0
 * The copy: everything that a source may hold arrives, masked, and nothing else. */
#include "tests/unit/odbc_fixture.h"

static struct fixture x;

static void setup(void)
{
	fixture_folder(&x);
}

static void teardown(void)
{
	fixture_remove(&x);
}

START_TEST(test_all_kinds_of_values)
{
	struct sql_filter filter = { shout, NULL };
	struct sql_pages pages = { 0 };

	SCRIPT(&x, SOURCE, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, r FLOAT, s nvarchar(40), b varbinary, a)",
	       "INSERT INTO t VALUES (1, 9223372036854775807, 0.1, 'plain', x'00ff40', 'a@b'), "
	       "(2, -9223372036854775808, 1e300 * 1e300, '', x'', NULL), (-7, NULL, 2.0, NULL, NULL, 3.25), "
	       "(9223372036854775807, 1.5, 5e-324, 'x@y ''\"\\ ' || char(1, 9, 10), 'text@in.blob', x'40')",
	       "INSERT INTO t VALUES (-9223372036854775808, 'text', 1.7976931348623157e308, "
	       "CAST(x'ff40fe' AS TEXT), 0.30000000000000004, cast(x'61004062' AS TEXT))");
	fixture_open(&x);
	make_generation(&x);
	must(copy_all(&x, &filter, &pages, e));
	ck_assert_int_eq(pages.rows, 5);
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(quote(id) || ',' || quote(n) || ',' || hex(r) || typeof(r) "
	        "|| printf('%!.20g', r)) FROM t");
	ck_same(&x, SOURCE, GENERATION, "SELECT group_concat(quote(b) || typeof(b) || printf('%!.20g', b)) FROM t WHERE id <> 9223372036854775807");
	ck_ask(&x, GENERATION, "SELECT group_concat(typeof(a) || hex(a), ' ') FROM t",
	       "text41004042 real332E3235 text414042 null blob40");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("odbc_copy");
	TCase *tc = tcase_create("copy");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_all_kinds_of_values);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
