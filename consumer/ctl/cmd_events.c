/* SPDX-License-Identifier: Apache-2.0
 * clone events, clone report. */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/deliveries_look.h"
#include "consumer/ctl/grid.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/look.h"
#include "consumer/ctl/message_json.h"
#include "consumer/ctl/report.h"
#include "consumer/core/log_text.h"

#include <string.h>

/* The store names the clone; a whole id will do when it does not know or cannot be asked. */
static int find(struct ctl *c, struct history *h)
{
	const char *id = c->args.operands[0];
	struct inspect_clone clone;
	struct err e = { 0 };

	if (sight_look_up(c, id, &clone, &e)) {
		*h = (struct history){ .clone_id = clone.clone_id, .target_ctx = clone.target_ctx };
		return CTL_OK;
	}
	if (strlen(id) == CLONE_ID_MAX && id[0] != '@') {
		ctl_talk(c, "sandboxctl: %s; looking for the whole id in the topics", e.text);
		*h = (struct history){ .clone_id = id, .target_ctx = "" };
		return CTL_OK;
	}
	ctl_fail(c, &e);
	return e.class == ERR_REFUSED && !e.code ? CTL_NOT_FOUND : (int)ctl_exit_for(&e);
}

/* ---- one event ---- */

static void json_step(struct js *j, const struct step_completed *s)
{
	js_text(j, "source_ctx", s->source_ctx);
	js_text(j, "target_ctx", s->target_ctx);
	js_number(j, "run", s->run);
	js_number(j, "step_no", s->step_no);
	js_text(j, "step_key", s->slug);
	js_number(j, "total_steps", s->total_steps);
	js_text(j, "outcome", step_outcome_name(s->outcome));
	js_number(j, "attempt", s->attempt);
	js_time(j, "started_at", s->started_at_ms);
	js_time(j, "finished_at", s->finished_at_ms);
	js_number(j, "rows", s->rows);
	js_number(j, "bytes", s->bytes);
	js_text(j, "detail", s->detail);
	tables_json(j, s);
}

static void json_restored(struct js *j, const struct backup_restored *b)
{
	js_number(j, "ChangeType", b->change_type);
	js_text(j, "ContextIdentifier", b->context_identifier);
	js_text(j, "VersionName", b->version_name);
	js_text(j, "FileVersion", b->file_version);
	js_text(j, "PublicEndpoint", b->public_endpoint);
	js_text(j, "source_ctx", b->source_ctx);
	js_number(j, "run", b->run);
	js_time(j, "occurred_at", b->occurred_at_ms);
	js_text(j, "generation", b->generation);
	js_text(j, "mask_domain", b->mask_domain);
	js_flag(j, "mask_domain_public", b->mask_domain_public);
	js_text(j, "proof", b->proof);
	js_number(j, "apps_to_tell", b->apps_to_tell);
}

static void json_state(struct js *j, const struct clone_state *s)
{
	js_text(j, "source_ctx", s->source_ctx);
	js_text(j, "target_ctx", s->target_ctx);
	js_text(j, "status", clone_status_name(s->status));
	js_number(j, "run", s->run);
	js_number(j, "steps_done", s->steps_done);
	js_number(j, "total_steps", s->total_steps);
	js_time(j, "requested_at", s->requested_at_ms);
	js_time(j, "updated_at", s->updated_at_ms);
	js_text(j, "generation", s->generation);
	js_text(j, "step", s->step);
	js_text(j, "cause", s->cause);
	js_text(j, "error_class", s->error_class);
	js_text(j, "next_command", s->next_command);
	js_number(j, "token", (int64_t)s->token);
	js_flag(j, "cancel_begun", s->cancel_begun);
	js_text(j, "leaves", tenant_state_name(s->leaves));
	js_array(j, "only_steps");
	for (size_t i = 0; i < s->only_step_count; i++)
		js_text(j, NULL, s->only_steps[i]);
	js_close(j);
}

static void print_json(struct ctl *c, const struct history_event *event)
{
	struct js j = { .out = &c->out };
	const struct message *m = event->message;

	js_object(&j, NULL);
	js_text(&j, "topic", topic_name(event->at.topic));
	js_number(&j, "partition", event->at.partition);
	js_number(&j, "offset", event->at.offset);
	js_flag(&j, "repeat", event->is_repeat);
	js_text(&j, "event_id", history_event_id(m));
	js_number(&j, "sequence", history_sequence(m));
	js_text(&j, "clone_id", history_clone_id(m));
	if (m->kind == MESSAGE_STEP_COMPLETED)
		json_step(&j, &m->step_completed);
	else if (m->kind == MESSAGE_BACKUP_RESTORED)
		json_restored(&j, &m->backup_restored);
	else
		json_state(&j, &m->state);
	js_close(&j);
}

static void print_words(struct buf *out, const struct message *m)
{
	const char *more = "";

	if (m->kind == MESSAGE_STEP_COMPLETED) {
		const struct step_completed *s = &m->step_completed;

		buf_printf(out, "step %02d %s %s ", s->step_no, s->slug, step_outcome_name(s->outcome));
		more = s->detail;
	} else if (m->kind == MESSAGE_BACKUP_RESTORED) {
		const struct backup_restored *b = &m->backup_restored;

		buf_printf(out, "BackupRestored %s, %lld apps to tell, proof ", b->context_identifier,
			(long long)b->apps_to_tell);
		more = b->proof;
	} else {
		buf_printf(out, "state %s %d/%d ", clone_status_name(m->state.status), m->state.steps_done,
			   m->state.total_steps);
		more = m->state.cause;
	}
	human_text(out, more, strlen(more));
}

static void print_event(struct ctl *c, const struct history_event *event)
{
	char time[LOG_TIME_TEXT];

	if (event->is_repeat && !args_has(&c->args, "all"))
		return;
	if (c->format == CTL_JSONL) {
		print_json(c, event);
		return;
	}
	log_time_text(history_time_ms(event->message), time);
	buf_printf(&c->out, "%4lld  %s  ", (long long)history_sequence(event->message), time);
	print_words(&c->out, event->message);
	buf_add_text(&c->out, event->is_repeat ? "  (repeat)\n" : "\n");
}

/* ---- events ---- */

enum { IDLE_TICKS_MAX = 5 }; /* about a second of silence in all topics */

struct following {
	struct ctl *c;
	struct history *history;
	struct codec_port *codec;
	bool is_at_rest; /* by the state with the greatest sequence */
	int64_t state_sequence;
	int idle;
};

static void look_at_state(struct following *f, const struct message *m)
{
	if (m->kind != MESSAGE_STATE || m->state.sequence < f->state_sequence)
		return;
	f->state_sequence = m->state.sequence;
	f->is_at_rest = clone_status_is_at_rest(m->state.status);
}

/* One partition may lie behind another, so the end is a clone at rest and then silence. */
static bool follow_one(void *arg, const struct bus_record *record)
{
	struct following *f = arg;
	const struct history_event *event;

	if (f->c->desk->interrupted(f->c->desk) || f->history->failed)
		return false;
	if (!record)
		return !f->is_at_rest || ++f->idle < IDLE_TICKS_MAX;
	event = history_take(f->history, f->codec, record);
	if (!event)
		return true;
	f->idle = 0;
	look_at_state(f, event->message);
	print_event(f->c, event);
	ctl_flush(f->c);
	return true;
}

/* What is there in order, then what comes as it comes. */
static int follow(struct ctl *c, struct history *h)
{
	const struct desk_read what = { .topics = { [TOPIC_STEP_COMPLETED] = true, [TOPIC_BACKUP_RESTORED] = true,
		[TOPIC_STATE] = true }, .partition = -1, .offset = -1, .follow = true };
	struct err e = { 0 };
	struct following f = { .c = c, .history = h, .codec = c->desk->codec(c->desk, &e) };

	if (!f.codec || !history_read(c, h, &e))
		return ctl_fail(c, &e);
	for (size_t i = 0; i < h->count; i++) {
		look_at_state(&f, h->events[i].message);
		print_event(c, &h->events[i]);
	}
	ctl_flush(c);
	if (!c->desk->read(c->desk, &what, follow_one, &f, &e))
		return ctl_fail(c, &e);
	return c->desk->interrupted(c->desk) ? CTL_INTERRUPTED : CTL_OK;
}

static int print_all(struct ctl *c, struct history *h)
{
	struct err e = { 0 };
	int64_t gap;

	if (!history_read(c, h, &e))
		return ctl_fail(c, &e);
	for (size_t i = 0; i < h->count; i++)
		print_event(c, &h->events[i]);
	gap = history_gap(h);
	if (gap)
		ctl_talk(c,
			 "sandboxctl: event %lld is not there: on its way, or an older state that compaction removed",
			 (long long)gap);
	if (h->unreadable)
		ctl_talk(c, "sandboxctl: %zu records could not be read with our schemas", h->unreadable);
	if (!h->count)
		ctl_talk(c, "sandboxctl: no event of %s is in the topics", h->clone_id);
	return h->count ? CTL_OK : CTL_NOT_FOUND;
}

int cmd_clone_events(struct ctl *c)
{
	struct history h = { 0 };
	struct err e = { 0 };
	int rc;

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	rc = find(c, &h);
	if (rc)
		return rc;
	rc = args_has(&c->args, "follow") ? follow(c, &h) : print_all(c, &h);
	history_done(&h);
	return rc;
}

/* ---- report ---- */

/* What became of the notices is known to the notifier's store only; without one the event says how many there are. */
static void count_told(struct ctl *c, struct report *r)
{
	struct delivery_count count;

	if (!r->restored || !delivery_count(c, r->restored->clone_id, r->restored->run, &count))
		return;
	r->is_told_known = true;
	r->apps_told = count.told;
	r->apps_all = count.all;
}

int cmd_clone_report(struct ctl *c)
{
	const struct report_style style = { c->colors, c->utf8 };
	struct js j = { .out = &c->out, .lines = 2 };
	struct history h = { 0 };
	struct report r;
	struct err e = { 0 };
	int rc;

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	rc = find(c, &h);
	if (rc)
		return rc;
	if (!history_read(c, &h, &e)) {
		rc = ctl_fail(c, &e);
	} else if (!h.count) {
		ctl_talk(c, "sandboxctl: no event of %s is in the topics", h.clone_id);
		rc = CTL_NOT_FOUND;
	} else {
		report_make(&h, &r);
		count_told(c, &r);
		if (c->format == CTL_JSON)
			report_json(&r, &j);
		else
			report_print(&r, &style, &c->out);
		ctl_flush(c);
	}
	history_done(&h);
	return rc;
}
