/* SPDX-License-Identifier: Apache-2.0
 * s32: opens only what is proved, switches, and drops the old one last. */
#include "tests/support/step_test.h"
#include <string.h>

START_TEST(switches_and_drops_the_previous)
{
	ck_step(STEP_enter_running_mode, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_GENERATION);
	ck_told("hosting.tenants." WORLD_TARGET ".files_root", WORLD_GENERATION);
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", "");
	ck_number("server", "SELECT quarantined FROM database_entry WHERE name = '" WORLD_GENERATION "'", 0);
	ck_assert(!world_has_database(w, WORLD_TARGET));
	ck_assert(world_has_database(w, WORLD_SOURCE));
	ck_assert_int_eq(world_file(w, "objects", WORLD_TARGET), -1);
	ck_assert_int_eq(world_file(w, "archive", WORLD_TARGET), -1);
	ck_assert_int_ge(world_file(w, "archive", "Cust700012/Documents/x.docx"), 1);
	world_take_over(w);
	ck_step(STEP_enter_running_mode, STEP_ALREADY);
}
END_TEST

START_TEST(keeps_the_previous_when_told_so)
{
	w->settings.previous_keep_ms = -1;
	ck_step(STEP_enter_running_mode, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", WORLD_TARGET);
	ck_assert(world_has_database(w, WORLD_TARGET));
}
END_TEST

START_TEST(stays_offline_when_asked)
{
	w->job.set_running = false;
	ck_step(STEP_enter_running_mode, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".state", "OfflineMaintenance");
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_GENERATION);
}
END_TEST

/* What the notifier would say. */
static struct notices_waited waited;
static bool is_away;

static bool say_waited(struct notices_port *self, const char *clone_id, int run, int64_t now_ms,
                       struct notices_waited *waited_r, struct err *e)
{
	(void)self;
	ck_assert_str_eq(clone_id, w->job.clone_id);
	ck_assert_int_ge(run, 1);
	ck_assert_int_gt(now_ms, 0);
	*waited_r = waited;
	return !is_away || err_set(e, ERR_TRANSIENT, 0, "redis", "cannot connect to Redis");
}

static void ck_shut(void)
{
	ck_told("hosting.tenants." WORLD_TARGET ".database", "");
	ck_told("hosting.tenants." WORLD_TARGET ".state", "OfflineMaintenance");
	ck_number("server", "SELECT quarantined FROM database_entry WHERE name = '" WORLD_GENERATION "'", 1);
	ck_assert(world_has_database(w, WORLD_TARGET));
}

START_TEST(waits_for_apps_that_must_answer)
{
	static struct notices_port notices = { say_waited };

	w->ports.notices = &notices;
	waited = (struct notices_waited){ .is_stored = false };
	ck_step(STEP_enter_running_mode, STEP_WAIT);
	ck_assert_ptr_nonnull(strstr(w->last.waiting_on, "the notifier"));
	waited = (struct notices_waited){ .is_stored = true, .count = 2, .first = "a0c1-sync" };
	ck_step(STEP_enter_running_mode, STEP_WAIT);
	ck_assert_str_eq(w->last.waiting_on, "a0c1-sync and others to answer BackupRestored");
	is_away = true;
	ck_step(STEP_enter_running_mode, STEP_RETRY);
	is_away = false;
	ck_shut();
	waited.count = 0;
	ck_step(STEP_enter_running_mode, STEP_DONE);
	ck_told("hosting.tenants." WORLD_TARGET ".state", "Running");
}
END_TEST

START_TEST(no_proof_no_opening)
{
	world_exec(w, WORLD_GENERATION, "UPDATE sandbox_stamp SET proof = ''");
	ck_refused(STEP_enter_running_mode, "no proof");
	ck_shut();
}
END_TEST

START_TEST(an_address_written_after_the_proof)
{
	world_exec(w, WORLD_GENERATION, "UPDATE y_project_notes SET x_contact = 'new@company.com' WHERE id = 2");
	ck_refused(STEP_enter_running_mode, "y_project_notes.x_contact");
	ck_shut();
}
END_TEST

START_TEST(a_proof_without_a_mask_is_none_when_a_mask_is_wanted)
{
	world_exec(w, WORLD_GENERATION, "UPDATE sandbox_stamp SET proof = '{\"masked\":false}'");
	ck_refused(STEP_enter_running_mode, "no proof");
	ck_shut();
}
END_TEST

START_TEST(a_channel_that_could_leave_the_sandbox)
{
	world_exec(w, WORLD_GENERATION, "UPDATE UserPreference SET prefvalue = '1' WHERE prefkey = 'EnableMailings'");
	ck_refused(STEP_enter_running_mode, "7 of the 8 test switches");
	ck_shut();
}
END_TEST

STEP_TESTS(enter_running_mode, waits_for_apps_that_must_answer, switches_and_drops_the_previous, keeps_the_previous_when_told_so,
	   stays_offline_when_asked, no_proof_no_opening, an_address_written_after_the_proof,
	   a_proof_without_a_mask_is_none_when_a_mask_is_wanted, a_channel_that_could_leave_the_sandbox)
