/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/delivery_policy.h"

#include "consumer/core/retry.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* SW, "Deliverability and reliability": its example schedule, 75 h 35 min 5 s in all. */
static const int64_t delays_ms[DELIVERY_TRIES] = {
	0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
};

/* SW: Retry-After is to be taken into consideration. What asks for more than a day has no notice to wait for. */
static const int64_t retry_after_cap_ms = DAY;

/* Svix: an endpoint whose every try failed for 5 days is switched off. The clock only counts when a delivery has itself
 * failed over 12 hours: two failures far apart with nothing between them are no five days of failing. */
static const int64_t failing_limit_ms = 5 * (int64_t)DAY, first_window_ms = 12 * HOUR;

/* An answer that takes a third of the time allowed holds a connection that others wait for. */
static const int64_t slow_ms = 5 * SECOND;

int64_t delivery_delay_ms(int number)
{
	if (number < 0)
		return 0;
	return delays_ms[number < DELIVERY_TRIES ? number : DELIVERY_TRIES - 1];
}

static bool answered(const struct post_result *r, int from, int to)
{
	return r->end == POST_ANSWERED && r->status >= from && r->status <= to;
}

static bool is_gone(const struct post_result *r)
{
	return answered(r, 410, 410);
}

/* SW: 429, 502 and 504 ask for throttling; 503 says the same of itself (RFC 9110, 15.6.4). */
static bool is_overloaded(const struct post_result *r)
{
	return answered(r, 429, 429) || answered(r, 502, 504);
}

static bool is_slow(const struct post_result *r)
{
	return r->end == POST_TIMED_OUT || r->took_ms >= slow_ms || is_overloaded(r);
}

/* A throttled one waits as long as it would after one more failure. Chance only adds, up to a quarter: what failed
 * together must not come back together (SW: jitter), and nobody is asked sooner than they said. */
static int64_t wait_ms(int next, const struct post_result *r, uint64_t *chance)
{
	int64_t wait = delivery_delay_ms(is_overloaded(r) ? next + 1 : next);
	int64_t asked = r->retry_after_ms < retry_after_cap_ms ? r->retry_after_ms : retry_after_cap_ms;

	if (asked > wait)
		wait = asked;
	return wait + chance_below(chance, wait / 4 + 1);
}

static bool has_failed_too_long(const struct claim *c, int64_t now_ms)
{
	return c->app_failing_since_ms > 0 && now_ms - c->app_failing_since_ms >= failing_limit_ms && c->first_try_ms > 0 &&
	       now_ms - c->first_try_ms >= first_window_ms;
}

static const char *off_reason(const struct claim *c, const struct post_result *r, int64_t now_ms)
{
	if (is_gone(r)) /* SW: it does not want to hear from us any more */
		return "the app answered 410 Gone";
	return has_failed_too_long(c, now_ms) ? "every try has failed for 5 days" : NULL;
}

static void judge_failure(const struct claim *c, const struct post_result *r, int64_t now_ms, uint64_t *chance,
                          struct settlement *s)
{
	int next = c->tries + 1;

	s->app_failed = true;
	s->off_reason = off_reason(c, r, now_ms);
	s->app_off = s->off_reason != NULL;
	if (s->app_off) {
		s->state = DELIVERY_PARKED; /* also after the last try: whoever switches it on wants it to be told */
	} else if (next >= DELIVERY_TRIES) {
		s->state = DELIVERY_GIVEN_UP;
	} else {
		s->state = DELIVERY_WAITING;
		s->again_ms = now_ms + wait_ms(next, r, chance);
	}
}

void delivery_judge(const struct claim *claim, const struct post_result *result, int64_t now_ms, uint64_t *chance,
                    struct settlement *settlement_r)
{
	*settlement_r = (struct settlement){
		.claim = claim,
		.tried = { .at_ms = now_ms - result->took_ms, .took_ms = result->took_ms, .status = result->status, .text = "" },
		.was_tried = true,
		.state = DELIVERY_DONE,
		.app_slow = is_slow(result),
	};
	if (answered(result, 200, 299)) /* SW: nothing else is a success, no redirect either */
		return;
	settlement_r->tried.text = result->text;
	judge_failure(claim, result, now_ms, chance, settlement_r);
}
