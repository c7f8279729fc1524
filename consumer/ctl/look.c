/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/look.h"

#include "consumer/ctl/human.h"
#include "consumer/ctl/message_json.h"

#include <inttypes.h>
#include <string.h>

/* ---- states ---- */

enum step_state look_step_state(const struct sight *s, enum step_id step)
{
	step_set bit = STEP_BIT(step);

	if (s->snap.outcome[step] == STEP_SKIPPED)
		return STEP_IS_SKIPPED;
	if (s->done & bit)
		return STEP_IS_DONE;
	if (s->snap.failed_step == (int)step && s->snap.status != CLONE_RUNNING)
		return STEP_IS_FAILED;
	if (!(s->snap.scope & bit))
		return STEP_IS_LEFT_OUT;
	if (s->running & bit)
		return s->notes[step].text[0] ? STEP_IS_WAITING : sight_still_ms(s, step) ? STEP_IS_STILL : STEP_IS_RUNNING;
	return STEP_IS_PENDING;
}

const char *look_step_state_name(enum step_state state)
{
	static const char *const names[STEP_STATE_END] = {
		[STEP_IS_PENDING] = "pending", [STEP_IS_RUNNING] = "running", [STEP_IS_WAITING] = "waiting",
		[STEP_IS_DONE] = "done",       [STEP_IS_SKIPPED] = "skipped", [STEP_IS_FAILED] = "failed",
		[STEP_IS_LEFT_OUT] = "left out", [STEP_IS_STILL] = "still",
	};

	return names[(unsigned)state < STEP_STATE_END ? state : STEP_IS_PENDING];
}

const char *look_glyph(enum step_state state, bool utf8)
{
	static const char *const glyphs[STEP_STATE_END][2] = {
		[STEP_IS_PENDING] = { ".", "·" }, [STEP_IS_RUNNING] = { ">", "▶" }, [STEP_IS_WAITING] = { "~", "◌" },
		[STEP_IS_DONE] = { "+", "✓" },    [STEP_IS_SKIPPED] = { "-", "–" }, [STEP_IS_FAILED] = { "x", "✗" },
		[STEP_IS_LEFT_OUT] = { " ", " " }, [STEP_IS_STILL] = { "=", "‖" },
	};

	return glyphs[state][utf8];
}

const char *look_color(enum step_state state, bool colors)
{
	static const char *const codes[STEP_STATE_END] = {
		[STEP_IS_PENDING] = "\033[2m", [STEP_IS_RUNNING] = "\033[36m", [STEP_IS_WAITING] = "\033[33m",
		[STEP_IS_DONE] = "\033[32m",   [STEP_IS_SKIPPED] = "\033[2m",  [STEP_IS_FAILED] = "\033[31m",
		[STEP_IS_LEFT_OUT] = "\033[2m", [STEP_IS_STILL] = "\033[33m",
	};

	return colors ? codes[state] : "";
}

const char *look_status_color(enum clone_status status, bool colors)
{
	static const enum step_state like[CLONE_STATUS_END] = {
		[CLONE_STATUS_UNSET] = STEP_IS_FAILED, [CLONE_RUNNING] = STEP_IS_RUNNING,
		[CLONE_CANCELLING] = STEP_IS_WAITING,  [CLONE_COMPLETED] = STEP_IS_DONE,
		[CLONE_FAILED] = STEP_IS_FAILED,       [CLONE_PAUSED] = STEP_IS_WAITING,
		[CLONE_CANCELLED] = STEP_IS_SKIPPED,   [CLONE_REJECTED] = STEP_IS_FAILED,
		[CLONE_ROLLING_BACK] = STEP_IS_WAITING, [CLONE_ROLLED_BACK] = STEP_IS_SKIPPED,
	};

	return look_color(like[status], colors);
}

const char *look_color_end(bool colors)
{
	return colors ? "\033[0m" : "";
}

/* ---- words ---- */

void look_step_name(struct buf *out, const struct sight *s, enum step_id step)
{
	const struct step_note *note = &s->notes[step];

	buf_printf(out, "%s %s", steps[step].nn, steps[step].slug);
	if ((s->running & STEP_BIT(step)) && note->rows_total > 0 && note->rows <= note->rows_total)
		buf_printf(out, " (%d%%)", (int)((double)note->rows * 100 / (double)note->rows_total));
}

void look_moved(struct buf *out, const struct step_note *note)
{
	if (note->rows > 0) {
		human_count(out, note->rows);
		if (note->rows_total > note->rows) {
			buf_add_text(out, " of ");
			human_count(out, note->rows_total);
		}
		buf_add_text(out, " rows");
	}
	if (note->bytes > 0) {
		buf_add_text(out, note->rows > 0 ? ", " : "");
		human_size(out, note->bytes);
	}
	if (note->table[0] && !note->tables_total) {
		buf_add_text(out, note->rows > 0 || note->bytes > 0 ? ", " : "");
		human_text(out, note->table, strlen(note->table));
	}
	if (note->table[0] && note->tables < note->tables_total) {
		buf_printf(out, ", table %" PRId64 " of %" PRId64 " ", note->tables + 1, note->tables_total);
		human_text(out, note->table, strlen(note->table));
		if (note->table_rows > 0) {
			buf_add_text(out, " at ");
			human_count(out, note->table_rows);
		}
		if (note->table_bytes > 0) {
			buf_add_text(out, note->table_rows > 0 ? " (" : " at ");
			human_size(out, note->table_bytes);
			buf_add_text(out, note->table_rows > 0 ? ")" : "");
		}
	}
}

void look_still(struct buf *out, const struct sight *s, enum step_id step)
{
	buf_add_text(out, "  no movement for ");
	human_duration(out, sight_still_ms(s, step));
}

/* ---- JSON ---- */

static void json_step(struct js *j, const struct sight *s, enum step_id step)
{
	const struct step_note *note = &s->notes[step];
	enum step_state state = look_step_state(s, step);

	js_object(j, NULL);
	js_number(j, "number", (int64_t)step + 1);
	js_text(j, "step", steps[step].slug);
	js_text(j, "sentence", steps[step].sentence);
	js_text(j, "state", look_step_state_name(state));
	if (s->snap.outcome[step])
		js_text(j, "outcome", step_outcome_name(s->snap.outcome[step]));
	if (note->at_ms) {
		js_number(j, "rows", note->rows);
		js_number(j, "bytes", note->bytes);
		js_number(j, "rows_total", note->rows_total);
		if (note->tables_total) {
			js_number(j, "tables", note->tables);
			js_number(j, "tables_total", note->tables_total);
			js_text(j, "table", note->table);
			js_number(j, "table_rows", note->table_rows);
			js_number(j, "table_bytes", note->table_bytes);
		} else if (note->table[0]) {
			js_text(j, "at", note->table);
		}
		js_time(j, "moved_at", note->at_ms);
	}
	if (state == STEP_IS_STILL)
		js_number(j, "still_ms", sight_still_ms(s, step));
	if (note->text[0])
		js_text(j, "waiting_on", note->text);
	js_close(j);
}

static void json_asked(struct js *j, const struct sight *s)
{
	const struct step_job *job = &s->request->job;

	js_object(j, "asked");
	js_text(j, "kind", job->kind == CLONE_CREATE ? "CREATE" : "REPLACE");
	js_text(j, "mask_domain", job->mask_enabled ? job->mask_domain : NULL);
	js_text(j, "mask_mode", job->mask_enabled ? mask_mode_symbol(job->mask_mode) : NULL);
	js_number(j, "users", (int64_t)job->user_count);
	js_text(j, "documents", documents_symbol(job->documents));
	js_text(j, "attachments", attachments_symbol(job->attachments));
	js_flag(j, "set_running", job->set_running);
	js_close(j);
}

static void json_lease(struct js *j, const struct sight *s)
{
	js_object(j, "lease");
	js_flag(j, "held", s->lease.is_held);
	if (s->lease.is_held) {
		js_text(j, "owner", s->lease.owner);
		js_number(j, "token", (int64_t)s->lease.token);
		js_number(j, "remaining_ms", s->lease.remaining_ms);
	}
	js_close(j);
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

void look_json(struct js *j, const struct sight *s, bool with_steps, int64_t now_ms, struct arena *mem)
{
	enum step_id step = sight_step(s);

	js_text(j, "clone_id", s->id);
	js_text(j, "status", sight_status(s));
	js_text(j, "source_ctx", or_null(s->snap.source_ctx));
	js_text(j, "target_ctx", s->target);
	js_number(j, "run", s->snap.run);
	js_number(j, "steps_done", s->counted);
	js_number(j, "total_steps", s->total);
	js_text(j, "step", step == STEP_END ? NULL : steps[step].slug);
	js_text(j, "waiting_on", or_null(sight_waits_on(s, mem)));
	js_text(j, "cause", or_null(s->is_readable ? s->snap.cause : s->problem));
	js_text(j, "error_class", or_null(s->snap.error_class));
	js_time(j, "requested_at", s->snap.requested_at_ms);
	js_time(j, "started_at", s->snap.started_at_ms);
	js_time(j, "ended_at", s->ended_ms);
	js_number(j, "elapsed_ms", sight_elapsed_ms(s, now_ms));
	js_text(j, "generation", or_null(s->snap.generation));
	js_number(j, "token", (int64_t)s->snap.token);
	js_number(j, "untold_events", (int64_t)s->outbox);
	js_text(j, "next_command", or_null(sight_next_command(s, mem)));
	if (s->lease_is_known)
		json_lease(j, s);
	if (s->request)
		json_asked(j, s);
	if (!with_steps)
		return;
	js_array(j, "steps");
	for (int i = 0; i < STEP_END; i++)
		json_step(j, s, (enum step_id)i);
	js_close(j);
}
