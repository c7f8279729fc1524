/* SPDX-License-Identifier: Apache-2.0
 * delivery list, show, redeliver, redeliver-since: what partner apps were told. */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/deliveries_look.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"

#include <stdio.h>
#include <string.h>

enum { LIST_STANDARD = 50, LIST_MAX = 1000, CELL_MAX = 512 };

/* ---- finding ---- */

/* Options as a filter. False with *e when one is wrong. */
static bool read_filter(struct ctl *c, struct delivery_filter *f, struct err *e)
{
	const char *state = args_text(&c->args, "state"), *since = args_text(&c->args, "since");
	long limit;

	*f = (struct delivery_filter){ .client_id = args_text(&c->args, "app"), .ctx = args_text(&c->args, "tenant"),
		.event_id = args_text(&c->args, "event"), .clone_id = args_text(&c->args, "clone"),
		.state = state ? delivery_state_by_name(state) : DELIVERY_UNSET };
	if (!args_number(&c->args, "limit", LIST_MAX, LIST_STANDARD, &limit, e) ||
	    (since && !delivery_since(c, since, &f->since_ms, e)))
		return false;
	f->limit = (size_t)limit;
	return true;
}

/* ---- list ---- */

static void add_row(struct ctl *c, struct grid *g, const struct delivery_record *r)
{
	const struct delivery_try *last = r->log_count ? &r->log[r->log_count - 1] : NULL;
	struct buf cell;

	buf_init(&cell, CELL_MAX);
	grid_text(g, r->event_id);
	grid_text(g, r->client_id);
	grid_text(g, r->ctx);
	grid_text(g, delivery_state_name(r->state));
	buf_printf(&cell, "%d", r->tries);
	grid_take(g, &cell);
	human_ago(&cell, c->now_ms, r->entered_ms);
	grid_take(g, &cell);
	if (r->state == DELIVERY_WAITING && r->again_ms)
		human_ago(&cell, c->now_ms, r->again_ms);
	grid_take(g, &cell);
	if (last && last->status)
		buf_printf(&cell, "%d ", last->status);
	if (last)
		buf_add_text(&cell, last->text);
	grid_take(g, &cell);
	buf_done(&cell);
}

static void print_table(struct ctl *c, const struct delivery_record *list, size_t count)
{
	static const char *const titles[] = { "EVENT", "APP", "TENANT", "STATE", "TRIES", "STORED", "NEXT", "LAST ANSWER" };
	struct grid g = grid_of(c->mem, titles, sizeof titles / sizeof *titles, 1u << 4);

	for (size_t i = 0; i < count; i++)
		add_row(c, &g, &list[i]);
	if (count)
		grid_print(&g, c->titles, &c->out);
	else
		ctl_talk(c, "No delivery like that.");
}

static void print_json(struct ctl *c, const struct delivery_record *list, size_t count)
{
	struct js j = { .out = &c->out, .lines = c->format == CTL_JSON ? 2 : 0 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_array(&j, "deliveries");
	}
	for (size_t i = 0; i < count; i++) {
		js_object(&j, NULL);
		delivery_json(&j, &list[i], false);
		js_close(&j);
	}
	if (c->format == CTL_JSON) {
		js_close(&j);
		js_close(&j);
	}
}

int cmd_delivery_list(struct ctl *c)
{
	struct deliveries_port *deliveries;
	const struct delivery_record *list = NULL;
	struct delivery_filter filter;
	struct err e = { 0 };
	size_t count;

	if (!read_filter(c, &filter, &e) || !ctl_configure(c, &e))
		return ctl_fail(c, &e);
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!deliveries || !deliveries->list(deliveries, &filter, c->mem, &list, &count, &e))
		return ctl_fail(c, &e);
	if (c->format == CTL_TABLE)
		print_table(c, list, count);
	else if (c->format != CTL_IDS)
		print_json(c, list, count);
	for (size_t i = 0; c->format == CTL_IDS && i < count; i++)
		buf_printf(&c->out, "%s %s\n", list[i].event_id, list[i].client_id);
	return CTL_OK;
}

/* ---- show ---- */

static void show_line(struct ctl *c, const char *name, const char *text)
{
	buf_printf(&c->out, "%-9s ", name);
	human_text(&c->out, text, strlen(text));
	buf_add_text(&c->out, "\n");
}

static void show_time(struct ctl *c, const char *name, int64_t at_ms)
{
	if (!at_ms)
		return;
	buf_printf(&c->out, "%-9s ", name);
	human_ago(&c->out, c->now_ms, at_ms);
	buf_add_text(&c->out, "\n");
}

static void show_try(struct ctl *c, const struct delivery_try *t)
{
	buf_add_text(&c->out, "  ");
	human_ago(&c->out, c->now_ms, t->at_ms);
	buf_add_text(&c->out, ", took ");
	human_duration(&c->out, t->took_ms);
	if (t->status)
		buf_printf(&c->out, ", HTTP %d", t->status);
	if (t->text[0]) {
		buf_add_text(&c->out, ": ");
		human_text(&c->out, t->text, strlen(t->text));
	}
	buf_add_text(&c->out, "\n");
}

static void show(struct ctl *c, const struct delivery_record *r)
{
	buf_printf(&c->out, "%s, %d tries\n\n", delivery_state_name(r->state), r->tries);
	show_line(c, "event", r->event_id);
	show_line(c, "app", r->client_id);
	show_line(c, "tenant", r->ctx);
	show_line(c, "clone", r->clone_id);
	show_time(c, "stored", r->entered_ms);
	if (r->state == DELIVERY_WAITING)
		show_time(c, "next try", r->again_ms);
	show_time(c, "ended", r->ended_ms);
	if (r->ack != ACK_NONE)
		show_line(c, "the clone", r->ack == ACK_HOLD ? "is held until it answers" : "waits for it for a while");
	if (r->log_count)
		buf_printf(&c->out, "\nThe last %zu tries:\n", r->log_count);
	for (size_t i = 0; i < r->log_count; i++)
		show_try(c, &r->log[i]);
	if (r->state == DELIVERY_PARKED)
		buf_printf(&c->out, "\nNext: sandboxctl partner show %s\n", r->client_id);
	else if (r->state == DELIVERY_GIVEN_UP)
		buf_printf(&c->out, "\nNext: sandboxctl delivery redeliver %s %s\n", r->event_id, r->client_id);
}

int cmd_delivery_show(struct ctl *c)
{
	struct js j = { .out = &c->out, .lines = 2 };
	struct deliveries_port *deliveries;
	struct delivery_record record;
	struct err e = { 0 };

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!deliveries)
		return ctl_fail(c, &e);
	if (!deliveries->show(deliveries, c->args.operands[0], c->args.operands[1], c->mem, &record, &e))
		return delivery_fail(c, &e, CTL_NOT_FOUND);
	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		delivery_json(&j, &record, true);
		js_close(&j);
	} else {
		show(c, &record);
	}
	return CTL_OK;
}

/* ---- redeliver ---- */

static void print_again(struct ctl *c, long count)
{
	bool sent = !args_has(&c->args, "dry-run");
	struct js j = { .out = &c->out, .lines = 1 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_flag(&j, "done", sent);
		js_number(&j, "deliveries", count);
		js_close(&j);
		return;
	}
	buf_printf(&c->out, "%s %ld %s again, each behind what waits for its app and tenant.\n",
		sent ? "Put" : "Would put", count, count == 1 ? "delivery" : "deliveries");
}

int cmd_delivery_redeliver(struct ctl *c)
{
	struct deliveries_port *deliveries;
	struct delivery_record record;
	struct err e = { 0 };

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!deliveries)
		return ctl_fail(c, &e);
	if (!deliveries->show(deliveries, c->args.operands[0], c->args.operands[1], c->mem, &record, &e))
		return delivery_fail(c, &e, CTL_NOT_FOUND);
	if (!args_has(&c->args, "dry-run") &&
	    !deliveries->redeliver(deliveries, record.event_id, record.client_id, c->now_ms, &e))
		return delivery_fail(c, &e, CTL_CONFLICT);
	print_again(c, 1);
	return CTL_OK;
}

/* Only what ended in that state; without one, what was given up. */
static bool again_all(struct ctl *c, struct deliveries_port *deliveries, const struct delivery_record *list,
                      size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (!deliveries->redeliver(deliveries, list[i].event_id, list[i].client_id, c->now_ms, e) &&
		    e->class != ERR_REFUSED) /* it waits by now: somebody was faster */
			return false;
		else
			err_clear(e);
	return true;
}

static int confirm_all(struct ctl *c, size_t count)
{
	char what[128];

	if (args_has(&c->args, "dry-run") || count == 0)
		return CTL_OK;
	snprintf(what, sizeof what, "%zu deliveries are sent once more", count);
	return ctl_confirm(c, what, "redeliver");
}

int cmd_delivery_redeliver_since(struct ctl *c)
{
	const char *state = args_text(&c->args, "state");
	struct delivery_filter filter = { .client_id = args_text(&c->args, "app"), .ctx = args_text(&c->args, "tenant"),
		.state = state ? delivery_state_by_name(state) : DELIVERY_GIVEN_UP, .limit = LIST_MAX };
	const struct delivery_record *list = NULL;
	struct deliveries_port *deliveries;
	struct err e = { 0 };
	size_t count;
	int rc;

	if (!ctl_configure(c, &e) || !delivery_since(c, c->args.operands[0], &filter.since_ms, &e))
		return ctl_fail(c, &e);
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!deliveries || !deliveries->list(deliveries, &filter, c->mem, &list, &count, &e))
		return ctl_fail(c, &e);
	rc = confirm_all(c, count);
	if (rc)
		return rc;
	if (!args_has(&c->args, "dry-run") && !again_all(c, deliveries, list, count, &e))
		return ctl_fail(c, &e);
	print_again(c, (long)count);
	if (count == LIST_MAX)
		ctl_talk(c, "There may be more: run it again.");
	return CTL_OK;
}
