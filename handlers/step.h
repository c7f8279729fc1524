/* SPDX-License-Identifier: Apache-2.0
 * The contract between the engine and a handler (design sections 4 and 5).
 *
 * A handler looks first, then acts, then may look again. It is right when called any number of times, after a crash
 * at any instruction, and beside an old owner that wakes up: effects carry the fence, and the world refuses an older
 * one. It sees its step_ctx and nothing else: no locks, markers, events, sleeps, logs, globals or retries. */
#ifndef SANDBOX_STEP_H
#define SANDBOX_STEP_H

#include "handlers/base/arena.h"
#include "handlers/base/err.h"
#include "handlers/ports/apps.h"
#include "handlers/ports/clock.h"
#include "handlers/ports/fence.h"
#include "handlers/ports/files.h"
#include "handlers/ports/identity.h"
#include "handlers/ports/licence.h"
#include "handlers/ports/mail.h"
#include "handlers/ports/notices.h"
#include "handlers/ports/records.h"
#include "handlers/ports/seal.h"
#include "handlers/ports/sql.h"
#include "handlers/ports/tenant.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the table ---- */

enum step_id {
#define STEP(nn, slug, ...) STEP_##slug,
#include "handlers/steps.def"
#undef STEP
	STEP_END
};

enum step_phase { PHASE_UNSET, PHASE_QUIESCE, PHASE_DATABASE, PHASE_NEUTRALIZE, PHASE_SERVICES, PHASE_TENANT,
                  PHASE_CONTENT, PHASE_OPEN, PHASE_END };
enum step_effect { EFFECT_UNSET, EFFECT_LOOKS, EFFECT_CREATES, EFFECT_REPLACES, EFFECT_ADDS, EFFECT_CHANGES,
                   EFFECT_DROPS, EFFECT_TELLS, EFFECT_END };
enum step_if_unsure { IF_UNSURE_UNSET, IF_UNSURE_LOOK, IF_UNSURE_REPEAT, IF_UNSURE_END };
enum step_undo { UNDO_UNSET, UNDO_NOTHING, UNDO_DROP, UNDO_RESTORE, UNDO_END };
enum step_need { NEED_UNSET, NEED_REQUIRED, NEED_OPTIONAL, NEED_END };
enum step_port { PORT_SQL, PORT_TENANT, PORT_IDENTITY, PORT_MAIL, PORT_OBJECTS, PORT_ARCHIVE, PORT_LICENCE, PORT_APPS,
                 PORT_END };

typedef uint64_t step_set; /* one bit a step_id */
#define STEP_BIT(id) ((step_set)1 << (id))

enum step_outcome {
	STEP_UNSET,
	STEP_DONE,    /* it is so now, and this call or an earlier one of this run made it so */
	STEP_ALREADY, /* it was so */
	STEP_SKIPPED, /* the request does not want it; detail says why */
	STEP_WAIT,    /* call again after delay_ms; waiting_on says what for, "" for "more of the same work" */
	STEP_RETRY,   /* err is TRANSIENT: call again after the engine's backoff */
	STEP_UNSURE,  /* sent, no answer */
	STEP_REFUSED, /* err says why it will never work */
	STEP_OUTCOME_END
};

struct step_ctx;
typedef enum step_outcome step_fn(struct step_ctx *c);

struct step_row { /* one line of steps.def; const, shared by every run */
	const char *nn, *slug, *sentence;
	enum step_phase phase;
	unsigned ports; /* bit (1u << enum step_port) */
	enum step_effect effect;
	enum step_if_unsure if_unsure;
	enum step_undo undo;
	int64_t deadline_ms;
	enum step_need need;
	step_set after;
	step_fn *run;
};

extern const struct step_row steps[STEP_END];

/* The step of that slug, or STEP_END. */
enum step_id step_by_slug(const char *slug);
const char *step_phase_name(enum step_phase phase);
const char *step_effect_name(enum step_effect effect);
const char *step_outcome_name(enum step_outcome outcome); /* "DONE", ...: the symbols of the Avro enum */
const char *step_port_name(enum step_port port);

/* ---- what a clone was asked to do; frozen when its run begins ---- */

enum clone_kind { CLONE_KIND_UNSET, CLONE_CREATE, CLONE_REPLACE };
enum documents_choice { DOCUMENTS_UNSET, DOCUMENTS_ALL, DOCUMENTS_INCLUDED_USERS, DOCUMENTS_NONE };
enum mask_mode { MASK_MODE_UNSET, MASK_KEEP_NAMES, MASK_HASH }; /* what a masked address shows of the name before it */
enum attachments_choice { ATTACHMENTS_UNSET, ATTACHMENTS_ALL, ATTACHMENTS_NO_REQUESTS, ATTACHMENTS_NONE };

struct user_plan { /* one ticked line of the wizard's first page */
	const char *login;  /* associate.userName */
	int64_t associate_id; /* 0 when chosen by login */
	const char *plan;
	bool is_admin;
};

struct step_job {
	const char *clone_id;
	enum clone_kind kind;
	const char *source_ctx, *target_ctx;
	const char *requested_by; /* an address: never logged */
	bool mask_enabled;
	const char *mask_domain;
	enum mask_mode mask_mode;
	const char *const *mask_keep; /* whole addresses that stay */
	size_t mask_keep_count;
	const struct user_plan *users;
	size_t user_count;
	enum documents_choice documents;
	enum attachments_choice attachments;
	const int64_t *enable_schedules;
	size_t enable_schedule_count;
	bool set_running;
	const char *approved_target; /* target name repeated by an operator: allows an unstamped sandbox; "" otherwise */
};

struct step_settings { /* from the configuration file, the same for every clone */
	const char *const *deny_targets; /* tenants that are never a target */
	size_t deny_count;
	const char *test_mail_domain; /* the test mailbox is test-<target>@ this */
	const char *sink_host;        /* mail server that swallows everything */
	const char *query_principal;  /* read-only principal of step 18 */
	bool previous_drop_first;     /* previous = drop-first: step 05 drops instead of retiring */
	int64_t previous_keep_ms;     /* 0: step 32 drops the previous generation at once; -1: kept for ever */
	int64_t sweep_age_ms;         /* how long nobody must have owned a generation before it may be an orphan */
	int64_t poll_ms;              /* how often a wait looks again */
};

/* ---- one call of a handler ---- */

struct step_ports {
	struct sql_port *sql;
	struct tenant_port *tenant;
	struct identity_port *identity;
	struct mail_port *mail;
	struct files_port *objects; /* blob store */
	struct files_port *archive; /* archive share */
	struct licence_port *licence;
	struct apps_port *apps;
	struct clock_port *clock;
	struct seal_port *seal;
	struct notices_port *notices; /* NULL: a clone waits for no app */
	struct records_port *records; /* of the sweep only */
};

enum { STEP_TABLE_MAX = 64, STEP_TABLES_MAX = 50 };

struct step_progress { /* read by the watchdog and by `watch` while the handler runs */
	_Atomic int64_t rows, bytes, rows_total;
	_Atomic int64_t tables, tables_total; /* done, and in all; 0 when the step goes over no tables */
	_Atomic int64_t table_rows, table_bytes; /* of the one under way */
	/* Its name, or what a step without tables is at; "" none. Read while it changes it may be half of each: only people do. */
	_Atomic char table[STEP_TABLE_MAX];
};

struct step_table { /* what a step did in one table */
	char name[STEP_TABLE_MAX]; /* cut when it is longer */
	int64_t rows, bytes;       /* as the step counts them */
	int64_t masked;            /* texts that bear masked addresses */
};

struct step_tables { /* of the steps that go over tables: the largest by bytes; what the others hold is the rest of the sums */
	struct step_table table[STEP_TABLES_MAX];
	size_t count;
	int64_t more;   /* tables beyond those */
	int64_t masked; /* of all tables */
};

struct step_notice { /* what step 31 tells of the target beside its own event: BackupRestored is made of it */
	char version_name[128], file_version[64], public_endpoint[256];
	char proof[256];
	enum tenant_state left_in; /* of cleaning up a cancelled clone: what the target is in now */
};

struct step_ctx {
	const struct step_job *job;
	const struct step_settings *settings;
	const struct step_ports *ports;
	struct fence fence;
	struct arena *mem; /* freed by the engine after the call */
	bool acted;        /* an earlier call of this run changed something */
	const atomic_bool *stop; /* set when the lease was lost or the engine stops: end at the next safe point */
	struct step_progress *progress;

	/* what the handler says */
	struct err *err;
	int64_t delay_ms;
	char waiting_on[96];
	char detail[256]; /* shown to people and put in the event; no addresses, no secrets */
	int64_t rows, bytes;
	struct step_tables *tables;
	struct step_notice *notice;
};

/* ---- the words a handler ends with ---- */

/* The outcome that *c->err asks for: RETRY, UNSURE or REFUSED. Never DONE. */
enum step_outcome step_failed(struct step_ctx *c);
enum step_outcome step_wait(struct step_ctx *c, int64_t delay_ms, const char *on);
/* More of the same work is left: be called again at once. */
enum step_outcome step_again(struct step_ctx *c);
enum step_outcome step_skipped(struct step_ctx *c, const char *why);
enum step_outcome step_refused(struct step_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void step_detail(struct step_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool step_must_stop(const struct step_ctx *c);

#define STEP(nn, slug, ...) enum step_outcome s##nn##_##slug(struct step_ctx *c);
#include "handlers/steps.def"
#undef STEP

/* ---- beside the plan: what the engine runs with a clone that is not running ---- */

enum step_aside {
	ASIDE_UNSET,
	ASIDE_CLEAN_UP,  /* of a cancelled clone: every undo of the table, in reverse order, each with a look first */
	ASIDE_ROLL_BACK, /* of a complete one: the sandbox before it, which was kept, goes back into service; as long as
	                  * c->acted is false, nothing was changed */
	ASIDE_SWEEP,     /* in the name of the one that built on its target last: what the target no longer needs goes */
	ASIDE_END
};

const char *step_aside_name(enum step_aside aside); /* "clean_up", ...: the step of its fence */
/* Runs the one that the fence names. */
enum step_outcome step_aside_run(struct step_ctx *c);

enum step_outcome abandon_clone(struct step_ctx *c);
enum step_outcome roll_back_clone(struct step_ctx *c);
enum step_outcome sweep_target(struct step_ctx *c);

/* ---- the survey before a sweep (docs/decisions/0007-sweep-and-rollback.md) ---- */

enum sweep_kind {
	SWEEP_KIND_UNSET,
	SWEEP_ORPHAN,   /* a generation that nobody's record names */
	SWEEP_PREVIOUS, /* kept for a rollback; whether its time is over is asked under the lease */
};

struct sweep_found {
	enum sweep_kind kind;
	const char *target_ctx, *source_ctx;
	const char *clone_id; /* that built on the target last: in its name the target is swept */
	const char *database;
};

typedef bool sweep_fn(void *arg, const struct sweep_found *found, struct err *e); /* false ends the survey */

/* Looks over all databases of the server and tells of those that a sweep may drop. Changes nothing and needs no lease.
 * c has ports, settings, memory, stop, err and a step in its fence; no job. */
bool sweep_survey(struct step_ctx *c, sweep_fn *fn, void *arg);

#endif
