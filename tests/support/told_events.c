/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/told_events.h"

#include "consumer/adapters/avro/avro_codec.h"
#include "consumer/core/events.h"
#include "tests/support/engine_story.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static int64_t some_time(struct clock_port *self)
{
	(void)self;
	return 1785578400000;
}

static bool no_domain_is_public(const char *domain)
{
	(void)domain;
	return false;
}

struct codec_port *told_codec(void)
{
	static struct clock_port clock = { .utc_ms = some_time };
	const struct avro_codec_settings settings = { .clock = &clock };
	struct err e = { 0 };
	struct codec_port *codec = avro_codec_new(&settings, &e);

	ck_assert_msg(codec, "%s", e.text);
	return codec;
}

void told_begin(struct told_events *t)
{
	t->count = 0;
	t->codec = told_codec();
	t->mem = arena_new(1 << 20);
}

void told_end(struct told_events *t)
{
	for (size_t i = 0; i < t->count; i++) {
		message_free(&t->items[i].message);
		buf_done(&t->items[i].value);
	}
	t->count = 0;
	t->codec->close(t->codec);
	arena_free(&t->mem);
}

void told_add(struct told_events *t, const struct message *m)
{
	struct told_event *told = &t->items[t->count];
	struct bus_record record = { 0 };
	struct err e = { 0 };

	ck_assert_uint_lt(t->count, TOLD_MAX);
	told->topic = TOPIC_UNSET;
	told->key[0] = '\0';
	buf_init(&told->value, RECORD_MAX_BYTES);
	ck_assert_msg(t->codec->encode(t->codec, m, &told->value, &e), "%s", e.text);
	record.value = told->value.data;
	record.value_len = told->value.len;
	ck_assert_msg(t->codec->decode(t->codec, m->kind, &record, &told->message, &e) == CODEC_OK, "%s", e.text);
	t->count++;
}

static void add(struct told_events *t, enum topic topic, const char *key, const struct message *m)
{
	struct told_event *told = &t->items[t->count];

	told_add(t, m);
	told->topic = topic;
	snprintf(told->key, sizeof told->key, "%s", key);
}

static void hear(void *arg, const struct effect *fx, const struct engine_event *event, int64_t utc_ms)
{
	static const struct event_facts facts = { .domain_is_public = no_domain_is_public };
	struct told_events *t = arg;
	enum topic topic;
	const char *key;
	const struct message *m = event_message(fx, event, utc_ms, &facts, t->mem, &topic, &key);

	ck_assert_ptr_nonnull(m);
	add(t, topic, key, m);
	arena_clear(t->mem);
}

void told_play(struct told_events *t, const char *const *lines)
{
	const struct engine_policy policy = story_policy();
	struct story *s = story_begin(&policy);

	story_hear_events(s, hear, t);
	say(s, "assign requested", NULL);
	say(s, "assign replay", NULL);
	say(s, "assign control", NULL);
	for (; *lines; lines++)
		say(s, *lines, NULL);
	story_end(&s);
}

void told_play_everything(struct told_events *t)
{
	told_play(t, TOLD_STORY(
		"request a1 of A", "go",
		"request b1 of B", "go without copy_database", "step b1 copy_database refused", "pass 1000", "go",
		"request d1 of D", "go without sync_superid_users", "step d1 sync_superid_users refused", "go",
		"replay d1", "go without enter_running_mode", "step d1 enter_running_mode refused", "pass 1000", "go",
		"replay d1 from prepare_database", "go",
		"request e1 of E", "go", "pass 3000", "request e2 of E", "go without mask_email_domains", "cancel e2",
		"step e2 mask_email_domains done", "pass 2000", "go", "request e3 of E", "go without superid_normal",
		"step e3 superid_normal refused", "go",
		"request f1 of F", "go without copy_database", "cancel f1", "step f1 copy_database done", "go without cleanup",
		"step f1 cleanup offline", "go",
		"request g1 of G", "go", "pass 1000", "request g2 of G", "go", "pass 1000", "request g3 of G",
		"go without wait_web_config", "pause g3", "step g3 wait_web_config done", "go", "resume g3", "go", "rollback g3", "go without rollback",
		"pass 1000", "go",
		"request h1 of H", "go without sync_superid_users", "step h1 sync_superid_users refused", "go", "cancel h1", "go",
		"request h2 of H", "go", "request h3 of H", "go without drop_database", "step h3 drop_database skipped",
		"go without superid_in_migration", "step h3 superid_in_migration already", "go without notify_partner_apps",
		"step h3 notify_partner_apps refused", "go"));
	for (int i = 0; i < 2; i++) {
		char id[8];
		struct clone_request request = { .job = { .clone_id = id, .source_ctx = "S", .target_ctx = "A" } };

		snprintf(id, sizeof id, "r%d", i);
		add(t, TOPIC_STATE, id, event_rejected(&request, "busy", 5, t->mem));
	}
}
