/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/delivery_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t utc_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const struct delivery_record *records_of(struct notifier_world *w, const char *client_id, size_t *count_r)
{
	const struct delivery_filter filter = { .client_id = client_id };
	const struct delivery_record *list;
	struct err e = { 0 };

	arena_clear(w->mem);
	ck_assert_msg(w->deliveries->list(w->deliveries, &filter, w->mem, &list, count_r, &e), "%s", e.text);
	return list;
}

struct delivery_counts deliveries_count(struct notifier_world *w, const char *client_id)
{
	struct delivery_counts counts = { 0 };
	const struct delivery_record *list = records_of(w, client_id, &counts.all);

	for (size_t i = 0; i < counts.all; i++) {
		const bool waits = list[i].state == DELIVERY_WAITING;

		counts.done += list[i].state == DELIVERY_DONE;
		counts.waiting += waits;
		counts.failed += waits && list[i].tries > 0;
		counts.never += waits && list[i].tries == 0;
	}
	counts.other = counts.all - counts.done - counts.waiting;
	return counts;
}

static const char *name_of(enum delivery_state state)
{
	static const char *const names[DELIVERY_STATE_END] = { "unset", "waiting", "done", "given up", "parked", "withdrawn" };

	return names[state];
}

void deliveries_say(struct notifier_world *w, const char *client_id)
{
	const int64_t now_ms = utc_ms();
	size_t count;
	const struct delivery_record *list = records_of(w, client_id, &count);

	for (size_t i = 0; i < count; i++) {
		const struct delivery_record *r = &list[i];

		if (r->state == DELIVERY_DONE)
			continue;
		fprintf(stderr, "%s %s of %s: %s after %d tries, entered %.1f s ago", client_id, r->event_id, r->ctx,
			name_of(r->state), r->tries, (double)(now_ms - r->entered_ms) / 1000);
		if (r->again_ms > 0)
			fprintf(stderr, ", again in %.1f s", (double)(r->again_ms - now_ms) / 1000);
		for (size_t t = 0; t < r->log_count; t++)
			fprintf(stderr, "; %d after %" PRId64 " ms: %s", r->log[t].status, r->log[t].took_ms, r->log[t].text);
		fputc('\n', stderr);
	}
}

void deliveries_try_now(struct notifier_world *w, const char *client_id)
{
	struct err e = { 0 };

	ck_assert_msg(w->deliveries->switch_app(w->deliveries, client_id, true, "", utc_ms(), &e), "%s", e.text);
}
