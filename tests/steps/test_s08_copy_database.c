/* SPDX-License-Identifier: Apache-2.0
 * s08: copies schema and rows of the live catalogue, masked on the way. */
#include "tests/support/step_test.h"

#include <strings.h>

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

static const struct step_table *told_of(const char *name)
{
	for (size_t i = 0; i < w->tables.count; i++)
		if (strcasecmp(w->tables.table[i].name, name) == 0)
			return &w->tables.table[i];
	ck_abort_msg("nothing was told of %s", name);
	return NULL;
}

static void check_tables(void)
{
	const char *masked = world_is_postgres() ? "SELECT sum(cells_changed) FROM sandbox_copy_unit"
						 : "SELECT sum(cells_changed) FROM sandbox_copy";
	const struct step_tables *t = &w->tables;
	int64_t rows = 0, bytes = 0;

	for (size_t i = 0; i < t->count; i++) {
		rows += t->table[i].rows;
		bytes += t->table[i].bytes;
		ck_assert(i == 0 || t->table[i - 1].bytes >= t->table[i].bytes);
	}
	ck_assert_uint_eq(t->count, STEP_TABLES_MAX);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_copy", STEP_TABLES_MAX + t->more);
	ck_number(WORLD_GENERATION, masked, t->masked);
	ck_assert(rows > 0 && rows <= w->last.rows && bytes > 0 && bytes <= w->last.bytes);
	ck_assert_int_lt(w->last.bytes - bytes, t->table[STEP_TABLES_MAX - 1].bytes * t->more + 1);
	ck_assert_int_eq(told_of("associate")->rows, 7);
	ck_assert_int_ge(told_of("email")->masked, 2);
}

/* The test customer has more than can be told one by one. */
START_TEST(tells_rows_bytes_and_masked_texts_of_the_largest_tables)
{
	ck_step(STEP_copy_database, STEP_DONE);
	check_tables();
	world_take_over(w); /* another owner, who copied nothing of it, tells the same */
	ck_step(STEP_copy_database, STEP_ALREADY);
	check_tables();
}
END_TEST

STEP_TESTS(copy_database, tells_rows_bytes_and_masked_texts_of_the_largest_tables, copies_every_table_and_row, no_real_address_lands, no_name_lands_when_names_are_hidden,
	   copies_as_it_is_when_no_mask_is_wanted, the_source_is_not_written)
