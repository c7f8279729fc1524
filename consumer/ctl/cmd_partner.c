/* SPDX-License-Identifier: Apache-2.0
 * partner list, show, enable, disable: the apps that are told, as the notifier remembers them. */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/deliveries_look.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"

#include <stdio.h>
#include <string.h>

enum { CELL_MAX = 512 };

static const char *condition(const struct app_record *app)
{
	return app->is_off ? "off" : app->failures > 0 ? "failing" : app->is_slow ? "slow" : "well";
}

static void app_json(struct js *j, const struct app_record *app)
{
	js_text(j, "client_id", app->client_id);
	js_text(j, "name", app->name);
	js_text(j, "condition", condition(app));
	js_flag(j, "off", app->is_off);
	js_text(j, "off_reason", app->is_off ? app->off_reason : NULL);
	js_time(j, "off_since", app->off_since_ms);
	js_number(j, "failures", app->failures);
	js_time(j, "failing_since", app->failing_since_ms);
	js_time(j, "last_success", app->last_success_ms);
	js_flag(j, "slow", app->is_slow);
	js_number(j, "waiting", app->waiting);
}

/* ---- list ---- */

static void add_row(struct ctl *c, struct grid *g, const struct app_record *app)
{
	struct buf cell;

	buf_init(&cell, CELL_MAX);
	grid_text(g, app->client_id);
	grid_text(g, app->name);
	grid_text(g, condition(app));
	human_count(&cell, app->waiting);
	grid_take(g, &cell);
	human_ago(&cell, c->now_ms, app->last_success_ms);
	grid_take(g, &cell);
	human_ago(&cell, c->now_ms, app->is_off ? app->off_since_ms : app->failing_since_ms);
	grid_take(g, &cell);
	grid_text(g, app->is_off ? app->off_reason : "");
	buf_done(&cell);
}

static void print_table(struct ctl *c, const struct app_record *apps, size_t count)
{
	static const char *const titles[] = { "APP", "NAME", "IS", "WAITING", "LAST SUCCESS", "SINCE", "WHY" };
	struct grid g = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 1u << 3);

	for (size_t i = 0; i < count; i++)
		add_row(c, &g, &apps[i]);
	if (count)
		grid_print(&g, c->titles, &c->out);
	else
		ctl_talk(c, "No app%s.", args_has(&c->args, "off") ? " is off" : " was told anything yet");
}

static void print_json(struct ctl *c, const struct app_record *apps, size_t count)
{
	struct js j = { .out = &c->out, .lines = c->format == CTL_JSON ? 2 : 0 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_array(&j, "apps");
	}
	for (size_t i = 0; i < count; i++) {
		js_object(&j, NULL);
		app_json(&j, &apps[i]);
		js_close(&j);
	}
	if (c->format == CTL_JSON) {
		js_close(&j);
		js_close(&j);
	}
}

int cmd_partner_list(struct ctl *c)
{
	struct deliveries_port *deliveries;
	const struct app_record *all = NULL;
	struct app_record *wanted;
	struct err e = { 0 };
	size_t count = 0, kept = 0;

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!deliveries || !deliveries->apps(deliveries, c->mem, &all, &count, &e))
		return ctl_fail(c, &e);
	wanted = arena_take(c->mem, count * sizeof *wanted + 1);
	for (size_t i = 0; i < count && wanted; i++)
		if (all[i].is_off || !args_has(&c->args, "off"))
			wanted[kept++] = all[i];
	if (c->format == CTL_TABLE)
		print_table(c, wanted, kept);
	else if (c->format != CTL_IDS)
		print_json(c, wanted, kept);
	for (size_t i = 0; c->format == CTL_IDS && i < kept; i++)
		buf_printf(&c->out, "%s\n", wanted[i].client_id);
	return CTL_OK;
}

/* ---- show ---- */

static void show_time(struct ctl *c, const char *name, int64_t at_ms)
{
	if (!at_ms)
		return;
	buf_printf(&c->out, "%-14s ", name);
	human_ago(&c->out, c->now_ms, at_ms);
	buf_add_text(&c->out, "\n");
}

static void show(struct ctl *c, const struct app_record *app)
{
	human_text(&c->out, app->name, strlen(app->name));
	buf_printf(&c->out, " is %s", condition(app));
	if (app->is_off) {
		buf_add_text(&c->out, ": ");
		human_text(&c->out, app->off_reason, strlen(app->off_reason));
	}
	buf_add_text(&c->out, "\n\n");
	buf_printf(&c->out, "%-14s ", "app");
	human_text(&c->out, app->client_id, strlen(app->client_id));
	buf_printf(&c->out, "\n%-14s ", "waiting");
	human_count(&c->out, app->waiting);
	buf_add_text(&c->out, "\n");
	show_time(c, "last success", app->last_success_ms);
	show_time(c, "failing since", app->failing_since_ms);
	show_time(c, "off since", app->off_since_ms);
	if (app->failures > 0)
		buf_printf(&c->out, "%-14s %lld in a row\n", "failures", (long long)app->failures);
	if (app->is_off)
		buf_printf(&c->out, "\nNext: sandboxctl partner enable %s\n", app->client_id);
	else if (app->waiting > 0)
		buf_printf(&c->out, "\nNext: sandboxctl delivery list --app %s --state waiting\n", app->client_id);
}

static bool find(struct ctl *c, struct app_record *app_r, struct err *e)
{
	struct deliveries_port *deliveries = c->desk->deliveries(c->desk, e);
	bool found = false;

	if (!deliveries || !deliveries->app(deliveries, c->args.operands[0], c->mem, app_r, &found, e))
		return false;
	return found || err_set(e, ERR_REFUSED, 0, "partner", "no app %.100s was ever told anything", c->args.operands[0]);
}

int cmd_partner_show(struct ctl *c)
{
	struct js j = { .out = &c->out, .lines = 2 };
	struct app_record app;
	struct err e = { 0 };

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	if (!find(c, &app, &e))
		return delivery_fail(c, &e, CTL_NOT_FOUND);
	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		app_json(&j, &app);
		js_close(&j);
	} else {
		show(c, &app);
	}
	return CTL_OK;
}

/* ---- on and off ---- */

static int switch_app(struct ctl *c, bool on, const char *reason)
{
	struct js j = { .out = &c->out, .lines = 1 };
	struct deliveries_port *deliveries;
	struct app_record app;
	struct err e = { 0 };

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	if (!find(c, &app, &e))
		return delivery_fail(c, &e, CTL_NOT_FOUND);
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!deliveries->switch_app(deliveries, app.client_id, on, reason, c->now_ms, &e))
		return ctl_fail(c, &e);
	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_text(&j, "client_id", app.client_id);
		js_flag(&j, "off", !on);
		js_number(&j, "waiting", app.waiting);
		js_close(&j);
	} else {
		buf_printf(&c->out, on ? "Switched on; %lld that waited go out now.\n" :
			"Switched off; %lld wait until it is on again.\n", (long long)app.waiting);
	}
	return CTL_OK;
}

int cmd_partner_enable(struct ctl *c)
{
	return switch_app(c, true, "");
}

int cmd_partner_disable(struct ctl *c)
{
	const char *reason = args_text(&c->args, "reason");

	if (!reason || !*reason) {
		ctl_talk(c, "sandboxctl: partner disable needs --reason TEXT: it is kept with the app");
		return CTL_USAGE;
	}
	return switch_app(c, false, reason);
}
