/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/store_driver.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

enum { ASK_WITHIN_MS = 10000 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool store_wait(struct store_port *store, int64_t within_ms, struct store_answer *answer_r)
{
	const int64_t until_ms = now_ms() + within_ms;

	for (;;) {
		struct pollfd watched = { .events = POLLIN };
		int64_t left_ms = until_ms - now_ms(), asked_ms;

		store->flush(store);
		if (store->next(store, answer_r))
			return true;
		if (left_ms <= 0)
			return false;
		asked_ms = store->timeout_ms(store);
		if (asked_ms >= 0 && asked_ms < left_ms)
			left_ms = asked_ms;
		watched.fd = store->fd(store);
		if (store->wants_write(store))
			watched.events |= POLLOUT;
		poll(&watched, 1, (int)left_ms);
	}
}

struct store_answer store_ask(struct store_port *store, const struct store_op *op)
{
	const int64_t until_ms = now_ms() + ASK_WITHIN_MS;
	struct store_answer answer = { .tag = op->tag, .kind = op->kind, .status = STORE_UNAVAILABLE };
	struct err e = { 0 };

	if (!store->submit(store, op, &e)) {
		snprintf(answer.text, sizeof answer.text, "not submitted: %.120s", e.text);
		return answer;
	}
	while (store_wait(store, until_ms - now_ms(), &answer))
		if (answer.tag == op->tag)
			return answer;
	answer = (struct store_answer){ .tag = op->tag, .kind = op->kind, .status = STORE_UNAVAILABLE };
	snprintf(answer.text, sizeof answer.text, "no answer came");
	return answer;
}
