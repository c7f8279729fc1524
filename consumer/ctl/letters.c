/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_WITHIN_MS = 30000, RECENT = 100 };

bool letter_id_read(const char *text, int *partition_r, int64_t *offset_r)
{
	char *end;
	long partition = strtol(text, &end, 10);

	if (end == text || *end != ':' || partition < 0 || partition > 1000000 || end[1] < '0' || end[1] > '9')
		return false;
	*partition_r = (int)partition;
	*offset_r = strtoll(end + 1, &end, 10);
	return *end == '\0' && *offset_r >= 0;
}

enum topic letter_origin(const struct dead_letter *d)
{
	for (enum topic t = TOPIC_REQUESTED; t <= TOPIC_CONTROL; t++)
		if (strcmp(topic_name(t), d->origin_topic) == 0)
			return t;
	return TOPIC_UNSET;
}

enum message_kind letter_kind(enum topic origin)
{
	switch (origin) {
	case TOPIC_REQUESTED:
		return MESSAGE_REQUEST;
	case TOPIC_REPLAY:
		return MESSAGE_REPLAY;
	case TOPIC_CONTROL:
		return MESSAGE_CONTROL;
	default:
		return MESSAGE_UNSET;
	}
}

struct reading {
	struct ctl *c;
	struct codec_port *codec;
	letter_fn *fn;
	void *arg;
};

static bool take(void *arg, const struct bus_record *record)
{
	struct reading *r = arg;
	struct letter letter = { .partition = record->at.partition, .offset = record->at.offset };
	struct err e = { 0 };

	if (r->codec->decode(r->codec, MESSAGE_DEAD_LETTER, record, &letter.message, &e) != CODEC_OK) {
		ctl_talk(r->c, "sandboxctl: the dead letter %d:%lld is itself unreadable: %s", letter.partition,
			(long long)letter.offset, e.text);
		return true;
	}
	return r->fn(r->arg, &letter);
}

bool letters_read(struct ctl *c, int partition, int64_t offset, int64_t last, letter_fn *fn, void *arg, struct err *e)
{
	const struct desk_read what = { .topics = { [TOPIC_DEAD_LETTER] = true }, .partition = partition,
		.offset = offset, .last = last, .within_ms = READ_WITHIN_MS };
	struct reading r = { c, c->desk->codec(c->desk, e), fn, arg };

	return r.codec && c->desk->read(c->desk, &what, take, &r, e);
}

struct about {
	const char *clone_id;
	int64_t since_ms;
	char *why;
	size_t size;
	bool found;
};

/* The id is looked for in the bytes: they may be such that nobody can decode them. */
static bool is_about(void *arg, struct letter *letter)
{
	struct about *a = arg;
	const struct dead_letter *d = &letter->message->dead_letter;

	if (d->at_ms >= a->since_ms && letter_origin(d) == TOPIC_REQUESTED && d->value_len &&
	    memmem(d->value, d->value_len, a->clone_id, strlen(a->clone_id))) {
		snprintf(a->why, a->size, "%s (dead letter %d:%lld)", d->reason, letter->partition,
			(long long)letter->offset);
		a->found = true;
	}
	message_free(&letter->message);
	return !a->found;
}

bool letters_about(struct ctl *c, const char *clone_id, int64_t since_ms, char *why, size_t size, struct err *e)
{
	struct about a = { clone_id, since_ms, why, size, false };

	return letters_read(c, -1, -1, RECENT, is_about, &a, e) && a.found;
}
