/* SPDX-License-Identifier: Apache-2.0
 * s13: masks what is left and proves that nothing is. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(proves_what_was_masked_on_the_way)
{
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_stamp WHERE proof LIKE '%\"left\":0}'", 1);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT masked_at FROM sandbox_stamp"),
			 "2026-08-01T10:00:00Z");
	ck_assert_ptr_nonnull(strstr(w->last.detail, "0 outside the mask domain"));
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_ledger WHERE step = 'mask_email_domains' AND cursor <> ''", 0); /* one look did */
	world_take_over(w);
	ck_step(STEP_mask_email_domains, STEP_ALREADY);
}
END_TEST

/* So it was copied by the server itself: its pages are rewritten though nothing is found. */
START_TEST(rewrites_what_was_not_masked_on_the_way)
{
	world_exec(w, WORLD_GENERATION, world_is_postgres() ? "UPDATE sandbox_copy_unit SET cells_changed = 0"
							    : "UPDATE sandbox_copy SET cells_changed = 0");
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM sandbox_ledger WHERE step = 'mask_email_domains' AND cursor <> ''", 1);
}
END_TEST

START_TEST(masks_what_was_not)
{
	world_exec(w, WORLD_GENERATION,
		   "UPDATE person SET x_note = 'write to Late.Comer@Company.com' WHERE person_id = 2");
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT x_note FROM person WHERE person_id = 2"),
			 "write to Late.Comer_Company.com@sandbox.example");
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate WHERE userName = 'tester@company.example'", 1);
}
END_TEST

START_TEST(triggers_are_off_meanwhile_and_then_as_they_were)
{
	static const char *const sql[] = {
		"UPDATE person SET x_note = 'late.comer@company.com' WHERE person_id = 2",
		"CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''touched''; END'",
		"CREATE TRIGGER t1 BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched()",
		"CREATE TRIGGER t2 BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched()",
		"CREATE TRIGGER t3 BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched()",
		"CREATE TRIGGER t4 BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION touched()",
		"ALTER TABLE person DISABLE TRIGGER t2",
		"ALTER TABLE person ENABLE ALWAYS TRIGGER t3",
		"ALTER TABLE person ENABLE REPLICA TRIGGER t4",
	};

	if (!world_is_postgres()) /* SQLite knows no trigger that is off */
		return;
	for (size_t i = 0; i < sizeof sql / sizeof *sql; i++)
		world_exec(w, WORLD_GENERATION, sql[i]);
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT x_note FROM person WHERE person_id = 2"),
			 "late.comer_company.com@sandbox.example");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT string_agg(tgenabled, '' ORDER BY tgname) FROM pg_trigger WHERE"
				    " tgrelid = 'person'::regclass AND NOT tgisinternal"), "ODAR");
}
END_TEST

START_TEST(an_address_behind_the_proof_is_refused)
{
	world_do(w, STEP_mask_email_domains);
	world_exec(w, WORLD_GENERATION, "UPDATE person SET x_note = 'late.comer@company.com' WHERE person_id = 2");
	ck_refused(STEP_mask_email_domains, "person.x_note");
}
END_TEST

START_TEST(another_domain_needs_another_proof)
{
	world_do(w, STEP_mask_email_domains);
	world_take_over(w);
	w->run++;
	w->job.mask_domain = "other.example";
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM Email WHERE email_address LIKE '%@other.example'", 4);
}
END_TEST

START_TEST(hides_names_and_proves_it)
{
	w->run++; /* what was copied keeps names at the mask domain; they are hidden all the same */
	w->job.mask_mode = MASK_HASH;
	world_exec(w, WORLD_GENERATION,
		   "UPDATE person SET x_note = 'write to Late.Comer@Company.com' WHERE person_id = 2");
	ck_step(STEP_mask_email_domains, STEP_DONE);
	ck_number(WORLD_GENERATION, world_is_postgres()
		  ? "SELECT count(*) FROM person WHERE person_id = 2 AND x_note ~ '^write to m[0-9a-f]{26}@sandbox[.]example$'"
		  : "SELECT count(*) FROM person WHERE person_id = 2 AND length(x_note) = 9 + 27 + 16"
		    " AND x_note GLOB 'write to m[0-9a-f]*[0-9a-f]@sandbox.example'", 1);
	ck_number(WORLD_GENERATION,
		  "SELECT count(*) FROM sandbox_stamp WHERE proof LIKE '{\"masked\":true,\"mode\":\"hash\",%'", 1);
	ck_number(WORLD_GENERATION, "SELECT count(*) FROM associate WHERE userName = 'tester@company.example'", 1);
	ck_assert_ptr_nonnull(strstr(w->last.detail, "0 outside the mask domain, names hidden"));
	ck_assert_int_eq(world_bytes(w, WORLD_GENERATION, "john.doe_company.com"), 0);
	world_take_over(w);
	ck_step(STEP_mask_email_domains, STEP_ALREADY);
	w->job.mask_mode = MASK_KEEP_NAMES; /* a proof of another kind */
	w->run++;
	ck_step(STEP_mask_email_domains, STEP_DONE);
}
END_TEST

START_TEST(a_name_behind_the_proof_is_refused)
{
	w->run++;
	w->job.mask_mode = MASK_HASH;
	world_do(w, STEP_mask_email_domains);
	world_exec(w, WORLD_GENERATION,
		   "UPDATE person SET x_note = 'late.comer_company.com@sandbox.example' WHERE person_id = 2");
	ck_refused(STEP_mask_email_domains, "person.x_note");
}
END_TEST

static bool no_seal(struct seal_port *self, const char *const *parts, size_t count, char out_r[SEAL_TEXT], struct err *e)
{
	(void)self;
	(void)parts;
	(void)count;
	out_r[0] = '\0';
	return err_set(e, ERR_TRANSIENT, 0, "seal", "the crypto library could not make a hash");
}

/* Not blamed on the text, and tried again. */
START_TEST(a_hash_that_cannot_be_made_is_told)
{
	struct seal_port broken = { no_seal }, *good = w->ports.seal;

	world_exec(w, WORLD_GENERATION, "UPDATE sandbox_stamp SET proof = ''");
	w->job.mask_mode = MASK_HASH;
	w->ports.seal = &broken;
	ck_assert_int_eq(world_call(w, STEP_mask_email_domains), STEP_RETRY);
	ck_assert_ptr_nonnull(strstr(w->err.text, "could not make a hash"));
	w->ports.seal = good;
	ck_step(STEP_mask_email_domains, STEP_DONE);
}
END_TEST

START_TEST(no_mask_wanted_is_told_and_stamped)
{
	w->job.mask_enabled = false;
	ck_step(STEP_mask_email_domains, STEP_SKIPPED);
	ck_assert_str_eq(w->last.detail, "mask disabled by request");
	ck_assert_str_eq(world_text(w, WORLD_GENERATION, "SELECT proof FROM sandbox_stamp"), "{\"masked\":false}");
}
END_TEST

START_TEST(tells_what_the_proof_saw_in_the_largest_tables)
{
	const struct step_tables *t = &w->tables;
	int64_t rows = 0, bytes = 0, masked = 0;

	ck_step(STEP_mask_email_domains, STEP_DONE);
	for (size_t i = 0; i < t->count; i++) {
		rows += t->table[i].rows;
		bytes += t->table[i].bytes;
		masked += t->table[i].masked;
		ck_assert(i == 0 || t->table[i - 1].bytes >= t->table[i].bytes);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(t->table[i].name, t->table[j].name);
	}
	ck_assert_uint_eq(t->count, STEP_TABLES_MAX);
	ck_assert_int_gt(t->more, 0);
	ck_assert(rows > 0 && rows <= w->last.rows && bytes > 0 && bytes <= w->last.bytes);
	ck_assert_int_lt(w->last.bytes - bytes, t->table[STEP_TABLES_MAX - 1].bytes * t->more + 1);
	ck_assert(masked > 0 && masked <= t->masked);
}
END_TEST

STEP_TESTS(mask_email_domains, tells_what_the_proof_saw_in_the_largest_tables, proves_what_was_masked_on_the_way, rewrites_what_was_not_masked_on_the_way,
	   masks_what_was_not, triggers_are_off_meanwhile_and_then_as_they_were, an_address_behind_the_proof_is_refused, another_domain_needs_another_proof,
	   hides_names_and_proves_it, a_name_behind_the_proof_is_refused, a_hash_that_cannot_be_made_is_told,
	   no_mask_wanted_is_told_and_stamped)
