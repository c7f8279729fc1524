/* SPDX-License-Identifier: Apache-2.0
 * clone watch: looks four times a second and shows what changed, until the clone is at rest. */
#include "consumer/ctl/cmd_watch.h"
#include "consumer/ctl/commands.h"
#include "consumer/ctl/letters.h"
#include "consumer/ctl/watch.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOOK_EVERY_MS = 250,
	LETTERS_AFTER_MS = 4000,
	UNKNOWN_MAX_MS = 30000,
	MEMORY_A_LOOK = 4 * 1024 * 1024
};

struct watching {
	struct ctl *c;
	const struct watch_wish *wish;
	struct sight sights[2]; /* the last one and the one before, by turns */
	struct arena *mems[2];
	int turn;
	bool has_before;
	struct pace pace;
	int lines; /* of the frame on the terminal */
	int64_t began_ms, letters_at_ms;
	bool lost;
	char id[CLONE_ID_MAX + 1]; /* whole, once it is known */
};

bool watch_timeout(struct ctl *c, int64_t *within_ms_r, struct err *e)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	const char *text = args_text(&c->args, "timeout"), *p = text;

	*within_ms_r = 0;
	while (p && *p) {
		char *end;
		long number = strtol(p, &end, 10);
		size_t len = strspn(end, "dhms");
		int64_t ms = 0;

		for (size_t i = 0; i < sizeof units / sizeof *units; i++)
			if (strlen(units[i].name) == len && strncmp(units[i].name, end, len) == 0)
				ms = units[i].ms;
		if (end == p || number < 0 || number > 1000000 || !ms)
			return err_set(e, ERR_REFUSED, 0, "usage", "--timeout takes a duration such as 90s or 1h30m");
		*within_ms_r += number * ms;
		p = end + len;
	}
	return !text || *within_ms_r > 0 ||
	       err_set(e, ERR_REFUSED, 0, "usage", "--timeout must be longer than nothing");
}

/* ---- showing ---- */

static void draw(struct watching *w, const struct sight *s)
{
	struct ctl *c = w->c;
	struct watch_frame f = { s, &w->pace, c->now_ms, 0, 0, c->colors, c->utf8 };

	c->desk->screen(c->desk, &f.columns, &f.rows);
	if (w->lines)
		buf_printf(&c->out, "\033[%dA\r", w->lines);
	buf_add_text(&c->out, "\033[J");
	w->lines = watch_frame_print(&f, w->mems[w->turn], &c->out);
	ctl_flush(c);
}

static void show(struct watching *w, const struct sight *before, const struct sight *now)
{
	struct ctl *c = w->c;

	if (c->format == CTL_JSONL)
		watch_changes_json(before, now, &w->pace, c->now_ms, w->mems[w->turn], &c->out);
	else if (c->desk->is_terminal(c->desk, DESK_OUT))
		draw(w, now);
	else
		watch_changes(before, now, &w->pace, c->now_ms, w->mems[w->turn], &c->out);
	ctl_flush(c);
}

/* How long others of the same source took. */
static void look_at_earlier(struct watching *w, const struct sight *s)
{
	struct err e = { 0 };
	struct ctl *c = w->c;
	struct inspect_port *inspect = c->desk->inspect(c->desk, &e);
	const struct inspect_clone *clones;
	size_t count;

	if (!inspect || !inspect->list(inspect, 100, c->mem, &clones, &count, &e))
		return;
	for (size_t i = 0; i < count; i++) {
		struct sight other;

		sight_make(c, &clones[i], false, &other);
		if (strcmp(other.id, s->id) != 0)
			pace_earlier(&w->pace, &other, strcmp(other.snap.source_ctx, s->snap.source_ctx) == 0);
		sight_done(&other);
	}
}

/* ---- looking ---- */

/* A request that nobody can use ends among the dead letters; then there is nothing to wait for. */
static bool ended_as_letter(struct watching *w, char *why, size_t size)
{
	struct err e = { 0 };

	if (!w->wish->is_new || w->c->now_ms < w->letters_at_ms)
		return false;
	w->letters_at_ms = w->c->now_ms + LETTERS_AFTER_MS;
	return letters_about(w->c, w->wish->id, w->began_ms, why, size, &e);
}

enum look { LOOK_SEEN, LOOK_NOT_YET, LOOK_GIVE_UP };

static enum look not_found(struct watching *w, const struct err *e, int *rc_r)
{
	char why[256];

	if (!w->lost)
		w->lines = 0; /* what is said now stands below the frame */
	if (e->class == ERR_TRANSIENT) {
		if (!w->lost)
			ctl_talk(w->c, "sandboxctl: %s; trying again", e->text);
		w->lost = true;
		return LOOK_NOT_YET;
	}
	if (!w->wish->is_new || e->code) {
		ctl_fail(w->c, e);
		*rc_r = e->code ? (int)ctl_exit_for(e) : CTL_NOT_FOUND;
		return LOOK_GIVE_UP;
	}
	if (ended_as_letter(w, why, sizeof why)) {
		ctl_talk(w->c, "sandboxctl: the request was refused: %s", why);
		*rc_r = CTL_CONFLICT;
		return LOOK_GIVE_UP;
	}
	if (w->wish->may_be_none && w->c->now_ms - w->began_ms > UNKNOWN_MAX_MS) {
		*rc_r = CTL_NOT_FOUND;
		return LOOK_GIVE_UP;
	}
	if (!w->lost && w->c->now_ms - w->began_ms > LETTERS_AFTER_MS) {
		ctl_talk(w->c, "No consumer has taken the request yet; is one running? Waiting.");
		w->lost = true;
	}
	return LOOK_NOT_YET;
}

/* What is there now, in the turn's own memory. */
static enum look look(struct watching *w, struct sight *s, int *rc_r)
{
	struct err e = { 0 };
	struct ctl *c = w->c;
	struct arena *mem = c->mem;
	struct inspect_clone clone;
	bool ok;

	c->now_ms = c->desk->utc_ms(c->desk);
	c->mem = w->mems[w->turn];
	ok = sight_look_up(c, w->id[0] ? w->id : w->wish->id, &clone, &e);
	if (ok)
		sight_make(c, &clone, true, s);
	c->mem = mem;
	if (!ok)
		return not_found(w, &e, rc_r);
	w->lost = false;
	strncpy(w->id, s->id, CLONE_ID_MAX);
	return LOOK_SEEN;
}

static int exit_of(const struct watching *w, const struct sight *s)
{
	if (!w->wish->is_status_exit || s->snap.status == CLONE_COMPLETED)
		return CTL_OK;
	return s->snap.status == CLONE_REJECTED ? CTL_CONFLICT : CTL_FAILED;
}

static bool is_over(const struct sight *s)
{
	return clone_status_is_at_rest(s->snap.status) || !s->is_readable;
}

static void say_end(struct watching *w, const struct sight *s)
{
	const char *next = sight_next_command(s, w->mems[w->turn]);

	if (!s->is_readable)
		ctl_talk(w->c, "sandboxctl: %s", s->problem);
	else if (next[0])
		ctl_talk(w->c, "Next: %s", next);
}

static bool time_is_over(struct watching *w, int *rc_r)
{
	struct ctl *c = w->c;

	if (c->desk->interrupted(c->desk)) {
		ctl_talk(
		    c, "Not watching any more; the clone goes on. To end it: sandboxctl clone cancel %s --reason '...'",
		    w->id[0] ? w->id : w->wish->id);
		*rc_r = CTL_INTERRUPTED;
		return true;
	}
	if (w->wish->within_ms && c->now_ms - w->began_ms >= w->wish->within_ms) {
		ctl_talk(c, "sandboxctl: the time is over; the clone goes on");
		*rc_r = CTL_TIMEOUT;
		return true;
	}
	return false;
}

static int follow(struct watching *w)
{
	int rc = CTL_OK;

	while (!time_is_over(w, &rc)) {
		struct sight *now = &w->sights[w->turn], *before = &w->sights[!w->turn];
		enum look seen;

		sight_done(now);
		arena_clear(w->mems[w->turn]);
		seen = look(w, now, &rc);
		if (seen == LOOK_GIVE_UP)
			return rc;
		if (seen == LOOK_SEEN && now->snap.run > w->wish->after_run) {
			if (!w->has_before)
				look_at_earlier(w, now);
			pace_look(&w->pace, now);
			show(w, w->has_before ? before : NULL, now);
			if (is_over(now)) {
				say_end(w, now);
				return exit_of(w, now);
			}
			w->has_before = true;
			w->turn = !w->turn;
		}
		w->c->desk->sleep(w->c->desk, LOOK_EVERY_MS);
	}
	return rc;
}

int watch_clone(struct ctl *c, const struct watch_wish *wish)
{
	struct watching *w = calloc(1, sizeof *w);
	int rc = CTL_UNAVAILABLE;

	if (!w)
		return rc;
	w->c = c;
	w->wish = wish;
	w->began_ms = c->now_ms = c->desk->utc_ms(c->desk);
	w->letters_at_ms = w->began_ms + LETTERS_AFTER_MS / 2;
	for (int i = 0; i < 2; i++)
		w->mems[i] = arena_new(MEMORY_A_LOOK);
	if (w->mems[0] && w->mems[1])
		rc = follow(w);
	for (int i = 0; i < 2; i++) {
		sight_done(&w->sights[i]);
		arena_free(&w->mems[i]);
	}
	free(w);
	return rc;
}

int cmd_clone_watch(struct ctl *c)
{
	struct err e = { 0 };
	struct watch_wish wish = { .id = c->args.operands[0], .is_status_exit = args_has(&c->args, "exit-status") };

	if (!watch_timeout(c, &wish.within_ms, &e) || !ctl_configure(c, &e))
		return ctl_fail(c, &e);
	/* A whole id may be that of a request which no consumer has taken yet. */
	wish.is_new = wish.may_be_none = wish.id[0] != '@' && strlen(wish.id) == CLONE_ID_MAX;
	return watch_clone(c, &wish);
}
