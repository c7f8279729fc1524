/* SPDX-License-Identifier: Apache-2.0
 * clone pause, resume, retry-now, cancel, rollback: one record on the control topic each. */
#include "consumer/ctl/commands.h"
#include "consumer/ctl/js.h"
#include "consumer/ctl/sight.h"

#include <stdio.h>
#include <string.h>

struct steering {
	enum control_verb verb;
	const char *word;    /* of the command */
	const char *meaning; /* said when it was sent */
	const char *confirm; /* asked before; NULL: not */
};

/* What the consumer would refuse is refused here, before it becomes a dead letter. NULL: it is all right. */
static const char *why_not(enum control_verb verb, enum clone_status status)
{
	bool is_running = status == CLONE_RUNNING, is_paused = status == CLONE_PAUSED;

	switch (verb) {
	case CONTROL_PAUSE:
		return is_running || is_paused ? NULL : "only a running clone can be paused";
	case CONTROL_CANCEL:
		return status == CLONE_COMPLETED || status == CLONE_CANCELLED || status == CLONE_REJECTED ||
				       status == CLONE_ROLLING_BACK || status == CLONE_ROLLED_BACK ?
			"it has ended; there is nothing to cancel" : NULL;
	case CONTROL_ROLLBACK: /* a failed one may be one whose rollback broke off */
		return status == CLONE_COMPLETED || status == CLONE_FAILED ? NULL : "only a complete clone can be rolled back";
	default:
		return is_running || is_paused  ? NULL
		       : status == CLONE_FAILED ? "it has failed: replay it"
						: "only a running or paused clone can go on";
	}
}

static void print_sent(struct ctl *c, const struct sight *s, const struct steering *how)
{
	struct js j = { .out = &c->out, .lines = 1 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_flag(&j, "sent", true);
		js_text(&j, "verb", control_verb_name(how->verb));
		js_text(&j, "clone_id", s->id);
		js_text(&j, "target_ctx", s->target);
		js_close(&j);
	} else {
		buf_printf(&c->out, "%s\n", how->meaning);
	}
	if (clone_status_is_at_rest(s->snap.status))
		sight_await_change(c, s);
	ctl_talk(c, "Next: sandboxctl clone watch %s", s->id);
}

static int confirm(struct ctl *c, const struct sight *s, const struct steering *how)
{
	char what[256];

	if (!how->confirm || args_has(&c->args, "dry-run"))
		return CTL_OK;
	if (!args_has(&c->args, "reason")) {
		ctl_talk(c, "sandboxctl: clone %s needs --reason TEXT: it is kept with the clone", how->word);
		return CTL_USAGE;
	}
	snprintf(what, sizeof what, how->confirm, s->target,
		 s->snap.generation[0] ? s->snap.generation : "nothing yet");
	return ctl_confirm(c, what, s->target);
}

static int send_control(struct ctl *c, const struct sight *s, const struct steering *how)
{
	struct message *m = arena_take(c->mem, sizeof *m);
	const char *reason = args_text(&c->args, "reason");
	struct err e = { 0 };

	if (!m)
		return CTL_UNAVAILABLE;
	m->kind = MESSAGE_CONTROL;
	m->control = (struct clone_control){ .clone_id = s->id, .target_ctx = s->target, .verb = how->verb,
		.reason = reason ? reason : "", .requested_by = ctl_asker(c) };
	if (!ctl_send(c, m, TOPIC_CONTROL, s->target, c->desk->environment(c->desk, "TRACEPARENT"), &e))
		return ctl_fail(c, &e);
	if (!args_has(&c->args, "dry-run"))
		print_sent(c, s, how);
	return CTL_OK;
}

static int steer(struct ctl *c, const struct steering *how)
{
	struct inspect_clone clone;
	struct err e = { 0 };
	const char *why;
	struct sight s;
	int rc;

	if (!ctl_configure(c, &e))
		return ctl_fail(c, &e);
	rc = sight_find(c, c->args.operands[0], &clone);
	if (rc)
		return rc;
	sight_make(c, &clone, false, &s);
	why = s.is_readable ? why_not(how->verb, s.snap.status) : NULL;
	if (why) {
		const char *next = sight_next_command(&s, c->mem);

		ctl_talk(c, "sandboxctl: clone %s is %s: %s.%s%s", s.id, sight_status(&s), why, *next ? " Next: " : "",
			 next);
		rc = CTL_CONFLICT;
	} else {
		rc = confirm(c, &s, how);
	}
	if (!rc)
		rc = send_control(c, &s, how);
	sight_done(&s);
	return rc;
}

int cmd_clone_pause(struct ctl *c)
{
	return steer(
	    c, &(struct steering){
		   CONTROL_PAUSE, "pause",
		   "Asked to pause: steps under way end first, none begins; it is quiet when its status is PAUSED.",
		   NULL });
}

int cmd_clone_resume(struct ctl *c)
{
	return steer(c, &(struct steering){ CONTROL_RESUME, "resume", "Asked to go on.", NULL });
}

int cmd_clone_retry_now(struct ctl *c)
{
	return steer(c, &(struct steering){ CONTROL_RETRY_NOW, "retry-now", "Asked to try again now.", NULL });
}

int cmd_clone_cancel(struct ctl *c)
{
	return steer(c, &(struct steering){ CONTROL_CANCEL, "cancel",
		"Asked to cancel: what the clone built is cleaned up, then its status is CANCELLED.",
		"The clone into %s ends, and what it built is dropped: %s" });
}

int cmd_clone_rollback(struct ctl *c)
{
	return steer(c, &(struct steering){ CONTROL_ROLLBACK, "rollback",
		"Asked to roll back: the sandbox before it goes back into service, then its status is ROLLED_BACK.",
		"%s goes back to the sandbox before this clone; what was done since is lost, and dropped: %s" });
}
