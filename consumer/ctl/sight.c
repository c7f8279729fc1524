/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/sight.h"

#include "consumer/core/engine.h"
#include "consumer/core/events.h"
#include "consumer/ctl/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AWAIT_LOOKS = 50, AWAIT_EVERY_MS = 100, STILL_TEXT_MAX = 64 };

/* ---- finding it ---- */

static bool no_clone(const char *target, struct err *e)
{
	if (*target)
		return err_set(e, ERR_REFUSED, 0, "clone", "no clone of %.60s is known", target);
	return err_set(e, ERR_REFUSED, 0, "clone", "no clone is known yet");
}

static bool latest(struct ctl *c, struct inspect_port *inspect, const char *target, struct inspect_clone *clone_r,
                   struct err *e)
{
	const struct inspect_clone *clones;
	size_t count;

	if (!inspect->list(inspect, *target ? INSPECT_LIST_MAX : 1, c->mem, &clones, &count, e))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (*target && strcmp(clones[i].target_ctx, target) != 0)
			continue;
		*clone_r = clones[i];
		return true;
	}
	return no_clone(target, e);
}

bool sight_look_up(struct ctl *c, const char *id, struct inspect_clone *clone_r, struct err *e)
{
	struct inspect_port *inspect = c->desk->inspect(c->desk, e);

	if (!inspect)
		return false;
	if (strcmp(id, "@latest") == 0)
		return latest(c, inspect, "", clone_r, e);
	if (strncmp(id, "@latest:", 8) == 0)
		return latest(c, inspect, id + 8, clone_r, e);
	if (id[0] == '@')
		return err_set(e, ERR_REFUSED, 0, "clone", "%.40s names no clone: @latest and @latest:TENANT do", id);
	return inspect->clone(inspect, id, c->mem, clone_r, e);
}

int sight_find(struct ctl *c, const char *id, struct inspect_clone *clone_r)
{
	struct err e = { 0 };

	if (sight_look_up(c, id, clone_r, &e))
		return CTL_OK;
	ctl_fail(c, &e);
	return e.class == ERR_REFUSED && e.code == 0 && c->desk->inspect(c->desk, &e) ? CTL_NOT_FOUND
										      : (int)ctl_exit_for(&e);
}

static bool has_changed(struct ctl *c, const struct sight *s)
{
	struct inspect_clone clone;
	struct err e = { 0 };
	struct sight now;
	bool changed;

	if (!sight_look_up(c, s->id, &clone, &e))
		return false;
	sight_make(c, &clone, false, &now);
	changed = now.snap.status != s->snap.status || now.snap.run != s->snap.run;
	sight_done(&now);
	return changed;
}

void sight_await_change(struct ctl *c, const struct sight *s)
{
	ctl_flush(c);
	for (int looks = 0; looks < AWAIT_LOOKS && !c->desk->interrupted(c->desk); looks++) {
		if (has_changed(c, s))
			return;
		c->desk->sleep(c->desk, AWAIT_EVERY_MS);
	}
	ctl_talk(c, "No consumer has taken it yet; is one running? It stays in the topic until then.");
}

/* ---- putting it together ---- */

static const struct store_pair *pair_of(const struct store_pair *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return &pairs[i];
	return NULL;
}

/* Numbers, the table under way and, where it is known, what the step waits for: consumer/runtime/loop_out.c writes it. */
static void read_note(const struct store_pair *pair, struct step_note *note)
{
	int64_t *const numbers[] = { &note->rows, &note->bytes, &note->rows_total, &note->at_ms, &note->tables,
		&note->tables_total, &note->table_rows, &note->table_bytes };
	const char *text = pair->value, *tab;
	char *end;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		*numbers[i] = strtoll(text, &end, 10);
		if (end == text) {
			*note = (struct step_note){ .text = "" };
			return;
		}
		text = end;
	}
	tab = *text == '\t' ? strchr(text + 1, '\t') : NULL;
	if (!tab) {
		*note = (struct step_note){ .text = "" };
		return;
	}
	snprintf(note->table, sizeof note->table, "%.*s", (int)(tab - text - 1), text + 1);
	note->text = tab + 1;
}

/* Notes of an earlier run are older than this one. */
static void read_notes(const struct inspect_clone *clone, struct sight *s)
{
	for (int i = 0; i < STEP_END; i++)
		s->notes[i].text = "";
	for (size_t i = 0; i < clone->note_count; i++) {
		enum step_id id = step_by_slug(clone->note[i].name);

		if (id == STEP_END)
			continue;
		read_note(&clone->note[i], &s->notes[id]);
		if (s->notes[id].at_ms < s->snap.started_at_ms)
			s->notes[id] = (struct step_note){ .text = "" };
		else if (!(s->done & STEP_BIT(id)) && s->notes[id].at_ms)
			s->running |= STEP_BIT(id);
	}
}

static void read_request(struct ctl *c, const struct inspect_clone *clone, struct sight *s)
{
	const struct store_pair *p = pair_of(clone->fields, clone->field_count, "request");
	struct bus_record record = { .at = { TOPIC_REQUESTED, 0, 0 } };
	struct err e = { 0 };
	struct codec_port *codec = p ? c->desk->codec(c->desk, &e) : NULL;

	if (!codec)
		return;
	record.value = p->value;
	record.value_len = p->len;
	if (codec->decode(codec, MESSAGE_REQUEST, &record, &s->message, &e) == CODEC_OK)
		s->request = &s->message->request;
}

static void read_lease(struct ctl *c, struct sight *s)
{
	struct err e = { 0 };
	struct inspect_port *inspect = c->desk->inspect(c->desk, &e);

	s->lease_is_known = inspect && inspect->lease(inspect, s->target, c->mem, &s->lease, &e);
	if (s->lease_is_known && s->lease.is_held && strcmp(s->lease.clone_id, s->id) != 0)
		s->lease.is_held = false; /* of another clone on the same target */
}

void sight_make(struct ctl *c, const struct inspect_clone *clone, bool with_lease, struct sight *s)
{
	struct err e = { 0 };

	memset(s, 0, sizeof *s);
	s->id = clone->clone_id;
	s->target = clone->target_ctx;
	s->outbox = clone->outbox_length;
	s->seen_ms = c->now_ms;
	s->problem = "";
	s->is_readable = snapshot_read(clone->fields, clone->field_count, &s->snap, &e);
	if (!s->is_readable) {
		s->problem = clone->field_count ? arena_text(c->mem, e.text, strlen(e.text)) :
			"its record is gone: it was kept for a while after the clone came to rest";
		s->problem = s->problem ? s->problem : "";
		s->snap.status = CLONE_STATUS_UNSET;
	}
	read_request(c, clone, s);
	s->done = snapshot_done(&s->snap);
	read_notes(clone, s);
	s->total = plan_total_steps(s->request ? s->request->job.documents : DOCUMENTS_ALL);
	s->counted = plan_counted(s->request ? s->request->job.documents : DOCUMENTS_ALL, s->done);
	s->began_ms = s->snap.started_at_ms ? s->snap.started_at_ms : clone->requested_at_ms;
	s->ended_ms = clone_status_is_at_rest(s->snap.status) ? s->snap.ended_at_ms : 0;
	if (clone_status_is_at_rest(s->snap.status))
		s->running = 0;
	if (with_lease)
		read_lease(c, s);
}

void sight_done(struct sight *s)
{
	message_free(&s->message);
	s->request = NULL;
}

/* ---- what it means ---- */

const char *sight_status(const struct sight *s)
{
	return s->is_readable ? clone_status_name(s->snap.status) : "UNREADABLE";
}

enum step_id sight_step(const struct sight *s)
{
	step_set under_way = s->running;

	if (s->snap.failed_step >= 0)
		return (enum step_id)s->snap.failed_step;
	if (!under_way && s->snap.status == CLONE_RUNNING)
		under_way = plan_ready(PLAN_PARALLEL, s->done) & s->snap.scope;
	for (int i = 0; i < STEP_END; i++)
		if (under_way & STEP_BIT(i))
			return (enum step_id)i;
	return STEP_END;
}

int64_t sight_still_ms(const struct sight *s, enum step_id step)
{
	const struct step_note *note = &s->notes[step];

	if (!(s->running & STEP_BIT(step)) || note->text[0] || s->seen_ms - note->at_ms < STEP_STILL_AFTER_MS)
		return 0;
	return s->seen_ms - note->at_ms;
}

static const char *still_words(const struct sight *s, enum step_id step, struct arena *mem)
{
	struct buf took;
	const char *text;

	buf_init(&took, STILL_TEXT_MAX);
	human_duration(&took, sight_still_ms(s, step));
	text = arena_printf(mem, "%s: no movement for %s", steps[step].slug, buf_text(&took));
	buf_done(&took);
	return text;
}

const char *sight_waits_on(const struct sight *s, struct arena *mem)
{
	const char *text = "";

	if (!s->is_readable || clone_status_is_at_rest(s->snap.status))
		return "";
	if (s->lease_is_known && !s->lease.is_held)
		return "waits for a consumer: none holds the lease of the target";
	for (int i = 0; i < STEP_END; i++) {
		if (!(s->running & STEP_BIT(i)))
			continue;
		if (s->notes[i].text[0])
			text = arena_printf(mem, "%s waits for %s", steps[i].slug, s->notes[i].text);
		else if (sight_still_ms(s, (enum step_id)i) > 0)
			text = still_words(s, (enum step_id)i, mem);
		else
			return ""; /* at least this one moves */
	}
	return text ? text : "";
}

const char *sight_next_command(const struct sight *s, struct arena *mem)
{
	const char *text = NULL;

	switch (s->snap.status) {
	case CLONE_RUNNING:
	case CLONE_CANCELLING:
	case CLONE_ROLLING_BACK:
		text = arena_printf(mem, "sandboxctl clone watch %s", s->id);
		break;
	case CLONE_COMPLETED:
		text = arena_printf(mem, "sandboxctl clone report %s", s->id);
		break;
	default:
		text = event_next_command(&s->snap, s->id, mem);
		break;
	}
	return text ? text : "";
}

int64_t sight_elapsed_ms(const struct sight *s, int64_t now_ms)
{
	int64_t end_ms = s->ended_ms ? s->ended_ms : now_ms;

	return s->began_ms > 0 && end_ms > s->began_ms ? end_ms - s->began_ms : 0;
}
