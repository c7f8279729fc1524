/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/redis/redis_deliveries_priv.h"

#include <stdlib.h>
#include <string.h>

static const char letters[DELIVERY_STATE_END] = {
	[DELIVERY_WAITING] = 'W',  [DELIVERY_DONE] = 'D',      [DELIVERY_GIVEN_UP] = 'G',
	[DELIVERY_PARKED] = 'P',   [DELIVERY_WITHDRAWN] = 'X',
};

char delivery_letter(enum delivery_state state)
{
	return letters[state];
}

static enum delivery_state state_of(char letter)
{
	for (int s = DELIVERY_WAITING; s < DELIVERY_STATE_END; s++)
		if (letters[s] == letter)
			return (enum delivery_state)s;
	return DELIVERY_UNSET;
}

/* A whole number with what parts it from the next; false when there is none. */
static bool take_number(const char **at, int64_t *number_r)
{
	char *end;

	if (**at == ' ')
		(*at)++;
	if (**at < '0' || **at > '9')
		return false;
	*number_r = strtoll(*at, &end, 10);
	*at = end;
	return true;
}

static bool take_try(const char **at, struct arena *mem, struct delivery_try *try_r, bool *no_memory_r)
{
	int64_t status;
	size_t len;

	if (!take_number(at, &try_r->at_ms) || !take_number(at, &try_r->took_ms) || !take_number(at, &status))
		return false;
	try_r->status = (int)status;
	if (**at == ' ')
		(*at)++;
	len = strcspn(*at, "\n");
	try_r->text = arena_text(mem, *at, len);
	*at += len;
	*no_memory_r = !try_r->text;
	return try_r->text != NULL;
}

static bool take_log(const char *at, struct arena *mem, struct delivery_record *record, bool *no_memory_r)
{
	struct delivery_try *tries = arena_take(mem, DELIVERY_LOG_LINES * sizeof *tries);

	*no_memory_r = !tries;
	if (!tries)
		return false;
	record->log = tries;
	record->log_count = 0;
	while (*at == '\n') {
		at++;
		if (record->log_count == DELIVERY_LOG_LINES || !take_try(&at, mem, &tries[record->log_count], no_memory_r))
			return false;
		record->log_count++;
	}
	return *at == '\0';
}

bool delivery_read(const char *text, struct arena *mem, struct delivery_record *record, int64_t *first_try_ms_r,
		   bool *no_memory_r)
{
	int64_t tries, ack;

	*no_memory_r = false;
	record->state = *text ? state_of(*text++) : DELIVERY_UNSET;
	if (!record->state || !take_number(&text, &tries) || !take_number(&text, first_try_ms_r) ||
	    !take_number(&text, &record->again_ms) || !take_number(&text, &record->ended_ms) || !take_number(&text, &ack) ||
	    !take_number(&text, &record->ack_until_ms) || ack > ACK_HOLD)
		return false;
	record->tries = (int)tries;
	record->ack = (enum ack_policy)ack;
	return *text ? take_log(text, mem, record, no_memory_r) : true;
}

const char *delivery_field(const redisReply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		const redisReply *found = fields->element[i], *value = fields->element[i + 1];

		if (found->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING && strcmp(found->str, name) == 0)
			return value->str;
	}
	return "";
}

static const char *keep(const redisReply *fields, const char *name, struct arena *mem, bool *ok)
{
	const char *value = delivery_field(fields, name), *kept = arena_text(mem, value, strlen(value));

	*ok = *ok && kept;
	return kept;
}

bool delivery_notice_read(const redisReply *fields, struct arena *mem, struct notice *notice, int64_t *entered_ms_r)
{
	bool ok = true;

	*notice = (struct notice){
		.event_id = keep(fields, "event", mem, &ok),
		.ctx = keep(fields, "ctx", mem, &ok),
		.version_name = keep(fields, "version", mem, &ok),
		.file_version = keep(fields, "files", mem, &ok),
		.public_endpoint = keep(fields, "endpoint", mem, &ok),
		.clone_id = keep(fields, "clone", mem, &ok),
		.traceparent = keep(fields, "trace", mem, &ok),
		.change_type = atoi(delivery_field(fields, "change")),
		.sequence = strtoll(delivery_field(fields, "sequence"), NULL, 10),
		.occurred_at_ms = strtoll(delivery_field(fields, "occurred"), NULL, 10),
	};
	if (entered_ms_r)
		*entered_ms_r = strtoll(delivery_field(fields, "entered"), NULL, 10);
	return ok;
}
