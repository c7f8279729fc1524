/* SPDX-License-Identifier: Apache-2.0
 * s08: copies schema and rows of the live catalogue, masked on the way. */
#include "tests/support/step_test.h"

START_TEST(copies_every_table_and_row)
{
	ck_assert_int_eq(world_call(w, STEP_copy_database), STEP_WAIT); /* more pages than one call does */
	ck_assert_str_eq(w->last.waiting_on, "");
	ck_step(STEP_copy_database, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate", 7);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM ExtApp", 7);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM y_project_notes", 2);
	ck_number(WORLD_GENERATION, "SELECT count(x_note) FROM person", 2);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM y_project_notes WHERE x_text IS NULL AND x_contact = ''", 1);
}
END_TEST

START_TEST(no_real_address_lands)
{
	ck_step(STEP_copy_database, STEP_DONE);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT email_address FROM Email WHERE email_id = 1"),
			 "john.doe_company.com@sandbox.example");
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM person WHERE x_note LIKE '%@home.example%'", 0);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM Email WHERE email_address IN ('tester@company.example',"
		  " 'colleague@company.example', 'skype.live.jd')",
		  3);
	ck_assert_int_eq(world_bytes(w, WORLD_GENERATION, "john.doe@company.com"), 0);
	ck_assert_int_gt(world_bytes(w, WORLD_SOURCE, "john.doe@company.com"), 0);
}
END_TEST

/* HMAC-SHA256 with the key of the test's world, by Python's hmac module. */
#define JOHN_HASHED "mb31807143c4c835bad0b8467a0"

START_TEST(no_name_lands_when_names_are_hidden)
{
	w->job.mask_mode = MASK_HASH;
	ck_step(STEP_copy_database, STEP_DONE);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT email_address FROM Email WHERE email_id = 1"),
			 JOHN_HASHED "@sandbox.example");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT email_address FROM Email WHERE email_id = 2"),
			 JOHN_HASHED "@sandbox.example"); /* the same in capitals */
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM Email WHERE email_address IN ('tester@company.example',"
		  " 'colleague@company.example', 'skype.live.jd')",
		  3);
	ck_assert_int_eq(world_bytes(w, WORLD_GENERATION, "john.doe"), 0);
	ck_assert_int_gt(world_bytes(w, WORLD_SOURCE, "john.doe"), 0);
	ck_assert_int_gt(world_bytes(w, WORLD_GENERATION, JOHN_HASHED), 1);
}
END_TEST

START_TEST(copies_as_it_is_when_no_mask_is_wanted)
{
	w->job.mask_enabled = false;
	ck_step(STEP_copy_database, STEP_DONE);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT email_address FROM Email WHERE email_id = 1"),
			 "john.doe@company.com");
}
END_TEST

START_TEST(the_source_is_not_written)
{
	struct buf before, after;

	buf_init(&before, WORLD_SNAPSHOT_MAX);
	buf_init(&after, WORLD_SNAPSHOT_MAX);
	world_snapshot_of(w, WORLD_SOURCE, &before);
	ck_step(STEP_copy_database, STEP_DONE);
	world_snapshot_of(w, WORLD_SOURCE, &after);
	world_assert_same(&before, &after, "the source");
	buf_done(&before);
	buf_done(&after);
}
END_TEST

STEP_TESTS(copy_database, copies_every_table_and_row, no_real_address_lands, no_name_lands_when_names_are_hidden,
	   copies_as_it_is_when_no_mask_is_wanted, the_source_is_not_written)
