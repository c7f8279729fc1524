/* SPDX-License-Identifier: Apache-2.0
 * What the world answers to what the engine wants, and the small store that remembers it. */
#include "tests/support/engine_story_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The want that this answers; it must be there. */
static struct want take_want(struct story *s, enum effect_kind kind, const struct story_clone *c, int step)
{
	for (int i = 0; i < s->want_count; i++) {
		struct want w = s->wants[i];

		if (w.kind != kind || (c && w.clone != c) || (step >= 0 && (int)w.step != step))
			continue;
		memmove(&s->wants[i], &s->wants[i + 1], (size_t)(--s->want_count - i) * sizeof w);
		return w;
	}
	ck_abort_msg("%s:%d: the story answers what was not asked", s->file, s->line);
}

static enum store_status status_by(const char *word)
{
	return strcmp(word, "fenced") == 0 ? STORE_FENCED : strcmp(word, "behind") == 0 ? STORE_BEHIND :
		strcmp(word, "down") == 0 ? STORE_UNAVAILABLE : STORE_OK;
}

void story_answer_lease(struct story *s, struct story_clone *c, const char *how, const char *holder)
{
	struct story_target *t = story_target(s, c->target);
	struct lease_answer a = { .status = STORE_OK, .found = c->found, .snapshot = &c->stored };

	take_want(s, FX_ACQUIRE, c, -1);
	memcpy(a.active_clone, t->active, sizeof a.active_clone);
	if (t->active[0])
		a.active_status = story_clone(s, t->active)->stored.status;
	memcpy(a.latest_generation, t->generation, sizeof a.latest_generation);
	if (strcmp(how, "down") == 0) {
		a.status = STORE_UNAVAILABLE;
	} else if (*how) {
		a.status = STORE_HELD;
		a.retry_ms = 30000;
		if (strcmp(how, "held") == 0)
			snprintf(a.held_by, sizeof a.held_by, "%s", holder);
	} else {
		a.token = ++s->token;
		a.undelivered_from = c->oldest;
		if (c->found)
			a.request = story_request(s, c, c->stored.fingerprint, "", c->domain);
	}
	story_feed(s, &(struct input){ .kind = IN_LEASE, .ref = c->ref, .lease = &a });
}

static void apply_record(struct story *s, struct story_clone *c, enum effect_kind kind)
{
	struct story_target *t = story_target(s, c->target);

	if (kind == FX_REJECT) {
		snapshot_init(&c->stored);
		c->stored.status = CLONE_REJECTED;
		c->stored.run = 1;
		c->stored.sequence = 1;
		c->stored.fingerprint = c->fingerprint;
	} else {
		c->stored = c->recording;
	}
	c->found = true;
	if (!c->oldest)
		c->oldest = c->recording_from;
	if (c->stores_request || kind == FX_REJECT)
		memcpy(c->domain, c->recording_domain, sizeof c->domain);
	if (c->takes_target) {
		memcpy(t->active, c->id, sizeof t->active);
		memcpy(t->generation, c->recording.generation, sizeof t->generation);
	}
}

void story_answer_record(struct story *s, struct story_clone *c, const char *how)
{
	enum effect_kind kind = FX_RECORD;
	enum store_status status = status_by(how);

	for (int i = 0; i < s->want_count; i++)
		if (s->wants[i].clone == c && s->wants[i].kind == FX_REJECT)
			kind = FX_REJECT;
	take_want(s, kind, c, -1);
	if (status == STORE_OK)
		apply_record(s, c, kind);
	story_feed(s, &(struct input){ .kind = IN_RECORDED, .ref = c->ref, .status = status });
}

static void set_result(struct step_result *r, const char *how, const char *ms)
{
	static const struct {
		const char *word;
		enum step_outcome outcome;
		enum err_class class;
		int code;
	} results[] = {
		{ "done", STEP_DONE, ERR_NONE, 0 },        { "already", STEP_ALREADY, ERR_NONE, 0 },
		{ "skipped", STEP_SKIPPED, ERR_NONE, 0 },  { "wait", STEP_WAIT, ERR_NONE, 0 },
		{ "again", STEP_WAIT, ERR_NONE, 0 },       { "retry", STEP_RETRY, ERR_TRANSIENT, 0 },
		{ "unsure", STEP_UNSURE, ERR_UNSURE, 0 },  { "refused", STEP_REFUSED, ERR_REFUSED, 0 },
		{ "aborted", STEP_RETRY, ERR_TRANSIENT, ERR_CODE_ABORTED },
		{ "broken", STEP_REFUSED, ERR_REFUSED, 0 },  { "late", STEP_REFUSED, ERR_REFUSED, ERR_CODE_TOO_LATE },
		{ "fenced", STEP_REFUSED, ERR_REFUSED, ERR_CODE_FENCED },
		{ "offline", STEP_DONE, ERR_NONE, 0 },
	};

	for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
		if (strcmp(results[i].word, how) != 0)
			continue;
		r->outcome = results[i].outcome;
		r->acted = strcmp(how, "broken") == 0 || r->outcome == STEP_UNSURE;
		if (results[i].class)
			err_set(&r->err, results[i].class, results[i].code, "story", "it did not go well");
		if (strcmp(how, "wait") == 0) {
			r->delay_ms = atoll(ms);
			snprintf(r->waiting_on, sizeof r->waiting_on, "a task");
		}
	}
	ck_assert_int_ne(r->outcome, STEP_UNSET);
}

static void set_notice(struct step_result *r, enum step_id step, const char *how)
{
	if (step == STEP_notify_partner_apps)
		r->notice = (struct step_notice){ .version_name = "Release_1", .file_version = "1.0", .public_endpoint = "t.example",
			.proof = "0 addresses" };
	if (step == STEP_END)
		r->notice.left_in = strcmp(how, "offline") == 0 ? TENANT_OFFLINE_MAINTENANCE : TENANT_RUNNING;
}

int story_step(const char *slug)
{
	bool beside = strcmp(slug, "cleanup") == 0 || strcmp(slug, "rollback") == 0 || strcmp(slug, "sweeping") == 0;

	return beside ? STEP_END : (int)step_by_slug(slug);
}

void story_answer_step(struct story *s, struct story_clone *c, const char *slug, const char *how, const char *ms)
{
	struct want w = take_want(s, FX_START_STEP, c, story_step(slug));
	struct step_result r = { .started_at_ms = s->now, .finished_at_ms = s->now };

	set_result(&r, how, ms);
	set_notice(&r, w.step, how);
	story_feed(s, &(struct input){ .kind = IN_STEP, .ref = c->ref, .step = w.step, .token = w.token, .result = &r });
}

void story_answer_delivery(struct story *s, struct story_clone *c, uint64_t sequence, bool ok)
{
	if (ok && c->oldest == sequence)
		c->oldest = sequence < c->stored.sequence ? sequence + 1 : 0;
	story_feed(s, &(struct input){ .kind = IN_DELIVERED, .ref = c->ref, .sequence = sequence, .ok = ok });
}

void story_answer_simply(struct story *s, struct story_clone *c, enum effect_kind asked, enum input_kind kind,
                          const char *how)
{
	take_want(s, asked, c, -1);
	story_feed(s, &(struct input){ .kind = kind, .ref = c->ref, .status = status_by(how) });
}

/* ---- everything goes well ---- */

void story_answer_well(struct story *s, const struct want *w)
{
	switch (w->kind) {
	case FX_ACQUIRE:
		story_answer_lease(s, w->clone, "", "");
		break;
	case FX_RENEW:
		story_answer_simply(s, w->clone, FX_RENEW, IN_RENEWED, "");
		break;
	case FX_RELEASE:
		story_answer_simply(s, w->clone, FX_RELEASE, IN_RELEASED, "");
		break;
	case FX_RECORD:
	case FX_REJECT:
		story_answer_record(s, w->clone, "");
		break;
	case FX_START_STEP:
		story_answer_step(s, w->clone, story_slug(w->step), "done", "");
		break;
	case FX_PUBLISH:
		take_want(s, FX_PUBLISH, w->clone, -1);
		for (uint64_t q = w->first; q <= w->last; q++)
			story_answer_delivery(s, w->clone, q, true);
		break;
	default:
		take_want(s, w->kind, NULL, -1);
		story_feed(s, &(struct input){ .kind = IN_DIRECT_DELIVERED, .at = w->at, .ok = true });
		break;
	}
}

