/* SPDX-License-Identifier: Apache-2.0
 * The commands for the state of tenants, on rows of the test's own. */
#include "ctl_fixture.h"

static struct tenant_row rows[2];

static void two_tenants(void)
{
	rows[0] = (struct tenant_row){ .ctx = "Cust70001", .state = TENANT_OFFLINE_MAINTENANCE,
		.superid = IDENTITY_IN_MIGRATION, .since_ms = FAKE_NOW - 90000, .clone_id = OTHER_ID, .status = CLONE_FAILED,
		.run = 1, .step_no = 23, .total_steps = 31, .sequence = 30, .step = "assign_user_plans",
		.host = "online4.example", .version_name = "Release_11", .cause = "more users\nthan \"ten-sales\" has",
		.next_command = "sandboxctl clone replay " OTHER_ID " --reason '...'" };
	rows[1] = (struct tenant_row){ .ctx = "Cust70002", .state = TENANT_RUNNING, .superid = IDENTITY_NORMAL,
		.since_ms = FAKE_NOW - 3600000, .clone_id = "c2", .status = CLONE_COMPLETED, .run = 2,
		.step = "wait_web_config" };
	fake.tenants = rows;
	fake.tenant_count = 2;
	fake.tenants_changed = 7;
}

static void says(const struct buf *where, const char *text)
{
	ck_assert_msg(strstr(buf_text(where), text), "'%s' is not in '%s'", text, buf_text(where));
}

START_TEST(list)
{
	two_tenants();
	ends("tenant list", CTL_OK);
	says(&fake.out, "TENANT     STATE               SINCE");
	says(&fake.out, "Cust70001  OfflineMaintenance  1m30s ago  In migration");
	says(&fake.out, "Cust70002  Running             1h ago");
	ends("tenant list --stuck -o ids", CTL_OK);
	ck_assert_str_eq(buf_text(&fake.out), "Cust70001\n");
	ends("tenant list -o jsonl", CTL_OK);
	says(&fake.out, "{\"context\":\"Cust70002\",\"state\":\"Running\",\"superid\":\"Normal\"");
	says(&fake.out, "\"cause\":\"more users\\nthan \\\"ten-sales\\\" has\"");
	ends("tenant list -o json", CTL_OK);
	says(&fake.out, "\"version\":1");
	fake.tenant_count = 0;
	ends("tenant list --stuck", CTL_OK);
	says(&fake.talk, "No tenant is stuck.");
	ends("tenant list", CTL_OK);
	says(&fake.talk, "No clone was made");
}
END_TEST

START_TEST(show_says_why_and_what_next)
{
	two_tenants();
	ends("tenant show Cust70001", CTL_OK);
	says(&fake.out, "Cust70001 is OfflineMaintenance since 1m30s ago, and will stay so by itself\n");
	says(&fake.out, "SuperID    In migration\n");
	says(&fake.out, "step       assign_user_plans\n");
	says(&fake.out, "Next: sandboxctl clone replay " OTHER_ID " --reason '...'\n");
	ck_assert_ptr_null(strstr(buf_text(&fake.out), "users\nthan")); /* it stays on its line */
	ends("tenant show Cust70002 -o json", CTL_OK);
	says(&fake.out, "\"status\":\"COMPLETED\"");
	ends("tenant show Cust79999", CTL_NOT_FOUND);
	says(&fake.talk, "Cust79999");
}
END_TEST

START_TEST(nobody_answers)
{
	ends("tenant list", CTL_UNAVAILABLE);
	says(&fake.talk, "the state API does not answer");
	ends("tenant show Cust70001", CTL_UNAVAILABLE);
	ends("tenant watch", CTL_UNAVAILABLE);
}
END_TEST

static void opens(struct fake *f)
{
	if (f->tenants_asked < 3)
		return;
	rows[0].state = TENANT_RUNNING;
	rows[0].superid = IDENTITY_NORMAL;
	rows[0].cause[0] = '\0';
	f->tenants_changed = 8;
}

START_TEST(watch_tells_changes)
{
	two_tenants();
	fake.on_sleep = opens;
	ends("tenant watch Cust70001 --until Running", CTL_OK);
	says(&fake.out, "Cust70001  OfflineMaintenance  SuperID In migration  " OTHER_ID " FAILED  assign_user_plans  more");
	says(&fake.out, "\nCust70001  Running  " OTHER_ID);
	ck_assert_int_eq(fake.tenants_asked, 4);
	two_tenants();
	fake.on_sleep = NULL;
	ends("tenant watch Cust70001 --until Running --timeout 3s", CTL_TIMEOUT);
	ends("tenant watch --until Running", CTL_USAGE);
	ends("tenant watch --timeout soon", CTL_USAGE);
	fake.interrupted = true;
	ends("tenant watch -o jsonl", CTL_INTERRUPTED);
	says(&fake.out, "{\"context\":\"Cust70001\"");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ctl_tenant");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, CASES("tenant", list, show_says_why_and_what_next, nobody_answers, watch_tells_changes));
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
