/* SPDX-License-Identifier: Apache-2.0
 * What the end of a post means: every answer once, the whole schedule, Retry-After, and when an app is switched off. */
#include "consumer/notifier/delivery_policy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { S = 1000, M = 60 * S, H = 60 * M, D = 24 * H };

static const int64_t now = INT64_C(1785578400000);
static uint64_t chance;

static void setup(void)
{
	chance = 42;
}

static struct post_result answer(int status)
{
	return (struct post_result){ .end = POST_ANSWERED, .status = status, .took_ms = 40, .text = "a sentence" };
}

static struct settlement judge(const struct claim *claim, struct post_result result)
{
	static struct post_result kept; /* its text is borrowed */
	struct settlement s;

	kept = result;
	delivery_judge(claim, &kept, now, &chance, &s);
	ck_assert_ptr_eq(s.claim, claim);
	ck_assert(s.was_tried);
	ck_assert_int_eq(s.tried.at_ms, now - result.took_ms);
	ck_assert_int_eq(s.tried.took_ms, result.took_ms);
	ck_assert_int_eq(s.tried.status, result.status);
	ck_assert_int_eq(s.app_off, s.off_reason != NULL);
	ck_assert_int_eq(s.state == DELIVERY_WAITING, s.again_ms > 0);
	return s;
}

START_TEST(the_schedule_is_that_of_standard_webhooks)
{
	static const int64_t times[DELIVERY_TRIES] = { 0, 5, 305, 2105, 9305, 27305, 63305, 113705, 185705, 272105 };
	int64_t at = 0;

	for (int i = 0; i < DELIVERY_TRIES; i++) {
		at += delivery_delay_ms(i);
		ck_assert_int_eq(at, times[i] * S);
	}
	ck_assert_int_eq(delivery_delay_ms(-1), 0);
	ck_assert_int_eq(delivery_delay_ms(99), D);
}
END_TEST

/* Every answer, at the first try. wait: the delay before chance adds to it; 0 when it is not tried again. */
START_TEST(each_answer_has_its_meaning)
{
	static const struct {
		enum post_end end;
		int status;
		enum delivery_state state;
		int64_t wait;
		bool failed, off, slow;
	} rows[] = {
		{ POST_ANSWERED, 200, DELIVERY_DONE, 0, false, false, false },
		{ POST_ANSWERED, 202, DELIVERY_DONE, 0, false, false, false },
		{ POST_ANSWERED, 204, DELIVERY_DONE, 0, false, false, false },
		{ POST_ANSWERED, 299, DELIVERY_DONE, 0, false, false, false },
		{ POST_ANSWERED, 0, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 103, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 301, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 302, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 304, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 307, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 400, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 401, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 404, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 410, DELIVERY_PARKED, 0, true, true, false },
		{ POST_ANSWERED, 429, DELIVERY_WAITING, 5 * M, true, false, true },
		{ POST_ANSWERED, 500, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 501, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 502, DELIVERY_WAITING, 5 * M, true, false, true },
		{ POST_ANSWERED, 503, DELIVERY_WAITING, 5 * M, true, false, true },
		{ POST_ANSWERED, 504, DELIVERY_WAITING, 5 * M, true, false, true },
		{ POST_ANSWERED, 505, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_ANSWERED, 999, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_FORBIDDEN, 0, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_FAILED, 0, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_TIMED_OUT, 0, DELIVERY_WAITING, 5 * S, true, false, true },
		{ POST_TOO_LARGE, 200, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_TOO_LARGE, 410, DELIVERY_WAITING, 5 * S, true, false, false },
		{ POST_UNSET, 200, DELIVERY_WAITING, 5 * S, true, false, false },
	};
	const struct claim claim = { .client_id = "app" };

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct post_result r = answer(rows[i].status);
		struct settlement s;

		r.end = rows[i].end;
		s = judge(&claim, r);
		ck_assert_msg(s.state == rows[i].state, "row %zu: state %d", i, s.state);
		ck_assert_msg(s.app_failed == rows[i].failed && s.app_off == rows[i].off && s.app_slow == rows[i].slow, "row %zu",
		              i);
		ck_assert_str_eq(s.tried.text, rows[i].failed ? "a sentence" : "");
		if (rows[i].wait)
			ck_assert_msg(s.again_ms >= now + rows[i].wait && s.again_ms <= now + rows[i].wait + rows[i].wait / 4,
			              "row %zu: again in %lld ms", i, (long long)(s.again_ms - now));
	}
}
END_TEST

START_TEST(after_the_last_try_it_is_given_up)
{
	for (int tries = 0; tries < 2 * DELIVERY_TRIES; tries++) {
		const struct claim claim = { .tries = tries, .first_try_ms = tries ? now - 1 : 0 };
		struct settlement s = judge(&claim, answer(500));

		ck_assert_int_eq(s.state, tries + 1 < DELIVERY_TRIES ? DELIVERY_WAITING : DELIVERY_GIVEN_UP);
		if (s.state == DELIVERY_WAITING)
			ck_assert_int_ge(s.again_ms, now + delivery_delay_ms(tries + 1));
		ck_assert_int_eq(judge(&claim, answer(200)).state, DELIVERY_DONE);
	}
}
END_TEST

START_TEST(chance_only_adds_and_spreads_over_a_quarter)
{
	const struct claim claim = { .tries = 3, .first_try_ms = now - H };
	int64_t least = INT64_MAX, most = 0;

	for (int i = 0; i < 5000; i++) {
		int64_t wait = judge(&claim, answer(500)).again_ms - now;

		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
	}
	ck_assert(least >= 2 * H && least < 2 * H + M);
	ck_assert(most <= 2 * H + 30 * M && most > 2 * H + 29 * M);
}
END_TEST

START_TEST(retry_after_counts_when_it_is_later_than_the_schedule)
{
	static const struct {
		int tries;
		int64_t asked, wait;
	} rows[] = {
		{ 0, 0, 5 * M },        { 0, 1, 5 * M },         { 0, 5 * M, 5 * M },    { 0, 5 * M + 1, 5 * M + 1 },
		{ 0, 6 * H, 6 * H },    { 0, D, D },             { 0, D + 1, D },        { 0, INT64_C(7) * D, D },
		{ 4, H, 10 * H },       { 8, 0, D },             { 8, INT64_C(5) * D, D }, { 0, -5, 5 * M },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct claim claim = { .tries = rows[i].tries };
		struct post_result r = answer(503);
		int64_t wait;

		r.retry_after_ms = rows[i].asked;
		wait = judge(&claim, r).again_ms - now;
		ck_assert_msg(wait >= rows[i].wait && wait <= rows[i].wait + rows[i].wait / 4, "row %zu: %lld", i, (long long)wait);
	}
}
END_TEST

START_TEST(a_retry_after_of_any_failure_is_heard_but_prolongs_no_schedule)
{
	const struct claim first = { .tries = 0 }, last = { .tries = DELIVERY_TRIES - 1 };
	struct post_result r = answer(404);

	r.retry_after_ms = H;
	ck_assert_int_ge(judge(&first, r).again_ms, now + H);
	ck_assert_int_eq(judge(&last, r).state, DELIVERY_GIVEN_UP);
	r = answer(200);
	r.retry_after_ms = H;
	ck_assert_int_eq(judge(&first, r).state, DELIVERY_DONE);
}
END_TEST

START_TEST(an_app_is_slow_when_it_held_a_connection_long)
{
	const struct claim claim = { .app_slow = true };
	struct post_result r = answer(200);

	ck_assert(!judge(&claim, r).app_slow); /* one quick answer, and it is quick again */
	r.took_ms = 4999;
	ck_assert(!judge(&claim, r).app_slow);
	r.took_ms = 5000;
	ck_assert(judge(&claim, r).app_slow);
	r = answer(500);
	r.took_ms = 12000;
	ck_assert(judge(&claim, r).app_slow);
}
END_TEST

/* failing: since when the app fails; first: since when this delivery is tried; both ago, -1: not. */
START_TEST(an_app_is_off_after_five_days_of_failures_with_a_window_of_twelve_hours)
{
	static const struct {
		int64_t failing, first;
		bool off;
	} rows[] = {
		{ -1, -1, false },
		{ -1, 3 * (int64_t)D, false },
		{ 4 * (int64_t)D, 4 * (int64_t)D, false },
		{ 5 * (int64_t)D - 1, 3 * (int64_t)D, false },
		{ 5 * (int64_t)D, 3 * (int64_t)D, true },
		{ 5 * (int64_t)D, 12 * H, true },
		{ 5 * (int64_t)D, 12 * H - 1, false },
		{ 90 * (int64_t)D, -1, false }, /* it failed once, long ago, and had nothing to hear since */
		{ 90 * (int64_t)D, 5 * M, false },
		{ 90 * (int64_t)D, 12 * H, true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct claim claim = { .tries = rows[i].first >= 0 ? 5 : 0,
			                     .first_try_ms = rows[i].first >= 0 ? now - rows[i].first : 0,
			                     .app_failing_since_ms = rows[i].failing >= 0 ? now - rows[i].failing : 0 };
		struct settlement s = judge(&claim, answer(500));

		ck_assert_msg(s.app_off == rows[i].off, "row %zu", i);
		ck_assert_int_eq(s.state, rows[i].off ? DELIVERY_PARKED : DELIVERY_WAITING);
		ck_assert(!judge(&claim, answer(200)).app_off);
	}
}
END_TEST

START_TEST(what_is_switched_off_is_parked_even_after_its_last_try)
{
	const struct claim claim = { .tries = DELIVERY_TRIES - 1,
		                     .first_try_ms = now - 4 * (int64_t)D,
		                     .app_failing_since_ms = now - 6 * (int64_t)D };

	ck_assert_int_eq(judge(&claim, answer(500)).state, DELIVERY_PARKED);
	ck_assert_int_eq(judge(&claim, answer(410)).state, DELIVERY_PARKED);
	ck_assert_ptr_nonnull(strstr(judge(&claim, answer(500)).off_reason, "5 days"));
	ck_assert_ptr_nonnull(strstr(judge(&claim, answer(410)).off_reason, "410"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("delivery_policy");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, the_schedule_is_that_of_standard_webhooks);
	tcase_add_test(tc, each_answer_has_its_meaning);
	tcase_add_test(tc, after_the_last_try_it_is_given_up);
	tcase_add_test(tc, chance_only_adds_and_spreads_over_a_quarter);
	tcase_add_test(tc, retry_after_counts_when_it_is_later_than_the_schedule);
	tcase_add_test(tc, a_retry_after_of_any_failure_is_heard_but_prolongs_no_schedule);
	tcase_add_test(tc, an_app_is_slow_when_it_held_a_connection_long);
	tcase_add_test(tc, an_app_is_off_after_five_days_of_failures_with_a_window_of_twelve_hours);
	tcase_add_test(tc, what_is_switched_off_is_parked_even_after_its_last_try);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
