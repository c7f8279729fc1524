/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/watch.h"

#include "consumer/core/log_text.h"
#include "consumer/ctl/human.h"
#include "consumer/ctl/look.h"

#include <string.h>

enum { LINE_MAX_BYTES = 1024, HEAD_LINES = 3 };

/* ---- a frame ---- */

/* A line, cut at the terminal's width: a wrapped one would spoil the redrawing. */
static void add_line(const struct watch_frame *f, struct buf *line, struct buf *out)
{
	size_t columns = f->columns > 0 ? (size_t)f->columns : LINE_MAX_BYTES, shown = 0;
	const char *text = buf_text(line);

	for (size_t i = 0; i < line->len;) {
		uint32_t code;
		size_t n = text_next_char(text + i, line->len - i, &code);

		if (code == 0x1b) { /* a colour takes no place */
			n = strcspn(text + i, "m") + 1;
		} else if (shown++ >= columns) {
			break;
		}
		buf_add(out, text + i, n);
		i += n;
	}
	buf_printf(out, "%s\n", look_color_end(f->colors));
	buf_clear(line);
}

static void head_line(const struct watch_frame *f, struct buf *line)
{
	const struct sight *s = f->sight;
	struct time_left left = pace_of_clone(f->pace, s, f->now_ms);

	buf_printf(line, "%s -> %s  %s%s%s  %d/%d  ", s->snap.source_ctx, s->target,
		   look_status_color(s->snap.status, f->colors), sight_status(s), look_color_end(f->colors), s->counted,
		   s->total);
	human_duration(line, sight_elapsed_ms(s, f->now_ms));
	if (left.is_known) {
		buf_add_text(line, ", left ");
		pace_print(line, &left);
		buf_printf(line, " (by %d earlier)", left.by);
	}
	if (s->snap.run > 1)
		buf_printf(line, "  run %d", s->snap.run);
}

static void second_line(const struct watch_frame *f, struct arena *mem, struct buf *line)
{
	const struct sight *s = f->sight;
	const char *waits_on = sight_waits_on(s, mem);

	if (s->snap.cause[0]) {
		buf_printf(line, "%s", look_color(STEP_IS_FAILED, f->colors));
		human_text(line, s->snap.cause, strlen(s->snap.cause));
	} else if (waits_on[0]) {
		human_text(line, waits_on, strlen(waits_on));
	} else {
		buf_printf(line, "%.13s", s->id);
	}
}

static void step_line(const struct watch_frame *f, enum step_id step, struct buf *line)
{
	const struct sight *s = f->sight;
	enum step_state state = look_step_state(s, step);
	struct time_left left = pace_of_step(f->pace, s, step);
	const struct step_note *note = &s->notes[step];

	buf_printf(line, "%s%s%s %s %-26s ", look_color(state, f->colors), look_glyph(state, f->utf8),
		look_color_end(f->colors), steps[step].nn, steps[step].slug);
	look_moved(line, note);
	if (left.is_known) {
		buf_add_text(line, "  left ");
		pace_print(line, &left);
	}
	if (state == STEP_IS_STILL) {
		look_still(line, s, step);
	} else if (state == STEP_IS_WAITING) {
		buf_add_text(line, note->rows || note->bytes ? "  waits for " : "waits for ");
		human_text(line, note->text, strlen(note->text));
	} else if (state == STEP_IS_SKIPPED) {
		buf_add_text(line, "skipped");
	}
}

/* Steps worth a line when not all fit: those under way or failed, and as many that come next as there is room for. */
static step_set worth_a_line(const struct watch_frame *f, int room)
{
	const struct sight *s = f->sight;
	step_set shown = 0;

	for (int i = 0; i < STEP_END && room > 0; i++) {
		enum step_state state = look_step_state(s, (enum step_id)i);

		if (state == STEP_IS_RUNNING || state == STEP_IS_STILL || state == STEP_IS_WAITING ||
		    state == STEP_IS_FAILED) {
			shown |= STEP_BIT(i);
			room--;
		}
	}
	for (int i = 0; i < STEP_END && room > 0; i++)
		if (look_step_state(s, (enum step_id)i) == STEP_IS_PENDING) {
			shown |= STEP_BIT(i);
			room--;
		}
	return shown;
}

static void count_line(const struct watch_frame *f, step_set shown, struct buf *line)
{
	int done = 0, others = 0;

	for (int i = 0; i < STEP_END; i++) {
		if (shown & STEP_BIT(i))
			continue;
		if (f->sight->done & STEP_BIT(i))
			done++;
		else
			others++;
	}
	buf_printf(line, "%s %d done", look_glyph(STEP_IS_DONE, f->utf8), done);
	if (others)
		buf_printf(line, ", %d more to come", others);
}

int watch_frame_print(const struct watch_frame *f, struct arena *mem, struct buf *out)
{
	step_set shown = ALL_STEPS;
	int lines = 2;
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	head_line(f, &line);
	add_line(f, &line, out);
	second_line(f, mem, &line);
	add_line(f, &line, out);
	if (f->rows > 0 && f->rows < STEP_END + HEAD_LINES) {
		shown = worth_a_line(f, f->rows - HEAD_LINES - 1);
		count_line(f, shown, &line);
		add_line(f, &line, out);
		lines++;
	}
	for (int i = 0; i < STEP_END; i++) {
		if (!(shown & STEP_BIT(i)))
			continue;
		step_line(f, (enum step_id)i, &line);
		add_line(f, &line, out);
		lines++;
	}
	buf_done(&line);
	return lines;
}

/* ---- changes ---- */

enum change { CHANGE_NONE, CHANGE_BEGAN, CHANGE_ENDED, CHANGE_WAITS, CHANGE_STILL, CHANGE_MOVED };

static enum change change_to(enum step_state state, enum step_state old)
{
	switch (state) {
	case STEP_IS_PENDING:
	case STEP_IS_LEFT_OUT:
		return CHANGE_NONE;
	case STEP_IS_RUNNING:
		return old == STEP_IS_STILL ? CHANGE_MOVED : CHANGE_BEGAN;
	case STEP_IS_STILL:
		return CHANGE_STILL;
	case STEP_IS_WAITING:
		return CHANGE_WAITS;
	default:
		return CHANGE_ENDED;
	}
}

/* A new state of a step; or a tenth more of its rows. */
static enum change change_of(const struct sight *before, const struct sight *now, enum step_id step)
{
	const struct step_note *note = &now->notes[step], *was = before ? &before->notes[step] : NULL;
	enum step_state state = look_step_state(now, step);
	bool same_run = before && before->snap.run == now->snap.run;
	enum step_state old = same_run ? look_step_state(before, step) : STEP_IS_PENDING;

	if (state != old)
		return change_to(state, old);
	if (state == STEP_IS_WAITING && strcmp(note->text, was->text) != 0)
		return CHANGE_WAITS;
	if (state == STEP_IS_RUNNING && note->rows_total > 0 &&
	    (double)note->rows * 10 / (double)note->rows_total >= (double)(int64_t)((double)was->rows * 10 /
	    (double)note->rows_total) + 1)
		return CHANGE_MOVED;
	return CHANGE_NONE;
}

static bool status_changed(const struct sight *before, const struct sight *now)
{
	return !before || before->snap.status != now->snap.status || before->snap.run != now->snap.run;
}

static void print_step(const struct sight *s, const struct pace *pace, enum step_id step, enum change change, int counted,
                       struct buf *out)
{
	struct time_left left = pace_of_step(pace, s, step);
	const struct step_note *note = &s->notes[step];

	buf_printf(out, "%s %s ", steps[step].nn, steps[step].slug);
	if (change == CHANGE_ENDED) {
		buf_add_text(out, s->snap.outcome[step] ? step_outcome_name(s->snap.outcome[step]) : "FAILED");
		buf_printf(out, "  %d/%d", counted, s->total);
	} else if (change == CHANGE_WAITS) {
		buf_add_text(out, "waits for ");
		human_text(out, note->text, strlen(note->text));
	} else if (change == CHANGE_STILL) {
		buf_add_text(out, "no movement for ");
		human_duration(out, sight_still_ms(s, step));
	} else {
		buf_add_text(out, change == CHANGE_BEGAN ? "begun" : "moves");
	}
	if (note->rows > 0 || note->bytes > 0) {
		buf_add_text(out, "  ");
		look_moved(out, note);
	}
	if (change == CHANGE_MOVED && left.is_known) {
		buf_add_text(out, "  left ");
		pace_print(out, &left);
	}
	buf_add_text(out, "\n");
}

static void print_status(const struct sight *s, int64_t now_ms, struct buf *out)
{
	buf_printf(out, "%s  %d/%d  run %d  elapsed ", sight_status(s), s->counted, s->total, s->snap.run);
	human_duration(out, sight_elapsed_ms(s, now_ms));
	if (s->snap.cause[0]) {
		buf_add_text(out, "  ");
		human_text(out, s->snap.cause, strlen(s->snap.cause));
	}
	buf_add_text(out, "\n");
}

void watch_changes(const struct sight *before, const struct sight *now, const struct pace *pace, int64_t now_ms,
                   struct arena *mem, struct buf *out)
{
	const char *waits_on = sight_waits_on(now, mem), *waited_on = before ? sight_waits_on(before, mem) : "";
	enum documents_choice documents = now->request ? now->request->job.documents : DOCUMENTS_ALL;
	step_set told = before && before->snap.run == now->snap.run ? before->done : 0;
	char time[LOG_TIME_TEXT];

	log_time_text(now_ms, time);
	for (int i = 0; i < STEP_END; i++) {
		enum change change = change_of(before, now, (enum step_id)i);

		if (change == CHANGE_NONE)
			continue;
		told |= now->done & STEP_BIT(i);
		buf_printf(out, "%s ", time);
		print_step(now, pace, (enum step_id)i, change, plan_counted(documents, told), out);
	}
	if (!now->running && strcmp(waits_on, waited_on) != 0 && waits_on[0])
		buf_printf(out, "%s %s\n", time, waits_on);
	if (status_changed(before, now)) {
		buf_printf(out, "%s ", time);
		print_status(now, now_ms, out);
	}
}

static void json_left(struct js *j, const char *name, const struct time_left *left)
{
	if (!left->is_known)
		return;
	js_object(j, name);
	js_number(j, "least_ms", left->least_ms);
	js_number(j, "most_ms", left->most_ms);
	if (left->by)
		js_number(j, "by_earlier_clones", left->by);
	js_close(j);
}

static void json_change(const struct sight *s, const struct pace *pace, enum step_id step, enum change change,
                        int64_t now_ms, struct buf *out)
{
	static const char *const names[] = { "", "began", "ended", "waits", "still", "moves" };
	struct js j = { .out = out };
	const struct step_note *note = &s->notes[step];
	struct time_left step_left = pace_of_step(pace, s, step), clone_left = pace_of_clone(pace, s, now_ms);

	js_object(&j, NULL);
	js_time(&j, "time", now_ms);
	js_text(&j, "clone_id", s->id);
	js_text(&j, "change", names[change]);
	js_number(&j, "number", (int64_t)step + 1);
	js_text(&j, "step", steps[step].slug);
	if (change == CHANGE_ENDED)
		js_text(&j, "outcome", s->snap.outcome[step] ? step_outcome_name(s->snap.outcome[step]) : "FAILED");
	if (change == CHANGE_WAITS)
		js_text(&j, "waiting_on", note->text);
	if (change == CHANGE_STILL)
		js_number(&j, "still_ms", sight_still_ms(s, step));
	js_number(&j, "rows", note->rows);
	js_number(&j, "bytes", note->bytes);
	json_left(&j, "step_left", &step_left);
	json_left(&j, "clone_left", &clone_left);
	js_number(&j, "steps_done", s->counted);
	js_number(&j, "total_steps", s->total);
	js_close(&j);
}

void watch_changes_json(const struct sight *before, const struct sight *now, const struct pace *pace, int64_t now_ms,
                        struct arena *mem, struct buf *out)
{
	struct js j = { .out = out };

	for (int i = 0; i < STEP_END; i++) {
		enum change change = change_of(before, now, (enum step_id)i);

		if (change != CHANGE_NONE)
			json_change(now, pace, (enum step_id)i, change, now_ms, out);
	}
	if (!status_changed(before, now))
		return;
	js_object(&j, NULL);
	js_time(&j, "time", now_ms);
	js_text(&j, "change", "status");
	look_json(&j, now, false, now_ms, mem);
	js_close(&j);
}
