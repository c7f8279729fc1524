/* SPDX-License-Identifier: Apache-2.0
 * When to try again: delays that grow within bounds and are spread, and a breaker that lets one probe through. */
#include "consumer/core/retry.h"

#include <check.h>
#include <stdlib.h>

START_TEST(the_same_seed_gives_the_same_chances)
{
	uint64_t a = 42, b = 42, c = 43;
	bool differs = false;

	for (int i = 0; i < 1000; i++) {
		uint64_t x = chance_next(&a);

		ck_assert_uint_eq(x, chance_next(&b));
		differs |= x != chance_next(&c);
	}
	ck_assert(differs);
}
END_TEST

START_TEST(chance_stays_below_and_reaches_everything)
{
	uint64_t chance = 1;
	int hits[7] = { 0 };

	ck_assert_int_eq(chance_below(&chance, 0), 0);
	ck_assert_int_eq(chance_below(&chance, -5), 0);
	for (int i = 0; i < 7000; i++) {
		int64_t x = chance_below(&chance, 7);

		ck_assert(x >= 0 && x < 7);
		hits[x]++;
	}
	for (int i = 0; i < 7; i++)
		ck_assert_msg(hits[i] > 800 && hits[i] < 1200, "%d came %d times of 7000", i, hits[i]);
}
END_TEST

static int64_t most_of(int attempt, int64_t first_ms, int64_t cap_ms)
{
	int64_t most = first_ms;

	for (int i = 1; i < attempt && most < cap_ms; i++)
		most = most > cap_ms / 2 ? cap_ms : most * 2;
	return most < cap_ms ? most : cap_ms;
}

START_TEST(delays_double_up_to_the_cap)
{
	uint64_t chance = 7;

	for (int attempt = 1; attempt <= 40; attempt++) {
		int64_t most = most_of(attempt, 1000, 300000), least_seen = INT64_MAX, most_seen = 0, sum = 0;

		for (int i = 0; i < 2000; i++) {
			int64_t delay = retry_delay_ms(&chance, attempt, 1000, 300000);

			ck_assert_msg(delay >= most / 8 && delay <= most, "attempt %d: %lld", attempt, (long long)delay);
			least_seen = delay < least_seen ? delay : least_seen;
			most_seen = delay > most_seen ? delay : most_seen;
			sum += delay;
		}
		/* Full jitter: the whole range is used, so that a thousand clones do not come back at once. */
		ck_assert_int_lt(least_seen, most / 8 + most / 50 + 1);
		ck_assert_int_gt(most_seen, most - most / 50 - 1);
		ck_assert(sum / 2000 > most * 9 / 16 - most / 20 && sum / 2000 < most * 9 / 16 + most / 20);
	}
}
END_TEST

START_TEST(extreme_settings_stay_in_bounds)
{
	uint64_t chance = 9;
	int64_t day = INT64_C(24) * 3600 * 1000;

	for (int i = 0; i < 100; i++) {
		ck_assert(retry_delay_ms(&chance, 1000000000, 1, day) <= day);
		ck_assert(retry_delay_ms(&chance, 1000000000, 1, day) >= day / 8);
		ck_assert(retry_delay_ms(&chance, 5, 5000, 1000) <= 1000);
		ck_assert(retry_delay_ms(&chance, 1, 1, 1) <= 1);
		ck_assert(retry_delay_ms(&chance, 0, 8, 100) <= 8);
	}
}
END_TEST

START_TEST(a_breaker_opens_after_enough_failures_in_a_row)
{
	struct breaker b = { 0 };

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++) {
			ck_assert(breaker_allows(&b, 1000));
			breaker_started(&b, 1000);
			breaker_failed(&b, 1000, 5, 30000);
		}
		ck_assert(breaker_allows(&b, 1000));
		breaker_succeeded(&b); /* one success wipes the slate */
	}
	for (int i = 0; i < 5; i++)
		breaker_failed(&b, 2000 + i, 5, 30000);
	for (int64_t now = 2004; now < 32004; now += 1000)
		ck_assert(!breaker_allows(&b, now));
}
END_TEST

START_TEST(half_open_lets_one_through)
{
	struct breaker b = { 0 };

	breaker_failed(&b, 100, 1, 50);
	ck_assert(!breaker_allows(&b, 149));
	ck_assert(breaker_allows(&b, 150));
	breaker_started(&b, 150);
	ck_assert(!breaker_allows(&b, 150));
	ck_assert(!breaker_allows(&b, 100000));
	breaker_failed(&b, 160, 1, 50); /* the probe failed: open again for as long */
	ck_assert(!breaker_allows(&b, 209));
	ck_assert(breaker_allows(&b, 210));
	breaker_started(&b, 210);
	breaker_succeeded(&b);
	for (int i = 0; i < 10; i++) {
		ck_assert(breaker_allows(&b, 211));
		breaker_started(&b, 211);
	}
}
END_TEST

START_TEST(a_probe_that_says_nothing_lets_the_next_one_try)
{
	struct breaker b = { 0 };

	breaker_failed(&b, 100, 1, 50);
	breaker_started(&b, 150);
	breaker_untold(&b);
	ck_assert(breaker_allows(&b, 150));
	breaker_started(&b, 150);
	ck_assert(!breaker_allows(&b, 150));
	breaker_failed(&b, 160, 1, 50);
	ck_assert(!breaker_allows(&b, 200));
}
END_TEST

START_TEST(what_says_nothing_is_no_success)
{
	struct breaker b = { 0 };

	for (int i = 0; i < 4; i++) {
		breaker_failed(&b, 100, 5, 50);
		breaker_untold(&b);
	}
	ck_assert(breaker_allows(&b, 100));
	breaker_failed(&b, 100, 5, 50);
	ck_assert(!breaker_allows(&b, 100));
}
END_TEST

START_TEST(a_straggler_started_before_it_opened_keeps_it_open)
{
	struct breaker b = { 0 };

	breaker_started(&b, 90);
	breaker_started(&b, 90);
	breaker_failed(&b, 100, 1, 50);
	breaker_failed(&b, 140, 1, 50);
	ck_assert(!breaker_allows(&b, 160));
	ck_assert(breaker_allows(&b, 190));
}
END_TEST

START_TEST(a_bucket_lets_out_what_a_second_brings)
{
	struct bucket b = { 0 };

	ck_assert_int_eq(bucket_free_ms(&b, 5000, 0), 5000);
	bucket_take(&b, 5000, 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bucket_free_ms(&b, 5000, 180), 5000);
		bucket_take(&b, 5000, 180);
	}
	ck_assert_int_eq(bucket_free_ms(&b, 5000, 180), 5334);
	ck_assert_int_eq(bucket_free_ms(&b, 5400, 180), 5400);
	ck_assert_int_eq(bucket_free_ms(&b, 9000, 180), 9000);
}
END_TEST

START_TEST(a_slow_bucket_holds_one)
{
	struct bucket b = { 0 };

	bucket_take(&b, 5000, 6);
	ck_assert_int_eq(bucket_free_ms(&b, 5000, 6), 15000);
	bucket_take(&b, 15000, 6);
	ck_assert_int_eq(bucket_free_ms(&b, 20000, 6), 25000);
}
END_TEST

/* Over a long time exactly the rate, and never more than a second's worth beyond it at any moment. */
START_TEST(a_bucket_keeps_its_rate)
{
	const int rates[] = { 1, 7, 60, 61, 1000, 59999, 1000000 };

	for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
		const int64_t begin_ms = 1, minutes = rates[r] > 10000 ? 1 : 20;
		int64_t out = 0, now_ms = begin_ms, too_many = 0;
		struct bucket b = { 0 };

		while (now_ms <= begin_ms + minutes * 60000) {
			bucket_take(&b, now_ms, rates[r]);
			out++;
			now_ms = bucket_free_ms(&b, now_ms, rates[r]);
			too_many += out - 1 > rates[r] / 60 + 1 + (now_ms - begin_ms + 1) * rates[r] / 60000 + 1;
		}
		ck_assert_int_eq(too_many, 0);
		ck_assert_int_ge(out, minutes * rates[r]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("retry");
	TCase *tc = tcase_create("all");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, the_same_seed_gives_the_same_chances);
	tcase_add_test(tc, chance_stays_below_and_reaches_everything);
	tcase_add_test(tc, delays_double_up_to_the_cap);
	tcase_add_test(tc, extreme_settings_stay_in_bounds);
	tcase_add_test(tc, a_breaker_opens_after_enough_failures_in_a_row);
	tcase_add_test(tc, half_open_lets_one_through);
	tcase_add_test(tc, a_probe_that_says_nothing_lets_the_next_one_try);
	tcase_add_test(tc, what_says_nothing_is_no_success);
	tcase_add_test(tc, a_straggler_started_before_it_opened_keeps_it_open);
	tcase_add_test(tc, a_bucket_lets_out_what_a_second_brings);
	tcase_add_test(tc, a_slow_bucket_holds_one);
	tcase_add_test(tc, a_bucket_keeps_its_rate);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
