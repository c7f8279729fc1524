/* SPDX-License-Identifier: Apache-2.0
 * Rolling back a complete clone: the kept sandbox is in service again and nothing of the clone is left; or nothing at
 * all is changed. */
#include "tests/support/step_test.h"
#include "tests/support/world_break.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static char folder[128], base[PATH_MAX];

/* A complete clone whose previous sandbox is kept, made once. */
static void complete(void)
{
	w = world_open(base);
	w->settings.previous_keep_ms = -1;
	w->run = 1;
}

static void make_base(void)
{
	w = world_new();
	w->settings.previous_keep_ms = -1;
	for (int i = 0; i < STEP_END; i++)
		world_do(w, (enum step_id)i);
	world_save(w, base);
	world_free(&w);
}

static void ck_rolled_back(void)
{
	enum step_outcome outcome = world_aside(w, ASIDE_ROLL_BACK);

	ck_assert_msg(outcome == STEP_DONE, "%s (%s)", step_outcome_name(outcome), w->err.text);
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_TARGET);
	ck_told("hosting.tenants." WORLD_TARGET ".files_root", WORLD_TARGET);
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", "");
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
	ck_told("superid.Cust70001.users.0.login", "old@company.example");
	ck_told("mail.test-Cust70001", NULL);
	ck_number("server", "SELECT count(*) FROM database_entry WHERE name = '" WORLD_TARGET "' AND quarantined = 1", 0);
	ck_assert(world_has_database(w, WORLD_TARGET));
	ck_assert(!world_has_database(w, WORLD_GENERATION));
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION), -1);
	ck_assert_int_eq(world_file(w, "archive", WORLD_GENERATION), -1);
	ck_assert_int_ge(world_file(w, "objects", WORLD_TARGET "/Template/old.docx"), 1);
}

static void ck_refused_untouched(const char *words)
{
	struct buf before, after;

	buf_init(&before, WORLD_SNAPSHOT_MAX);
	buf_init(&after, WORLD_SNAPSHOT_MAX);
	world_snapshot(w, &before);
	ck_assert_int_eq(world_aside(w, ASIDE_ROLL_BACK), STEP_REFUSED);
	ck_assert_msg(strstr(w->err.text, words), "\"%s\" does not say \"%s\"", w->err.text, words);
	world_snapshot(w, &after);
	world_assert_same(&before, &after, "a rollback that was refused");
	buf_done(&before);
	buf_done(&after);
}

START_TEST(the_kept_sandbox_is_back)
{
	struct buf once, twice;

	complete();
	buf_init(&once, WORLD_SNAPSHOT_MAX);
	buf_init(&twice, WORLD_SNAPSHOT_MAX);
	ck_rolled_back();
	world_snapshot(w, &once);
	world_take_over(w);
	ck_rolled_back();
	world_snapshot(w, &twice);
	world_assert_same(&once, &twice, "rolled back twice");
	buf_done(&once);
	buf_done(&twice);
	world_free(&w);
}
END_TEST

START_TEST(a_crash_after_any_effect)
{
	bool broke = true;

	for (int nth = 1; broke; nth++) {
		complete();
		world_break_at(w, nth);
		world_aside(w, ASIDE_ROLL_BACK);
		broke = world_effects() >= nth;
		world_break_at(w, 0);
		world_take_over(w);
		ck_rolled_back();
		ck_assert_msg(nth < 100, "effects without end");
		world_free(&w);
	}
}
END_TEST

START_TEST(nothing_was_kept)
{
	complete();
	w->settings.previous_keep_ms = 0;
	world_do(w, STEP_enter_running_mode);
	ck_refused_untouched("no previous sandbox is kept");
	world_free(&w);
}
END_TEST

START_TEST(what_was_kept_is_gone)
{
	complete();
	world_drop_file(w, "db", WORLD_TARGET ".sqlite");
	ck_refused_untouched("no previous sandbox is kept");
	world_free(&w);
}
END_TEST

/* What would go back into service must be a sandbox of this target. */
START_TEST(what_was_kept_is_no_sandbox)
{
	complete();
	w->job.approved_target = "";
	ck_refused_untouched("no sandbox stamp");
	world_free(&w);
}
END_TEST

START_TEST(a_newer_clone_has_built_since)
{
	struct fence newer = { .clone_id = "newer", .run = 1, .step = "create_database", .target_ctx = WORLD_TARGET,
		.generation = WORLD_GENERATION "er", .token = 1000 };
	struct tenant_stamp stamp = { .clone_id = "newer", .source_ctx = WORLD_SOURCE, .database = WORLD_GENERATION "er",
		.token = 1000 };

	complete();
	ck_assert_msg(w->ports.tenant->put_stamp(w->ports.tenant, &newer, WORLD_TARGET, &stamp, &w->err), "%s",
		      w->err.text);
	ck_refused_untouched("a newer clone");
	world_free(&w);
}
END_TEST

START_TEST(an_old_owner_cannot)
{
	complete();
	world_overtaken(w);
	ck_refused_untouched("newer owner");
	ck_assert_int_eq(w->err.code, ERR_CODE_FENCED);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rollback");
	TCase *t = tcase_create("rollback");
	SRunner *sr = srunner_create(s);
	int failed;

	if (!world_test_folder(folder, sizeof folder))
		return 1;
	snprintf(base, sizeof base, "%s/complete", folder);
	tcase_set_timeout(t, 120);
	tcase_add_unchecked_fixture(t, make_base, NULL);
	tcase_add_test(t, the_kept_sandbox_is_back);
	tcase_add_test(t, a_crash_after_any_effect);
	tcase_add_test(t, nothing_was_kept);
	tcase_add_test(t, what_was_kept_is_gone);
	tcase_add_test(t, what_was_kept_is_no_sandbox);
	tcase_add_test(t, a_newer_clone_has_built_since);
	tcase_add_test(t, an_old_owner_cannot);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	world_remove_folder(folder);
	return failed != 0;
}
