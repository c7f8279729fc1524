/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/deliveries_look.h"

#include "consumer/core/config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const names[DELIVERY_STATE_END] = {
	[DELIVERY_UNSET] = "unknown",     [DELIVERY_WAITING] = "waiting", [DELIVERY_DONE] = "done",
	[DELIVERY_GIVEN_UP] = "given-up", [DELIVERY_PARKED] = "parked",   [DELIVERY_WITHDRAWN] = "withdrawn",
};

const char *delivery_state_name(enum delivery_state state)
{
	return names[(unsigned)state < DELIVERY_STATE_END ? state : DELIVERY_UNSET];
}

enum delivery_state delivery_state_by_name(const char *name)
{
	for (int s = DELIVERY_WAITING; s < DELIVERY_STATE_END; s++)
		if (strcmp(names[s], name) == 0)
			return (enum delivery_state)s;
	return DELIVERY_UNSET;
}

static void json_log(struct js *j, const struct delivery_record *r)
{
	js_array(j, "tries_kept");
	for (size_t i = 0; i < r->log_count; i++) {
		js_object(j, NULL);
		js_time(j, "at", r->log[i].at_ms);
		js_number(j, "took_ms", r->log[i].took_ms);
		js_number(j, "status", r->log[i].status);
		js_text(j, "text", r->log[i].text[0] ? r->log[i].text : NULL);
		js_close(j);
	}
	js_close(j);
}

void delivery_json(struct js *j, const struct delivery_record *r, bool with_log)
{
	static const char *const policies[] = { [ACK_NONE] = "none", [ACK_WAIT] = "wait", [ACK_HOLD] = "hold" };

	js_text(j, "event_id", r->event_id);
	js_text(j, "client_id", r->client_id);
	js_text(j, "ctx", r->ctx);
	js_text(j, "clone_id", r->clone_id);
	js_text(j, "state", delivery_state_name(r->state));
	js_number(j, "tries", r->tries);
	js_time(j, "stored_at", r->entered_ms);
	js_time(j, "next_try_at", r->again_ms);
	js_time(j, "ended_at", r->ended_ms);
	js_text(j, "acknowledgement", policies[r->ack]);
	js_time(j, "acknowledge_until", r->ack_until_ms);
	if (r->log_count)
		js_number(j, "last_status", r->log[r->log_count - 1].status);
	if (with_log)
		json_log(j, r);
}

/* ---- since ---- */

static bool read_duration(const char *text, int64_t *ms_r)
{
	static const struct { char unit; int64_t ms; } units[] = { { 's', 1000 }, { 'm', 60 * 1000 },
		{ 'h', 60 * 60 * 1000 }, { 'd', 24 * 60 * 60 * 1000 } };
	int number, used = 0;

	if (sscanf(text, "%7d%n", &number, &used) != 1 || number < 0 || strlen(text) != (size_t)used + 1)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].unit == text[used]) {
			*ms_r = number * units[i].ms;
			return true;
		}
	return false;
}

static bool read_time(const char *text, int64_t *ms_r)
{
	struct tm t = { 0 };
	int used = 0;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2dZ%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec,
	           &used) != 6 || text[used] || used == 0)
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	*ms_r = (int64_t)timegm(&t) * 1000;
	return true;
}

bool delivery_since(struct ctl *c, const char *text, int64_t *since_ms_r, struct err *e)
{
	int64_t ms;

	if (read_duration(text, &ms)) {
		*since_ms_r = c->desk->utc_ms(c->desk) - ms;
		return true;
	}
	return read_time(text, since_ms_r) ||
	       err_set(e, ERR_REFUSED, 0, "since", "'%.40s' is no time: write 90m, 12h, 7d or 2026-11-22T12:00:00Z", text);
}

int delivery_fail(struct ctl *c, const struct err *e, enum ctl_exit refused)
{
	int rc = ctl_fail(c, e);

	return e->class == ERR_REFUSED ? (int)refused : rc;
}

/* ---- of a clone ---- */

bool delivery_count(struct ctl *c, const char *clone_id, int run, struct delivery_count *count_r)
{
	struct delivery_filter filter = { .event_id = arena_printf(c->mem, "%s/%d/backup-restored", clone_id, run) };
	struct deliveries_port *deliveries;
	const struct delivery_record *list = NULL;
	struct err e = { 0 };
	bool known = false;

	*count_r = (struct delivery_count){ 0 };
	deliveries = c->desk->deliveries(c->desk, &e);
	if (!filter.event_id || !deliveries ||
	    !deliveries->unacknowledged(deliveries, filter.event_id, c->mem, &count_r->waiting_for, &count_r->unanswered,
	                                &known, &e) ||
	    !known || !deliveries->list(deliveries, &filter, c->mem, &list, &count_r->all, &e))
		return false;
	for (size_t i = 0; i < count_r->all; i++)
		count_r->told += list[i].state == DELIVERY_DONE;
	return true;
}
