/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SANDBOX_TESTS_SIM_PRIV_H
#define SANDBOX_TESTS_SIM_PRIV_H

#include "consumer/core/engine.h"
#include "consumer/core/retry.h"
#include "tests/support/sim.h"

#include <ucontext.h>

enum {
	SIM_CONSUMERS = 3,
	SIM_PARTITIONS = 2,
	SIM_TARGETS = 2,
	SIM_CLONES = 6,
	SIM_RECORDS = 64,       /* of one input partition */
	SIM_EVENTS = 128,       /* of one clone */
	SIM_STACK_BYTES = 32 * 1024,
	SIM_COROUTINES = 64,
};

#define SIM_TOO_LATE "it is in service" /* why a cancelling was refused */

enum sim_event_kind {
	SIM_WAKE,          /* consumer: tick */
	SIM_FETCH,         /* consumer: next record of its partitions */
	SIM_STORE_APPLY,   /* op reaches the store */
	SIM_STORE_REPLY,   /* answer reaches the consumer */
	SIM_BUS_APPEND,    /* a message reaches its topic */
	SIM_BUS_REPLY,
	SIM_STEP_TURN,     /* a handler goes on */
	SIM_ASSIGN,        /* partitions are handed out anew */
	SIM_LOST,          /* consumer: learns that a partition is somebody else's */
	SIM_GIVE_UP,       /* consumer: the group waited long enough for what it gives */
	SIM_RESTART,       /* a crashed consumer comes back */
	SIM_FAULT,         /* something goes wrong */
	SIM_ASK,           /* an input record is published */
	SIM_REBUILT,       /* the empty store has been rebuilt from the topics */
	SIM_SWEEP,         /* a survey of some consumer has found something on a target */
};

struct sim_op { /* of the store */
	enum store_op_kind kind;
	clone_ref ref;
	int clone;
	uint64_t token, before, after, sequence;
	bool take_target, store_request, unanswered, fields;
	struct clone_snapshot snapshot;
	step_set marks_set, marks_clear;
	int event_count;
	struct sim_message *events;
	enum store_status status;
	struct lease_answer answer;
	struct clone_snapshot answer_snapshot;
};

struct sim_message { /* an event */
	int clone, run, step;
	enum message_kind kind;
	enum step_outcome outcome;
	enum clone_status status;
	bool cancel_begun;
	uint64_t sequence;
};

struct sim_event {
	int64_t at;
	uint64_t order;
	enum sim_event_kind kind;
	int consumer;
	uint32_t life; /* of the consumer when it was planned; another life drops it. 0: for anybody */
	union {
		struct sim_op *op;
		struct {
			struct sim_message message;
			clone_ref ref;
			struct bus_position at;
			bool direct, ok;
		} bus;
		int coroutine;
		int fault, ask, partition;
	};
};

struct sim_coroutine {
	bool used, abandoned;
	ucontext_t context;
	char *stack;
	int consumer;
	uint32_t life;
	clone_ref ref;
	int clone, run;
	enum step_id step;
	enum step_aside aside;
	uint64_t token;
	bool acted, stop, done, hang;
	struct sim *sim;
	struct step_result result;
};

struct sim_record { /* of an input topic */
	enum message_kind kind;
	int clone;
	enum control_verb verb;
	bool other_wishes; /* same clone id, other inputs */
};

struct sim_log {
	struct sim_record records[SIM_RECORDS];
	int count;
	int64_t committed;
};

struct sim_consumer {
	struct engine *engine;
	uint32_t life; /* 0: dead */
	bool owns[SIM_PARTITIONS], wants[SIM_PARTITIONS], gives[SIM_PARTITIONS];
	bool revoking, intake_paused, draining;
	int64_t next[3][SIM_PARTITIONS];
	int64_t paused_until, store_free_at, bus_free_at, wake_planned;
	bool fetch_planned;
	struct sim_message outbox[SIM_CLONES][SIM_EVENTS]; /* what the process remembers; sequence 0: nothing there */
};

struct sim_target { /* one generation of one clone in the target's database server */
	uint64_t began; /* the token under which it began */
	char generation[DATABASE_MAX + 1];
	uint64_t stamp_token;
	bool done[STEP_END + 1];
	int effects[STEP_END + 1];
	int run_of_effect[STEP_END + 1];
	bool dropped;
};

struct sim_stored { /* one clone in the store */
	bool found;
	struct clone_snapshot snapshot;
	bool has_request;
	struct sim_message outbox[SIM_EVENTS]; /* undelivered; sequence 0: nothing there */
};

struct sim_lease {
	int consumer, clone; /* -1: free */
	uint32_t life;
	uint64_t token, last_token;
	int64_t until;
	int active;
	char generation[DATABASE_MAX + 1];
};

struct sim {
	uint64_t chance_world, chance_fault, chance_engine;
	enum sim_bug bug;
	bool trace, failed, healing;
	bool nothing_before; /* no sandbox was there before, or none is kept: what is in service stays */
	char *why;
	struct sim_counts *counts;
	int64_t now;
	uint64_t order;
	struct sim_event *heap;
	size_t heap_count, heap_size;
	struct sim_consumer consumers[SIM_CONSUMERS];
	struct sim_log logs[3][SIM_PARTITIONS]; /* requested, replay, control */
	struct sim_lease leases[SIM_TARGETS];
	struct sim_stored stored[SIM_CLONES];
	struct sim_target targets[SIM_CLONES];
	struct sim_message told[SIM_CLONES][SIM_EVENTS]; /* in the order of their topics */
	int told_count[SIM_CLONES];
	bool rejected[SIM_CLONES];
	bool rested[SIM_CLONES]; /* its rest was recorded once */
	int clone_count, dead_letters;
	struct sim_coroutine coroutines[SIM_COROUTINES];
	ucontext_t main_context;
	struct sim_coroutine *current;
	bool store_down, wiped;
	bool store_empty; /* wiped, and not rebuilt yet: nobody gets a lease */
	int64_t heal_at, systems_down_until;
	unsigned faults;  /* which kinds this seed has */
	int fault_rate;   /* in 1,000 of chances taken */
	char ids[SIM_CLONES][40];
	struct engine_policy policy;
};

/* sim.c */
int64_t sim_chance(struct sim *s, int64_t below);
bool sim_fault(struct sim *s, int per_thousand); /* false while healing */
struct sim_event *sim_plan(struct sim *s, int64_t delay, enum sim_event_kind kind, int consumer);
void sim_feed(struct sim *s, int consumer, const struct input *in);
void sim_turn(struct sim *s, int consumer);
void sim_broken(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct message *sim_message_of(struct sim *s, const struct sim_record *record);
int sim_target_of(int clone);
int sim_partition_of(int clone);

/* sim_store.c */
/* Entries of an outbox by their sequence; it never holds SIM_EVENTS. */
struct sim_message *sim_outbox_get(struct sim_message outbox[SIM_EVENTS], uint64_t sequence); /* NULL none */
void sim_outbox_put(struct sim_message outbox[SIM_EVENTS], const struct sim_message *m);
void sim_outbox_forget(struct sim_message outbox[SIM_EVENTS], uint64_t up_to);
void sim_store_submit(struct sim *s, int consumer, const struct effect *fx, enum store_op_kind kind);
void sim_store_apply(struct sim *s, struct sim_event *event);
void sim_store_reply(struct sim *s, struct sim_event *event);
void sim_store_wipe(struct sim *s);
void sim_store_rebuilt(struct sim *s);
/* What the loop does when it carries out FX_FORGET and FX_RELEASE. */
void sim_forget_events(struct sim *s, int consumer, const struct effect *fx, uint64_t up_to);

/* sim_handlers.c */
void sim_handler_start(struct sim *s, int consumer, const struct effect *fx);
void sim_handler_abort(struct sim *s, int consumer, const struct effect *fx);
void sim_handler_turn(struct sim *s, struct sim_event *event);
void sim_handlers_forget(struct sim *s, int consumer, uint32_t life);
void sim_stacks_free(void);

/* sim_check.c */
void sim_check_commit(struct sim *s, const struct bus_position *at);
void sim_check_told(struct sim *s, const struct sim_message *m);
void sim_check_end(struct sim *s);

#endif
