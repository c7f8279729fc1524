/* SPDX-License-Identifier: Apache-2.0
 * The second half of redis_ops.h: what the server's answers to our commands say. */
#include "consumer/adapters/redis/redis_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_UNKNOWN_MS = 100 };

static bool is_text(const redisReply *reply, const char *text)
{
	return reply->type == REDIS_REPLY_STRING && strcmp(reply->str, text) == 0;
}

static int64_t retry_of(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_INTEGER && reply->integer > 0 ? reply->integer : RETRY_UNKNOWN_MS;
}

static enum store_status lease_status(const redisReply *reply, int64_t *retry_ms_r)
{
	uint64_t token;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 4)
		return STORE_UNAVAILABLE;
	if (is_text(reply->element[0], "HELD") && reply->elements == 5) {
		*retry_ms_r = retry_of(reply->element[1]);
		return STORE_HELD;
	}
	if (is_text(reply->element[0], "OK") && redis_reply_number(reply->element[1], &token))
		return STORE_OK;
	return STORE_UNAVAILABLE;
}

static enum store_status readers_status(enum store_op_kind kind, const redisReply *reply, int64_t *retry_ms_r)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 || reply->element[0]->type != REDIS_REPLY_INTEGER)
		return STORE_UNAVAILABLE;
	if (reply->element[0]->integer == 1)
		return STORE_OK;
	if (kind != STORE_ACQUIRE)
		return STORE_FENCED;
	*retry_ms_r = reply->elements > 1 ? retry_of(reply->element[1]) : RETRY_UNKNOWN_MS;
	return STORE_HELD;
}

static enum store_status result_status(enum store_op_kind kind, const redisReply *reply)
{
	if (reply->type != REDIS_REPLY_INTEGER)
		return STORE_UNAVAILABLE;
	if (kind == STORE_NOTE || kind == STORE_DELIVERED)
		return STORE_OK; /* how many fields were new, or there */
	if (reply->integer == 1)
		return STORE_OK;
	return reply->integer == -1 ? STORE_FENCED : reply->integer == -2 ? STORE_BEHIND : STORE_UNAVAILABLE;
}

enum store_status redis_part_status(enum store_op_kind kind, enum redis_part part, const redisReply *reply,
				    int64_t *retry_ms_r)
{
	switch (part) {
	case REDIS_PART_LEASE:
		return lease_status(reply, retry_ms_r);
	case REDIS_PART_READERS:
		return readers_status(kind, reply, retry_ms_r);
	case REDIS_PART_RESULT:
		return result_status(kind, reply);
	case REDIS_PART_MARK:
		return reply->type != REDIS_REPLY_INTEGER ? STORE_UNAVAILABLE : reply->integer ? STORE_OK : STORE_EMPTY;
	case REDIS_PART_NOTHING:
		break;
	}
	return STORE_OK;
}

uint64_t redis_acquired_token(const redisReply *reply)
{
	uint64_t token = 0;

	return redis_reply_number(reply->element[1], &token) ? token : 0;
}

bool redis_pairs(const redisReply *reply, struct arena *mem, const struct store_pair **pairs_r, size_t *count_r)
{
	struct store_pair *pairs;

	*pairs_r = NULL;
	*count_r = 0;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2)
		return false;
	if (reply->elements == 0)
		return true;
	pairs = arena_take(mem, reply->elements / 2 * sizeof *pairs);
	if (!pairs)
		return false;
	for (size_t i = 0; i < reply->elements / 2; i++) {
		const redisReply *name = reply->element[2 * i], *value = reply->element[2 * i + 1];

		if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			return false;
		pairs[i] = (struct store_pair){ .name = name->str, .value = value->str, .len = value->len };
	}
	*pairs_r = pairs;
	*count_r = reply->elements / 2;
	return true;
}

static int by_sequence(const void *a, const void *b)
{
	const struct store_entry *x = a, *y = b;

	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

static bool is_number(const char *text, uint64_t *number_r)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number_r = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0;
}

static uint64_t delivered_of(const struct redis_clone *clone)
{
	uint64_t number;

	for (size_t i = 0; i < clone->field_count; i++)
		if (strcmp(clone->fields[i].name, REDIS_FIELD_DELIVERED) == 0 && is_number(clone->fields[i].value, &number))
			return number;
	return 0;
}

static void hide_delivered(struct redis_clone *clone)
{
	const uint64_t delivered = delivered_of(clone);
	size_t kept = 0;

	for (size_t i = 0; i < clone->entry_count; i++)
		if (clone->entries[i].sequence > delivered)
			clone->entries[kept++] = clone->entries[i];
	clone->entry_count = kept;
	qsort(clone->entries, kept, sizeof *clone->entries, by_sequence);
}

bool redis_clone_read(const redisReply *reply, struct arena *mem, struct redis_clone *clone_r)
{
	const struct store_pair *all;
	size_t count;

	*clone_r = (struct redis_clone){ 0 };
	if (!redis_pairs(reply, mem, &all, &count))
		return false;
	clone_r->fields = arena_take(mem, count * sizeof *clone_r->fields + 1);
	clone_r->entries = arena_take(mem, count * sizeof *clone_r->entries + 1);
	if (!clone_r->fields || !clone_r->entries)
		return false;
	for (size_t i = 0; i < count; i++) {
		uint64_t sequence;

		if (is_number(all[i].name, &sequence))
			clone_r->entries[clone_r->entry_count++] =
			    (struct store_entry){ sequence, all[i].value, all[i].len };
		else
			clone_r->fields[clone_r->field_count++] = all[i];
	}
	hide_delivered(clone_r);
	return true;
}

bool redis_acquired(const redisReply *reply, struct arena *mem, struct store_answer *answer_r)
{
	struct redis_clone clone;

	if (!redis_clone_read(reply->element[2], mem, &clone) ||
	    !redis_pairs(reply->element[3], mem, &answer_r->target, &answer_r->target_count))
		return false;
	answer_r->clone = clone.fields;
	answer_r->clone_count = clone.field_count;
	answer_r->found = clone.field_count > 0;
	if (is_text(reply->element[0], "HELD")) {
		if (reply->element[4]->type != REDIS_REPLY_STRING)
			return false;
		snprintf(answer_r->held_by, sizeof answer_r->held_by, "%s", reply->element[4]->str);
		return true;
	}
	if (answer_r->status != STORE_OK) /* the lease was had, but the source was not */
		return true;
	answer_r->token = redis_acquired_token(reply);
	answer_r->entries = clone.entries;
	answer_r->entry_count = clone.entry_count;
	return true;
}
