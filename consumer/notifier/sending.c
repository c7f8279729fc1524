/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/notifier/sending.h"

#include "consumer/core/retry.h"
#include "consumer/notifier/delivery_policy.h"
#include "consumer/notifier/notifier_clock.h"
#include "consumer/notifier/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH_MAX_BYTES = 16 * 1024 * 1024,
	POST_MAX_BYTES = 256 * 1024,
	STARTS_A_TURN = 32,    /* signing takes a millisecond; the posts under way want to be looked after meanwhile, */
	STARTS_FOR_MS = 20,    /* on a machine that is slow or busy too: their time-outs go on */
	CLAIM_AHEAD = 4 * STARTS_A_TURN, /* more would see its lease run out before it is begun, and be claimed again */
	STORE_PAUSE_MS = 500,  /* after the store failed */
	DEFER_MS = 5000,       /* after the approvals could not be had */
	HANGING_MS = 3000,     /* a post under way for so long has the room of a slow one */
	NO_ROOM_MS = 50,
	CLAIM_EVERY_MS = 500,  /* other programs enter and switch too */
	WAIT_MAX_MS = 250,
	FIGURES_EVERY_MS = 2000,
};

enum job_state { JOB_FREE, JOB_LOOKING, JOB_POSTING, JOB_SETTLING };

struct batch { /* the memory of claims that came together */
	struct arena *mem;
	size_t left;
};

struct job {
	enum job_state state;
	struct batch *batch;
	const struct claim *claim;
	int64_t since_ms; /* in this state */
	struct post_result result; /* the settlement's texts point here */
	struct settlement settlement;
};

struct sending {
	const struct sending_parts *p;
	struct job *jobs;
	size_t *free_slots, free_count;
	size_t looking, settling;
	size_t start_at; /* whose turn it is */
	bool backlog;    /* more is claimed than could be begun */
	int64_t claim_at_ms, store_after_ms, figures_at_ms;
	uint64_t chance;
	struct arena *mem; /* of one post */
	bool draining;
};

/* ---- jobs ---- */

static void become(struct sending *s, struct job *job, enum job_state state)
{
	s->looking -= job->state == JOB_LOOKING;
	s->settling -= job->state == JOB_SETTLING;
	s->looking += state == JOB_LOOKING;
	s->settling += state == JOB_SETTLING;
	job->state = state;
	job->since_ms = notifier_now_ms();
}

static void batch_release(struct batch *batch)
{
	if (--batch->left > 0)
		return;
	arena_free(&batch->mem);
	free(batch);
}

static void finish(struct sending *s, struct job *job)
{
	become(s, job, JOB_FREE);
	batch_release(job->batch);
	s->free_slots[s->free_count++] = (size_t)(job - s->jobs);
}

/* The state changes without a try. */
static void set_aside(struct sending *s, struct job *job, enum delivery_state state, int64_t again_ms)
{
	job->settlement = (struct settlement){ .claim = job->claim, .state = state, .again_ms = again_ms, .off_reason = "",
		.tried.text = "" };
	become(s, job, JOB_SETTLING);
}

static void log_try(struct sending *s, const struct job *job)
{
	const struct settlement *t = &job->settlement;
	const struct notice *n = job->claim->notice;
	const enum log_level level = t->app_off || t->state == DELIVERY_GIVEN_UP ? LOG_LEVEL_WARN :
		t->state == DELIVERY_DONE ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	const char *what = t->app_off ? "app switched off" : t->state == DELIVERY_GIVEN_UP ? "notification given up" :
		t->state == DELIVERY_DONE ? "notification delivered" : "notification failed";
	const struct log_context context = { .clone_id = n->clone_id };

	LOG_LINE(s->p->log, level, &context, what, log_text("app", job->claim->client_id), log_text("target", n->ctx),
		log_number("try", job->claim->tries + 1), log_number("status", t->tried.status),
		log_ms("took", t->tried.took_ms), log_text("answer", t->tried.text),
		log_text("off", t->app_off ? t->off_reason : ""));
}

static void judge(struct sending *s, struct job *job)
{
	enum metric_try outcome;

	delivery_judge(job->claim, &job->result, notifier_utc_ms(), &s->chance, &job->settlement);
	outcome = job->settlement.state == DELIVERY_DONE ? METRIC_TRY_DELIVERED :
		job->settlement.state == DELIVERY_GIVEN_UP ? METRIC_TRY_GIVEN_UP : METRIC_TRY_FAILED;
	metrics_add(s->p->metrics, METRIC_WEBHOOK_TRIES, outcome, 0, 1);
	metrics_observe(s->p->metrics, METRIC_WEBHOOK_DURATION, outcome, 0, job->result.took_ms);
	log_try(s, job);
	become(s, job, JOB_SETTLING);
}

/* ---- from claim to post ---- */

/* What cannot even be sent is a try that failed: the app or its owner has to change something. */
static void fail(struct sending *s, struct job *job, const struct err *e)
{
	job->result = (struct post_result){ .end = POST_FORBIDDEN };
	snprintf(job->result.text, sizeof job->result.text, "%.*s", POST_TEXT_MAX - 1, e->text);
	judge(s, job);
}

static void post(struct sending *s, struct job *job, const struct app_authorisation *app)
{
	const struct render_settings settings = { s->p->settings.issuer, s->p->settings.token_life_ms };
	const struct render_app to = { app->client_id, app->state_change_url, app->webhook_secrets,
		app->webhook_secret_count };
	struct post made;
	struct err e = { 0 };

	arena_clear(s->mem);
	if (!render_post(&settings, s->p->signer, job->claim->notice, &to, notifier_utc_ms(), s->mem, &made, &e)) {
		if (e.class == ERR_REFUSED)
			fail(s, job, &e);
		else
			set_aside(s, job, DELIVERY_WAITING, notifier_utc_ms() + DEFER_MS);
		return;
	}
	made.tag = (uint64_t)(job - s->jobs);
	if (s->p->poster->post(s->p->poster, &made, &e))
		become(s, job, JOB_POSTING);
	else if (e.class == ERR_TRANSIENT)
		set_aside(s, job, DELIVERY_WAITING, notifier_utc_ms() + STORE_PAUSE_MS);
	else
		fail(s, job, &e);
}

/* True when it led to a post. */
static bool start(struct sending *s, struct job *job, int64_t now_ms)
{
	const struct tenant_apps *known = NULL;
	const struct app_authorisation *app;
	struct err e = { 0 };

	if (now_ms - job->since_ms > s->p->settings.lease_ms / 2) { /* we stood still; it may be another's by its end */
		set_aside(s, job, DELIVERY_WAITING, notifier_utc_ms());
		return false;
	}
	switch (directory_look(s->p->directory, job->claim->notice->ctx, now_ms - s->p->settings.recheck_ms, &known, &e)) {
	case DIRECTORY_ASKED:
		if (now_ms - job->since_ms > s->p->settings.lease_ms / 4)
			set_aside(s, job, DELIVERY_WAITING, notifier_utc_ms() + DEFER_MS);
		return false;
	case DIRECTORY_FAILED:
		set_aside(s, job, DELIVERY_WAITING, notifier_utc_ms() + DEFER_MS + chance_below(&s->chance, DEFER_MS));
		return false;
	default:
		break;
	}
	app = directory_approved(known, job->claim->client_id);
	if (app) {
		post(s, job, app);
	} else {
		log_info(s->p->log, NULL, "app is not approved any more", log_text("app", job->claim->client_id),
			 log_text("target", job->claim->notice->ctx));
		set_aside(s, job, DELIVERY_WITHDRAWN, 0);
	}
	directory_release(s->p->directory, &known);
	return app != NULL;
}

/* In turn; s->backlog says afterwards whether there was more to begin. */
static void start_some(struct sending *s)
{
	const int64_t now_ms = notifier_now_ms();
	const size_t limit = s->p->settings.limit, looking = s->looking;
	size_t started = 0, seen = 0;

	s->backlog = false;
	for (size_t i = 0; i < limit && seen < looking && !s->backlog; i++) {
		struct job *job = &s->jobs[s->start_at];

		s->start_at = (s->start_at + 1) % limit;
		if (job->state != JOB_LOOKING)
			continue;
		seen++;
		started += start(s, job, now_ms);
		s->backlog = started == STARTS_A_TURN || notifier_now_ms() - now_ms >= STARTS_FOR_MS;
	}
}

/* ---- claiming ---- */

static size_t slow_under_way(const struct sending *s, int64_t now_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < s->p->settings.limit; i++) {
		const struct job *job = &s->jobs[i];

		count += job->state != JOB_FREE &&
			 (job->claim->app_slow || (job->state == JOB_POSTING && now_ms - job->since_ms > HANGING_MS));
	}
	return count;
}

static struct claim_room room_now(const struct sending *s, int64_t now_ms)
{
	const size_t slow = slow_under_way(s, now_ms), posts = s->p->poster->room(s->p->poster);
	const size_t limit_slow = s->p->settings.limit_slow;
	struct claim_room room = { .max = s->free_count, .per_app = s->p->settings.limit_app };

	if (room.max + s->looking > posts)
		room.max = posts > s->looking ? posts - s->looking : 0;
	if (room.max > CLAIM_AHEAD)
		room.max = CLAIM_AHEAD;
	room.slow_max = slow < limit_slow ? limit_slow - slow : 0;
	return room;
}

static void take(struct sending *s, struct batch *batch, const struct claim *claims, size_t count)
{
	batch->left = count + 1;
	for (size_t i = 0; i < count; i++) {
		struct job *job = &s->jobs[s->free_slots[--s->free_count]];

		job->batch = batch;
		job->claim = &claims[i];
		become(s, job, JOB_LOOKING);
	}
	batch_release(batch);
}

static void store_failed(struct sending *s, const struct err *e)
{
	log_warn(s->p->log, NULL, "the store of deliveries cannot be used; trying again", LOG_ERR(e));
	s->store_after_ms = notifier_now_ms() + STORE_PAUSE_MS;
}

static void claim(struct sending *s)
{
	const int64_t now_ms = notifier_now_ms(), utc_ms = notifier_utc_ms();
	const struct claim_room room = room_now(s, now_ms);
	struct batch *batch;
	const struct claim *claims;
	struct err e = { 0 };
	int64_t next_ms;
	size_t count;

	if (room.max == 0) {
		s->claim_at_ms = now_ms + NO_ROOM_MS; /* a result comes sooner, mostly */
		return;
	}
	batch = calloc(1, sizeof *batch);
	if (batch)
		batch->mem = arena_new(BATCH_MAX_BYTES);
	if (!batch || !batch->mem) {
		free(batch);
		return;
	}
	atomic_store(s->p->news, false);
	if (!s->p->deliveries->claim(s->p->deliveries, utc_ms, s->p->settings.lease_ms, &room, batch->mem, &claims, &count,
	                             &next_ms, &e)) {
		count = 0;
		next_ms = -1;
		store_failed(s, &e);
	}
	take(s, batch, claims, count);
	s->claim_at_ms = now_ms + CLAIM_EVERY_MS;
	if (next_ms >= 0 && next_ms - utc_ms < CLAIM_EVERY_MS)
		s->claim_at_ms = next_ms > utc_ms ? now_ms + next_ms - utc_ms : now_ms;
}

/* ---- settling ---- */

static void take_results(struct sending *s)
{
	struct post_result result;

	while (s->p->poster->next(s->p->poster, &result)) {
		struct job *job = &s->jobs[result.tag];

		job->result = result;
		judge(s, job);
	}
}

static void settle(struct sending *s)
{
	struct settlement batch[DELIVERY_CLAIM_MAX];
	struct job *jobs[DELIVERY_CLAIM_MAX];
	struct err e = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < s->p->settings.limit && count < DELIVERY_CLAIM_MAX && count < s->settling; i++) {
		if (s->jobs[i].state != JOB_SETTLING)
			continue;
		jobs[count] = &s->jobs[i];
		batch[count++] = s->jobs[i].settlement;
	}
	if (!s->p->deliveries->settle(s->p->deliveries, batch, count, notifier_utc_ms(), &e)) {
		store_failed(s, &e);
		return;
	}
	for (size_t i = 0; i < count; i++)
		finish(s, jobs[i]);
	s->claim_at_ms = 0; /* what stood behind them may be due */
}

/* ---- turns ---- */

static void say_figures(struct sending *s)
{
	struct deliveries_figures f;
	struct err e = { 0 };
	int64_t utc_ms = notifier_utc_ms();

	s->figures_at_ms = notifier_now_ms() + FIGURES_EVERY_MS;
	metrics_set(s->p->metrics, METRIC_WEBHOOKS_UNDER_WAY, 0, 0, (int64_t)s->p->poster->under_way(s->p->poster));
	if (!s->p->deliveries->figures(s->p->deliveries, utc_ms, &f, &e)) {
		store_failed(s, &e);
		return;
	}
	metrics_set(s->p->metrics, METRIC_WEBHOOKS_WAITING, 0, 0, f.waiting);
	metrics_set(s->p->metrics, METRIC_APPS_OFF, 0, 0, f.apps_off);
	metrics_set(s->p->metrics, METRIC_WEBHOOKS_LAG, 0, 0, f.oldest_due_ms ? utc_ms - f.oldest_due_ms : 0);
}

static void turn(struct sending *s)
{
	int64_t now_ms = notifier_now_ms(), wait_ms = WAIT_MAX_MS;

	atomic_store(s->p->alive_ms, now_ms);
	take_results(s);
	if (s->settling && now_ms >= s->store_after_ms)
		settle(s);
	if (now_ms >= s->store_after_ms && now_ms >= s->figures_at_ms)
		say_figures(s);
	if (!s->draining && !s->backlog && now_ms >= s->store_after_ms &&
	    (now_ms >= s->claim_at_ms || atomic_load(s->p->news)))
		claim(s);
	if (!s->draining)
		start_some(s);
	if (s->claim_at_ms - now_ms < wait_ms)
		wait_ms = s->claim_at_ms > now_ms ? s->claim_at_ms - now_ms : 0;
	if (now_ms < s->store_after_ms || s->draining)
		wait_ms = WAIT_MAX_MS;
	if ((s->backlog && !s->draining) || (s->settling && now_ms >= s->store_after_ms))
		wait_ms = 0;
	s->p->poster->wait(s->p->poster, wait_ms);
	log_flush(s->p->log);
}

/* What was not begun goes back at once, and is another's if there is one. */
static void give_back(struct sending *s, enum job_state state)
{
	for (size_t i = 0; i < s->p->settings.limit; i++)
		if (s->jobs[i].state == state)
			set_aside(s, &s->jobs[i], DELIVERY_WAITING, notifier_utc_ms());
}

static void drain(struct sending *s)
{
	const int64_t until_ms = notifier_now_ms() + s->p->settings.drain_ms;

	s->draining = true;
	give_back(s, JOB_LOOKING);
	while (*s->p->stop < 2 && s->free_count < s->p->settings.limit && notifier_now_ms() < until_ms)
		turn(s);
	give_back(s, JOB_POSTING);
	while (s->settling && notifier_now_ms() < until_ms + STORE_PAUSE_MS) {
		size_t before = s->settling;

		settle(s);
		if (s->settling == before)
			break;
	}
}

static bool set_up(struct sending *s, struct err *e)
{
	const size_t limit = s->p->settings.limit;

	s->jobs = calloc(limit, sizeof *s->jobs);
	s->free_slots = calloc(limit, sizeof *s->free_slots);
	s->mem = arena_new(POST_MAX_BYTES);
	if (!s->jobs || !s->free_slots || !s->mem)
		return err_set(e, ERR_TRANSIENT, 0, "start", "out of memory");
	for (size_t i = 0; i < limit; i++)
		s->free_slots[s->free_count++] = limit - 1 - i;
	return true;
}

static void tear_down(struct sending *s)
{
	for (size_t i = 0; s->jobs && i < s->p->settings.limit; i++)
		if (s->jobs[i].state != JOB_FREE)
			batch_release(s->jobs[i].batch);
	arena_free(&s->mem);
	free(s->free_slots);
	free(s->jobs);
}

bool sending_run(const struct sending_parts *parts, struct err *e)
{
	struct sending s = { .p = parts, .chance = parts->settings.chance };
	bool ok = set_up(&s, e);

	if (ok) {
		while (!*parts->stop && !atomic_load(parts->broken))
			turn(&s);
		drain(&s);
	}
	tear_down(&s);
	return ok;
}
