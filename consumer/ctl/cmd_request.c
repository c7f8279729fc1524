/* SPDX-License-Identifier: Apache-2.0
 * clone request. */
#include "consumer/core/trace.h"
#include "consumer/ctl/cmd_watch.h"
#include "consumer/ctl/commands.h"
#include "consumer/ctl/js.h"
#include "consumer/ctl/sight.h"
#include "consumer/ctl/wishes.h"

#include <stdio.h>
#include <string.h>

static bool load_file(struct ctl *c, struct clone_request *r, struct err *e)
{
	const char *path = args_text(&c->args, "from-file");
	struct buf content;
	bool ok;

	if (!path)
		return true;
	buf_init(&content, DESK_FILE_MAX);
	ok = c->desk->load(c->desk, path, &content, e) && c->desk->parse_request(c->desk, &content, c->mem, r, e);
	buf_done(&content);
	return ok;
}

static bool fill_in(struct ctl *c, struct clone_request *r, struct err *e)
{
	const char *trace = args_text(&c->args, "traceparent");
	char *id;

	if (!r->job.requested_by[0])
		r->job.requested_by = ctl_asker(c);
	r->requested_at_ms = c->now_ms;
	trace = trace ? trace : c->desk->environment(c->desk, "TRACEPARENT");
	if (*trace && !traceparent_read(trace, strlen(trace), r->traceparent) && args_has(&c->args, "traceparent"))
		return err_set(e, ERR_REFUSED, 0, "usage", "--traceparent is no W3C trace context");
	if (r->job.clone_id[0])
		return true;
	id = arena_take(c->mem, DESK_ID_TEXT);
	if (!id)
		return err_set(e, ERR_TRANSIENT, 0, "request", "there is no memory for the request");
	r->job.clone_id = id;
	return c->desk->new_id(c->desk, id, e);
}

/* Everything but the confirmation, which may still come from the terminal. */
static bool check(struct ctl *c, const struct clone_request *r, struct err *e)
{
	struct request_rules rules = c->desk->rules(c->desk);
	struct clone_request confirmed = *r;

	if (!r->job.source_ctx[0] || !r->job.target_ctx[0])
		return err_set(e, ERR_REFUSED, 0, "usage", "the request names no %s: --%s TENANT, or --from-file",
			r->job.source_ctx[0] ? "target" : "source", r->job.source_ctx[0] ? "target" : "source");
	confirmed.confirmed = true;
	if (!request_check(&confirmed, &rules, e))
		return false;
	if (r->job.mask_enabled && c->desk->domain_is_public(r->job.mask_domain))
		ctl_talk(c, "Warning: %s is a public inbox; anybody can read what is sent there.", r->job.mask_domain);
	return true;
}

/* The same id with other wishes would only become a dead letter. With the same wishes it is a repeat, and harmless. */
static bool is_id_free(struct ctl *c, const struct clone_request *r, struct err *e)
{
	struct inspect_clone clone;
	struct err quiet = { 0 };
	struct sight s;
	bool ok;

	if (!args_has(&c->args, "clone-id") && !args_has(&c->args, "from-file"))
		return true; /* it was made just now */
	if (!sight_look_up(c, r->job.clone_id, &clone, &quiet) || strcmp(clone.clone_id, r->job.clone_id) != 0)
		return true;
	sight_make(c, &clone, false, &s);
	ok = !s.snap.fingerprint || s.snap.fingerprint == request_fingerprint(r);
	sight_done(&s);
	return ok || err_set(e, ERR_REFUSED, 0, "busy", "a clone %s is known, with other wishes; choose another id",
		r->job.clone_id);
}

/* Somebody else's clone on the same target: the consumer would refuse ours. Without Redis nobody can tell now. */
static bool is_target_free(struct ctl *c, const struct clone_request *r, struct err *e)
{
	struct err quiet = { 0 };
	struct inspect_port *inspect = c->desk->inspect(c->desk, &quiet);
	struct inspect_lease lease;

	if (args_has(&c->args, "even-if-busy") || !inspect)
		return true;
	if (strcmp(config_text(c->desk->config(c->desk), CONF_ENGINE_ON_BUSY), "supersede") == 0)
		return true;
	if (!inspect->lease(inspect, r->job.target_ctx, c->mem, &lease, &quiet) || !lease.is_held ||
	    strcmp(lease.clone_id, r->job.clone_id) == 0)
		return true;
	return err_set(e, ERR_REFUSED, 0, "busy", "clone %s is under way on %s. Next: sandboxctl clone watch %s",
		lease.clone_id, r->job.target_ctx, lease.clone_id);
}

static int confirm(struct ctl *c, struct clone_request *r)
{
	char what[256];
	int rc = CTL_OK;

	if (args_has(&c->args, "dry-run")) {
		if (!r->confirmed)
			ctl_talk(c, "Not confirmed: to send it, add --confirm.");
		return CTL_OK;
	}
	if (r->confirmed)
		return CTL_OK;
	if (!c->desk->is_terminal(c->desk, DESK_IN) || args_has(&c->args, "no-input")) {
		ctl_talk(
		    c,
		    "sandboxctl: all changes in %s since its last copy will be lost. Add --confirm when that is meant.",
		    r->job.target_ctx);
		return CTL_USAGE;
	}
	snprintf(what, sizeof what, "All changes in %s since its last copy will be lost; %s is copied into it",
		r->job.target_ctx, r->job.source_ctx);
	rc = ctl_confirm(c, what, r->job.target_ctx);
	r->confirmed = rc == CTL_OK;
	return rc;
}

static void print_sent(struct ctl *c, const struct clone_request *r)
{
	struct js j = { .out = &c->out, .lines = 1 };

	if (c->format == CTL_JSON) {
		js_object(&j, NULL);
		js_number(&j, "version", 1);
		js_flag(&j, "sent", true);
		js_text(&j, "clone_id", r->job.clone_id);
		js_text(&j, "source_ctx", r->job.source_ctx);
		js_text(&j, "target_ctx", r->job.target_ctx);
		js_time(&j, "requested_at", r->requested_at_ms);
		js_close(&j);
	} else {
		buf_printf(&c->out, "%s\n", r->job.clone_id);
	}
	if (!args_has(&c->args, "wait"))
		ctl_talk(c, "Next: sandboxctl clone watch %s", r->job.clone_id);
	ctl_flush(c);
}

static int send_request(struct ctl *c, const struct clone_request *r)
{
	struct message *m = arena_take(c->mem, sizeof *m);
	struct err e = { 0 };

	if (!m)
		return CTL_UNAVAILABLE;
	m->kind = MESSAGE_REQUEST;
	m->request = *r;
	if (!ctl_send(c, m, TOPIC_REQUESTED, r->job.target_ctx, r->traceparent, &e)) {
		if (e.class == ERR_UNSURE)
			ctl_talk(c, "It may have arrived: sending it once more with --clone-id %s is safe.",
				 r->job.clone_id);
		return ctl_fail(c, &e);
	}
	if (args_has(&c->args, "dry-run")) {
		ctl_flush(c);
		return CTL_OK;
	}
	print_sent(c, r);
	return CTL_OK;
}

int cmd_clone_request(struct ctl *c)
{
	struct watch_wish wish = { .is_new = true, .is_status_exit = true };
	struct clone_request r;
	struct err e = { 0 };
	int rc;

	wishes_begin(&r);
	if (!watch_timeout(c, &wish.within_ms, &e) || !ctl_configure(c, &e) || !load_file(c, &r, &e) ||
	    !wishes_take(&r, &c->args, c->mem, &e) || !fill_in(c, &r, &e) || !check(c, &r, &e))
		return ctl_fail(c, &e);
	rc = confirm(c, &r);
	if (rc)
		return rc;
	if (!args_has(&c->args, "dry-run") && (!is_id_free(c, &r, &e) || !is_target_free(c, &r, &e))) {
		ctl_fail(c, &e);
		return CTL_CONFLICT;
	}
	rc = send_request(c, &r);
	wish.id = r.job.clone_id;
	if (rc || !args_has(&c->args, "wait") || args_has(&c->args, "dry-run"))
		return rc;
	c->format = CTL_TABLE;
	return watch_clone(c, &wish);
}
