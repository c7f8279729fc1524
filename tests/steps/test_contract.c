/* SPDX-License-Identifier: Apache-2.0
 * The contract of style 9.5 over all rows of steps.def: called twice, crashed after any effect and taken over
 * by a new owner, unsure of an outside answer, overtaken by a newer owner, told to stop - the world is the same as
 * after one undisturbed call, or untouched. On PostgreSQL, with SANDBOX_TEST_DIALECT=postgresql, that takes some
 * minutes: by hand. */
#include "tests/support/world.h"
#include "tests/support/world_break.h"
#include "tests/support/world_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS_A_TEST = 120, TRIES = 12 };

static char bases[128]; /* the world before each step, the snapshots before and after it */

static void base_path(int step, const char *what, char out_r[PATH_MAX])
{
	snprintf(out_r, PATH_MAX, "%s/%s%s", bases, steps[step].slug, what);
}

static void save(int step, const char *what, const struct buf *snapshot)
{
	char path[PATH_MAX];
	FILE *file;

	base_path(step, what, path);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(snapshot->data, 1, snapshot->len, file), snapshot->len);
	ck_assert_int_eq(fclose(file), 0);
}

static void load(int step, const char *what, struct buf *snapshot)
{
	char path[PATH_MAX], block[65536];
	size_t n;
	FILE *file;

	base_path(step, what, path);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	buf_init(snapshot, WORLD_SNAPSHOT_MAX);
	while ((n = fread(block, 1, sizeof block, file)) > 0)
		ck_assert(buf_add(snapshot, block, n));
	fclose(file);
}

/* Runs all the steps once and keeps the world before each. */
START_TEST(a_whole_clone_works)
{
	struct world *w = world_new();
	struct buf snapshot;
	char path[PATH_MAX];

	buf_init(&snapshot, WORLD_SNAPSHOT_MAX);
	world_snapshot(w, &snapshot);
	for (int i = 0; i < STEP_END; i++) {
		base_path(i, "", path);
		world_save(w, path);
		save(i, ".before", &snapshot);
		world_do(w, (enum step_id)i);
		world_snapshot(w, &snapshot);
		save(i, ".after", &snapshot);
	}
	buf_done(&snapshot);
	world_free(&w);
}
END_TEST

static struct world *open_base(int step)
{
	char path[PATH_MAX];

	base_path(step, "", path);
	return world_open(path);
}

static void assert_world(struct world *w, int step, const char *when, const char *what)
{
	struct buf now, wanted;
	char about[200];

	snprintf(about, sizeof about, "%s %s: %s", steps[step].nn, steps[step].slug, what);
	buf_init(&now, WORLD_SNAPSHOT_MAX);
	load(step, when, &wanted);
	world_snapshot(w, &now);
	world_assert_same(&wanted, &now, about);
	buf_done(&now);
	buf_done(&wanted);
}

static bool changes_the_world(int step)
{
	struct buf before, after;
	bool changes;

	load(step, ".before", &before);
	load(step, ".after", &after);
	changes = before.len != after.len || memcmp(before.data, after.data, before.len) != 0;
	buf_done(&before);
	buf_done(&after);
	return changes;
}

START_TEST(twice_is_once)
{
	struct world *w = open_base(_i);

	world_do(w, (enum step_id)_i);
	assert_world(w, _i, ".after", "first call");
	world_do(w, (enum step_id)_i);
	assert_world(w, _i, ".after", "second call");
	world_take_over(w);
	world_do(w, (enum step_id)_i);
	assert_world(w, _i, ".after", "a call of a new owner that knows nothing");
	world_free(&w);
}
END_TEST

/* All effects of a step, but of a long one only some: the first ones, then ever wider apart. */
static int next_nth(int nth)
{
	return nth + 1 + nth / 2;
}

static void break_everywhere(int step)
{
	bool broke = true;

	for (int nth = 1; broke; nth = next_nth(nth)) {
		struct world *w = open_base(step);

		world_break_at(w, nth);
		world_run(w, (enum step_id)step);
		broke = world_effects() >= nth;
		world_break_at(w, 0);
		world_take_over(w);
		world_do(w, (enum step_id)step);
		assert_world(w, step, ".after", "a crash after an effect");
		world_free(&w);
	}
}

START_TEST(a_crash_after_any_effect)
{
	break_everywhere(_i);
}
END_TEST

/* The first writes over HTTP act and lose their answers; twice each, because a request on a kept connection that dies
 * is sent anew under the same key. */
START_TEST(unsure_is_looked_at)
{
	static const char *const faults[] = { "{\"kind\":\"act-then-reset\",\"method\":\"PUT\",\"times\":2}",
					      "{\"kind\":\"act-then-reset\",\"method\":\"POST\",\"times\":2}",
					      "{\"kind\":\"act-then-reset\",\"method\":\"DELETE\",\"times\":2}" };
	struct world *w = open_base(_i);
	enum step_outcome outcome = STEP_UNSURE;
	size_t acted, unsure = 0;
	char key[SLUG_MAX + 3];

	snprintf(key, sizeof key, "/%s/", steps[_i].slug);
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		ck_assert(stub_server_fault(w->stubs, faults[i]));
	for (int i = 0; i < TRIES && outcome == STEP_UNSURE; i++) {
		outcome = world_run(w, (enum step_id)_i);
		unsure += outcome == STEP_UNSURE;
	}
	ck_assert_msg(outcome != STEP_UNSURE && outcome != STEP_RETRY && outcome != STEP_REFUSED, "%s: %s (%s)",
		      steps[_i].slug, step_outcome_name(outcome), w->err.text);
	acted = stub_server_acted(w->stubs, key);
	ck_assert_msg(acted == 0 || unsure > 0, "%s: no answer was lost", steps[_i].slug);
	ck_assert_msg(unsure == 0 || acted <= stub_server_received(w->stubs, key), "%s", steps[_i].slug);
	assert_world(w, _i, ".after", "lost answers");
	world_free(&w);
}
END_TEST

START_TEST(an_old_owner_changes_nothing)
{
	struct world *w = open_base(_i);
	struct buf before, after;
	enum step_outcome outcome;

	buf_init(&before, WORLD_SNAPSHOT_MAX);
	buf_init(&after, WORLD_SNAPSHOT_MAX);
	world_overtaken(w);
	world_snapshot(w, &before);
	outcome = world_run(w, (enum step_id)_i);
	world_snapshot(w, &after);
	world_assert_same(&before, &after, steps[_i].slug);
	if (changes_the_world(_i)) {
		ck_assert_msg(outcome == STEP_REFUSED, "%s: %s", steps[_i].slug, step_outcome_name(outcome));
		ck_assert_msg(w->err.code == ERR_CODE_FENCED, "%s: %s", steps[_i].slug, w->err.text);
	}
	buf_done(&before);
	buf_done(&after);
	world_free(&w);
}
END_TEST

START_TEST(told_to_stop_it_changes_nothing)
{
	struct world *w = open_base(_i);
	enum step_outcome outcome;

	atomic_store(&w->stop, true);
	outcome = world_run(w, (enum step_id)_i);
	if (changes_the_world(_i))
		ck_assert_msg(outcome == STEP_RETRY && w->err.code == ERR_CODE_ABORTED, "%s: %s (%s)", steps[_i].slug,
			      step_outcome_name(outcome), w->err.text);
	atomic_store(&w->stop, false);
	assert_world(w, _i, ".before", "told to stop");
	world_free(&w);
}
END_TEST

static void add(Suite *s, const char *name, const TTest *test, int count)
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, SECONDS_A_TEST);
	tcase_add_loop_test(t, test, 0, count);
	suite_add_tcase(s, t);
}

int main(void)
{
	Suite *s = suite_create("contract");
	SRunner *sr = srunner_create(s);
	int failed;

	if (!world_test_folder(bases, sizeof bases))
		return 1;
	add(s, "whole", a_whole_clone_works, 1);
	add(s, "twice", twice_is_once, STEP_END);
	add(s, "crash after", a_crash_after_any_effect, STEP_END);
	add(s, "unsure", unsure_is_looked_at, STEP_END);
	add(s, "old owner", an_old_owner_changes_nothing, STEP_END);
	add(s, "stop", told_to_stop_it_changes_nothing, STEP_END);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	world_remove_folder(bases);
	srunner_free(sr);
	return failed != 0;
}
