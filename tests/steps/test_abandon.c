/* SPDX-License-Identifier: Apache-2.0
 * Cancelling a clone: wherever it was, the old sandbox is back and nothing of the clone is left. */
#include "tests/support/step_test.h"

#include <stdio.h>
#include <string.h>

static char folder[128];

static void clone_until(int step)
{
	w = world_new();
	for (int i = 0; i < step; i++)
		world_do(w, (enum step_id)i);
}

static void ck_abandoned(void)
{
	enum step_outcome outcome = world_abandon(w);

	ck_assert_msg(outcome == STEP_DONE, "%s (%s)", step_outcome_name(outcome), w->err.text);
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_TARGET);
	ck_told("hosting.tenants." WORLD_TARGET ".files_root", WORLD_TARGET);
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", "");
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
	ck_assert_int_eq(w->notice.left_in, TENANT_RUNNING);
	ck_told("superid.Cust70001.state", "normal");
	ck_told("mail.test-Cust70001", NULL);
	ck_told("mail.r-production.tenant_ctx", WORLD_SOURCE);
	ck_number("server", "SELECT count(*) FROM database_entry WHERE name = '" WORLD_TARGET "' AND quarantined = 1",
		  0);
	ck_assert(world_has_database(w, WORLD_TARGET));
	ck_assert(!world_has_database(w, WORLD_GENERATION));
	ck_assert_int_eq(world_file(w, "objects", WORLD_GENERATION), -1);
	ck_assert_int_eq(world_file(w, "archive", WORLD_GENERATION), -1);
	ck_assert_int_ge(world_file(w, "objects", WORLD_TARGET "/Template/old.docx"), 1);
}

/* The route of the old mailbox, under its first id or a new one. */
static bool has_old_route(void)
{
	const char *anew = world_told(w, "mail.Cust70001-4.address"), *first = world_told(w, "mail.r-sandbox.address");

	return strcmp(anew ? anew : first ? first : "", "sandbox@north.suocrm.example") == 0;
}

static void ck_abandoned_twice(int before)
{
	struct buf once, twice;
	char about[100];

	snprintf(about, sizeof about, "abandoned twice before %s", steps[before].slug);
	buf_init(&once, WORLD_SNAPSHOT_MAX);
	buf_init(&twice, WORLD_SNAPSHOT_MAX);
	ck_abandoned();
	ck_assert(has_old_route());
	world_snapshot(w, &once);
	world_take_over(w);
	ck_abandoned();
	world_snapshot(w, &twice);
	world_assert_same(&once, &twice, about);
	buf_done(&once);
	buf_done(&twice);
}

START_TEST(before_every_step)
{
	struct world *run = world_new();

	for (int i = 0; i <= STEP_enter_running_mode; i++) {
		w = world_copy(run);
		ck_abandoned_twice(i);
		world_free(&w);
		world_do(run, (enum step_id)i);
	}
	world_free(&run);
}
END_TEST

START_TEST(the_old_users_sign_in_again)
{
	clone_until(STEP_superid_normal);
	ck_abandoned();
	ck_told("superid.Cust70001.users.0.login", "old@company.example");
	ck_told("superid.Cust70001.users.1", NULL);
	world_free(&w);
}
END_TEST

START_TEST(after_the_switch_while_the_old_one_is_kept)
{
	clone_until(STEP_enter_running_mode);
	w->settings.previous_keep_ms = -1;
	world_do(w, STEP_enter_running_mode);
	ck_abandoned();
	world_free(&w);
}
END_TEST

/* Of a clone that asked for another target than the world's. */
static enum step_outcome abandon_other(const char *target, const char *generation)
{
	struct step_ctx c = { .job = &w->job, .settings = &w->settings, .ports = &w->ports, .mem = w->mem, .stop = &w->stop,
		.progress = &w->progress, .tables = &w->tables, .notice = &w->notice, .err = &w->err,
		.fence = { .clone_id = w->job.clone_id, .run = 1, .step = "clean_up", .target_ctx = target,
			   .generation = generation, .token = w->token } };

	w->job.target_ctx = target;
	return abandon_clone(&c);
}

/* The target was never one to be written to: nothing was touched, and nothing is now. */
START_TEST(a_target_that_was_never_begun_on)
{
	static const char *const others[][2] = {
		{ "Cust99999", "Cust99999__gabc" }, /* there is no such tenant */
		{ WORLD_SOURCE, WORLD_SOURCE "__gabc" }, /* production */
	};
	struct buf before, after;

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		w = world_new();
		buf_init(&before, WORLD_SNAPSHOT_MAX);
		buf_init(&after, WORLD_SNAPSHOT_MAX);
		world_snapshot(w, &before);
		ck_assert_msg(abandon_other(others[i][0], others[i][1]) == STEP_DONE, "%s: %s", others[i][0], w->err.text);
		world_snapshot(w, &after);
		world_assert_same(&before, &after, others[i][0]);
		buf_done(&before);
		buf_done(&after);
		world_free(&w);
	}
}
END_TEST

/* It is none of ours any more, but the clone's work is still there. */
START_TEST(not_when_something_was_begun)
{
	clone_until(STEP_prepare_database);
	w->job.source_ctx = "Cust70009"; /* the registry links it to another */
	ck_assert_int_eq(world_abandon(w), STEP_REFUSED);
	ck_assert_ptr_nonnull(strstr(w->err.text, "does not link"));
	ck_assert(world_has_database(w, WORLD_GENERATION));
	world_free(&w);

	clone_until(STEP_create_database);
	w->job.source_ctx = "Cust70009"; /* offline since 01 */
	ck_assert_int_eq(world_abandon(w), STEP_REFUSED);
	world_free(&w);
}
END_TEST

START_TEST(not_after_the_old_one_is_gone)
{
	clone_until(STEP_wait_web_config);
	ck_assert_int_eq(world_abandon(w), STEP_REFUSED);
	ck_assert_int_eq(w->err.code, ERR_CODE_TOO_LATE);
	ck_assert_ptr_nonnull(strstr(w->err.text, "nothing to go back to"));
	ck_assert(world_has_database(w, WORLD_GENERATION));
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
	world_free(&w);
}
END_TEST

START_TEST(an_old_owner_cannot)
{
	struct buf before, after;

	clone_until(STEP_prepare_database);
	buf_init(&before, WORLD_SNAPSHOT_MAX);
	buf_init(&after, WORLD_SNAPSHOT_MAX);
	world_overtaken(w);
	world_snapshot(w, &before);
	ck_assert_int_eq(world_abandon(w), STEP_REFUSED);
	ck_assert_int_eq(w->err.code, ERR_CODE_FENCED);
	world_snapshot(w, &after);
	world_assert_same(&before, &after, "abandoned by an old owner");
	buf_done(&before);
	buf_done(&after);
	world_free(&w);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("abandon");
	TCase *t = tcase_create("abandon");
	SRunner *sr = srunner_create(s);
	int failed;

	if (!world_test_folder(folder, sizeof folder))
		return 1;
	tcase_set_timeout(t, 120);
	tcase_add_test(t, before_every_step);
	tcase_add_test(t, the_old_users_sign_in_again);
	tcase_add_test(t, after_the_switch_while_the_old_one_is_kept);
	tcase_add_test(t, a_target_that_was_never_begun_on);
	tcase_add_test(t, not_when_something_was_begun);
	tcase_add_test(t, not_after_the_old_one_is_gone);
	tcase_add_test(t, an_old_owner_cannot);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	world_remove_folder(folder);
	srunner_free(sr);
	return failed != 0;
}
