/* SPDX-License-Identifier: Apache-2.0
 * The thread that looks for what may be swept: what it finds, once each, and that it ends when it is told to. */
#include "consumer/runtime/sweeper.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_MS = 20000 };

struct fake_world {
	struct world_port port; /* first */
	atomic_int surveys, ended, finds;
	bool blocks, fails;
};

static struct fake_world world;
static struct sweeper *sweeper;
static struct err e;
static struct log *logger;

static void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

static void await(const atomic_int *what, int least)
{
	for (int i = 0; i < PATIENCE_MS && atomic_load(what) < least; i++)
		sleep_ms(1);
	ck_assert_int_ge(atomic_load(what), least);
}

static bool survey(struct world_port *self, const atomic_bool *stop, sweep_fn *fn, void *arg, struct err *err)
{
	struct fake_world *w = (struct fake_world *)self;
	char id[16];

	atomic_fetch_add(&w->surveys, 1);
	while (w->blocks && !atomic_load(stop))
		sleep_ms(1);
	for (int i = 0, count = atomic_load(&w->finds); i < count; i++) {
		struct sweep_found found = { i % 2 ? SWEEP_ORPHAN : SWEEP_PREVIOUS, "T", "S", id, "T__g1" };

		snprintf(id, sizeof id, "c%d", i / 2); /* each twice */
		ck_assert(fn(arg, &found, err));
	}
	atomic_fetch_add(&w->ended, 1);
	return !w->fails || err_set(err, ERR_TRANSIENT, 0, "fake", "nobody answers");
}

static bool keep_nothing(void *arg, const char *lines, size_t len)
{
	(void)arg;
	(void)lines;
	(void)len;
	return true;
}

static void begin(int finds)
{
	world.port.survey = survey;
	atomic_store(&world.finds, finds);
	sweeper = sweeper_new(&world.port, 5, logger, &e);
	ck_assert_msg(sweeper != NULL, "%s", e.text);
}

static int64_t no_time(void *arg)
{
	(void)arg;
	return 0;
}

static void setup(void)
{
	const struct log_settings quiet = { .level = LOG_LEVEL_ERROR, .format = LOG_FORMAT_LOGFMT, .line_max = 4096,
		.write = keep_nothing, .utc_ms = no_time };

	memset(&world, 0, sizeof world);
	logger = log_new(&quiet);
	ck_assert_ptr_nonnull(logger);
}

static void teardown(void)
{
	sweeper_free(&sweeper);
	ck_assert_ptr_null(sweeper);
	sweeper_free(&sweeper);
	log_free(&logger);
}

START_TEST(what_is_found_is_told_once)
{
	struct sweep_wish wish;
	int told = 0;

	begin(6);
	await(&world.ended, 3); /* the same three times */
	atomic_store(&world.finds, 0);
	await(&world.ended, atomic_load(&world.surveys) + 1); /* one that began after now has ended */
	while (sweeper_next(sweeper, &wish)) {
		char id[16];

		snprintf(id, sizeof id, "c%d", told++);
		ck_assert_str_eq(wish.clone_id, id);
		ck_assert_str_eq(wish.target_ctx, "T");
		ck_assert_str_eq(wish.source_ctx, "S");
	}
	ck_assert_int_eq(told, 3);
}
END_TEST

START_TEST(what_was_taken_may_be_found_again)
{
	struct sweep_wish wish;

	begin(2);
	for (int round = 0; round < 3; round++) {
		await(&world.ended, atomic_load(&world.surveys) + 1); /* one that began after now has ended */
		ck_assert(sweeper_next(sweeper, &wish));
		ck_assert_str_eq(wish.clone_id, "c0");
	}
}
END_TEST

START_TEST(too_much_is_left_for_the_next_time)
{
	struct sweep_wish wish;
	int told = 0;

	begin(2000);
	await(&world.ended, 2);
	atomic_store(&world.finds, 0);
	await(&world.ended, atomic_load(&world.surveys) + 1); /* one that began after now has ended */
	while (sweeper_next(sweeper, &wish))
		told++;
	ck_assert_int_eq(told, 256);
}
END_TEST

START_TEST(it_goes_on_after_a_failure)
{
	world.fails = true;
	begin(0);
	await(&world.ended, 3);
}
END_TEST

START_TEST(it_ends_in_the_middle_of_a_survey)
{
	world.blocks = true;
	begin(0);
	await(&world.surveys, 1);
	sweeper_free(&sweeper);
	ck_assert_int_eq(atomic_load(&world.ended), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sweeper");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_found_is_told_once);
	tcase_add_test(tc, what_was_taken_may_be_found_again);
	tcase_add_test(tc, too_much_is_left_for_the_next_time);
	tcase_add_test(tc, it_goes_on_after_a_failure);
	tcase_add_test(tc, it_ends_in_the_middle_of_a_survey);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
