/* SPDX-License-Identifier: Apache-2.0
 * What the engine wants, as text, and remembered until it is answered. */
#include "tests/support/engine_story_priv.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *story_slug(enum step_id step)
{
	return step == STEP_END ? "cleanup" : steps[step].slug;
}

static const char *short_topic(enum topic topic)
{
	return topic == TOPIC_REQUESTED ? "requested" : topic == TOPIC_REPLAY ? "replay" : "control";
}

static void hear_record(struct story *s, const struct effect *fx)
{
	const char *between = "[";

	buf_printf(&s->heard, "record %s %llu..%llu %s%s%s%s%s", fx->clone_id, (unsigned long long)fx->sequence_before,
		(unsigned long long)fx->sequence_after, clone_status_name(fx->snapshot->status), fx->full ? " full" : "",
		fx->again ? " again" : "", fx->store_request ? " request" : "", fx->take_target ? " target" : "");
	if (fx->marks_clear)
		buf_printf(&s->heard, " clears %d", __builtin_popcountll(fx->marks_clear));
	buf_add_text(&s->heard, " ");
	for (size_t i = 0; i < fx->event_count; i++) {
		const struct engine_event *e = &fx->events[i];

		buf_add_text(&s->heard, between);
		if (e->kind == MESSAGE_STEP_COMPLETED)
			buf_printf(&s->heard, "%s %s", story_slug(e->step), step_outcome_name(e->result->outcome));
		else
			buf_add_text(&s->heard, e->kind == MESSAGE_STATE ? "state" : "restored");
		between = "; ";
		if (s->event_fn && !fx->again)
			s->event_fn(s->event_arg, fx, e, s->now);
	}
	buf_add_text(&s->heard, fx->event_count ? "]" : "[]");
}

static void hear_start(struct story *s, const struct effect *fx)
{
	static const char *const asides[ASIDE_END] = { "nothing", "cleanup", "rollback", "sweeping" };

	buf_printf(&s->heard, "start %s %s", fx->clone_id, fx->step == STEP_END ? asides[fx->aside] : story_slug(fx->step));
	if (fx->attempt > 1)
		buf_printf(&s->heard, " try %d", fx->attempt);
	if (fx->run > 1)
		buf_printf(&s->heard, " run %d", fx->run);
	if (fx->acted)
		buf_add_text(&s->heard, " acted");
}

static void hear_at(struct story *s, const char *what, const struct effect *fx)
{
	buf_printf(&s->heard, "%s %s %lld", what, short_topic(fx->at.topic), (long long)fx->at.offset);
	if (fx->code && *fx->code)
		buf_printf(&s->heard, " %s", fx->code);
}

static void hear(struct story *s, const struct effect *fx)
{
	static const char *const words[FX_END] = { [FX_ACQUIRE] = "acquire", [FX_RENEW] = "renew", [FX_RELEASE] = "release",
		[FX_REJECT] = "reject" };

	if (s->passing && fx->kind == FX_RENEW)
		return;
	if (s->heard.len)
		buf_add_text(&s->heard, ", ");
	switch (fx->kind) {
	case FX_START_STEP:
		hear_start(s, fx);
		break;
	case FX_ABORT_STEP:
		buf_printf(&s->heard, "abort %s %s", fx->clone_id, story_slug(fx->step));
		break;
	case FX_RECORD:
		hear_record(s, fx);
		break;
	case FX_PUBLISH:
		buf_printf(&s->heard, "publish %s %llu-%llu", fx->clone_id, (unsigned long long)fx->first,
			(unsigned long long)fx->last);
		break;
	case FX_FORGET:
		buf_printf(&s->heard, "forget %s %llu", fx->clone_id, (unsigned long long)fx->last);
		break;
	case FX_TELL_REJECTED:
		hear_at(s, "tell", fx);
		break;
	case FX_DEAD_LETTER:
		hear_at(s, "dead-letter", fx);
		break;
	case FX_COMMIT:
		hear_at(s, "commit", fx);
		break;
	case FX_INTAKE:
		buf_add_text(&s->heard, fx->flag ? "intake off" : "intake on");
		break;
	case FX_REVOKED_DONE:
		buf_add_text(&s->heard, "revoked");
		break;
	case FX_DRAINED:
		buf_add_text(&s->heard, "drained");
		break;
	default:
		buf_printf(&s->heard, "%s %s", words[fx->kind], fx->clone_id);
		break;
	}
}

static void remember(struct story *s, const struct effect *fx)
{
	struct want *w = &s->wants[s->want_count];

	ck_assert_int_lt(s->want_count, WANTS);
	*w = (struct want){ .kind = fx->kind, .step = fx->step, .token = fx->token, .first = fx->first, .last = fx->last,
		.at = fx->at };
	if (fx->clone_id) {
		w->clone = story_clone(s, fx->clone_id);
		w->clone->ref = fx->ref;
	}
	if (fx->kind == FX_RECORD || fx->kind == FX_REJECT) {
		w->clone->recording = *fx->snapshot;
		w->clone->recording_from = fx->event_count ? fx->events[0].sequence : 0;
		w->clone->recording_to = fx->sequence_after;
		w->clone->takes_target = fx->take_target;
		w->clone->stores_request = fx->store_request;
		snprintf(w->clone->recording_domain, sizeof w->clone->recording_domain, "%s",
			fx->request ? fx->request->job.mask_domain : "");
	}
	if (fx->kind != FX_FORGET && fx->kind != FX_COMMIT && fx->kind != FX_INTAKE && fx->kind != FX_ABORT_STEP &&
	    fx->kind != FX_REVOKED_DONE && fx->kind != FX_DRAINED)
		s->want_count++;
}

void story_listen(struct story *s)
{
	size_t count;
	const struct effect *fx = engine_effects(s->engine, &count);

	for (size_t i = 0; i < count; i++) {
		hear(s, &fx[i]);
		remember(s, &fx[i]);
	}
}

void story_feed(struct story *s, const struct input *in)
{
	engine_tick(s->engine, s->now, s->now);
	engine_feed(s->engine, in);
	story_listen(s);
}
