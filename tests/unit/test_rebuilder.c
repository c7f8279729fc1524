/* SPDX-License-Identifier: Apache-2.0
 * The thread that rebuilds an empty store: once for many wakes, again after a failure, and it ends when it is told to. */
#include "consumer/runtime/rebuilder.h"

#include <check.h>
#include <time.h>

enum { WITHIN_MS = 20000 };

static struct log *logger;
static _Atomic int begun, ended, to_fail;
static atomic_bool hold;

static bool swallow(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	return len > 0;
}

static int64_t no_time(void *arg)
{
	(void)arg;
	return 0;
}

static void pause_1ms(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static bool rebuild(void *arg, const atomic_bool *stop, struct err *e)
{
	(void)arg;
	atomic_fetch_add(&begun, 1);
	while (atomic_load(&hold) && !atomic_load(stop))
		pause_1ms();
	atomic_fetch_add(&ended, 1);
	if (atomic_load(&to_fail) == 0)
		return true;
	atomic_fetch_sub(&to_fail, 1);
	return err_set(e, ERR_TRANSIENT, 0, "kafka", "no broker answers");
}

static void await_count(const _Atomic int *count, int wanted)
{
	for (int i = 0; i < WITHIN_MS && atomic_load(count) < wanted; i++)
		pause_1ms();
	ck_assert_int_eq(atomic_load(count), wanted);
}

static struct rebuilder *begin(void)
{
	const struct log_settings quiet = { LOG_LEVEL_INFO, LOG_FORMAT_JSON, 8192, swallow, NULL, no_time, NULL };
	struct err e = { 0 };
	struct rebuilder *r;

	logger = log_new(&quiet);
	r = rebuilder_new(rebuild, NULL, logger, &e);
	ck_assert_msg(r != NULL, "%s", e.text);
	return r;
}

static void end(struct rebuilder *r)
{
	rebuilder_free(&r);
	ck_assert_ptr_null(r);
	rebuilder_free(&r);
	log_free(&logger);
}

START_TEST(many_wakes_are_one_rebuild)
{
	struct rebuilder *r = begin();

	ck_assert_int_eq(atomic_load(&begun), 0);
	atomic_store(&hold, true);
	for (int i = 0; i < 100; i++)
		rebuilder_wake(r);
	await_count(&begun, 1);
	rebuilder_wake(r); /* it is under way */
	atomic_store(&hold, false);
	await_count(&ended, 1);
	for (int i = 0; i < 50; i++)
		pause_1ms();
	ck_assert_int_eq(atomic_load(&begun), 1);
	while (atomic_load(&begun) == 1) { /* emptied once more */
		rebuilder_wake(r);
		pause_1ms();
	}
	end(r);
}
END_TEST

START_TEST(a_failure_is_tried_again_when_the_store_is_still_empty)
{
	struct rebuilder *r = begin();

	atomic_store(&to_fail, 1);
	while (atomic_load(&ended) < 2) {
		rebuilder_wake(r);
		pause_1ms();
	}
	end(r);
}
END_TEST

START_TEST(it_ends_in_the_middle)
{
	struct rebuilder *r = begin();

	atomic_store(&hold, true);
	rebuilder_wake(r);
	await_count(&begun, 1);
	end(r);
	ck_assert_int_eq(atomic_load(&ended), 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rebuilder");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, many_wakes_are_one_rebuild);
	tcase_add_test(tc, a_failure_is_tried_again_when_the_store_is_still_empty);
	tcase_add_test(tc, it_ends_in_the_middle);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
