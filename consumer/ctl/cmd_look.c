/* SPDX-License-Identifier: Apache-2.0
 * clone plan, list, show. */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/deliveries_look.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/look.h"

#include <string.h>
#include <strings.h>

enum { LIST_STANDARD = 50, ID_SHOWN_MIN = 8, CELL_MAX = 512 };

int cmd_clone_plan(struct ctl *c)
{
	enum plan_order order = args_has(&c->args, "strict") ? PLAN_STRICT : PLAN_PARALLEL;
	enum plan_format format = c->format == CTL_JSON      ? PLAN_JSON
				  : c->format == CTL_MERMAID ? PLAN_MERMAID
							     : PLAN_TEXT;

	return plan_print(order, format, &c->out) ? CTL_OK : CTL_FAILED;
}

/* ---- list ---- */

/* How much of the ids tells them apart. */
static size_t shown_length(const struct inspect_clone *clones, size_t count)
{
	size_t shown = ID_SHOWN_MIN;

	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			while (shown < CLONE_ID_MAX && strncmp(clones[i].clone_id, clones[j].clone_id, shown) == 0)
				shown++;
	return shown;
}

static bool is_wanted(const struct ctl *c, const struct sight *s)
{
	const char *target = args_text(&c->args, "target"), *status;
	bool any = !args_has(&c->args, "status");
	size_t at = 0;

	while ((status = args_next(&c->args, "status", &at)) != NULL)
		any |= strcasecmp(status, sight_status(s)) == 0;
	return any && (!target || strcmp(target, s->target) == 0);
}

static void add_row(struct ctl *c, struct grid *g, const struct sight *s, size_t shown)
{
	enum step_id step = sight_step(s);
	struct buf cell;

	buf_init(&cell, CELL_MAX);
	buf_printf(&cell, "%.*s", (int)shown, s->id);
	grid_take(g, &cell);
	grid_text(g, sight_status(s));
	buf_printf(&cell, "%d/%d", s->counted, s->total);
	grid_take(g, &cell);
	grid_text(g, s->snap.source_ctx[0] ? s->snap.source_ctx : "-");
	grid_text(g, s->target);
	human_ago(&cell, c->now_ms, s->snap.requested_at_ms ? s->snap.requested_at_ms : s->began_ms);
	grid_take(g, &cell);
	human_duration(&cell, sight_elapsed_ms(s, c->now_ms));
	grid_take(g, &cell);
	if (step != STEP_END)
		look_step_name(&cell, s, step);
	if (step != STEP_END && look_step_state(s, step) == STEP_IS_STILL)
		look_still(&cell, s, step);
	grid_take(g, &cell);
	buf_done(&cell);
}

struct listing {
	struct grid grid;
	struct js json;
	size_t shown_id, printed;
};

static void print_one(struct ctl *c, struct listing *l, const struct sight *s)
{
	l->printed++;
	switch (c->format) {
	case CTL_IDS:
		buf_printf(&c->out, "%s\n", s->id);
		break;
	case CTL_JSON:
	case CTL_JSONL:
		js_object(&l->json, NULL);
		look_json(&l->json, s, false, c->now_ms, c->mem);
		js_close(&l->json);
		break;
	default:
		add_row(c, &l->grid, s, l->shown_id);
		break;
	}
}

static void begin_list(struct ctl *c, struct listing *l)
{
	static const char *const titles[] = { "CLONE", "STATUS", "STEPS", "SOURCE", "TARGET", "ASKED", "TOOK", "STEP" };

	l->grid = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 0);
	l->json = (struct js){ .out = &c->out, .lines = c->format == CTL_JSON ? 2 : 0 };
	if (c->format != CTL_JSON)
		return;
	js_object(&l->json, NULL);
	js_number(&l->json, "version", 1);
	js_array(&l->json, "clones");
}

static void end_list(struct ctl *c, struct listing *l)
{
	if (c->format == CTL_JSON) {
		js_close(&l->json);
		js_close(&l->json);
	} else if (c->format == CTL_TABLE && l->printed) {
		grid_print(&l->grid, c->titles, &c->out);
	} else if (c->format == CTL_TABLE) {
		ctl_talk(c, "No clone%s.", args_has(&c->args, "status") || args_has(&c->args, "target") ? " like that" :
			" yet: 'sandboxctl clone request' asks for one");
	}
}

int cmd_clone_list(struct ctl *c)
{
	struct err e = { 0 };
	struct inspect_port *inspect;
	const struct inspect_clone *clones;
	struct listing l = { .printed = 0 };
	bool picks = args_has(&c->args, "status") || args_has(&c->args, "target");
	size_t count;
	long limit;

	if (!args_number(&c->args, "limit", INSPECT_LIST_MAX, LIST_STANDARD, &limit, &e) || !ctl_configure(c, &e))
		return ctl_fail(c, &e);
	inspect = c->desk->inspect(c->desk, &e);
	if (!inspect || !inspect->list(inspect, picks ? INSPECT_LIST_MAX : (size_t)limit, c->mem, &clones, &count, &e))
		return ctl_fail(c, &e);
	begin_list(c, &l);
	l.shown_id = shown_length(clones, count);
	for (size_t i = 0; i < count && l.printed < (size_t)limit; i++) {
		struct sight s;

		sight_make(c, &clones[i], false, &s);
		if (is_wanted(c, &s))
			print_one(c, &l, &s);
		sight_done(&s);
	}
	end_list(c, &l);
	return CTL_OK;
}

/* ---- show ---- */

static void show_head(struct ctl *c, const struct sight *s)
{
	enum step_id step = sight_step(s);
	const char *waits_on = sight_waits_on(s, c->mem);
	struct buf *out = &c->out;

	buf_printf(out, "%s%s%s  %d/%d", look_status_color(s->snap.status, c->colors), sight_status(s),
		look_color_end(c->colors), s->counted, s->total);
	if (step != STEP_END) {
		buf_add_text(out, "  ");
		look_step_name(out, s, step);
	}
	buf_add_text(out, "  elapsed ");
	human_duration(out, sight_elapsed_ms(s, c->now_ms));
	buf_printf(out, "  run %d", s->snap.run);
	if (s->lease_is_known && s->lease.is_held)
		buf_printf(out, "  owner %.13s", s->lease.owner);
	buf_add_text(out, "\n");
	if (waits_on[0]) {
		human_text(out, waits_on, strlen(waits_on));
		buf_add_text(out, "\n");
	}
}

static void show_line(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "%-12s ", name);
	human_text(out, text, strlen(text));
	buf_add_text(out, "\n");
}

static void show_cause(struct ctl *c, const struct sight *s)
{
	const char *cause = s->is_readable ? s->snap.cause : s->problem;

	if (!cause[0])
		return;
	buf_printf(&c->out, "\n%sCause%s", look_status_color(s->snap.status, c->colors), look_color_end(c->colors));
	if (s->snap.error_class[0])
		buf_printf(&c->out, " (%s)", s->snap.error_class);
	buf_add_text(&c->out, ": ");
	human_text(&c->out, cause, strlen(cause));
	buf_add_text(&c->out, "\n");
}

static void show_facts(struct ctl *c, const struct sight *s)
{
	struct buf *out = &c->out;

	buf_add_text(out, "\n");
	show_line(out, "clone", s->id);
	buf_printf(out, "%-12s %s -> %s\n", "tenants", s->snap.source_ctx[0] ? s->snap.source_ctx : "?", s->target);
	if (s->snap.generation[0])
		show_line(out, "generation", s->snap.generation);
	buf_printf(out, "%-12s ", "asked");
	human_ago(out, c->now_ms, s->snap.requested_at_ms);
	buf_add_text(out, "\n");
	if (s->request)
		show_line(out, "mask domain",
			  s->request->job.mask_enabled ? s->request->job.mask_domain : "none: not masked");
	if (s->request && s->request->job.mask_enabled)
		show_line(out, "mask mode",
			  s->request->job.mask_mode == MASK_HASH ? "hash: names are hidden" : "keep-names");
	if (s->lease_is_known && s->lease.is_held) {
		buf_printf(out, "%-12s %s, token %llu, ends in ", "lease", s->lease.owner,
			   (unsigned long long)s->lease.token);
		human_duration(out, s->lease.remaining_ms);
		buf_add_text(out, " unless renewed\n");
	}
	if (s->outbox)
		buf_printf(out, "%-12s %zu events have not reached their topics yet\n", "outbox", s->outbox);
}

static void show_steps(struct ctl *c, const struct sight *s)
{
	buf_add_text(&c->out, "\n");
	for (int i = 0; i < STEP_END; i++) {
		enum step_state state = look_step_state(s, (enum step_id)i);
		const struct step_note *note = &s->notes[i];

		buf_printf(&c->out, "%s%s%s %s %-26s %-8s ", look_color(state, c->colors), look_glyph(state, c->utf8),
			look_color_end(c->colors), steps[i].nn, steps[i].slug,
			s->snap.outcome[i] ? step_outcome_name(s->snap.outcome[i]) : look_step_state_name(state));
		look_moved(&c->out, note);
		if (state == STEP_IS_STILL) {
			look_still(&c->out, s, (enum step_id)i);
		} else if (note->text[0]) {
			buf_add_text(&c->out, "  waits for ");
			human_text(&c->out, note->text, strlen(note->text));
		}
		while (c->out.len && c->out.data[c->out.len - 1] == ' ')
			c->out.data[--c->out.len] = '\0';
		buf_add_text(&c->out, "\n");
	}
}

/* Apps whose answer the clone was to wait for, by the order of their tenant's approvals. */
static void show_unanswered(struct ctl *c, const struct sight *s)
{
	struct delivery_count count;

	if (!delivery_count(c, s->id, s->snap.run, &count))
		return;
	buf_printf(&c->out, "%-12s told %zu of %zu\n", "partner apps", count.told, count.all);
	for (size_t i = 0; i < count.unanswered; i++) {
		const struct delivery_record *r = &count.waiting_for[i];

		buf_printf(&c->out, "%-12s ", i ? "" : "not answered");
		human_text(&c->out, r->client_id, strlen(r->client_id));
		buf_printf(&c->out, " (%s)", delivery_state_name(r->state));
		if (r->ack == ACK_WAIT) {
			buf_add_text(&c->out, ", waited for until ");
			human_ago(&c->out, c->now_ms, r->ack_until_ms);
		}
		buf_add_text(&c->out, "\n");
	}
}

static void unanswered_json(struct ctl *c, struct js *j, const struct sight *s)
{
	struct delivery_count count;

	if (!delivery_count(c, s->id, s->snap.run, &count))
		return;
	js_number(j, "apps_told", (int64_t)count.told);
	js_number(j, "apps_stored", (int64_t)count.all);
	js_array(j, "apps_not_answered");
	for (size_t i = 0; i < count.unanswered; i++) {
		js_object(j, NULL);
		delivery_json(j, &count.waiting_for[i], false);
		js_close(j);
	}
	js_close(j);
}

static void show_json(struct ctl *c, const struct sight *s)
{
	struct js j = { .out = &c->out, .lines = 2 };

	js_object(&j, NULL);
	js_number(&j, "version", 1);
	look_json(&j, s, true, c->now_ms, c->mem);
	unanswered_json(c, &j, s);
	js_close(&j);
}

int cmd_clone_show(struct ctl *c)
{
	struct err e = { 0 };
	struct inspect_clone clone;
	const char *next;
	struct sight s;
	int rc;

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	rc = sight_find(c, c->args.operands[0], &clone);
	if (rc)
		return rc;
	sight_make(c, &clone, true, &s);
	if (c->format == CTL_JSON) {
		show_json(c, &s);
	} else {
		show_head(c, &s);
		show_cause(c, &s);
		show_facts(c, &s);
		show_unanswered(c, &s);
		if (s.is_readable)
			show_steps(c, &s);
		next = sight_next_command(&s, c->mem);
		if (next[0])
			buf_printf(&c->out, "\nNext: %s\n", next);
	}
	sight_done(&s);
	return CTL_OK;
}
