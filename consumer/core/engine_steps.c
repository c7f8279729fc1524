/* SPDX-License-Identifier: Apache-2.0
 * Running the steps of a clone: what may start, what came back, when to try again, what stands still. */
#include "consumer/core/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct step_run *find_run(const struct clone *c, enum step_id step)
{
	for (struct step_run *r = c->runs; r; r = r->next)
		if (r->step == step)
			return r;
	return NULL;
}

static void drop_run(struct clone *c, struct step_run *run)
{
	for (struct step_run **p = &c->runs; *p; p = &(*p)->next)
		if (*p == run) {
			*p = run->next;
			free(run);
			return;
		}
}

/* ---- the queue of what is ready ---- */

static void enqueue(struct engine *e, struct clone *c, struct step_run *run)
{
	run->state = RUN_READY;
	if (e->ready_count == e->ready_size) {
		size_t size = e->ready_size ? 2 * e->ready_size : 64;
		struct ready_entry *grown = malloc(size * sizeof *grown);

		if (!grown) {
			e->out_of_memory = true;
			return;
		}
		for (size_t i = 0; i < e->ready_count; i++)
			grown[i] = e->ready[(e->ready_head + i) % e->ready_size];
		free(e->ready);
		e->ready = grown;
		e->ready_head = 0;
		e->ready_size = size;
	}
	e->ready[(e->ready_head + e->ready_count++) % e->ready_size] = (struct ready_entry){ c->ref, run->step };
}

static void begin_step(struct engine *e, struct clone *c, enum step_id step)
{
	struct step_run *run = calloc(1, sizeof *run);

	if (!run) {
		e->out_of_memory = true;
		return;
	}
	run->step = step;
	run->next = c->runs;
	c->runs = run;
	enqueue(e, c, run);
}

void steps_advance(struct engine *e, struct clone *c)
{
	step_set ready;

	if (c->want_pause || c->want_cancel || c->give_up_step >= 0 || c->snap.status != CLONE_RUNNING)
		return;
	ready = plan_ready(e->policy.order, snapshot_done(&c->snap)) & c->snap.scope;
	for (int i = 0; i < STEP_END; i++)
		if ((ready & STEP_BIT(i)) && !find_run(c, (enum step_id)i))
			begin_step(e, c, (enum step_id)i);
}

bool steps_start_aside(struct engine *e, struct clone *c)
{
	if (find_run(c, STEP_END))
		return false;
	begin_step(e, c, STEP_END);
	return true;
}

static enum step_aside aside_of(const struct clone *c)
{
	if (c->sweeping)
		return ASIDE_SWEEP;
	return c->snap.status == CLONE_CANCELLING ? ASIDE_CLEAN_UP : c->snap.status == CLONE_ROLLING_BACK ? ASIDE_ROLL_BACK :
		ASIDE_UNSET;
}

static const char *slug_of(enum step_id step)
{
	return step == STEP_END ? "cleanup" : steps[step].slug;
}

static unsigned ports_of(enum step_id step)
{
	return step == STEP_END ? 0 : steps[step].ports;
}

static bool look_again(struct engine *e, int64_t at_ms)
{
	if (!e->room_at_ms || at_ms < e->room_at_ms)
		e->room_at_ms = at_ms;
	return false;
}

/* May one more call use that system now? */
static bool port_has_room(struct engine *e, struct step_run *run, int port)
{
	const struct breaker *breaker = &e->breakers[port];
	int64_t free_ms = bucket_free_ms(&e->buckets[port], e->now_ms, e->policy.port_rate[port]);

	if (e->port_running[port] >= e->policy.port_limit[port])
		return false;
	if (!breaker_allows(breaker, e->now_ms))
		return look_again(e, breaker->open_until_ms > e->now_ms ? breaker->open_until_ms : e->now_ms + 1000);
	if (free_ms <= e->now_ms)
		return true;
	e->port_throttled[port] += !run->throttled;
	run->throttled = true;
	return look_again(e, free_ms);
}

static bool has_room(struct engine *e, struct clone *c, struct step_run *run)
{
	if (c->running >= e->policy.max_running_a_clone)
		return false;
	for (int p = 0; p < PORT_END; p++)
		if ((ports_of(run->step) & (1u << p)) && !port_has_room(e, run, p))
			return false;
	return true;
}

static void start(struct engine *e, struct clone *c, struct step_run *run)
{
	struct effect *fx;

	run->state = RUN_RUNNING;
	run->attempt++;
	run->aborted = run->stalled = run->throttled = false;
	run->moved_ms = e->now_ms;
	if (!run->first_ms)
		run->first_ms = e->now_ms;
	c->running++;
	e->running++;
	for (int p = 0; p < PORT_END; p++)
		if (ports_of(run->step) & (1u << p)) {
			e->port_running[p]++;
			breaker_started(&e->breakers[p], e->now_ms);
			bucket_take(&e->buckets[p], e->now_ms, e->policy.port_rate[p]);
		}
	fx = engine_emit(e, FX_START_STEP, c);
	fx->step = run->step;
	fx->aside = run->step == STEP_END ? aside_of(c) : ASIDE_UNSET;
	fx->run = c->snap.run;
	fx->attempt = run->attempt;
	fx->acted = run->acted;
	fx->moved = run->moved;
	fx->fresh_lease = !c->token_used;
	fx->text = run->waiting_on[0] ? engine_text(e, run->waiting_on) : "";
	run->waiting_on[0] = '\0';
}

static bool may_run(const struct clone *c, enum step_id step)
{
	if (c->phase != CLONE_WORKING || c->lost || c->leaving)
		return false;
	if (step == STEP_END)
		return aside_of(c) != ASIDE_UNSET;
	return c->snap.status == CLONE_RUNNING && !c->want_pause && !c->want_cancel && c->give_up_step < 0;
}

void steps_start_ready(struct engine *e)
{
	enum { LOOK_AT_MOST = 512 }; /* what a full outside system blocks is looked at again in the next turn */
	size_t looks = e->ready_count < LOOK_AT_MOST ? e->ready_count : LOOK_AT_MOST;

	e->room_at_ms = 0;
	while (looks-- && e->running < e->policy.max_running) {
		struct ready_entry entry = e->ready[e->ready_head];
		struct clone *c = engine_clone(e, entry.ref);
		struct step_run *run = c ? find_run(c, entry.step) : NULL;

		e->ready_head = (e->ready_head + 1) % e->ready_size;
		e->ready_count--;
		if (!run || run->state != RUN_READY)
			continue;
		if (!may_run(c, run->step)) {
			c->sweeping = false;
			drop_run(c, run);
			engine_touch(e, c);
		} else if (has_room(e, c, run)) {
			start(e, c, run);
		} else {
			enqueue(e, c, run);
		}
	}
}

static void life_sign(const struct engine *e, struct step_run *run)
{
	if (e->now_ms - run->moved_ms > run->still_ms)
		run->still_ms = e->now_ms - run->moved_ms;
	run->moved_ms = e->now_ms;
}

/* ---- what came back ---- */

static bool failed_for_now_only(const struct step_result *r)
{
	return r->outcome == STEP_RETRY || r->outcome == STEP_UNSURE;
}

static bool counts_against_system(const struct step_result *r)
{
	return failed_for_now_only(r) && r->err.code != ERR_CODE_ABORTED && r->err.code != ERR_CODE_FENCED;
}

static void leave_ports(struct engine *e, enum step_id step, const struct step_result *r)
{
	for (int p = 0; p < PORT_END; p++) {
		if (!(ports_of(step) & (1u << p)))
			continue;
		e->port_running[p]--;
		e->port_failures[p] += counts_against_system(r);
		/* A failed step of several systems does not say which one it was: only a system used alone is blamed. */
		if (counts_against_system(r) && ports_of(step) == (1u << p))
			breaker_failed(&e->breakers[p], e->now_ms, e->policy.breaker_failures, e->policy.breaker_open_ms);
		else if (failed_for_now_only(r))
			breaker_untold(&e->breakers[p]);
		else
			breaker_succeeded(&e->breakers[p]);
	}
}

static void complete(struct engine *e, struct clone *c, struct step_run *run, const struct step_result *r)
{
	struct completion *done = calloc(1, sizeof *done), **last = &c->completions;

	if (!done) {
		e->out_of_memory = true;
		return;
	}
	done->step = run->step;
	done->attempt = run->attempt;
	done->still_ms = run->still_ms;
	done->result = *r;
	while (*last)
		last = &(*last)->next;
	*last = done;
}

static void give_up(struct engine *e, struct clone *c, enum step_id step, const struct err *err, bool is_pause)
{
	if (c->give_up_step >= 0 && !c->give_up_is_pause)
		return;
	if (!c->give_up)
		c->give_up = malloc(sizeof *c->give_up);
	if (!c->give_up) {
		e->out_of_memory = true;
		return;
	}
	c->give_up_step = (int)step;
	c->give_up_is_pause = is_pause;
	*c->give_up = *err;
}

static void wait(struct engine *e, struct clone *c, struct step_run *run, int64_t delay_ms)
{
	if (delay_ms <= 0) {
		enqueue(e, c, run);
		return;
	}
	run->state = RUN_WAITING;
	run->wake_ms = e->now_ms + delay_ms;
	engine_wake_at(e, c, run->wake_ms);
}

static bool deadline_passed(const struct engine *e, const struct step_run *run)
{
	return run->step != STEP_END && e->now_ms - run->first_ms > steps[run->step].deadline_ms;
}

/* What an operator shall read: not that it was asked to stop, but why. */
static struct err failure_of(const struct engine *e, const struct step_run *run, const struct step_result *r)
{
	struct err stalled = { 0 };

	if (r->err.code != ERR_CODE_ABORTED)
		return r->err;
	err_set(&stalled, ERR_TRANSIENT, 0, slug_of(run->step), "it moved nothing for %lld seconds and was stopped",
		(long long)e->policy.stall_after_ms / 1000);
	return stalled;
}

static void failed_for_now(struct engine *e, struct clone *c, struct step_run *run, const struct step_result *r)
{
	struct err err = failure_of(e, run, r);

	if (r->err.code == ERR_CODE_FENCED) {
		c->lost = true;
		return;
	}
	if (r->err.code == ERR_CODE_ABORTED && !run->stalled) {
		wait(e, c, run, 0);
		return;
	}
	if (!run->failing_ms)
		run->failing_ms = e->now_ms;
	run->acted = run->acted || r->outcome == STEP_UNSURE;
	if (e->now_ms - run->failing_ms >= e->policy.retry_budget_ms || deadline_passed(e, run)) {
		give_up(e, c, run->step, &err, true);
		drop_run(c, run);
		return;
	}
	snprintf(run->waiting_on, sizeof run->waiting_on, "%.95s", err.text);
	wait(e, c, run, retry_delay_ms(&e->chance, run->attempt, e->policy.retry_first_ms, e->policy.retry_cap_ms));
}

static void waits(struct engine *e, struct clone *c, struct step_run *run, const struct step_result *r)
{
	run->failing_ms = 0;
	if (!r->waiting_on[0]) {
		run->acted = true;
		run->attempt--; /* more of the same work is no new try */
	} else if (deadline_passed(e, run)) {
		struct err late = { 0 };

		err_set(&late, ERR_TRANSIENT, 0, slug_of(run->step), "its deadline passed while waiting on %s", r->waiting_on);
		give_up(e, c, run->step, &late, true);
		drop_run(c, run);
		return;
	}
	memcpy(run->waiting_on, r->waiting_on, sizeof run->waiting_on);
	wait(e, c, run, r->delay_ms);
}

void steps_returned(struct engine *e, struct clone *c, const struct input *in)
{
	struct step_run *run = find_run(c, in->step);
	const struct step_result *r = in->result;

	if (!run || run->state != RUN_RUNNING)
		return;
	c->running--;
	e->running--;
	life_sign(e, run);
	leave_ports(e, run->step, r);
	if (c->sweeping) {
		c->sweeping = false; /* whatever came of it: the next survey comes */
		c->lost |= r->err.code == ERR_CODE_FENCED;
		drop_run(c, run);
		return;
	}
	if (in->token != c->token || c->lost) {
		drop_run(c, run); /* an old lease's result: whoever has the lease now looks again */
		return;
	}
	c->touched |= run->step == STEP_END && r->acted;
	c->token_used |= r->outcome != STEP_RETRY && r->outcome != STEP_UNSURE;
	switch (r->outcome) {
	case STEP_DONE:
	case STEP_ALREADY:
	case STEP_SKIPPED:
		complete(e, c, run, r);
		drop_run(c, run);
		break;
	case STEP_WAIT:
		waits(e, c, run, r);
		break;
	case STEP_RETRY:
	case STEP_UNSURE:
		failed_for_now(e, c, run, r);
		break;
	default:
		if (r->err.code == ERR_CODE_FENCED) {
			c->lost = true;
		} else {
			give_up(e, c, run->step, &r->err, false);
			complete(e, c, run, r);
		}
		drop_run(c, run);
		break;
	}
}

/* ---- life signs and ends ---- */

void steps_moved(struct engine *e, struct clone *c, const struct input *in)
{
	struct step_run *run = find_run(c, in->step);

	if (!run || in->token != c->token)
		return;
	life_sign(e, run);
	run->moved = in->moved;
}

static void abort_run(struct engine *e, struct clone *c, struct step_run *run)
{
	struct effect *fx;

	if (run->state != RUN_RUNNING || run->aborted)
		return;
	run->aborted = true;
	fx = engine_emit(e, FX_ABORT_STEP, c);
	fx->step = run->step;
}

void steps_abort_all(struct engine *e, struct clone *c)
{
	for (struct step_run *r = c->runs; r; r = r->next)
		abort_run(e, c, r);
}

void steps_forget_all(struct engine *e, struct clone *c)
{
	struct step_run *next;

	(void)e;
	for (struct step_run *r = c->runs; r; r = next) {
		next = r->next;
		if (r->state != RUN_RUNNING)
			drop_run(c, r);
	}
	while (c->completions) {
		struct completion *done = c->completions;

		c->completions = done->next;
		free(done);
	}
	engine_clear_give_up(c);
}

void steps_wake_due(struct engine *e, struct clone *c)
{
	for (struct step_run *r = c->runs; r; r = r->next)
		if (r->state == RUN_WAITING && r->wake_ms <= e->now_ms)
			enqueue(e, c, r);
}

void steps_wake_all(struct engine *e, struct clone *c)
{
	for (struct step_run *r = c->runs; r; r = r->next)
		if (r->state == RUN_WAITING) {
			r->failing_ms = 0;
			enqueue(e, c, r);
		}
}

void steps_check_stalled(struct engine *e, struct clone *c)
{
	for (struct step_run *r = c->runs; r; r = r->next)
		if (r->state == RUN_RUNNING && e->now_ms - r->moved_ms > e->policy.stall_after_ms) {
			r->stalled = true;
			abort_run(e, c, r);
		}
}
