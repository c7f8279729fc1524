/* SPDX-License-Identifier: Apache-2.0
 * partner test: a conformance kit for one app's endpoint. What is sent are real notices about the tenant, good and bad
 * ones, one after the other; what an endpoint should do with each is in docs/partners.md. */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/js.h"

#include <stdio.h>
#include <string.h>

enum { LATE_MS = 10 * 60 * 1000, CELL_MAX = 512 };

struct trial_row {
	const char *name, *sentence;
	int number;     /* of the event it is about; the same number is the same event */
	int64_t age_ms;
	bool is_forged;
	bool is_good;   /* is to be answered 2xx; otherwise 4xx */
};

/* In this order: the duplicate follows its original, the older event comes behind the newer. */
static const struct trial_row rows[] = {
	{ "signed", "a notice as it should be", 2, 0, false, true },
	{ "duplicated", "the same once more: drop it, but say 2xx", 2, 0, false, true },
	{ "out of order", "an event before that one: drop it, but say 2xx", 1, 0, false, true },
	{ "late", "made 10 minutes ago, as somebody would send who had caught it: refuse", 3, LATE_MS, false, false },
	{ "forged", "changed after it was signed: refuse", 4, 0, true, false },
};

enum { TRIALS = sizeof rows / sizeof *rows };

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED };

struct trial {
	const struct trial_row *row;
	struct post_result result;
	enum verdict verdict;
	const char *why; /* of a failure or skip */
};

static const char *verdict_name(enum verdict verdict)
{
	return verdict == VERDICT_PASSED ? "passed" : verdict == VERDICT_FAILED ? "FAILED" : "skipped";
}

static void judge(struct trial *t, bool was_signed)
{
	const struct post_result *r = &t->result;
	const bool is_2xx = r->end == POST_ANSWERED && r->status >= 200 && r->status < 300;
	const bool is_4xx = r->end == POST_ANSWERED && r->status >= 400 && r->status < 500;

	t->verdict = (t->row->is_good ? is_2xx : is_4xx) ? VERDICT_PASSED : VERDICT_FAILED;
	if (t->verdict == VERDICT_PASSED)
		t->why = "";
	else if (t->row->is_forged && !was_signed) {
		t->verdict = VERDICT_SKIPPED;
		t->why = "the app has no secret and we have no ed25519 key: only the token is proof";
	} else if (r->end != POST_ANSWERED)
		t->why = r->text;
	else
		t->why = t->row->is_good ? "it should answer 2xx" : is_2xx ? "it took what it must refuse" :
			"it should answer 4xx";
}

static bool run(struct ctl *c, const char *ctx, const char *name, struct trial *t, struct err *e)
{
	const struct desk_trial trial = { .ctx = ctx, .client_id = c->args.operands[0],
		.event_id = arena_printf(c->mem, "test/%s/%d", name, t->row->number), .age_ms = t->row->age_ms,
		.is_forged = t->row->is_forged };
	bool was_signed = false;

	if (!trial.event_id)
		return err_set(e, ERR_TRANSIENT, 0, "partner", "out of memory");
	if (!c->desk->try_partner(c->desk, &trial, &t->result, &was_signed, e))
		return false;
	judge(t, was_signed);
	return true;
}

static void print_table(struct ctl *c, const struct trial *trials)
{
	static const char *const titles[] = { "NOTICE", "VERDICT", "HTTP", "TOOK", "WHY" };
	struct grid g = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 1u << 2);
	struct buf cell;

	buf_init(&cell, CELL_MAX);
	for (int i = 0; i < TRIALS; i++) {
		grid_text(&g, trials[i].row->name);
		grid_text(&g, verdict_name(trials[i].verdict));
		if (trials[i].result.status)
			buf_printf(&cell, "%d", trials[i].result.status);
		grid_take(&g, &cell);
		human_duration(&cell, trials[i].result.took_ms);
		grid_take(&g, &cell);
		grid_text(&g, trials[i].why);
	}
	grid_print(&g, c->titles, &c->out);
	buf_done(&cell);
}

static void print_json(struct ctl *c, const struct trial *trials, bool passed)
{
	struct js j = { .out = &c->out, .lines = 2 };

	js_object(&j, NULL);
	js_number(&j, "version", 1);
	js_text(&j, "client_id", c->args.operands[0]);
	js_flag(&j, "passed", passed);
	js_array(&j, "trials");
	for (int i = 0; i < TRIALS; i++) {
		js_object(&j, NULL);
		js_text(&j, "notice", trials[i].row->name);
		js_text(&j, "sentence", trials[i].row->sentence);
		js_text(&j, "verdict", verdict_name(trials[i].verdict));
		js_number(&j, "status", trials[i].result.status);
		js_number(&j, "took_ms", trials[i].result.took_ms);
		js_text(&j, "why", trials[i].why[0] ? trials[i].why : NULL);
		js_close(&j);
	}
	js_close(&j);
	js_close(&j);
}

static int confirm(struct ctl *c, const char *ctx)
{
	char what[256];

	snprintf(what, sizeof what, "The app is told %d times that the sandbox %.60s was rebuilt, which it was not", TRIALS, ctx);
	return ctl_confirm(c, what, c->args.operands[0]);
}

int cmd_partner_test(struct ctl *c)
{
	const char *ctx = args_text(&c->args, "tenant");
	char name[DESK_ID_TEXT];
	struct trial trials[TRIALS] = { 0 };
	struct err e = { 0 };
	bool passed = true;
	int rc;

	if (!ctx) {
		ctl_talk(c, "sandboxctl: partner test needs --tenant TENANT: the one that approved the app");
		return CTL_USAGE;
	}
	if (!ctl_configure(c, &e) || !c->desk->new_id(c->desk, name, &e))
		return ctl_fail(c, &e);
	rc = confirm(c, ctx);
	if (rc)
		return rc;
	for (int i = 0; i < TRIALS; i++) {
		trials[i].row = &rows[i];
		if (!run(c, ctx, name, &trials[i], &e))
			return ctl_fail(c, &e);
		passed &= trials[i].verdict != VERDICT_FAILED;
	}
	if (c->format == CTL_JSON)
		print_json(c, trials, passed);
	else
		print_table(c, trials);
	return passed ? CTL_OK : CTL_FAILED;
}
