/* SPDX-License-Identifier: Apache-2.0
 * The sweep drops what nobody names, and a kept sandbox when its time is over; and nothing else, whatever it meets. */
#include "consumer/adapters/odbc/odbc_sql.h"
#include "tests/support/step_test.h"
#include "tests/support/world_break.h"

#include <stdio.h>
#include <string.h>

#define ORPHAN  WORLD_TARGET "__gold"
#define ANOTHER WORLD_TARGET "__golder"
#define CLOCK_S INT64_C(1785578400)
#define HOUR_S  3600

static char folder[128];

/* ---- records of clones ---- */

static struct {
	char clone_id[64], generation[64];
	bool down;
	int asked;
} known;

static bool names(struct records_port *self, const char *target_ctx, const char *clone_id, const char *generation,
                  bool *so_r, struct err *e)
{
	(void)self;
	ck_assert_str_eq(target_ctx, WORLD_TARGET);
	known.asked++;
	*so_r = strcmp(clone_id, known.clone_id) == 0 && strcmp(generation, known.generation) == 0;
	return !known.down || err_set(e, ERR_TRANSIENT, 0, "records", "nobody answers");
}

/* ---- the world of these tests: a complete clone, and a generation that another one left behind ---- */

static void leave_behind(const char *name)
{
	struct fence left = { .clone_id = "clone-gone", .run = 1, .step = "create_database", .target_ctx = WORLD_TARGET,
		.generation = name, .token = 7 };
	struct odbc_databases databases = { .source = WORLD_SOURCE, .target = name };
	struct sql_port *sql = odbc_sql_open(w->server, &databases, &w->err);
	char path[128];

	ck_assert_msg(sql && sql->create_database(sql, &left, WORLD_SOURCE, &w->err), "%s", w->err.text);
	odbc_sql_close(&sql);
	snprintf(path, sizeof path, "%s/Template/left.docx", name);
	world_put_file(w, "objects", path, "left");
	world_put_file(w, "archive", path, "left");
}

static void after_a_clone(int64_t keep_ms)
{
	static struct records_port records = { names };

	memset(&known, 0, sizeof known);
	w = world_new();
	w->settings.previous_keep_ms = keep_ms;
	w->settings.sweep_age_ms = 24 * HOUR_S * 1000;
	w->ports.records = &records;
	for (int i = 0; i <= STEP_enter_running_mode; i++)
		world_do(w, (enum step_id)i);
}

static void switched_ago(int64_t seconds)
{
	char sql[200];

	snprintf(sql, sizeof sql,
		 "UPDATE sandbox_ledger SET updated_at = strftime('%%Y-%%m-%%dT%%H:%%M:%%SZ', %lld, 'unixepoch') "
		 "WHERE step = 'enter_running_mode'", (long long)(CLOCK_S - seconds));
	world_exec(w, WORLD_GENERATION, sql);
}

static void ck_sweep(enum step_outcome wanted)
{
	enum step_outcome outcome = world_aside(w, ASIDE_SWEEP);

	ck_assert_msg(outcome == wanted, "%s instead of %s (%s)", step_outcome_name(outcome), step_outcome_name(wanted),
		      w->err.text);
}

static void ck_untouched_by(enum step_outcome wanted)
{
	struct buf before, after;

	buf_init(&before, WORLD_SNAPSHOT_MAX);
	buf_init(&after, WORLD_SNAPSHOT_MAX);
	world_snapshot(w, &before);
	ck_sweep(wanted);
	world_snapshot(w, &after);
	world_assert_same(&before, &after, "a sweep that has nothing to sweep");
	buf_done(&before);
	buf_done(&after);
}

static int told; /* by the survey, of the kind asked for */
static enum sweep_kind kind_asked;
static char told_of[64];

static bool hear(void *arg, const struct sweep_found *found, struct err *e)
{
	(void)arg;
	(void)e;
	ck_assert_str_eq(found->target_ctx, WORLD_TARGET);
	ck_assert_str_eq(found->source_ctx, WORLD_SOURCE);
	ck_assert_str_eq(found->clone_id, w->job.clone_id);
	if (found->kind == kind_asked) {
		told++;
		snprintf(told_of, sizeof told_of, "%s", found->database);
	}
	return true;
}

static int survey(enum sweep_kind kind)
{
	struct step_ctx c = { .settings = &w->settings, .ports = &w->ports, .mem = w->mem, .stop = &w->stop, .err = &w->err,
		.fence = { .step = "survey" } };

	err_clear(&w->err);
	told = 0;
	told_of[0] = '\0';
	kind_asked = kind;
	ck_assert_msg(sweep_survey(&c, hear, NULL), "%s", w->err.text);
	return told;
}

/* ---- orphans ---- */

START_TEST(an_orphan_goes_with_its_files)
{
	struct buf before, after;

	after_a_clone(0);
	buf_init(&before, WORLD_SNAPSHOT_MAX);
	buf_init(&after, WORLD_SNAPSHOT_MAX);
	world_snapshot(w, &before);
	leave_behind(ORPHAN);
	leave_behind(ANOTHER);
	ck_assert_int_eq(survey(SWEEP_ORPHAN), 2);
	ck_assert(world_has_database(w, ORPHAN));
	ck_sweep(STEP_DONE);
	ck_assert_int_eq(w->last.rows, 2);
	ck_assert(!world_has_database(w, ORPHAN));
	ck_assert(!world_has_database(w, ANOTHER));
	ck_number("server", "SELECT count(*) FROM database_entry WHERE owner = 'clone-gone'", 0);
	world_exec(w, "server", "DELETE FROM generation_token WHERE name IN ('" ORPHAN "', '" ANOTHER "')");
	world_snapshot(w, &after);
	world_assert_same(&before, &after, "orphans swept");
	ck_untouched_by(STEP_ALREADY);
	ck_assert_int_eq(survey(SWEEP_ORPHAN), 0);
	buf_done(&before);
	buf_done(&after);
	world_free(&w);
}
END_TEST

START_TEST(what_a_clone_s_record_names_stays)
{
	after_a_clone(0);
	leave_behind(ORPHAN);
	snprintf(known.clone_id, sizeof known.clone_id, "clone-gone");
	snprintf(known.generation, sizeof known.generation, ORPHAN);
	ck_assert_int_eq(survey(SWEEP_ORPHAN), 0);
	ck_untouched_by(STEP_ALREADY);
	ck_assert_int_eq(known.asked, 2);
	known.generation[0] = '\0'; /* a record of that clone, but of another generation */
	ck_sweep(STEP_DONE);
	world_free(&w);
}
END_TEST

START_TEST(what_nobody_can_be_asked_about_stays)
{
	after_a_clone(0);
	leave_behind(ORPHAN);
	known.down = true;
	ck_untouched_by(STEP_RETRY);
	world_free(&w);
}
END_TEST

/* Tokens are microseconds. An owner that nobody's clock has reached yet counts as young. */
START_TEST(what_is_young_stays)
{
	const int64_t ages_s[] = { 0, 23 * HOUR_S, -HOUR_S };
	char sql[100];

	after_a_clone(0);
	leave_behind(ORPHAN);
	for (size_t i = 0; i < sizeof ages_s / sizeof *ages_s; i++) {
		snprintf(sql, sizeof sql, "UPDATE sandbox_stamp SET token = %lld", (long long)(CLOCK_S - ages_s[i]) * 1000000);
		world_exec(w, ORPHAN, sql);
		w->token = (uint64_t)(CLOCK_S + 2 * HOUR_S) * 1000000;
		ck_untouched_by(STEP_ALREADY);
	}
	snprintf(sql, sizeof sql, "UPDATE sandbox_stamp SET token = %lld", (long long)(CLOCK_S - 24 * HOUR_S) * 1000000);
	world_exec(w, ORPHAN, sql);
	ck_sweep(STEP_DONE);
	world_free(&w);
}
END_TEST

START_TEST(what_bears_no_stamp_or_another_target_s_stays)
{
	after_a_clone(0);
	leave_behind(ORPHAN);
	world_exec(w, ORPHAN, "UPDATE sandbox_stamp SET target_ctx = 'Cust70009'");
	ck_untouched_by(STEP_ALREADY);
	world_exec(w, ORPHAN, "DELETE FROM sandbox_stamp");
	ck_untouched_by(STEP_ALREADY);
	world_exec(w, ORPHAN, "DROP TABLE sandbox_stamp");
	ck_untouched_by(STEP_ALREADY);
	ck_assert_int_eq(survey(SWEEP_ORPHAN), 0);
	world_free(&w);
}
END_TEST

/* Its name is a generation's and its stamp says sandbox, but it is the source: the guard's proof is the last word. */
START_TEST(the_source_under_an_orphan_s_name_stays)
{
	after_a_clone(0);
	leave_behind(ORPHAN);
	world_drop_file(w, "db", ORPHAN ".sqlite");
	world_link_file(w, "db", WORLD_SOURCE ".sqlite", ORPHAN ".sqlite");
	ck_sweep(STEP_ALREADY); /* no stamp */
	world_exec(w, WORLD_SOURCE, "CREATE TABLE sandbox_stamp (one INTEGER, source_ctx TEXT, target_ctx TEXT, clone_id TEXT, "
		"run INTEGER, token INTEGER, masked_at TEXT, proof TEXT)");
	world_exec(w, WORLD_SOURCE, "INSERT INTO sandbox_stamp VALUES (1, 'x', '" WORLD_TARGET "', 'clone-gone', 1, 7, '', '')");
	ck_sweep(STEP_REFUSED);
	ck_assert_ptr_nonnull(strstr(w->err.text, "source"));
	ck_assert(world_has_database(w, WORLD_SOURCE));
	ck_assert_int_ge(world_file(w, "objects", ORPHAN "/Template/left.docx"), 1);
	world_free(&w);
}
END_TEST

START_TEST(an_old_owner_sweeps_nothing)
{
	after_a_clone(0);
	leave_behind(ORPHAN);
	world_overtaken(w);
	ck_untouched_by(STEP_REFUSED);
	ck_assert_int_eq(w->err.code, ERR_CODE_FENCED);
	world_free(&w);
}
END_TEST

START_TEST(nothing_is_swept_in_the_name_of_an_older_clone)
{
	struct fence newer = { .clone_id = "newer", .run = 1, .step = "create_database", .target_ctx = WORLD_TARGET,
		.generation = WORLD_GENERATION "er", .token = 1000 };
	struct tenant_stamp stamp = { .clone_id = "newer", .source_ctx = WORLD_SOURCE, .database = WORLD_GENERATION "er",
		.token = 1000 };

	after_a_clone(-1);
	leave_behind(ORPHAN);
	ck_assert_msg(w->ports.tenant->put_stamp(w->ports.tenant, &newer, WORLD_TARGET, &stamp, &w->err), "%s",
		      w->err.text);
	ck_untouched_by(STEP_REFUSED);
	ck_assert_ptr_nonnull(strstr(w->err.text, "a newer clone"));
	world_free(&w);
}
END_TEST

/* ---- what was kept ---- */

START_TEST(the_previous_goes_when_its_time_is_over)
{
	after_a_clone(2 * HOUR_S * 1000);
	switched_ago(2 * HOUR_S - 1);
	ck_assert_int_eq(survey(SWEEP_PREVIOUS), 1);
	ck_assert_str_eq(told_of, WORLD_TARGET);
	ck_untouched_by(STEP_ALREADY);
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", WORLD_TARGET);
	ck_number("server", "SELECT quarantined FROM database_entry WHERE name = '" WORLD_TARGET "'", 1);
	switched_ago(2 * HOUR_S);
	ck_sweep(STEP_DONE);
	ck_assert(!world_has_database(w, WORLD_TARGET));
	ck_assert(world_has_database(w, WORLD_GENERATION));
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", "");
	ck_told("hosting.tenants." WORLD_TARGET ".database", WORLD_GENERATION);
	ck_assert_int_eq(world_file(w, "objects", WORLD_TARGET), -1);
	ck_assert_int_eq(world_file(w, "archive", WORLD_TARGET), -1);
	ck_untouched_by(STEP_ALREADY);
	ck_assert_int_eq(survey(SWEEP_PREVIOUS), 0);
	world_free(&w);
}
END_TEST

START_TEST(for_ever_is_for_ever)
{
	after_a_clone(-1);
	switched_ago(HOUR_S * 100000);
	ck_assert_int_eq(survey(SWEEP_PREVIOUS), 0);
	ck_untouched_by(STEP_ALREADY);
	world_free(&w);
}
END_TEST

/* A clone that was broken off needs it: it is what cancelling goes back to. */
START_TEST(the_previous_of_a_clone_that_is_not_in_service_stays)
{
	static struct records_port records = { names };

	w = world_before(STEP_enter_running_mode);
	w->ports.records = &records;
	w->settings.previous_keep_ms = 1;
	ck_untouched_by(STEP_ALREADY);
	ck_told("hosting.tenants." WORLD_TARGET ".previous_database", WORLD_TARGET);
	world_free(&w);
}
END_TEST

START_TEST(nobody_noted_since_when)
{
	after_a_clone(1);
	world_exec(w, WORLD_GENERATION, "DELETE FROM sandbox_ledger WHERE step = 'enter_running_mode'");
	ck_untouched_by(STEP_ALREADY);
	world_free(&w);
}
END_TEST

START_TEST(a_crash_after_any_effect)
{
	bool broke = true;

	for (int nth = 1; broke; nth++) {
		after_a_clone(HOUR_S * 1000);
		leave_behind(ORPHAN);
		switched_ago(HOUR_S);
		world_break_at(w, nth);
		world_aside(w, ASIDE_SWEEP);
		broke = world_effects() >= nth;
		world_break_at(w, 0);
		world_take_over(w);
		ck_assert(world_aside(w, ASIDE_SWEEP) != STEP_REFUSED);
		ck_untouched_by(STEP_ALREADY);
		ck_assert(!world_has_database(w, ORPHAN));
		ck_assert(!world_has_database(w, WORLD_TARGET));
		ck_assert_int_eq(world_file(w, "objects", ORPHAN), -1);
		ck_assert_int_eq(world_file(w, "archive", ORPHAN), -1);
		ck_told("hosting.tenants." WORLD_TARGET ".previous_database", "");
		ck_assert_msg(!broke || nth < 50, "effects without end");
		world_free(&w);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sweep");
	TCase *t = tcase_create("sweep");
	SRunner *sr = srunner_create(s);
	int failed;

	if (!world_test_folder(folder, sizeof folder))
		return 1;
	tcase_set_timeout(t, 120);
	tcase_add_test(t, an_orphan_goes_with_its_files);
	tcase_add_test(t, what_a_clone_s_record_names_stays);
	tcase_add_test(t, what_nobody_can_be_asked_about_stays);
	tcase_add_test(t, what_is_young_stays);
	tcase_add_test(t, what_bears_no_stamp_or_another_target_s_stays);
	tcase_add_test(t, the_source_under_an_orphan_s_name_stays);
	tcase_add_test(t, an_old_owner_sweeps_nothing);
	tcase_add_test(t, nothing_is_swept_in_the_name_of_an_older_clone);
	tcase_add_test(t, the_previous_goes_when_its_time_is_over);
	tcase_add_test(t, for_ever_is_for_ever);
	tcase_add_test(t, the_previous_of_a_clone_that_is_not_in_service_stays);
	tcase_add_test(t, nobody_noted_since_when);
	tcase_add_test(t, a_crash_after_any_effect);
	suite_add_tcase(s, t);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	world_remove_folder(folder);
	return failed != 0;
}
