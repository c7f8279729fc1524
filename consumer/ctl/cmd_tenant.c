/* SPDX-License-Identifier: Apache-2.0
 * tenant list, show, watch: the state of tenants, as sandbox-tenant serves it. */
#include "consumer/ctl/cmd_watch.h"
#include "consumer/ctl/commands.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/js.h"

#include <string.h>

enum { CELL_MAX = 512, LOOK_EVERY_MS = 1000 };

static const char *status_of(const struct tenant_row *row)
{
	return row->status == CLONE_STATUS_UNSET ? "" : clone_status_name(row->status);
}

static void tenant_json(struct js *j, const struct tenant_row *row, bool stuck)
{
	js_object(j, NULL);
	js_text(j, "context", row->ctx);
	js_text(j, "state", tenant_state_name(row->state));
	js_text(j, "superid", identity_state_name(row->superid));
	js_time(j, "since", row->since_ms);
	js_flag(j, "stuck", stuck);
	js_text(j, "clone_id", row->clone_id);
	js_text(j, "status", status_of(row));
	js_number(j, "run", row->run);
	js_text(j, "step", row->step);
	js_number(j, "step_no", row->step_no);
	js_number(j, "total_steps", row->total_steps);
	js_text(j, "host", row->host);
	js_text(j, "version", row->version_name);
	js_text(j, "cause", row->cause);
	js_text(j, "next_command", row->next_command);
	js_close(j);
}

/* ---- list ---- */

struct listing {
	struct ctl *c;
	struct grid grid;
	struct js json;
	size_t count;
};

static void add_row(struct listing *l, const struct tenant_row *row, bool stuck)
{
	struct buf cell;

	buf_init(&cell, CELL_MAX);
	grid_text(&l->grid, row->ctx);
	grid_text(&l->grid, tenant_state_name(row->state));
	human_ago(&cell, l->c->now_ms, row->since_ms);
	grid_take(&l->grid, &cell);
	grid_text(&l->grid, identity_state_name(row->superid));
	grid_text(&l->grid, row->clone_id[0] ? row->clone_id : "-");
	grid_text(&l->grid, status_of(row));
	grid_text(&l->grid, row->step);
	grid_text(&l->grid, stuck ? row->cause : "");
	buf_done(&cell);
}

static void take_listed(void *arg, const struct tenant_row *row, int64_t changed, bool stuck)
{
	struct listing *l = arg;

	(void)changed;
	l->count++;
	if (l->c->format == CTL_IDS)
		buf_printf(&l->c->out, "%s\n", row->ctx);
	else if (l->c->format == CTL_TABLE)
		add_row(l, row, stuck);
	else
		tenant_json(&l->json, row, stuck);
}

int cmd_tenant_list(struct ctl *c)
{
	static const char *const titles[] = { "TENANT", "STATE", "SINCE", "SUPERID", "CLONE", "STATUS", "STEP", "CAUSE" };
	const struct desk_tenants what = { .ctx = "", .changed_after = -1, .only_stuck = args_has(&c->args, "stuck") };
	struct listing l = { .c = c, .json = { .out = &c->out, .lines = c->format == CTL_JSON ? 2 : 0 } };
	struct err e = { 0 };

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	l.grid = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 0);
	if (c->format == CTL_JSON) {
		js_object(&l.json, NULL);
		js_number(&l.json, "version", 1);
		js_array(&l.json, "tenants");
	}
	if (!c->desk->tenants(c->desk, &what, take_listed, &l, &e)) {
		buf_clear(&c->out);
		return ctl_fail(c, &e);
	}
	if (c->format == CTL_JSON) {
		js_close(&l.json);
		js_close(&l.json);
	} else if (c->format == CTL_TABLE && l.count) {
		grid_print(&l.grid, c->titles, &c->out);
	} else if (c->format == CTL_TABLE) {
		ctl_talk(c, what.only_stuck ? "No tenant is stuck." : "No clone was made into any tenant yet.");
	}
	return CTL_OK;
}

/* ---- show ---- */

static void show_text(struct ctl *c, const char *name, const char *text)
{
	if (!*text)
		return;
	buf_printf(&c->out, "%-10s ", name);
	human_text(&c->out, text, strlen(text));
	buf_add_text(&c->out, "\n");
}

static void show(struct ctl *c, const struct tenant_row *row, bool stuck)
{
	buf_printf(&c->out, "%s is %s", row->ctx, tenant_state_name(row->state));
	if (row->since_ms) {
		buf_add_text(&c->out, " since ");
		human_ago(&c->out, c->now_ms, row->since_ms);
	}
	buf_printf(&c->out, "%s\n\n", stuck ? ", and will stay so by itself" : "");
	show_text(c, "cause", row->cause);
	show_text(c, "SuperID", identity_state_name(row->superid));
	show_text(c, "clone", row->clone_id);
	show_text(c, "status", status_of(row));
	show_text(c, "step", row->step);
	show_text(c, "host", row->host);
	show_text(c, "version", row->version_name);
	if (row->next_command[0]) {
		buf_add_text(&c->out, "\nNext: ");
		human_text(&c->out, row->next_command, strlen(row->next_command));
		buf_add_text(&c->out, "\n");
	}
}

static void take_shown(void *arg, const struct tenant_row *row, int64_t changed, bool stuck)
{
	struct listing *l = arg;

	(void)changed;
	l->count++;
	if (l->c->format == CTL_JSON)
		tenant_json(&l->json, row, stuck);
	else
		show(l->c, row, stuck);
}

int cmd_tenant_show(struct ctl *c)
{
	const struct desk_tenants what = { .ctx = c->args.operands[0], .changed_after = -1 };
	struct listing l = { .c = c, .json = { .out = &c->out, .lines = 2 } };
	struct err e = { 0 };

	if (!ctl_configure(c, &e) || !c->desk->tenants(c->desk, &what, take_shown, &l, &e))
		return ctl_fail(c, &e);
	if (l.count)
		return CTL_OK;
	ctl_talk(c, "sandboxctl: no clone was ever made into %.60s", what.ctx);
	return CTL_NOT_FOUND;
}

/* ---- watch ---- */

struct watching {
	struct listing l;
	int64_t changed; /* of the last change that was seen */
	const char *until;
	bool reached;
};

static void take_change(void *arg, const struct tenant_row *row, int64_t changed, bool stuck)
{
	struct watching *w = arg;
	struct ctl *c = w->l.c;

	if (changed > w->changed)
		w->changed = changed;
	w->reached |= w->until && strcmp(w->until, tenant_state_name(row->state)) == 0;
	if (c->format == CTL_JSONL) {
		tenant_json(&w->l.json, row, stuck);
		return;
	}
	buf_printf(&c->out, "%s  %s", row->ctx, tenant_state_name(row->state));
	if (row->superid == IDENTITY_IN_MIGRATION)
		buf_printf(&c->out, "  SuperID %s", identity_state_name(row->superid));
	buf_printf(&c->out, "  %s %s  %s", row->clone_id, status_of(row), row->step);
	if (row->cause[0]) {
		buf_add_text(&c->out, "  ");
		human_text(&c->out, row->cause, strlen(row->cause));
	}
	buf_add_text(&c->out, "\n");
}

int cmd_tenant_watch(struct ctl *c)
{
	struct watching w = { .l = { .c = c, .json = { .out = &c->out } }, .changed = -1,
		.until = args_text(&c->args, "until") };
	struct desk_tenants what = { .ctx = c->args.operand_count ? c->args.operands[0] : "" };
	struct err e = { 0 };
	int64_t within_ms = 0, end_ms;

	if (w.until && !*what.ctx) {
		ctl_talk(c, "sandboxctl: --until needs the TENANT that is waited for");
		return CTL_USAGE;
	}
	if (!ctl_configure(c, &e) || !watch_timeout(c, &within_ms, &e))
		return ctl_fail(c, &e);
	for (end_ms = c->now_ms + within_ms; !w.reached; c->desk->sleep(c->desk, LOOK_EVERY_MS)) {
		what.changed_after = w.changed;
		if (!c->desk->tenants(c->desk, &what, take_change, &w, &e))
			return ctl_fail(c, &e);
		ctl_flush(c);
		if (c->desk->interrupted(c->desk))
			return CTL_INTERRUPTED;
		if (within_ms && !w.reached && c->desk->utc_ms(c->desk) >= end_ms) {
			ctl_talk(c, "sandboxctl: the time is over");
			return CTL_TIMEOUT;
		}
	}
	return CTL_OK;
}
