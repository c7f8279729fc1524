/* SPDX-License-Identifier: Apache-2.0
 * The durable memory of the tenant-state updater: what is known of every clone, the row of every tenant, and how far
 * each partition has been read, changed together or not at all. One thread; may block. */
#ifndef SANDBOX_PORTS_TENANTS_H
#define SANDBOX_PORTS_TENANTS_H

#include "consumer/ports/messages.h"

enum {
	FACTS_CAUSE_MAX = 320,
	FACTS_COMMAND_MAX = 160,
	FACTS_VERSION_MAX = 128,
	FACTS_FILE_VERSION_MAX = 64,
	FACTS_HOST_MAX = 255,
};

/* ---- what is known of one clone: of each kind of event the last one, by the clone's own sequence ---- */

/* The steps after which the tenant is in another state, or SuperID holds it for another. */
enum turning_point { TURN_OFFLINE, TURN_IN_MIGRATION, TURN_NORMAL, TURN_OPEN, TURN_END };

struct facts_turn { /* a step that ended well */
	int64_t sequence, at_ms; /* sequence 0: not told */
};

struct facts_step { /* the step told last, whatever its outcome */
	int64_t sequence, at_ms;
	int run, step_no, total_steps;
	char slug[SLUG_MAX + 1];
};

struct facts_state { /* of CloneState */
	int64_t sequence, requested_at_ms, updated_at_ms;
	enum clone_status status;
	enum tenant_state leaves; /* what the clone leaves its target in; TENANT_UNKNOWN: not said */
	int run, steps_done, total_steps;
	char generation[DATABASE_MAX + 1];
	char step[SLUG_MAX + 1];
	char cause[FACTS_CAUSE_MAX + 1];
	char next_command[FACTS_COMMAND_MAX + 1];
};

struct facts_restored { /* of BackupRestored */
	int64_t sequence, at_ms;
	char version_name[FACTS_VERSION_MAX + 1];
	char file_version[FACTS_FILE_VERSION_MAX + 1];
	char host[FACTS_HOST_MAX + 1];
};

/* Every byte of it is defined, so that two may be compared as bytes. */
struct clone_facts {
	char ctx[CTX_MAX + 1]; /* target tenant; with clone_id the key */
	char clone_id[CLONE_ID_MAX + 1];
	char source_ctx[CTX_MAX + 1];
	struct facts_turn turns[TURN_END];
	struct facts_step last;
	struct facts_state state;
	struct facts_restored restored;
};

/* ---- the row of a tenant: a function of its clones' facts ---- */

struct tenant_row {
	char ctx[CTX_MAX + 1];
	enum tenant_state state;      /* TENANT_UNKNOWN: no clone has touched it as far as was told */
	enum identity_state superid;  /* never IDENTITY_UNSET */
	int64_t since_ms;             /* when the state became so; 0 with TENANT_UNKNOWN */
	/* The clone that has or had the tenant last; all empty when one that was cancelled or rolled back gave it back and
	 * there is no other. */
	char clone_id[CLONE_ID_MAX + 1];
	enum clone_status status;
	int run, step_no, total_steps;
	int64_t sequence;             /* of the last event of that clone */
	char step[SLUG_MAX + 1];      /* the step that failed or waits, else the one told last; "" none */
	char host[FACTS_HOST_MAX + 1];            /* public host name; "" not told yet */
	char version_name[FACTS_VERSION_MAX + 1]; /* "" not told yet */
	char file_version[FACTS_FILE_VERSION_MAX + 1];
	char cause[FACTS_CAUSE_MAX + 1];          /* why it is not as it should be; "" it is */
	char next_command[FACTS_COMMAND_MAX + 1]; /* sandboxctl command to run next; "" none */
};

/* ---- where they are kept ---- */

typedef bool tenants_clone_fn(void *arg, const struct clone_facts *facts); /* false: no memory */

/* Every function returns false and fills *e on failure: TRANSIENT nothing has changed, UNSURE (commit alone) it may have.
 * After a failure the change is over; rollback() is harmless then. */
struct tenants_port {
	/* Begins a change beside which nobody else makes one. Changes have rising numbers; *last_r is that of the last one
	 * committed, by anybody: clones_since() tells what others did. */
	bool (*begin)(struct tenants_port *self, int64_t *last_r, struct err *e);
	bool (*put_clone)(struct tenants_port *self, const struct clone_facts *facts, struct err *e);
	bool (*drop_clone)(struct tenants_port *self, const struct clone_facts *facts, struct err *e);
	bool (*put_row)(struct tenants_port *self, const struct tenant_row *row, struct err *e);
	/* Everything below `to` is folded. *moved_r false, and nothing has changed: the partition does not stand at `from`,
	 * because another instance reads it now. */
	bool (*move)(struct tenants_port *self, const char *topic, int partition, int64_t from, int64_t to, bool *moved_r,
	             struct err *e);
	bool (*commit)(struct tenants_port *self, struct err *e);
	void (*rollback)(struct tenants_port *self);

	/* Inside or outside of a change. */
	bool (*last)(struct tenants_port *self, int64_t *last_r, struct err *e);
	bool (*clones_since)(struct tenants_port *self, int64_t after, tenants_clone_fn *fn, void *arg, struct err *e);
	/* The first offset that is not folded yet; -1 none was. */
	bool (*position)(struct tenants_port *self, const char *topic, int partition, int64_t *next_r, struct err *e);
	void (*close)(struct tenants_port *self);
};

#endif
