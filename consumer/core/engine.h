/* SPDX-License-Identifier: Apache-2.0
 * The engine: a pure state machine that runs clones (design section 3). Inputs come in as values, wanted effects go
 * out as values. It never blocks, never reads a clock, knows no library. The program around it gathers what is ready,
 * feeds it, carries out all effects as one batch and sleeps until the next thing; the simulator does the same with a
 * simulated world. */
#ifndef SANDBOX_CORE_ENGINE_H
#define SANDBOX_CORE_ENGINE_H

#include "consumer/core/plan.h"
#include "consumer/core/snapshot.h"
#include "consumer/ports/bus.h"
#include "consumer/ports/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* Names a clone that the engine holds; an answer for one that is gone is recognised and dropped. Never 0. */
typedef uint64_t clone_ref;

enum busy_policy { BUSY_REFUSE, BUSY_SUPERSEDE };

struct engine_policy {
	enum plan_order order;
	enum busy_policy on_busy;
	int max_clones;          /* held at once; more and the intake pauses */
	int max_running;         /* steps under way at once: the size of the worker pool */
	int max_running_a_clone; /* so that one giant copy never starves twenty small clones */
	int port_limit[PORT_END];
	int port_rate[PORT_END]; /* calls that may begin in a minute; 0: any number */
	int64_t lease_ttl_ms;    /* renewed every third of it; effects stop when two thirds pass without proof */
	int64_t lease_retry_ms;  /* how long to wait for a lease that somebody else holds */
	int64_t retry_first_ms, retry_cap_ms, retry_budget_ms; /* budget spent: the clone is PAUSED with the cause */
	int64_t stall_after_ms;  /* a step that moved nothing for so long is aborted and tried again */
	int64_t drain_ms;        /* how long a stop waits for running steps before it aborts them */
	int breaker_failures;
	int64_t breaker_open_ms;
};

/* ---- inputs ---- */

enum input_kind {
	IN_UNSET,
	IN_ASSIGNED,    /* at: topic, partition */
	IN_REVOKED,     /* at: finish running steps of its clones, then let them go */
	IN_LOST,        /* at: it is somebody else's already */
	IN_MESSAGE,     /* at, message: a decoded request, replay or control; the engine owns message from here on */
	IN_BAD_RECORD,  /* at, text (sentence), code (reason): to the dead-letter topic */
	IN_LEASE,       /* ref: answer to FX_ACQUIRE */
	IN_RENEWED,     /* ref, status: answer to FX_RENEW */
	IN_RELEASED,    /* ref, status: answer to FX_RELEASE */
	IN_RECORDED,    /* ref, status: answer to FX_RECORD and FX_REJECT */
	IN_STEP,        /* ref, step, token, result: a handler came back */
	IN_MOVED,       /* ref, step, token, moved: a running handler has moved rows or bytes since the last time */
	IN_DELIVERED,   /* ref, sequence, ok: an event reached its topic or was given up */
	IN_DIRECT_DELIVERED, /* at, ok: a dead letter or a rejection reached its topic */
	IN_SWEEP,       /* sweep: a target has something to sweep; ignored when there is more important work */
	IN_STOP,        /* SIGTERM: drain */
	IN_END
};

struct step_moved { /* by a step so far, over all its calls */
	int64_t rows, bytes, rows_total; /* rows_total 0: not known */
};

struct step_result {
	enum step_outcome outcome;
	bool acted; /* this call or an earlier one may have changed something */
	int64_t delay_ms;
	char waiting_on[96];
	char detail[256];
	int64_t rows, bytes;
	struct err err;
	int64_t started_at_ms, finished_at_ms; /* wall clock */
	struct step_tables tables; /* of steps 8 and 13 */
	struct step_notice notice; /* of step 31, and of cleaning up */
};

struct lease_answer {
	enum store_status status;
	int64_t retry_ms;
	char held_by[CLONE_ID_MAX + 1];    /* HELD: the clone whose lease it is; "" when readers are in the way */
	uint64_t token;
	bool found;                        /* snapshot is there (also with HELD), and with OK the request */
	const struct clone_snapshot *snapshot;
	struct message *request;           /* the stored request, owned by the engine from here on; NULL when not found */
	uint64_t undelivered_from;         /* sequence of the oldest event still in the outbox; 0 none */
	/* The target's hash. */
	char active_clone[CLONE_ID_MAX + 1];   /* the clone that last began on this target; "" none */
	enum clone_status active_status;
	char latest_generation[DATABASE_MAX + 1]; /* the one last begun; "" none */
};

struct sweep_wish {
	char clone_id[CLONE_ID_MAX + 1]; /* that built on the target last */
	char target_ctx[CTX_MAX + 1], source_ctx[CTX_MAX + 1];
};

struct input {
	enum input_kind kind;
	clone_ref ref;
	struct bus_position at;
	struct message *message;
	const char *code, *text;
	const struct lease_answer *lease;
	const struct sweep_wish *sweep;
	struct step_moved moved;
	enum store_status status;
	enum step_id step; /* STEP_END: what runs beside the plan */
	uint64_t token;
	const struct step_result *result;
	uint64_t sequence;
	bool ok;
};

/* ---- effects; what they point to lives until the next engine_feed ---- */

enum effect_kind {
	FX_UNSET,
	FX_ACQUIRE,      /* take the lease and load the clone */
	FX_RENEW,        /* one for each lease held; answered one by one */
	FX_RELEASE,      /* give the lease back */
	FX_START_STEP,   /* run the handler on a worker; text is what it waited for before, "" nothing */
	FX_ABORT_STEP,   /* make it end early; it still answers with IN_STEP */
	FX_RECORD,       /* change the clone and append its events to the outbox, atomically */
	FX_PUBLISH,      /* send events first..last of the outbox to their topics */
	FX_FORGET,       /* these events are delivered: drop them from the outbox */
	FX_REJECT,       /* make the clone known as rejected unless somebody began it (STORE_INTRODUCE) */
	FX_TELL_REJECTED, /* publish the REJECTED state of such a request; answered for `at` */
	FX_DEAD_LETTER,  /* publish the record at `at` with code and text; answered for `at` */
	FX_COMMIT,       /* offset of `at` */
	FX_INTAKE,       /* pause (flag true) or resume fetching */
	FX_REVOKED_DONE, /* nothing of the revoked partitions is left here */
	FX_DRAINED,      /* after IN_STOP: nothing is left */
	FX_END
};

struct engine_event {
	uint64_t sequence;
	enum message_kind kind; /* MESSAGE_STEP_COMPLETED, MESSAGE_BACKUP_RESTORED or MESSAGE_STATE */
	enum step_id step;
	int attempt;
	int64_t still_ms;                 /* the longest it moved nothing while it ran */
	const struct step_result *result; /* of a step; NULL for a state event */
};

struct effect {
	enum effect_kind kind;
	clone_ref ref;
	const char *clone_id, *target_ctx, *source_ctx;
	uint64_t token;
	struct bus_position at;
	const char *code, *text;
	bool flag;
	/* FX_START_STEP, FX_ABORT_STEP */
	enum step_id step;
	enum step_aside aside; /* which one, when step is STEP_END */
	int run, attempt;
	bool acted;
	struct step_moved moved; /* by earlier calls under this lease, as far as it is known */
	bool fresh_lease; /* no call under this token has come back well yet: raise the stamp's token first */
	const struct clone_request *request; /* also FX_RECORD, FX_REJECT */
	const struct clone_snapshot *snapshot;
	/* FX_RECORD */
	bool fields; /* more than markers and the sequence has changed since the last record that was answered */
	bool full; /* the store lost something: every undelivered event belongs to the record too */
	bool again; /* the last record was not answered, this is the same one: its events stay as they were encoded */
	uint64_t sequence_before, sequence_after;
	step_set marks_set, marks_clear;
	bool store_request; /* the (changed) request belongs to the record */
	bool take_target;   /* the target's hash names this clone and its generation from now on */
	const struct engine_event *events;
	size_t event_count;
	/* FX_PUBLISH: these events; FX_FORGET: these; FX_RECORD: these have been delivered and are dropped from the outbox
	 * by the way (last 0: none) */
	uint64_t first, last;
};

/* ---- driving it ---- */

/* NULL when memory is short. seed is its only source of chance (jitter). */
struct engine *engine_new(const struct engine_policy *policy, uint64_t seed);
void engine_free(struct engine **e);

/* now_ms is a monotonic clock, utc_ms the wall clock for what people read; neither may be 0. */
void engine_tick(struct engine *e, int64_t now_ms, int64_t utc_ms);
void engine_feed(struct engine *e, const struct input *in);
/* Settles everything fed since the last call and hands out the effects wanted, in the order to carry them out. */
const struct effect *engine_effects(struct engine *e, size_t *count_r);
/* When engine_tick and engine_effects must be called again at the latest (monotonic); -1 when nothing is due. */
int64_t engine_wake_ms(const struct engine *e);

/* ---- looking in: for /metrics, /readyz and tests ---- */

enum { STEP_STILL_AFTER_MS = 10000 }; /* moved nothing for so long: a state of its own, for people and metrics */

enum step_activity { STEP_IS_QUEUED, STEP_MOVES, STEP_STANDS_STILL, STEP_WAITS, STEP_ACTIVITY_END };

struct engine_figures {
	struct {
		int count[STEP_ACTIVITY_END];
		struct step_moved moved; /* by those counted, together */
	} under_way[STEP_END];
	int clones, waiting_for_lease, running_steps, waiting_steps, stalled_steps;
	int64_t oldest_wait_ms;
	int64_t longest_still_ms;       /* the longest any running step has moved nothing */
	bool breaker_open[PORT_END];
	int64_t port_failures[PORT_END]; /* since the start */
	int64_t port_throttled[PORT_END]; /* calls that had to wait for the rate, since the start */
	int64_t leases_lost;             /* since the start */
	bool intake_paused, stopping;
};
void engine_figures(const struct engine *e, struct engine_figures *figures_r);

struct clone_view {
	const char *clone_id, *target_ctx; /* borrowed until the next engine_feed */
	const struct clone_snapshot *snapshot;
	step_set running, waiting;
	int64_t asking_since_ms; /* since when its lease is asked for; 0 it is not */
};

/* False when the engine does not hold that clone (any more). */
bool engine_view(const struct engine *e, clone_ref ref, struct clone_view *view_r);

#endif
