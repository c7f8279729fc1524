/* SPDX-License-Identifier: Apache-2.0
 * Handlers in the simulation: every step looks, acts, looks again, and is switched out at each of these port calls.
 * The target takes an effect only with a token not older than the one it has seen. */
#include "tests/support/sim_priv.h"

#include <stdlib.h>
#include <string.h>

/* Stacks are kept over the seeds of a batch. */
static char *spare_stacks[SIM_COROUTINES];
static int spare_count;

void sim_stacks_free(void)
{
	while (spare_count)
		free(spare_stacks[--spare_count]);
}

static void port_call(struct sim_coroutine *co)
{
	swapcontext(&co->context, &co->sim->main_context);
}

/* ---- what a handler does ---- */

/* A new owner raises the stamp before it looks: from then on the old one is refused (design section 6). */
static bool look(struct sim_coroutine *co)
{
	struct sim_target *t = &co->sim->targets[co->clone];

	port_call(co);
	if (t->stamp_token < co->token)
		t->stamp_token = co->token;
	return t->done[co->step] && co->sim->bug != SIM_BUG_NO_LEDGER;
}

static bool fenced(struct sim_coroutine *co)
{
	struct sim_target *t = &co->sim->targets[co->clone];

	if (t->stamp_token <= co->token || co->sim->bug == SIM_BUG_NO_FENCE)
		return false;
	co->sim->counts->fenced_effect++;
	co->result.outcome = STEP_REFUSED;
	err_set(&co->result.err, ERR_REFUSED, ERR_CODE_FENCED, "sim", "a newer owner has taken over");
	return true;
}

static const char *slug_of(const struct sim_coroutine *co)
{
	return co->step == STEP_END ? step_aside_name(co->aside) : steps[co->step].slug;
}

/* A clone that got its lease after a newer one was complete would replace the newer sandbox by the old. */
static void check_not_superseded(struct sim_coroutine *co)
{
	struct sim *s = co->sim;

	for (int i = 0; i < s->clone_count && (co->step != STEP_END || co->aside == ASIDE_ROLL_BACK); i++)
		if (sim_target_of(i) == sim_target_of(co->clone) && s->targets[i].began > s->targets[co->clone].began &&
		    co->token > s->targets[i].began && s->stored[i].found && s->stored[i].snapshot.status == CLONE_COMPLETED)
			sim_broken(s, "clone %d: %s on a target that clone %d has completed since", co->clone, slug_of(co), i);
}

static void effect(struct sim_coroutine *co)
{
	struct sim *s = co->sim;
	struct sim_target *t = &s->targets[co->clone];

	check_not_superseded(co);
	if (t->run_of_effect[co->step] != co->run) {
		t->run_of_effect[co->step] = co->run;
		t->effects[co->step] = 0;
	}
	t->done[co->step] = true;
	if (++t->effects[co->step] > 1)
		sim_broken(s, "clone %d: step %s had its effect twice", co->clone,
			slug_of(co));
	if (co->step == STEP_END)
		t->dropped = true;
	else if (t->dropped)
		sim_broken(s, "clone %d: step %s acts on a dropped generation", co->clone, steps[co->step].slug);
	for (int i = 0; co->step != STEP_END && i < STEP_END; i++)
		if ((steps[co->step].after & STEP_BIT(i)) && !t->done[i])
			sim_broken(s, "clone %d: %s before %s", co->clone, steps[co->step].slug, steps[i].slug);
}

static void fail(struct sim_coroutine *co, enum step_outcome outcome, enum err_class class, int code)
{
	co->result.outcome = outcome;
	err_set(&co->result.err, class, code, "sim", "a simulated failure");
}

static bool goes_wrong(struct sim_coroutine *co)
{
	struct sim *s = co->sim;
	bool waits_in_service = co->step == STEP_wait_web_config; /* long enough for cancels to meet it there */

	if (co->stop) {
		fail(co, STEP_RETRY, ERR_TRANSIENT, ERR_CODE_ABORTED);
		return true;
	}
	if (sim_fault(s, 12) || s->now < s->systems_down_until) {
		s->counts->step_failed++;
		fail(co, STEP_RETRY, ERR_TRANSIENT, 0);
		return true;
	}
	if ((s->faults & 1) && sim_fault(s, 2)) {
		s->counts->step_refused++;
		fail(co, STEP_REFUSED, ERR_REFUSED, 0);
		return true;
	}
	if (sim_fault(s, waits_in_service ? 300 : 20)) {
		co->result.outcome = STEP_WAIT;
		co->result.delay_ms = sim_chance(s, waits_in_service ? 2000 : 200);
		memcpy(co->result.waiting_on, "a task", 7);
		return true;
	}
	return false;
}

/* Its database is the target's, and no newer clone's. */
static bool is_in_service(const struct sim *s, int clone)
{
	const struct sim_target *t = &s->targets[clone];

	for (int i = 0; i < s->clone_count; i++)
		if (sim_target_of(i) == sim_target_of(clone) && s->targets[i].began > t->began &&
		    s->targets[i].done[STEP_enter_running_mode])
			return false;
	return t->done[STEP_enter_running_mode] && !t->dropped;
}

/* Only looks here: what a sweep drops is nobody's. The engine must have begun it where nobody is at work. */
static void check_sweep(struct sim *s, const struct sim_coroutine *co)
{
	const struct sim_lease *l = &s->leases[sim_target_of(co->clone)];
	const struct sim_stored *stored = &s->stored[co->clone];

	if (l->consumer != co->consumer || l->life != co->life || l->token != co->token || l->until <= s->now)
		return; /* it does not know yet that somebody else is the owner; then the fence is what stops it */
	s->counts->swept++;
	if (!stored->found || !clone_status_is_at_rest(stored->snapshot.status) || l->active != co->clone)
		sim_broken(s, "clone %d: its target is swept though somebody may be at work there", co->clone);
}

static void handle(struct sim_coroutine *co)
{
	struct sim *s = co->sim;
	bool was = look(co);

	co->result.acted = co->acted || was;
	if (goes_wrong(co))
		return;
	if (co->aside == ASIDE_SWEEP) {
		co->result.outcome = STEP_ALREADY;
		return;
	}
	if (co->aside == ASIDE_CLEAN_UP && s->nothing_before && is_in_service(s, co->clone)) {
		s->counts->cancelled_too_late++;
		co->result.outcome = STEP_REFUSED;
		err_set(&co->result.err, ERR_REFUSED, ERR_CODE_TOO_LATE, "sim", SIM_TOO_LATE);
		return;
	}
	if (was) {
		co->result.outcome = co->acted ? STEP_DONE : STEP_ALREADY;
		return;
	}
	if (sim_fault(s, 3)) {
		s->counts->step_stalled++;
		co->hang = true;
		while (co->hang && !co->stop)
			port_call(co);
		fail(co, STEP_RETRY, ERR_TRANSIENT, co->stop ? ERR_CODE_ABORTED : 0);
		return;
	}
	port_call(co);
	if (fenced(co))
		return;
	co->result.acted = true;
	effect(co);
	if (sim_fault(s, 8)) {
		s->counts->step_unsure++;
		fail(co, STEP_UNSURE, ERR_UNSURE, 0);
		return;
	}
	port_call(co);
	co->result.outcome = STEP_DONE;
}

/* ---- switching ---- */

static void entry(unsigned low, unsigned high)
{
	struct sim_coroutine *co = (struct sim_coroutine *)(((uintptr_t)high << 32) | low);

	handle(co);
	co->done = true;
	swapcontext(&co->context, &co->sim->main_context);
}

static void plan_turn(struct sim *s, struct sim_coroutine *co)
{
	struct sim_event *event = sim_plan(s, 1 + sim_chance(s, co->hang ? 400 : 12), SIM_STEP_TURN, co->consumer);

	event->life = 0;
	event->coroutine = (int)(co - s->coroutines);
}

static struct sim_coroutine *free_coroutine(struct sim *s)
{
	for (int i = 0; i < SIM_COROUTINES; i++)
		if (!s->coroutines[i].used)
			return &s->coroutines[i];
	abort();
}

static void make_context(struct sim_coroutine *co)
{
	uintptr_t p = (uintptr_t)co;

	co->stack = spare_count ? spare_stacks[--spare_count] : malloc(SIM_STACK_BYTES);
	getcontext(&co->context);
	co->context.uc_stack.ss_sp = co->stack;
	co->context.uc_stack.ss_size = SIM_STACK_BYTES;
	co->context.uc_link = NULL;
	makecontext(&co->context, (void (*)(void))entry, 2, (unsigned)p, (unsigned)(p >> 32));
}

void sim_handler_start(struct sim *s, int consumer, const struct effect *fx)
{
	struct sim_coroutine *co = free_coroutine(s);

	*co = (struct sim_coroutine){ .used = true, .consumer = consumer, .life = s->consumers[consumer].life,
		.ref = fx->ref, .run = fx->run, .step = fx->step, .aside = fx->aside, .token = fx->token, .acted = fx->acted, .sim = s };
	for (int i = 0; i < s->clone_count; i++)
		if (strcmp(s->ids[i], fx->clone_id) == 0)
			co->clone = i;
	if (co->step == STEP_END && co->aside == ASIDE_UNSET)
		sim_broken(s, "clone %d: something runs beside the plan, but what?", co->clone);
	if (co->aside == ASIDE_SWEEP)
		check_sweep(s, co);
	make_context(co);
	s->counts->steps++;
	plan_turn(s, co);
}

static void end(struct sim_coroutine *co)
{
	spare_stacks[spare_count++] = co->stack;
	co->used = false;
}

void sim_handler_turn(struct sim *s, struct sim_event *event)
{
	struct sim_coroutine *co = &s->coroutines[event->coroutine];
	struct input in = { .kind = IN_STEP };

	if (!co->used)
		return;
	/* A killed process's last call may still be on its way: it takes one more turn, then is never resumed. */
	if (co->life != s->consumers[co->consumer].life) {
		if (co->abandoned) {
			end(co);
			return;
		}
		co->abandoned = true;
	} else if (s->consumers[co->consumer].paused_until > s->now) {
		plan_turn(s, co);
		return;
	}
	swapcontext(&s->main_context, &co->context);
	if (!co->done || co->abandoned) {
		plan_turn(s, co);
		return;
	}
	in.ref = co->ref;
	in.step = co->step;
	in.token = co->token;
	in.result = &co->result;
	end(co);
	sim_feed(s, co->consumer, &in);
}

void sim_handler_abort(struct sim *s, int consumer, const struct effect *fx)
{
	for (int i = 0; i < SIM_COROUTINES; i++) {
		struct sim_coroutine *co = &s->coroutines[i];

		if (co->used && co->consumer == consumer && co->life == s->consumers[consumer].life && co->ref == fx->ref &&
		    co->step == fx->step)
			co->stop = true;
	}
}

void sim_handlers_forget(struct sim *s, int consumer, uint32_t life)
{
	for (int i = 0; i < SIM_COROUTINES; i++)
		if (s->coroutines[i].used && s->coroutines[i].consumer == consumer && s->coroutines[i].life == life)
			end(&s->coroutines[i]);
}
