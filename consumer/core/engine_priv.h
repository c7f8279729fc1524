/* SPDX-License-Identifier: Apache-2.0
 * Inside the engine: shared by its own files only. */
#ifndef SANDBOX_CORE_ENGINE_PRIV_H
#define SANDBOX_CORE_ENGINE_PRIV_H

#include "consumer/core/engine.h"
#include "consumer/core/offsets.h"
#include "consumer/core/retry.h"
#include "consumer/core/table.h"
#include "consumer/core/timers.h"

/* A record that asked something of a clone. Its offset may be passed when the clone is at rest. */
struct held_input {
	struct held_input *next;
	struct bus_position at;
	struct message *message; /* owned until applied; a request moves to the clone */
	bool applied;
	char refused[160]; /* why it was not applied; "" it was */
};

enum run_state { RUN_READY, RUN_RUNNING, RUN_WAITING };

struct step_run { /* a step that has begun and is not done */
	struct step_run *next;
	enum step_id step; /* STEP_END: beside the plan */
	enum run_state state;
	int attempt;
	bool acted, aborted, stalled, throttled;
	int64_t first_ms;   /* its first start */
	int64_t failing_ms; /* since when it only fails; 0 it does not */
	int64_t moved_ms;   /* last sign of life while running */
	int64_t still_ms;   /* the longest between two of them */
	struct step_moved moved;
	int64_t wake_ms;    /* while waiting */
	char waiting_on[96];
};

struct completion { /* a step that ended for good and is not recorded yet */
	struct completion *next;
	enum step_id step;
	int attempt;
	int64_t still_ms;
	struct step_result result;
};

enum clone_phase {
	CLONE_LEASING, /* no lease: asking for it, or waiting to ask again */
	CLONE_WORKING, /* the lease is ours and the snapshot is known */
	CLONE_RELEASING, /* at rest: the store must still confirm that it was our lease to the end */
};

struct clone {
	struct clone *next_gone; /* in the list of those let go in this turn */
	clone_ref ref;
	char id[CLONE_ID_MAX + 1], target[CTX_MAX + 1], source[CTX_MAX + 1];
	enum clone_phase phase;
	struct message *request;
	struct held_input *lent; /* replays whose texts the request borrows */
	struct held_input *inputs;
	struct clone_snapshot snap;
	bool known; /* snap is valid: loaded or begun here */

	uint64_t token;
	int64_t lease_sent_ms;   /* when the request was sent whose answer proves the lease */
	int64_t lease_proved_ms;
	int64_t asking_since_ms; /* since when it is asked for without success; 0 it is not */
	int64_t lease_at_ms;     /* LEASING: when to ask (again) */
	bool lease_asked;        /* an FX_ACQUIRE is out */
	bool renew_out;          /* an FX_RENEW is out */
	bool token_used;         /* a step under this token has come back well */
	int unknown_tries;
	char *rejected;          /* why its request is rejected; NULL it is not */

	struct step_run *runs;
	int running;
	struct completion *completions;
	bool record_out;         /* an FX_RECORD is out */
	int64_t record_again_ms; /* the last one was not answered: send it again then; 0 no */
	bool record_full;        /* the store is behind what we know: write everything */
	bool status_changed, store_request, take_target;
	uint64_t stored_sequence; /* what the store has, as far as we know */
	uint64_t recording_to;    /* the sequence of the record that is out */
	uint64_t stored_fields, recording_fields; /* snapshot_fingerprint() of what the store has / will have */
	step_set marks_set, marks_clear;
	struct engine_event *events; /* of the record that is out or must be sent again; with their results on the heap */
	size_t event_count;

	uint64_t delivered;      /* every event up to this one has reached its topic */
	uint64_t forgotten;      /* every event up to this one has left the outbox, as far as the store has answered */
	uint64_t forgetting;     /* the same, when the record that is out is answered */
	uint64_t delivered_bits; /* bit n: delivered + 1 + n has as well */
	uint64_t published;      /* handed to the bus */

	bool want_pause, want_cancel, leaving, lost, dirty;
	bool superseded;         /* another clone began on the target after this one */
	bool cleaned_up;         /* the cleaning up of a cancelled clone, or the rollback of a complete one, has ended well */
	bool too_late;           /* it is in service with nothing to go back to: it cannot be cancelled */
	bool touched;            /* the rollback may have changed something */
	bool guest;              /* here for a sweep only: no record asked for it */
	bool swept;              /* its sweep has begun */
	bool sweeping;           /* the sweep is under way: everything else waits */
	char latest_generation[DATABASE_MAX + 1]; /* of the target, when the lease was taken */
	int give_up_step;        /* the step that ended the run, -1 none */
	bool give_up_is_pause;   /* budget spent rather than refused */
	struct err *give_up;     /* with that step: why; NULL otherwise */
};

struct direct { /* a rejection or dead letter on its way */
	struct direct *next;
	enum effect_kind kind;
	struct bus_position at;
	struct message *message; /* of a rejection; owned */
	bool input_held; /* the offset waits for the clone's rest too */
	char code[32], text[256];
};

struct ready_entry {
	clone_ref ref;
	enum step_id step;
};

struct engine {
	struct engine_policy policy;
	uint64_t chance;
	int64_t now_ms, utc_ms;
	struct clone **slots;
	struct clone *gone; /* let go in this turn: effects may still point to them */
	size_t slot_count, live;
	uint32_t epoch;
	struct table ids;
	struct timers timers;
	struct offsets *offsets;
	struct direct *directs;
	struct ready_entry *ready; /* ring, oldest first */
	size_t ready_head, ready_count, ready_size;
	int running, port_running[PORT_END];
	struct breaker breakers[PORT_END];
	struct bucket buckets[PORT_END];
	int64_t port_failures[PORT_END], port_throttled[PORT_END], leases_lost;
	int64_t room_at_ms; /* when a ready step that found no room must be looked at again; 0: when something comes back */
	clone_ref *dirty;
	size_t dirty_count, dirty_size;
	struct effect *effects;
	size_t effect_count, effect_size;
	bool effects_taken;
	struct arena *scratch; /* what effects point to; cleared when the next feed begins */
	int64_t renew_at_ms, check_at_ms;
	bool intake_paused, stopping, drained, revoking;
	int64_t stop_by_ms;
	bool out_of_memory; /* the process must end; everything of value is durable elsewhere */
};

/* engine.c */
struct effect *engine_emit(struct engine *e, enum effect_kind kind, struct clone *c);
struct clone *engine_clone(const struct engine *e, clone_ref ref);
struct clone *engine_clone_by_id(struct engine *e, const char *id);
struct clone *engine_add_clone(struct engine *e, const char *id, const char *target, const char *source);
void engine_drop_clone(struct engine *e, struct clone *c);
/* The request and what it borrows from. */
void engine_drop_request(struct clone *c);
void engine_clear_give_up(struct clone *c);
void engine_touch(struct engine *e, struct clone *c);
void engine_wake_at(struct engine *e, struct clone *c, int64_t at_ms);
char *engine_text(struct engine *e, const char *text);

/* engine_intake.c */
void intake_message(struct engine *e, const struct input *in);
void intake_bad_record(struct engine *e, const struct input *in);
void intake_direct_delivered(struct engine *e, const struct input *in);
void intake_assigned(struct engine *e, const struct bus_position *at);
void intake_revoked(struct engine *e, const struct bus_position *at, bool lost);
/* Ends the work of an input with a dead letter that says why. Takes it out of the clone's list. */
void intake_refuse(struct engine *e, struct clone *c, struct held_input *input, const char *code, const char *text);
/* The same for a clone that goes on: until it is at rest, the record stays what a consumer takes it up for. */
void intake_refuse_and_hold(struct engine *e, struct held_input *input, const char *code, const char *text);
/* Tells that the clone's request was rejected; the offset moves when that is delivered. */
void intake_tell_rejected(struct engine *e, struct clone *c);
void intake_finish(struct engine *e, struct clone *c, struct held_input *input);
void intake_flow(struct engine *e);
/* Takes the clone in as a guest, unless it is here or there is no room. */
void intake_sweep(struct engine *e, const struct sweep_wish *wish);

/* engine_lease.c */
void lease_advance(struct engine *e, struct clone *c);
void lease_answered(struct engine *e, struct clone *c, const struct lease_answer *answer);
void lease_reject_answered(struct engine *e, struct clone *c, enum store_status status);
void lease_released(struct engine *e, struct clone *c, enum store_status status);
void lease_renewed(struct engine *e, struct clone *c, enum store_status status);
void lease_renew_all(struct engine *e);
void lease_check_all(struct engine *e);

/* engine_control.c */
void control_apply(struct engine *e, struct clone *c);
void control_tell_refused(struct engine *e, struct clone *c);

/* engine_steps.c */
void steps_advance(struct engine *e, struct clone *c);
void steps_start_ready(struct engine *e);
void steps_returned(struct engine *e, struct clone *c, const struct input *in);
void steps_moved(struct engine *e, struct clone *c, const struct input *in);
void steps_abort_all(struct engine *e, struct clone *c);
void steps_forget_all(struct engine *e, struct clone *c);
void steps_wake_due(struct engine *e, struct clone *c);
void steps_wake_all(struct engine *e, struct clone *c);
void steps_check_stalled(struct engine *e, struct clone *c);
/* Begins what runs beside the plan; false when it is under way. */
bool steps_start_aside(struct engine *e, struct clone *c);

/* engine_record.c */
/* Puts what changed into one FX_RECORD. False when nothing has changed. */
bool record_changes(struct engine *e, struct clone *c);
void record_forget_events(struct clone *c);
void record_answered(struct engine *e, struct clone *c, enum store_status status);
void record_delivered(struct engine *e, struct clone *c, uint64_t sequence, bool ok);
void record_publish_rest(struct engine *e, struct clone *c);
/* Drops from the outbox what no record took along: now and then, and before the lease is given back. */
void record_forget_delivered(struct engine *e, struct clone *c);
bool record_all_delivered(const struct clone *c);

#endif
