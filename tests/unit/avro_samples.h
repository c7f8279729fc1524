/* SPDX-License-Identifier: Apache-2.0
 * One full message of every kind, for the tests of the codec. */
#ifndef SANDBOX_TEST_AVRO_SAMPLES_H
#define SANDBOX_TEST_AVRO_SAMPLES_H

#include "consumer/ports/messages.h"

#define SAMPLE_TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static inline struct message sample_request(void)
{
	static const char *const keep[] = { "tester@company.example", "b\303\270@company.example" };
	static const int64_t schedules[] = { 7, 9, INT64_MAX };
	static const struct user_plan users[] = {
		{ .login = "tester@company.example", .plan = "ten-salesservicemarketing", .is_admin = true },
		{ .login = "", .associate_id = 12, .plan = "" },
	};

	return (struct message){
		.kind = MESSAGE_REQUEST,
		.request = { .job = { .clone_id = "0198f0c2-7d1e-7c5b-9a54-2f6f2a1b9c10", .kind = CLONE_REPLACE,
			.source_ctx = "Cust70000", .target_ctx = "Cust70001",
			.requested_by = "admin@company.example", .mask_enabled = true,
			.mask_domain = "sandbox.example", .mask_mode = MASK_HASH, .mask_keep = keep, .mask_keep_count = 2,
			.users = users, .user_count = 2, .documents = DOCUMENTS_INCLUDED_USERS,
			.attachments = ATTACHMENTS_NO_REQUESTS, .enable_schedules = schedules,
			.enable_schedule_count = 3, .set_running = true, .approved_target = "Cust70001" },
			.confirmed = true, .requested_at_ms = 1785578400123, .expected_generation = "Cust70001__gx1",
			.traceparent = SAMPLE_TRACE },
	};
}

static inline struct message sample_replay(void)
{
	return (struct message){
		.kind = MESSAGE_REPLAY,
		.replay = { .clone_id = "c1", .target_ctx = "Cust70001", .from_step = "copy_database",
			.until_step = "",
			.expected_generation = "Cust70001__gx1", .reason = "disk was full", .requested_by = "op",
			.has_mask_domain = true, .mask_domain = "other.example", .has_mask_mode = true,
			.mask_mode = MASK_KEEP_NAMES, .has_attachments = true,
			.attachments = ATTACHMENTS_ALL, .has_set_running = true, .set_running = false },
	};
}

static inline struct message sample_control(void)
{
	return (struct message){
		.kind = MESSAGE_CONTROL,
		.control = { .clone_id = "c1", .target_ctx = "Cust70001", .verb = CONTROL_RETRY_NOW,
			.reason = "why not",
			.requested_by = "op" },
	};
}

static inline struct message sample_step(void)
{
	static const struct table_figures tables[] = { { "contact", 5000000, 1900000000, 4000000 },
		{ "bl\303\245", 370000, INT64_C(200000000), 0 } };

	return (struct message){
		.kind = MESSAGE_STEP_COMPLETED,
		.step_completed = { .event_id = "c1/2/copy_database/completed", .clone_id = "c1",
			.source_ctx = "Cust70000",
			.target_ctx = "Cust70001", .slug = "copy_database", .detail = "29 tables", .run = 2,
			.step_no = 8, .total_steps = 31, .attempt = 3, .sequence = 9,
			.started_at_ms = 1785578400000, .finished_at_ms = 1785578460456,
			.outcome = STEP_ALREADY, .rows = 5370000, .bytes = INT64_C(2100000000), .masked = 4000017,
			.still_ms = 12000, .tables = tables, .table_count = 2, .more_tables = 27 },
	};
}

static inline struct message sample_backup(void)
{
	return (struct message){
		.kind = MESSAGE_BACKUP_RESTORED,
		.backup_restored = { .event_id = "c1/2/notify_partner_apps/restored", .change_type = 1,
			.context_identifier = "Cust70001", .version_name = "Release_11.12",
			.file_version = "11.12.675.0", .token = "", .public_endpoint = "online4.example",
			.clone_id = "c1", .source_ctx = "Cust70000", .generation = "Cust70001__gx1",
			.mask_domain = "mailinator.com", .proof = "0 of 16,000,000 addresses left",
			.mask_domain_public = true, .run = 2, .sequence = 33,
			.occurred_at_ms = 1785578499000, .apps_to_tell = 4 },
	};
}

static inline struct message sample_state(void)
{
	static const char *const only[] = { "enter_offline_mode", "drop_database" };

	return (struct message){
		.kind = MESSAGE_STATE,
		.state = { .event_id = "c1/2/9", .clone_id = "c1", .source_ctx = "Cust70000", .target_ctx = "Cust70001",
			.generation = "Cust70001__gx1", .status = CLONE_PAUSED, .run = 2, .steps_done = 7,
			.total_steps = 31, .sequence = 10, .requested_at_ms = 1785578400000,
			.updated_at_ms = 1785578470000, .step = "copy_database", .cause = "the disk is full",
			.error_class = "transient", .next_command = "sandboxctl clone replay c1",
			.token = UINT64_C(1785578400123456), .cancel_begun = true,
			.leaves = TENANT_OFFLINE_MAINTENANCE, .only_steps = only, .only_step_count = 2 },
	};
}

static inline struct message sample_dead_letter(void)
{
	return (struct message){
		.kind = MESSAGE_DEAD_LETTER,
		.dead_letter = { .origin_topic = "sandbox.clone.requested", .origin_partition = 3,
			.origin_offset = 4711,
			.at_ms = 1785578400000, .reason_code = "malformed", .reason = "field kind: index 9",
			.key = NULL, .value = "\0\1\2\377", .value_len = 4, .value_size = 4 },
	};
}

static inline struct message sample(enum message_kind kind)
{
	switch (kind) {
	case MESSAGE_REQUEST:
		return sample_request();
	case MESSAGE_REPLAY:
		return sample_replay();
	case MESSAGE_CONTROL:
		return sample_control();
	case MESSAGE_STEP_COMPLETED:
		return sample_step();
	case MESSAGE_BACKUP_RESTORED:
		return sample_backup();
	case MESSAGE_STATE:
		return sample_state();
	default:
		return sample_dead_letter();
	}
}

#endif
