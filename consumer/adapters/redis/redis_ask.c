/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_ask.h"

#include <poll.h>

void redis_ask_free(redisReply **reply)
{
	if (*reply)
		freeReplyObject(*reply);
}

redisReply *redis_ask_answer(struct redis_link *link, int64_t within_ms, struct err *e)
{
	const unsigned losses = redis_link_losses(link);
	const int64_t until_ms = redis_now_ms() + within_ms;
	redisReply *reply;

	for (;;) {
		struct pollfd watched = { .fd = redis_link_fd(link), .events = POLLIN };
		int64_t left_ms = until_ms - redis_now_ms();

		redis_link_drive(link);
		reply = redis_link_take(link);
		if (reply)
			break;
		if (left_ms <= 0)
			redis_link_drop(link, "Redis did not answer in time");
		if (redis_link_losses(link) != losses) {
			err_set(e, ERR_TRANSIENT, 0, "redis", "%s", redis_link_why(link));
			return NULL;
		}
		poll(&watched, 1, (int)left_ms);
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		const char *sentence;

		redis_remedy(reply, &sentence);
		err_set(e, ERR_TRANSIENT, 0, "redis", "%s", sentence);
		freeReplyObject(reply);
		redis_link_drop(link, sentence); /* the answers behind it are nobody's now */
		return NULL;
	}
	return reply;
}

bool redis_ask_malformed(struct redis_link *link, struct err *e)
{
	redis_link_drop(link, "Redis answered something unexpected");
	return err_set(e, ERR_REFUSED, 0, "redis", "what Redis holds there is malformed or too large");
}

bool redis_ask_no_memory(struct redis_link *link, struct err *e)
{
	redis_link_drop(link, "out of memory");
	return err_set(e, ERR_TRANSIENT, 0, "redis", "there is more to show than memory was given");
}
