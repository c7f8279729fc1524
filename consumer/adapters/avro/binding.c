/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/adapters/avro/binding.h"

#include <stddef.h>

static const char *kind_name(int value)
{
	static const char *const names[] = { "UNKNOWN", "CREATE", "REPLACE" };

	return value >= CLONE_KIND_UNSET && value <= CLONE_REPLACE ? names[value] : NULL;
}

static const char *mode_name(int value)
{
	static const char *const names[] = { "UNKNOWN", "KEEP_NAMES", "HASH" };

	return value >= MASK_MODE_UNSET && value <= MASK_HASH ? names[value] : NULL;
}

static const char *documents_name(int value)
{
	static const char *const names[] = { "UNKNOWN", "ALL", "INCLUDED_USERS", "NONE" };

	return value >= DOCUMENTS_UNSET && value <= DOCUMENTS_NONE ? names[value] : NULL;
}

static const char *attachments_name(int value)
{
	static const char *const names[] = { "UNKNOWN", "ALL", "NO_REQUESTS", "NONE" };

	return value >= ATTACHMENTS_UNSET && value <= ATTACHMENTS_NONE ? names[value] : NULL;
}

static const char *verb_name(int value)
{
	return value >= CONTROL_UNSET && value < CONTROL_END ? control_verb_name((enum control_verb)value) : NULL;
}

static const char *status_name(int value)
{
	bool known = value >= CLONE_STATUS_UNSET && value < CLONE_STATUS_END;

	return known ? clone_status_name((enum clone_status)value) : NULL;
}

/* Only how a step can end is told. */
static const char *outcome_name(int value)
{
	static const char *const names[STEP_OUTCOME_END] = {
		[STEP_UNSET] = "UNKNOWN",   [STEP_DONE] = "DONE",      [STEP_ALREADY] = "ALREADY_DONE",
		[STEP_SKIPPED] = "SKIPPED", [STEP_REFUSED] = "FAILED",
	};

	return value >= STEP_UNSET && value < STEP_OUTCOME_END ? names[value] : NULL;
}

#define MEMBER(type_, field_, struct_, member_) .field = field_, .type = type_, .at = offsetof(struct struct_, member_)

static const struct binding mask_fields[] = {
	{ MEMBER(BIND_BOOL, "enabled", clone_request, job.mask_enabled) },
	{ MEMBER(BIND_TEXT, "domain", clone_request, job.mask_domain) },
	{ MEMBER(BIND_TEXTS, "keep", clone_request, job.mask_keep),
	  .count = offsetof(struct clone_request, job.mask_keep_count) },
	{ MEMBER(BIND_ENUM, "mode", clone_request, job.mask_mode), .name_of = mode_name },
	{ .type = BIND_END },
};

static const struct binding user_fields[] = {
	{ MEMBER(BIND_TEXT, "login", user_plan, login) },
	{ MEMBER(BIND_LONG, "associate_id", user_plan, associate_id) },
	{ MEMBER(BIND_TEXT, "plan", user_plan, plan) },
	{ MEMBER(BIND_BOOL, "admin", user_plan, is_admin) },
	{ .type = BIND_END },
};

static const struct binding request_fields[] = {
	{ MEMBER(BIND_TEXT, "clone_id", clone_request, job.clone_id) },
	{ MEMBER(BIND_ENUM, "kind", clone_request, job.kind), .name_of = kind_name },
	{ MEMBER(BIND_TEXT, "source_ctx", clone_request, job.source_ctx) },
	{ MEMBER(BIND_TEXT, "target_ctx", clone_request, job.target_ctx) },
	{ MEMBER(BIND_TEXT, "requested_by", clone_request, job.requested_by) },
	{ MEMBER(BIND_LONG, "requested_at", clone_request, requested_at_ms) },
	{ .field = "mask", .type = BIND_RECORD, .inside = mask_fields },
	{ MEMBER(BIND_RECORDS, "user_plan_map", clone_request, job.users),
	  .count = offsetof(struct clone_request, job.user_count), .inside = user_fields, .size = sizeof(struct user_plan) },
	{ MEMBER(BIND_ENUM, "documents", clone_request, job.documents), .name_of = documents_name },
	{ MEMBER(BIND_ENUM, "attachments", clone_request, job.attachments), .name_of = attachments_name },
	{ MEMBER(BIND_LONGS, "enable_schedules", clone_request, job.enable_schedules),
	  .count = offsetof(struct clone_request, job.enable_schedule_count) },
	{ MEMBER(BIND_BOOL, "set_running", clone_request, job.set_running) },
	{ MEMBER(BIND_BOOL, "confirmed", clone_request, confirmed) },
	{ MEMBER(BIND_TEXT, "expected_generation", clone_request, expected_generation) },
	{ MEMBER(BIND_TEXT, "approved_target", clone_request, job.approved_target) },
	{ MEMBER(BIND_TRACE, "traceparent", clone_request, traceparent) },
	{ .type = BIND_END },
};

#define GIVEN(flag_) .given = offsetof(struct clone_replay, flag_)

static const struct binding replay_fields[] = {
	{ MEMBER(BIND_TEXT, "clone_id", clone_replay, clone_id) },
	{ MEMBER(BIND_TEXT, "target_ctx", clone_replay, target_ctx) },
	{ MEMBER(BIND_TEXT, "from_step", clone_replay, from_step) },
	{ MEMBER(BIND_TEXT, "until_step", clone_replay, until_step) },
	{ MEMBER(BIND_TEXT, "expected_generation", clone_replay, expected_generation) },
	{ MEMBER(BIND_TEXT, "reason", clone_replay, reason) },
	{ MEMBER(BIND_TEXT, "requested_by", clone_replay, requested_by) },
	{ MEMBER(BIND_TEXT, "mask_domain", clone_replay, mask_domain), GIVEN(has_mask_domain) },
	{ MEMBER(BIND_ENUM, "mask_mode", clone_replay, mask_mode), GIVEN(has_mask_mode), .name_of = mode_name },
	{ MEMBER(BIND_ENUM, "documents", clone_replay, documents), GIVEN(has_documents), .name_of = documents_name },
	{ MEMBER(BIND_ENUM, "attachments", clone_replay, attachments), GIVEN(has_attachments),
	  .name_of = attachments_name },
	{ MEMBER(BIND_BOOL, "set_running", clone_replay, set_running), GIVEN(has_set_running) },
	{ MEMBER(BIND_TEXT, "approved_target", clone_replay, approved_target), GIVEN(has_approved_target) },
	{ MEMBER(BIND_TRACE, "traceparent", clone_replay, traceparent) },
	{ .type = BIND_END },
};

static const struct binding control_fields[] = {
	{ MEMBER(BIND_TEXT, "clone_id", clone_control, clone_id) },
	{ MEMBER(BIND_TEXT, "target_ctx", clone_control, target_ctx) },
	{ MEMBER(BIND_ENUM, "verb", clone_control, verb), .name_of = verb_name },
	{ MEMBER(BIND_TEXT, "reason", clone_control, reason) },
	{ MEMBER(BIND_TEXT, "requested_by", clone_control, requested_by) },
	{ .type = BIND_END },
};

static const struct binding table_fields[] = {
	{ MEMBER(BIND_TEXT, "table", table_figures, table) },
	{ MEMBER(BIND_LONG, "rows", table_figures, rows) },
	{ MEMBER(BIND_LONG, "bytes", table_figures, bytes) },
	{ MEMBER(BIND_LONG, "masked", table_figures, masked) },
	{ .type = BIND_END },
};

static const struct binding step_fields[] = {
	{ MEMBER(BIND_TEXT, "event_id", step_completed, event_id) },
	{ MEMBER(BIND_TEXT, "clone_id", step_completed, clone_id) },
	{ MEMBER(BIND_TEXT, "source_ctx", step_completed, source_ctx) },
	{ MEMBER(BIND_TEXT, "target_ctx", step_completed, target_ctx) },
	{ MEMBER(BIND_INT, "run", step_completed, run) },
	{ MEMBER(BIND_LONG, "sequence", step_completed, sequence) },
	{ MEMBER(BIND_INT, "step_no", step_completed, step_no) },
	{ MEMBER(BIND_SYMBOL, "step_key", step_completed, slug) },
	{ MEMBER(BIND_INT, "total_steps", step_completed, total_steps) },
	{ MEMBER(BIND_INT, "attempt", step_completed, attempt) },
	{ MEMBER(BIND_LONG, "started_at", step_completed, started_at_ms) },
	{ MEMBER(BIND_LONG, "finished_at", step_completed, finished_at_ms) },
	{ MEMBER(BIND_ENUM, "outcome", step_completed, outcome), .name_of = outcome_name },
	{ MEMBER(BIND_LONG, "rows", step_completed, rows) },
	{ MEMBER(BIND_LONG, "bytes", step_completed, bytes) },
	{ MEMBER(BIND_TEXT, "detail", step_completed, detail) },
	{ MEMBER(BIND_LONG, "masked", step_completed, masked) },
	{ MEMBER(BIND_LONG, "still_ms", step_completed, still_ms) },
	{ MEMBER(BIND_RECORDS, "tables", step_completed, tables),
	  .count = offsetof(struct step_completed, table_count), .inside = table_fields,
	  .size = sizeof(struct table_figures) },
	{ MEMBER(BIND_LONG, "more_tables", step_completed, more_tables) },
	{ .type = BIND_END },
};

static const struct binding backup_fields[] = {
	{ MEMBER(BIND_INT, "ChangeType", backup_restored, change_type) },
	{ MEMBER(BIND_TEXT, "ContextIdentifier", backup_restored, context_identifier) },
	{ MEMBER(BIND_TEXT, "VersionName", backup_restored, version_name) },
	{ MEMBER(BIND_TEXT, "FileVersion", backup_restored, file_version) },
	{ MEMBER(BIND_TEXT, "Token", backup_restored, token) },
	{ MEMBER(BIND_TEXT, "PublicEndpoint", backup_restored, public_endpoint) },
	{ MEMBER(BIND_TEXT, "event_id", backup_restored, event_id) },
	{ MEMBER(BIND_TEXT, "clone_id", backup_restored, clone_id) },
	{ MEMBER(BIND_TEXT, "source_ctx", backup_restored, source_ctx) },
	{ MEMBER(BIND_INT, "run", backup_restored, run) },
	{ MEMBER(BIND_LONG, "sequence", backup_restored, sequence) },
	{ MEMBER(BIND_LONG, "occurred_at", backup_restored, occurred_at_ms) },
	{ MEMBER(BIND_TEXT, "generation", backup_restored, generation) },
	{ MEMBER(BIND_TEXT, "mask_domain", backup_restored, mask_domain) },
	{ MEMBER(BIND_BOOL, "mask_domain_public", backup_restored, mask_domain_public) },
	{ MEMBER(BIND_TEXT, "proof", backup_restored, proof) },
	{ MEMBER(BIND_LONG, "apps_to_tell", backup_restored, apps_to_tell) },
	{ .type = BIND_END },
};

static const struct binding state_fields[] = {
	{ MEMBER(BIND_TEXT, "event_id", clone_state, event_id) },
	{ MEMBER(BIND_TEXT, "clone_id", clone_state, clone_id) },
	{ MEMBER(BIND_TEXT, "source_ctx", clone_state, source_ctx) },
	{ MEMBER(BIND_TEXT, "target_ctx", clone_state, target_ctx) },
	{ MEMBER(BIND_ENUM, "status", clone_state, status), .name_of = status_name },
	{ MEMBER(BIND_INT, "run", clone_state, run) },
	{ MEMBER(BIND_LONG, "sequence", clone_state, sequence) },
	{ MEMBER(BIND_INT, "steps_done", clone_state, steps_done) },
	{ MEMBER(BIND_INT, "total_steps", clone_state, total_steps) },
	{ MEMBER(BIND_LONG, "requested_at", clone_state, requested_at_ms) },
	{ MEMBER(BIND_LONG, "updated_at", clone_state, updated_at_ms) },
	{ MEMBER(BIND_TEXT, "generation", clone_state, generation) },
	{ MEMBER(BIND_TEXT, "step", clone_state, step) },
	{ MEMBER(BIND_TEXT, "cause", clone_state, cause) },
	{ MEMBER(BIND_TEXT, "error_class", clone_state, error_class) },
	{ MEMBER(BIND_TEXT, "next_command", clone_state, next_command) },
	{ MEMBER(BIND_UNSIGNED, "token", clone_state, token) },
	{ MEMBER(BIND_BOOL, "cancel_begun", clone_state, cancel_begun) },
	{ MEMBER(BIND_INT, "leaves", clone_state, leaves) },
	{ MEMBER(BIND_TEXTS, "only_steps", clone_state, only_steps),
	  .count = offsetof(struct clone_state, only_step_count) },
	{ .type = BIND_END },
};

static const struct binding dead_letter_fields[] = {
	{ MEMBER(BIND_TEXT, "origin_topic", dead_letter, origin_topic) },
	{ MEMBER(BIND_INT, "origin_partition", dead_letter, origin_partition) },
	{ MEMBER(BIND_LONG, "origin_offset", dead_letter, origin_offset) },
	{ MEMBER(BIND_LONG, "at", dead_letter, at_ms) },
	{ MEMBER(BIND_TEXT, "reason_code", dead_letter, reason_code) },
	{ MEMBER(BIND_TEXT, "reason", dead_letter, reason) },
	{ MEMBER(BIND_BYTES, "key", dead_letter, key), .count = offsetof(struct dead_letter, key_len) },
	{ MEMBER(BIND_BYTES, "value", dead_letter, value), .count = offsetof(struct dead_letter, value_len) },
	{ MEMBER(BIND_LONG, "value_size", dead_letter, value_size) },
	{ .type = BIND_END },
};

const struct binding *binding_of(enum message_kind kind)
{
	static const struct binding *const tables[MESSAGE_END] = {
		[MESSAGE_REQUEST] = request_fields,         [MESSAGE_REPLAY] = replay_fields,
		[MESSAGE_CONTROL] = control_fields,         [MESSAGE_STEP_COMPLETED] = step_fields,
		[MESSAGE_BACKUP_RESTORED] = backup_fields,  [MESSAGE_STATE] = state_fields,
		[MESSAGE_DEAD_LETTER] = dead_letter_fields,
	};

	return tables[kind];
}

void *binding_body(struct message *m)
{
	return &m->request; /* members of a union begin at the same place */
}
