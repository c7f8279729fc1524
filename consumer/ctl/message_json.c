/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/ctl/message_json.h"

const char *documents_symbol(enum documents_choice choice)
{
	return choice == DOCUMENTS_ALL ? "ALL" : choice == DOCUMENTS_INCLUDED_USERS ? "INCLUDED_USERS" :
		choice == DOCUMENTS_NONE ? "NONE" : "UNKNOWN";
}

const char *attachments_symbol(enum attachments_choice choice)
{
	return choice == ATTACHMENTS_ALL ? "ALL" : choice == ATTACHMENTS_NO_REQUESTS ? "NO_REQUESTS" :
		choice == ATTACHMENTS_NONE ? "NONE" : "UNKNOWN";
}

const char *mask_mode_symbol(enum mask_mode mode)
{
	return mode == MASK_KEEP_NAMES ? "KEEP_NAMES" : mode == MASK_HASH ? "HASH" : "UNKNOWN";
}

static void mask_json(struct js *j, const struct step_job *job)
{
	js_object(j, "mask");
	js_flag(j, "enabled", job->mask_enabled);
	js_text(j, "domain", job->mask_domain);
	js_text(j, "mode", mask_mode_symbol(job->mask_mode));
	js_array(j, "keep");
	for (size_t i = 0; i < job->mask_keep_count; i++)
		js_text(j, NULL, job->mask_keep[i]);
	js_close(j);
	js_close(j);
}

static void users_json(struct js *j, const struct step_job *job)
{
	js_array(j, "user_plan_map");
	for (size_t i = 0; i < job->user_count; i++) {
		js_object(j, NULL);
		js_text(j, "login", job->users[i].login);
		js_number(j, "associate_id", job->users[i].associate_id);
		js_text(j, "plan", job->users[i].plan);
		js_flag(j, "admin", job->users[i].is_admin);
		js_close(j);
	}
	js_close(j);
}

static void request_json(struct js *j, const struct clone_request *r)
{
	const struct step_job *job = &r->job;

	js_text(j, "clone_id", job->clone_id);
	js_text(j, "kind", job->kind == CLONE_CREATE ? "CREATE" : "REPLACE");
	js_text(j, "source_ctx", job->source_ctx);
	js_text(j, "target_ctx", job->target_ctx);
	js_text(j, "requested_by", job->requested_by);
	mask_json(j, job);
	users_json(j, job);
	js_text(j, "documents", documents_symbol(job->documents));
	js_text(j, "attachments", attachments_symbol(job->attachments));
	js_array(j, "enable_schedules");
	for (size_t i = 0; i < job->enable_schedule_count; i++)
		js_number(j, NULL, job->enable_schedules[i]);
	js_close(j);
	js_flag(j, "set_running", job->set_running);
	js_text(j, "expected_generation", r->expected_generation);
	js_text(j, "approved_target", job->approved_target);
	js_flag(j, "confirmed", r->confirmed);
}

static void replay_json(struct js *j, const struct clone_replay *r)
{
	js_text(j, "clone_id", r->clone_id);
	js_text(j, "target_ctx", r->target_ctx);
	js_text(j, "from_step", r->from_step);
	js_text(j, "until_step", r->until_step);
	js_text(j, "expected_generation", r->expected_generation);
	js_text(j, "reason", r->reason);
	js_text(j, "requested_by", r->requested_by);
	if (r->has_mask_domain)
		js_text(j, "mask_domain", r->mask_domain);
	if (r->has_mask_mode)
		js_text(j, "mask_mode", mask_mode_symbol(r->mask_mode));
	if (r->has_documents)
		js_text(j, "documents", documents_symbol(r->documents));
	if (r->has_attachments)
		js_text(j, "attachments", attachments_symbol(r->attachments));
	if (r->has_set_running)
		js_flag(j, "set_running", r->set_running);
	if (r->has_approved_target)
		js_text(j, "approved_target", r->approved_target);
}

static void control_json(struct js *j, const struct clone_control *r)
{
	js_text(j, "clone_id", r->clone_id);
	js_text(j, "target_ctx", r->target_ctx);
	js_text(j, "verb", control_verb_name(r->verb));
	js_text(j, "reason", r->reason);
	js_text(j, "requested_by", r->requested_by);
}

void tables_json(struct js *j, const struct step_completed *s)
{
	js_number(j, "masked", s->masked);
	js_number(j, "still_ms", s->still_ms);
	if (!s->table_count)
		return;
	js_array(j, "tables");
	for (size_t i = 0; i < s->table_count; i++) {
		js_object(j, NULL);
		js_text(j, "table", s->tables[i].table);
		js_number(j, "rows", s->tables[i].rows);
		js_number(j, "bytes", s->tables[i].bytes);
		js_number(j, "masked", s->tables[i].masked);
		js_close(j);
	}
	js_close(j);
	js_number(j, "more_tables", s->more_tables);
}

void message_json(struct js *j, const char *name, const struct message *m)
{
	js_object(j, name);
	if (m->kind == MESSAGE_REQUEST)
		request_json(j, &m->request);
	else if (m->kind == MESSAGE_REPLAY)
		replay_json(j, &m->replay);
	else if (m->kind == MESSAGE_CONTROL)
		control_json(j, &m->control);
	js_close(j);
}
