/* SPDX-License-Identifier: Apache-2.0
 * clone replay: which steps a new run does and why, then one record on the replay topic. */
#include "consumer/core/replay.h"
#include "consumer/ctl/cmd_watch.h"
#include "consumer/ctl/commands.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/js.h"
#include "consumer/ctl/sight.h"
#include "consumer/ctl/wishes.h"

#include <stdio.h>
#include <string.h>

/* ---- what would run ---- */

struct replay_plan {
	step_set runs, cleared, changed; /* changed: begun again because of its inputs alone */
	enum step_id from; /* STEP_END: nothing is begun again, what is missing is done */
};

static struct replay_plan plan_of(const struct sight *s, const struct clone_replay *r, enum plan_order order)
{
	struct replay_plan p = { .from = replay_begins(r, s->snap.failed_step) };
	step_set scope = r->until_step[0] ? plan_ancestors(order, step_by_slug(r->until_step)) : ALL_STEPS;

	p.cleared = replay_clears(order, r, s->request ? &s->request->job : NULL, s->snap.failed_step);
	p.changed = p.from == STEP_END ? p.cleared : p.cleared & ~plan_descendants(order, p.from);
	p.runs = scope & ~(s->done & ~p.cleared);
	return p;
}

static const char *why(const struct replay_plan *p, const struct sight *s, enum step_id step, char *text, size_t size)
{
	step_set bit = STEP_BIT(step);

	if (step == p->from && (p->runs & bit))
		snprintf(text, size, "the run begins here");
	else if ((p->runs & bit) && (p->changed & s->done & bit))
		snprintf(text, size, "what it worked with is changed");
	else if ((p->runs & bit) && (p->cleared & ~p->changed & bit))
		snprintf(text, size, "comes after %s", steps[p->from].slug);
	else if (p->runs & bit)
		snprintf(text, size, "was never done");
	else if (s->done & bit)
		snprintf(text, size, "%s in an earlier run", step_outcome_name(s->snap.outcome[step]));
	else
		snprintf(text, size, "lies behind --until-step");
	return text;
}

static void print_table(struct ctl *c, const struct replay_plan *p, const struct sight *s)
{
	static const char *const titles[] = { "NN", "STEP", "DOES", "WHY" };
	struct grid g = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 0);
	char text[96];

	for (int i = 0; i < STEP_END; i++) {
		grid_text(&g, steps[i].nn);
		grid_text(&g, steps[i].slug);
		grid_text(&g, p->runs & STEP_BIT(i) ? "run" : "skip");
		grid_text(&g, why(p, s, (enum step_id)i, text, sizeof text));
	}
	grid_print(&g, c->titles, &c->out);
}

static void print_json(struct ctl *c, const struct replay_plan *p, const struct sight *s, bool sent)
{
	struct js j = { .out = &c->out, .lines = 2 };
	char text[96];

	js_object(&j, NULL);
	js_number(&j, "version", 1);
	js_flag(&j, "sent", sent);
	js_text(&j, "clone_id", s->id);
	js_text(&j, "target_ctx", s->target);
	js_number(&j, "run", s->snap.run + 1);
	js_array(&j, "steps");
	for (int i = 0; i < STEP_END; i++) {
		js_object(&j, NULL);
		js_number(&j, "number", i + 1);
		js_text(&j, "step", steps[i].slug);
		js_flag(&j, "runs", p->runs & STEP_BIT(i));
		js_text(&j, "why", why(p, s, (enum step_id)i, text, sizeof text));
		js_close(&j);
	}
	js_close(&j);
	js_close(&j);
}

/* ---- may it be ---- */

static bool check(struct ctl *c, const struct sight *s, const struct clone_replay *r, struct err *e)
{
	struct request_rules rules = c->desk->rules(c->desk);
	struct clone_request changed;

	if (s->snap.status != CLONE_FAILED && s->snap.status != CLONE_PAUSED)
		return err_set(e, ERR_REFUSED, 0, "state",
			       "clone %s is %s: only a failed or paused clone can be replayed", s->id, sight_status(s));
	if (s->snap.cancel_begun)
		return err_set(e, ERR_REFUSED, 0, "state", "the cancelling of clone %s broke off; cancel it again", s->id);
	if (!s->request)
		return true; /* what was asked for cannot be read here; the consumer looks at it */
	changed = *s->request;
	changed.confirmed = true;
	return request_apply_replay(&changed, r, e) && request_check(&changed, &rules, e);
}

static int say_sent(struct ctl *c, const struct replay_plan *p, const struct sight *s)
{
	struct err e = { 0 };
	struct watch_wish wish = { .id = s->id, .after_run = s->snap.run, .is_status_exit = true };

	if (c->format == CTL_JSON)
		print_json(c, p, s, true);
	else
		buf_printf(&c->out, "Asked for run %d: %d steps.\n", s->snap.run + 1, __builtin_popcountll(p->runs));
	ctl_flush(c);
	if (args_has(&c->args, "wait") && watch_timeout(c, &wish.within_ms, &e)) {
		c->format = CTL_TABLE;
		return watch_clone(c, &wish);
	}
	sight_await_change(c, s);
	ctl_talk(c, "Next: sandboxctl clone watch %s", s->id);
	return CTL_OK;
}

static int send_replay(struct ctl *c, const struct sight *s, const struct clone_replay *r)
{
	struct message *m = arena_take(c->mem, sizeof *m);
	struct err e = { 0 };

	if (!m)
		return CTL_UNAVAILABLE;
	m->kind = MESSAGE_REPLAY;
	m->replay = *r;
	return ctl_send(c, m, TOPIC_REPLAY, s->target, r->traceparent, &e) ? CTL_OK : ctl_fail(c, &e);
}

static int replay(struct ctl *c, const struct sight *s, struct clone_replay *r)
{
	bool strict = strcmp(config_text(c->desk->config(c->desk), CONF_ENGINE_PLAN), "strict") == 0;
	struct replay_plan p = plan_of(s, r, strict ? PLAN_STRICT : PLAN_PARALLEL);
	struct err e = { 0 };
	int rc;

	r->clone_id = s->id;
	r->target_ctx = s->target;
	r->expected_generation = s->snap.generation;
	r->requested_by = ctl_asker(c);
	if (!check(c, s, r, &e)) {
		ctl_fail(c, &e);
		return strcmp(e.where, "state") == 0 ? CTL_CONFLICT : (int)ctl_exit_for(&e);
	}
	if (!p.runs) {
		ctl_talk(c, "sandboxctl: nothing would run: every step up to %s is done", r->until_step);
		return CTL_USAGE;
	}
	if (args_has(&c->args, "dry-run")) {
		if (c->format == CTL_JSON)
			print_json(c, &p, s, false);
		else
			print_table(c, &p, s);
		return CTL_OK;
	}
	rc = send_replay(c, s, r);
	return rc ? rc : say_sent(c, &p, s);
}

int cmd_clone_replay(struct ctl *c)
{
	struct clone_replay r = { 0 };
	struct inspect_clone clone;
	struct err e = { 0 };
	struct sight s;
	int64_t within_ms;
	int rc;

	if (!wishes_take_replay(&r, &c->args, &e) || !watch_timeout(c, &within_ms, &e) || !ctl_configure(c, &e))
		return ctl_fail(c, &e);
	if (!r.reason[0] && !args_has(&c->args, "dry-run")) {
		ctl_talk(c, "sandboxctl: clone replay needs --reason TEXT: it is kept with the clone");
		return CTL_USAGE;
	}
	rc = sight_find(c, c->args.operands[0], &clone);
	if (rc)
		return rc;
	sight_make(c, &clone, false, &s);
	rc = replay(c, &s, &r);
	sight_done(&s);
	return rc;
}
