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

static void mask_json(struct json_out *j, const struct step_job *job)
{
	json_object(j, "mask");
	json_flag(j, "enabled", job->mask_enabled);
	json_text(j, "domain", job->mask_domain);
	json_array(j, "keep");
	for (size_t i = 0; i < job->mask_keep_count; i++)
		json_text(j, NULL, job->mask_keep[i]);
	json_close(j);
	json_close(j);
}

static void users_json(struct json_out *j, const struct step_job *job)
{
	json_array(j, "user_plan_map");
	for (size_t i = 0; i < job->user_count; i++) {
		json_object(j, NULL);
		json_text(j, "login", job->users[i].login);
		json_number(j, "associate_id", job->users[i].associate_id);
		json_text(j, "plan", job->users[i].plan);
		json_flag(j, "admin", job->users[i].is_admin);
		json_close(j);
	}
	json_close(j);
}

static void request_json(struct json_out *j, const struct clone_request *r)
{
	const struct step_job *job = &r->job;

	json_text(j, "clone_id", job->clone_id);
	json_text(j, "kind", job->kind == CLONE_CREATE ? "CREATE" : "REPLACE");
	json_text(j, "source_ctx", job->source_ctx);
	json_text(j, "target_ctx", job->target_ctx);
	json_text(j, "requested_by", job->requested_by);
	mask_json(j, job);
	users_json(j, job);
	json_text(j, "documents", documents_symbol(job->documents));
	json_text(j, "attachments", attachments_symbol(job->attachments));
	json_array(j, "enable_schedules");
	for (size_t i = 0; i < job->enable_schedule_count; i++)
		json_number(j, NULL, job->enable_schedules[i]);
	json_close(j);
	json_flag(j, "set_running", job->set_running);
	json_text(j, "expected_generation", r->expected_generation);
	json_text(j, "approved_target", job->approved_target);
	json_flag(j, "confirmed", r->confirmed);
}

static void replay_json(struct json_out *j, const struct clone_replay *r)
{
	json_text(j, "clone_id", r->clone_id);
	json_text(j, "target_ctx", r->target_ctx);
	json_text(j, "from_step", r->from_step);
	json_text(j, "until_step", r->until_step);
	json_text(j, "expected_generation", r->expected_generation);
	json_text(j, "reason", r->reason);
	json_text(j, "requested_by", r->requested_by);
	if (r->has_mask_domain)
		json_text(j, "mask_domain", r->mask_domain);
	if (r->has_documents)
		json_text(j, "documents", documents_symbol(r->documents));
	if (r->has_attachments)
		json_text(j, "attachments", attachments_symbol(r->attachments));
	if (r->has_set_running)
		json_flag(j, "set_running", r->set_running);
	if (r->has_approved_target)
		json_text(j, "approved_target", r->approved_target);
}

static void control_json(struct json_out *j, const struct clone_control *r)
{
	json_text(j, "clone_id", r->clone_id);
	json_text(j, "target_ctx", r->target_ctx);
	json_text(j, "verb", control_verb_name(r->verb));
	json_text(j, "reason", r->reason);
	json_text(j, "requested_by", r->requested_by);
}

void message_json(struct json_out *j, const char *name, const struct message *m)
{
	json_object(j, name);
	if (m->kind == MESSAGE_REQUEST)
		request_json(j, &m->request);
	else if (m->kind == MESSAGE_REPLAY)
		replay_json(j, &m->replay);
	else if (m->kind == MESSAGE_CONTROL)
		control_json(j, &m->control);
	json_close(j);
}
