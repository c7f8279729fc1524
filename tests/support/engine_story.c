/* SPDX-License-Identifier: Apache-2.0
 * The lines of a story. */
#include "tests/support/engine_story_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct engine_policy story_policy(void)
{
	struct engine_policy p = { .order = PLAN_STRICT, .max_clones = 1000, .max_running = 1000, .max_running_a_clone = 33,
		.lease_ttl_ms = 30000, .lease_retry_ms = 5000, .retry_first_ms = 1000, .retry_cap_ms = 60000,
		.retry_budget_ms = 3600000, .stall_after_ms = 600000, .drain_ms = 10000, .breaker_failures = 5,
		.breaker_open_ms = 30000 };

	for (int i = 0; i < PORT_END; i++)
		p.port_limit[i] = 1000;
	return p;
}

struct story *story_begin(const struct engine_policy *policy)
{
	struct story *s = calloc(1, sizeof *s);

	s->engine = engine_new(policy, 1);
	s->now = 1000000;
	s->token = 46656; /* "1000" in base 36 */
	s->mem = arena_new(1 << 20);
	buf_init(&s->heard, 1 << 20);
	engine_tick(s->engine, s->now, s->now);
	return s;
}

void story_end(struct story **s)
{
	engine_free(&(*s)->engine);
	arena_free(&(*s)->mem);
	buf_done(&(*s)->heard);
	free(*s);
	*s = NULL;
}

void story_hear_events(struct story *s, story_event_fn *fn, void *arg)
{
	s->event_fn = fn;
	s->event_arg = arg;
}

struct engine *story_engine(struct story *s)
{
	return s->engine;
}

struct story_clone *story_clone(struct story *s, const char *id)
{
	for (int i = 0; i < s->clone_count; i++)
		if (strcmp(s->clones[i].id, id) == 0)
			return &s->clones[i];
	ck_assert_msg(s->clone_count < CLONES, "too many clones in the story");
	snprintf(s->clones[s->clone_count].id, sizeof s->clones->id, "%s", id);
	snprintf(s->clones[s->clone_count].target, sizeof s->clones->target, "T");
	return &s->clones[s->clone_count++];
}

struct story_target *story_target(struct story *s, const char *name)
{
	for (int i = 0; i < s->target_count; i++)
		if (strcmp(s->targets[i].name, name) == 0)
			return &s->targets[i];
	snprintf(s->targets[s->target_count].name, sizeof s->targets->name, "%s", name);
	return &s->targets[s->target_count++];
}

int64_t story_now(const struct story *s)
{
	return s->now;
}

clone_ref story_ref(struct story *s, const char *id)
{
	return story_clone(s, id)->ref;
}

const struct clone_snapshot *story_stored(struct story *s, const char *id)
{
	struct story_clone *c = story_clone(s, id);

	return c->found ? &c->stored : NULL;
}

const char *story_stored_domain(struct story *s, const char *id)
{
	return story_clone(s, id)->domain;
}

/* ---- records ---- */

static const char *keep(struct story *s, const char *text)
{
	return arena_text(s->mem, text, strlen(text));
}

static const char *option(char words[WORDS][WORD_MAX], int count, const char *name)
{
	for (int i = 1; i + 1 < count; i++)
		if (strcmp(words[i], name) == 0)
			return words[i + 1];
	return "";
}

struct message *story_request(struct story *s, const struct story_clone *c, uint64_t fingerprint, const char *expects,
                                  const char *domain)
{
	struct message *m = calloc(1, sizeof *m);

	m->kind = MESSAGE_REQUEST;
	m->request.job = (struct step_job){ .clone_id = c->id, .kind = CLONE_REPLACE, .source_ctx = "S",
		.target_ctx = c->target, .requested_by = "", .mask_enabled = true, .documents = DOCUMENTS_ALL,
		.attachments = ATTACHMENTS_ALL, .set_running = true, .approved_target = "" };
	m->request.expected_generation = keep(s, expects);
	m->request.fingerprint = fingerprint;
	m->request.requested_at_ms = 1;
	/* The text dies with the message, so that the sanitizer sees it used for too long. */
	m->mem = arena_new(4096);
	m->request.job.mask_domain = arena_text(m->mem, domain, strlen(domain));
	return m;
}

static struct message *replay_of(struct story *s, const struct story_clone *c, char words[WORDS][WORD_MAX], int count)
{
	struct message *m = calloc(1, sizeof *m);
	const char *mask = option(words, count, "mask");

	m->kind = MESSAGE_REPLAY;
	m->mem = arena_new(4096);
	m->replay = (struct clone_replay){ .clone_id = c->id, .target_ctx = c->target,
		.from_step = keep(s, option(words, count, "from")), .until_step = keep(s, option(words, count, "until")),
		.expected_generation = keep(s, option(words, count, "expects")), .reason = "", .requested_by = "",
		.has_mask_domain = *mask, .mask_domain = arena_text(m->mem, mask, strlen(mask)), .approved_target = "" };
	return m;
}

static struct message *control_of(const struct story_clone *c, const char *verb)
{
	static const char *const verbs[CONTROL_END] = { "", "pause", "resume", "cancel", "retry-now", "rollback" };
	struct message *m = calloc(1, sizeof *m);

	m->kind = MESSAGE_CONTROL;
	m->control = (struct clone_control){ .clone_id = c->id, .target_ctx = c->target, .reason = "", .requested_by = "" };
	for (int i = 1; i < CONTROL_END; i++)
		if (strcmp(verbs[i], verb) == 0)
			m->control.verb = (enum control_verb)i;
	return m;
}

static enum topic topic_by(const char *name)
{
	return strcmp(name, "requested") == 0 ? TOPIC_REQUESTED : strcmp(name, "replay") == 0 ? TOPIC_REPLAY : TOPIC_CONTROL;
}

static void publish(struct story *s, enum topic topic, struct message *m, int64_t offset)
{
	story_feed(s, &(struct input){ .kind = IN_MESSAGE, .at = { topic, 0, offset }, .message = m });
}

static void go(struct story *s, const char *without, const char *of)
{
	int held_back = *without ? story_step(without) : -1, i = 0;

	while (i < s->want_count) {
		struct want w = s->wants[i];

		if (w.kind == FX_START_STEP && (int)w.step == held_back && (!*of || strcmp(w.clone->id, of) == 0)) {
			i++;
			continue;
		}
		story_answer_well(s, &w);
		i = 0;
	}
	buf_clear(&s->heard);
	for (i = 0; i < s->clone_count; i++) {
		const struct story_clone *c = &s->clones[i];

		buf_printf(&s->heard, "%s%s %s %llu", i ? ", " : "", c->id, c->found ? clone_status_name(c->stored.status) : "-",
			(unsigned long long)c->stored.sequence);
	}
}

static void tick(struct story *s, int64_t ms)
{
	s->now += ms;
	engine_tick(s->engine, s->now, s->now);
	story_listen(s);
}

/* Leases are renewed meanwhile, which is not heard. */
static void pass(struct story *s, int64_t ms)
{
	s->passing = true;
	for (int64_t left = ms; left > 0; left -= 1000) {
		tick(s, left < 1000 ? left : 1000);
		for (int i = 0; i < s->want_count; i++)
			if (s->wants[i].kind == FX_RENEW) {
				struct want w = s->wants[i--];

				story_answer_well(s, &w);
			}
	}
	s->passing = false;
}

static void wipe(struct story *s)
{
	memset(s->targets, 0, sizeof s->targets);
	s->target_count = 0;
	for (int i = 0; i < s->clone_count; i++) {
		s->clones[i].found = false;
		s->clones[i].oldest = 0;
	}
}

static void sweep(struct story *s, const struct story_clone *c)
{
	struct sweep_wish wish = { .source_ctx = "S" };

	snprintf(wish.clone_id, sizeof wish.clone_id, "%s", c->id);
	snprintf(wish.target_ctx, sizeof wish.target_ctx, "%s", c->target);
	story_feed(s, &(struct input){ .kind = IN_SWEEP, .sweep = &wish });
}

/* ---- lines ---- */

static bool say_record(struct story *s, char words[WORDS][WORD_MAX], int count)
{
	const char *verb = words[0];
	struct story_clone *c;

	if (strcmp(verb, "request") == 0) {
		const char *of = option(words, count, "of"), *wishes = option(words, count, "wishes");

		c = story_clone(s, words[1]);
		if (*of)
			snprintf(c->target, sizeof c->target, "%s", of);
		c->fingerprint = *wishes ? (uint64_t)atoll(wishes) : 1;
		publish(s, TOPIC_REQUESTED, story_request(s, c, c->fingerprint, option(words, count, "expects"), "m.example"),
			s->offsets[TOPIC_REQUESTED]++);
	} else if (strcmp(verb, "replay") == 0) {
		publish(s, TOPIC_REPLAY, replay_of(s, story_clone(s, words[1]), words, count), s->offsets[TOPIC_REPLAY]++);
	} else if (strcmp(verb, "pause") == 0 || strcmp(verb, "resume") == 0 || strcmp(verb, "cancel") == 0 ||
		   strcmp(verb, "retry-now") == 0 || strcmp(verb, "rollback") == 0) {
		publish(s, TOPIC_CONTROL, control_of(story_clone(s, words[1]), verb), s->offsets[TOPIC_CONTROL]++);
	} else if (strcmp(verb, "sweep") == 0) {
		sweep(s, story_clone(s, words[1]));
	} else if (strcmp(verb, "again") == 0) {
		publish(s, TOPIC_REQUESTED, story_request(s, story_clone(s, words[1]), story_clone(s, words[1])->fingerprint, "",
			"m.example"), atoll(words[2]));
	} else if (strcmp(verb, "bad") == 0) {
		enum topic topic = topic_by(words[1]);

		story_feed(s, &(struct input){ .kind = IN_BAD_RECORD, .at = { topic, 0, s->offsets[topic]++ }, .code = words[2],
			.text = "it cannot be read" });
	} else {
		return false;
	}
	return true;
}

static bool say_answer(struct story *s, char words[WORDS][WORD_MAX])
{
	const char *verb = words[0];

	if (strcmp(verb, "lease") == 0)
		story_answer_lease(s, story_clone(s, words[1]), words[2], words[3]);
	else if (strcmp(verb, "recorded") == 0)
		story_answer_record(s, story_clone(s, words[1]), words[2]);
	else if (strcmp(verb, "released") == 0)
		story_answer_simply(s, story_clone(s, words[1]), FX_RELEASE, IN_RELEASED, words[2]);
	else if (strcmp(verb, "renewed") == 0)
		story_answer_simply(s, story_clone(s, words[1]), FX_RENEW, IN_RENEWED, words[2]);
	else if (strcmp(verb, "step") == 0)
		story_answer_step(s, story_clone(s, words[1]), words[2], words[3], words[4]);
	else if (strcmp(verb, "delivered") == 0 || strcmp(verb, "failed") == 0)
		story_answer_delivery(s, story_clone(s, words[1]), (uint64_t)atoll(words[2]), *verb == 'd');
	else if (strcmp(verb, "told") == 0 || strcmp(verb, "untold") == 0)
		story_feed(s, &(struct input){ .kind = IN_DIRECT_DELIVERED, .at = { topic_by(words[1]), 0, atoll(words[2]) },
			.ok = *verb == 't' });
	else
		return false;
	return true;
}

static bool say_world(struct story *s, char words[WORDS][WORD_MAX], int count)
{
	const char *verb = words[0];

	if (strcmp(verb, "tick") == 0) {
		tick(s, atoll(words[1]));
	} else if (strcmp(verb, "pass") == 0) {
		pass(s, atoll(words[1]));
	} else if (strcmp(verb, "moved") == 0) {
		struct story_clone *c = story_clone(s, words[1]);

		story_feed(s, &(struct input){ .kind = IN_MOVED, .ref = c->ref, .step = (enum step_id)story_step(words[2]),
			.token = s->token, .moved = { atoll(option(words, count, "rows")), atoll(option(words, count, "bytes")),
			atoll(option(words, count, "total")) } });
	} else if (strcmp(verb, "wipe") == 0) {
		wipe(s);
	} else if (strcmp(verb, "go") == 0) {
		go(s, option(words, count, "without"), option(words, count, "of"));
	} else if (strcmp(verb, "stop") == 0) {
		story_feed(s, &(struct input){ .kind = IN_STOP });
	} else {
		enum input_kind kind = strcmp(verb, "assign") == 0 ? IN_ASSIGNED : strcmp(verb, "revoke") == 0 ? IN_REVOKED :
			strcmp(verb, "lose") == 0 ? IN_LOST : IN_UNSET;

		if (!kind)
			return false;
		story_feed(s, &(struct input){ .kind = kind, .at = { topic_by(words[1]), 0, 0 } });
	}
	return true;
}

void say_at(struct story *s, const char *line, const char *wanted, const char *file, int number)
{
	char words[WORDS][WORD_MAX] = { { 0 } };
	int count = 0, used;

	s->file = file;
	s->line = number;
	buf_clear(&s->heard);
	for (const char *at = line; count < WORDS && sscanf(at, " %71s%n", words[count], &used) == 1; at += used)
		count++;
	if (!say_record(s, words, count) && !say_answer(s, words) && !say_world(s, words, count))
		ck_abort_msg("%s:%d: no line: %s", file, number, line);
	if (wanted && strcmp(buf_text(&s->heard), wanted) != 0)
		ck_abort_msg("%s:%d: on \"%s\" it wants\n  \"%s\", not\n  \"%s\"", file, number, line, buf_text(&s->heard),
			wanted);
}
