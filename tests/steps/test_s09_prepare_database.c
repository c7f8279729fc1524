/* SPDX-License-Identifier: Apache-2.0
 * s09: puts every rule of s09_rules.def right, and leaves alone what only looks like it. */
#include "tests/support/step_test.h"
#include <stdio.h>
#include <string.h>

#define RULE(slug, what) "s09_" #slug "_left",
static const char *const rules[] = {
#include "handlers/s09_rules.def"
};

/* A rule whose table has nothing wrong in the test customer would prove nothing. */
START_TEST(each_rule_finds_something_and_then_nothing)
{
	int64_t left;

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		ck_assert_msg(world_count_rule(w, rules[i], &left), "%s: %s", rules[i], w->err.text);
		/* requests that other rules close get their status row from this one */
		if (strcmp(rules[i], "s09_request_status_left") != 0)
			ck_assert_msg(left > 0, "the test customer has nothing for %s", rules[i]);
	}
	ck_step(STEP_prepare_database, STEP_DONE);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		ck_assert_msg(world_count_rule(w, rules[i], &left), "%s: %s", rules[i], w->err.text);
		ck_assert_msg(left == 0, "%s is not 0", rules[i]);
	}
	world_take_over(w);
	ck_step(STEP_prepare_database, STEP_ALREADY);
}
END_TEST

static const char *panel(int number)
{
	char sql[80];

	snprintf(sql, sizeof sql, "SELECT url1 FROM ExtApp WHERE ExtApp_id = %d", number);
	return world_text(w, WORLD_GENERATION, sql);
}

START_TEST(web_panels_get_template_variables)
{
	world_do(w, STEP_prepare_database);
	ck_assert_str_eq(panel(1), "<csti>?action=x");
	ck_assert_str_eq(panel(2), "<csrm>");
	ck_assert_str_eq(panel(3), "https://online4.example/Cust70001/default.aspx?a=1");
	ck_assert_str_eq(panel(4), "https://online3.example/Cust700001/CS/scripts/ticket.fcgi");
	ck_assert_str_eq(panel(5), "https://other.example/?u=/Cust70000/CS/scripts/blogic.fcgi");
	ck_assert_str_eq(panel(6), "<cscu>?c=/Cust70000/CS/scripts/ticket.fcgi");
}
END_TEST

START_TEST(requests_are_closed_jobs_stopped_connectors_off)
{
	world_do(w, STEP_prepare_database);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM ticket WHERE status = 2 AND ticket_status = 2", 3);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM ticket WHERE closed_at = '2026-08-01 10:00:00'", 2);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM s_shipment WHERE status = 2", 2);
	ck_number(WORLD_GENERATION, "SELECT status FROM workflow WHERE workflow_id = 1", 2);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM BinaryObject", 1);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM Credentials WHERE isActive = 1", 2);
	ck_number(WORLD_GENERATION, "SELECT Generation FROM CacheInvalidation", 1000000);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT smtp_host FROM config"), "sink.invalid");
}
END_TEST

START_TEST(the_installation_is_the_targets)
{
	world_do(w, STEP_prepare_database);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT cgi_url FROM config"),
			 "https://online4.example/Cust70001/CS/scripts");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT path FROM attachment_location"),
			 WORLD_GENERATION "/Attachments");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT unique_id FROM config"),
			 "0198f0c27d1e7c5b9a542f6f2a1b9c10");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT value FROM registry WHERE name = 'ServiceUrl'"),
			 "https://online4.example/Cust70001/CS");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT value FROM registry WHERE name = 'Lookalike'"),
			 "https://online3.example/Cust70000x/CS");
}
END_TEST

START_TEST(keys_lie_beyond_every_row)
{
	world_do(w, STEP_prepare_database);
	ck_number(WORLD_GENERATION, "SELECT next_id FROM sequence WHERE TableName = 'associate'", 8);
	ck_number(WORLD_GENERATION, "SELECT next_id FROM sequence WHERE TableName = 'Email'", 100);
	ck_number(WORLD_GENERATION, "SELECT next_id FROM sequence WHERE TableName = 'y_project_notes'", 3);
	ck_number(WORLD_GENERATION,
		  "SELECT next_id > (SELECT max(userpreference_id) FROM UserPreference) FROM sequence"
		  " WHERE TableName = 'UserPreference'",
		  1);
}
END_TEST

STEP_TESTS(prepare_database, each_rule_finds_something_and_then_nothing, web_panels_get_template_variables,
	   requests_are_closed_jobs_stopped_connectors_off, the_installation_is_the_targets, keys_lie_beyond_every_row)
