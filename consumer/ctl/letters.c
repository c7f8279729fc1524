/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_WITHIN_MS = 30000, RECENT = 100 };

static const char notifiers[] = "notifier:";

bool letter_id_read(const char *text, struct bus_position *at_r)
{
	const bool of_notifier = strncmp(text, notifiers, sizeof notifiers - 1) == 0;
	char *end;
	long partition;

	if (of_notifier)
		text += sizeof notifiers - 1;
	partition = strtol(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != ':' || partition > 1000000 || end[1] < '0' || end[1] > '9')
		return false;
	at_r->topic = of_notifier ? TOPIC_NOTIFIER_DEAD_LETTER : TOPIC_DEAD_LETTER;
	at_r->partition = (int)partition;
	at_r->offset = strtoll(end + 1, &end, 10);
	return *end == '\0';
}

const char *letter_id(const struct letter *letter, char id_r[LETTER_ID_TEXT])
{
	snprintf(id_r, LETTER_ID_TEXT, "%s%d:%lld", letter->at.topic == TOPIC_NOTIFIER_DEAD_LETTER ? notifiers : "",
		letter->at.partition, (long long)letter->at.offset);
	return id_r;
}

static const struct {
	enum topic topic;
	enum message_kind kind;
	bool may_return;
} origins[] = {
	{ TOPIC_REQUESTED, MESSAGE_REQUEST, true },
	{ TOPIC_REPLAY, MESSAGE_REPLAY, true },
	{ TOPIC_CONTROL, MESSAGE_CONTROL, true },
	{ TOPIC_BACKUP_RESTORED, MESSAGE_BACKUP_RESTORED, false },
};

enum { ORIGINS = sizeof origins / sizeof *origins };

enum topic letter_origin(const struct dead_letter *d)
{
	for (size_t i = 0; i < ORIGINS; i++)
		if (strcmp(topic_name(origins[i].topic), d->origin_topic) == 0)
			return origins[i].topic;
	return TOPIC_UNSET;
}

enum message_kind letter_kind(enum topic origin)
{
	for (size_t i = 0; i < ORIGINS; i++)
		if (origins[i].topic == origin)
			return origins[i].kind;
	return MESSAGE_UNSET;
}

bool letter_may_return(enum topic origin)
{
	for (size_t i = 0; i < ORIGINS; i++)
		if (origins[i].topic == origin)
			return origins[i].may_return;
	return false;
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
	struct letter letter = { .at = record->at };
	char id[LETTER_ID_TEXT];
	struct err e = { 0 };

	if (r->codec->decode(r->codec, MESSAGE_DEAD_LETTER, record, &letter.message, &e) != CODEC_OK) {
		ctl_talk(r->c, "sandboxctl: the dead letter %s is itself unreadable: %s", letter_id(&letter, id), e.text);
		return true;
	}
	return r->fn(r->arg, &letter);
}

static bool read_letters(struct ctl *c, const struct desk_read *what, letter_fn *fn, void *arg, struct err *e)
{
	struct reading r = { c, c->desk->codec(c->desk, e), fn, arg };

	return r.codec && c->desk->read(c->desk, what, take, &r, e);
}

bool letters_read(struct ctl *c, letter_fn *fn, void *arg, struct err *e)
{
	struct desk_read what = { .partition = -1, .offset = -1, .within_ms = READ_WITHIN_MS };
	struct desk_brokers brokers = { 0 };

	if (!c->desk->brokers(c->desk, &brokers, e))
		return false;
	what.topics[TOPIC_DEAD_LETTER] = true;
	what.topics[TOPIC_NOTIFIER_DEAD_LETTER] = brokers.topics[TOPIC_NOTIFIER_DEAD_LETTER].exists;
	return read_letters(c, &what, fn, arg, e);
}

bool letters_read_from(struct ctl *c, const struct bus_position *at, letter_fn *fn, void *arg, struct err *e)
{
	struct desk_read what = { .partition = at->partition, .offset = at->offset, .within_ms = READ_WITHIN_MS };

	what.topics[at->topic] = true;
	return read_letters(c, &what, fn, arg, e);
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
	char id[LETTER_ID_TEXT];

	if (d->at_ms >= a->since_ms && letter_origin(d) == TOPIC_REQUESTED && d->value_len &&
	    memmem(d->value, d->value_len, a->clone_id, strlen(a->clone_id))) {
		snprintf(a->why, a->size, "%s (dead letter %s)", d->reason, letter_id(letter, id));
		a->found = true;
	}
	message_free(&letter->message);
	return !a->found;
}

bool letters_about(struct ctl *c, const char *clone_id, int64_t since_ms, char *why, size_t size, struct err *e)
{
	struct about a = { clone_id, since_ms, why, size, false };
	const struct desk_read what = { .topics = { [TOPIC_DEAD_LETTER] = true }, .partition = -1, .offset = -1, .last = RECENT,
		.within_ms = READ_WITHIN_MS };

	return read_letters(c, &what, is_about, &a, e) && a.found;
}
