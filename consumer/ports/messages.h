/* SPDX-License-Identifier: Apache-2.0
 * The records of the topics as plain C values (schemas/ has their Avro form, which is the contract).
 * Strings of decoded messages live in the message's arena; strings of messages to be encoded are borrowed. */
#ifndef SANDBOX_PORTS_MESSAGES_H
#define SANDBOX_PORTS_MESSAGES_H

#include "handlers/step.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum topic {
	TOPIC_UNSET,
	TOPIC_REQUESTED,       /* sandbox.clone.requested        in */
	TOPIC_REPLAY,          /* sandbox.clone.replay           in */
	TOPIC_CONTROL,         /* sandbox.clone.control          in */
	TOPIC_STEP_COMPLETED,  /* sandbox.clone.step.completed   out, key target_ctx */
	TOPIC_BACKUP_RESTORED, /* sandbox.clone.backup-restored  out, key target_ctx */
	TOPIC_STATE,           /* sandbox.clone.state            out, compacted, key clone_id */
	TOPIC_DEAD_LETTER,     /* sandbox.clone.dead-letter      out */
	TOPIC_NOTIFIER_DEAD_LETTER, /* sandbox.notifier.dead-letter: what sandbox-notifier could not use */
	TOPIC_END
};

/* "sandbox.clone.requested", ...; "" for what is no topic. */
extern const char *const topic_names[TOPIC_END];
const char *topic_name(enum topic topic);

enum { TRACEPARENT_TEXT = 56 };

/* At rest: COMPLETED FAILED PAUSED CANCELLED REJECTED ROLLED_BACK. */
enum clone_status {
	CLONE_STATUS_UNSET,
	CLONE_RUNNING,
	CLONE_CANCELLING,
	CLONE_COMPLETED,
	CLONE_FAILED,
	CLONE_PAUSED,
	CLONE_CANCELLED,
	CLONE_REJECTED,
	CLONE_ROLLING_BACK,
	CLONE_ROLLED_BACK,
	CLONE_STATUS_END
};

const char *clone_status_name(enum clone_status status); /* the symbol of the Avro enum, "RUNNING" ... */
enum clone_status clone_status_by_name(const char *name); /* CLONE_STATUS_UNSET when unknown */
bool clone_status_is_at_rest(enum clone_status status);

struct clone_request {
	struct step_job job;
	bool confirmed;
	int64_t requested_at_ms;
	const char *expected_generation; /* database in service that the asker has seen; "" any */
	char traceparent[TRACEPARENT_TEXT]; /* "" none */
	uint64_t fingerprint;               /* of all fields: same id with other wishes is a conflict */
};

struct clone_replay {
	const char *clone_id, *target_ctx;
	const char *from_step, *until_step; /* slugs; "" means the failed one / the last */
	const char *expected_generation;    /* the clone's own; a mismatch refuses */
	const char *reason, *requested_by;
	/* Changed inputs; the flags say which are given. */
	bool has_mask_domain, has_mask_mode, has_documents, has_attachments, has_set_running, has_approved_target;
	const char *mask_domain;
	enum mask_mode mask_mode;
	enum documents_choice documents;
	enum attachments_choice attachments;
	bool set_running;
	const char *approved_target;
	char traceparent[TRACEPARENT_TEXT];
};

enum control_verb { CONTROL_UNSET, CONTROL_PAUSE, CONTROL_RESUME, CONTROL_CANCEL, CONTROL_RETRY_NOW, CONTROL_ROLLBACK,
                    CONTROL_END };
const char *control_verb_name(enum control_verb verb);

struct clone_control {
	const char *clone_id, *target_ctx;
	enum control_verb verb;
	const char *reason, *requested_by;
};

struct table_figures { /* what a step did in one table */
	const char *table;
	int64_t rows, bytes, masked;
};

struct step_completed {
	const char *event_id; /* clone/run/slug/completed: the same on every resend */
	const char *clone_id, *source_ctx, *target_ctx, *slug, *detail;
	int run, step_no, total_steps, attempt;
	int64_t sequence; /* of the clone, gapless from 1 */
	int64_t started_at_ms, finished_at_ms;
	enum step_outcome outcome; /* DONE ALREADY SKIPPED REFUSED */
	int64_t rows, bytes, masked;
	int64_t still_ms; /* the longest it moved nothing while it ran */
	const struct table_figures *tables; /* of steps 8 and 13: the largest, by bytes */
	size_t table_count;
	int64_t more_tables; /* beyond those */
};

struct backup_restored {
	const char *event_id;
	/* The six webhook fields, with these names in the record (domain 2.2); Token is made by the notifier. */
	int change_type;
	const char *context_identifier, *version_name, *file_version, *token, *public_endpoint;
	/* Ours. */
	const char *clone_id, *source_ctx, *generation, *mask_domain, *proof;
	bool mask_domain_public;
	int run;
	int64_t sequence, occurred_at_ms;
	int64_t apps_to_tell;
};

struct clone_state {
	const char *event_id;
	const char *clone_id, *source_ctx, *target_ctx, *generation;
	enum clone_status status;
	int run, steps_done, total_steps;
	int64_t sequence, requested_at_ms, updated_at_ms;
	const char *step;  /* the step that failed or waits; "" none */
	const char *cause; /* a sentence; "" none */
	const char *error_class;
	const char *next_command; /* ready to paste; "" none */
	uint64_t token;
	bool cancel_begun;
	enum tenant_state leaves; /* what it leaves its target in, or will; TENANT_UNKNOWN not known */
	const char *const *only_steps; /* slugs of the steps this run does; none: all */
	size_t only_step_count;
};

struct dead_letter {
	const char *origin_topic;
	int origin_partition;
	int64_t origin_offset, at_ms;
	const char *reason_code; /* closed set: schemas/README.md */
	const char *reason;
	const void *key, *value;
	size_t key_len, value_len;
	int64_t value_size; /* length of the value at its origin; greater than value_len when only its head was kept */
};

enum message_kind {
	MESSAGE_UNSET,
	MESSAGE_REQUEST,
	MESSAGE_REPLAY,
	MESSAGE_CONTROL,
	MESSAGE_STEP_COMPLETED,
	MESSAGE_BACKUP_RESTORED,
	MESSAGE_STATE,
	MESSAGE_DEAD_LETTER,
	MESSAGE_END
};

struct message {
	enum message_kind kind;
	struct arena *mem; /* owns the strings of a decoded message; NULL when they are borrowed */
	union {
		struct clone_request request;
		struct clone_replay replay;
		struct clone_control control;
		struct step_completed step_completed;
		struct backup_restored backup_restored;
		struct clone_state state;
		struct dead_letter dead_letter;
	};
};

/* Frees a decoded message with its arena; *m becomes NULL; NULL-safe. */
void message_free(struct message **m);

#endif
