/* SPDX-License-Identifier: Apache-2.0
 * What is known of one clone that matters to its tenant's state: of each kind of event the last one, by the clone's own
 * sequence. Pure. The topics have no common order and events come more than once; folding them in any order, any
 * number of times, gives the same facts. */
#ifndef SANDBOX_TENANT_FACTS_H
#define SANDBOX_TENANT_FACTS_H

#include "consumer/ports/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FACTS_CAUSE_MAX = 320,
	FACTS_COMMAND_MAX = 160,
	FACTS_VERSION_MAX = 128,
	FACTS_FILE_VERSION_MAX = 64,
	FACTS_HOST_MAX = 255,
};

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

/* Made by facts_init, filled by facts_fold: every byte of it is defined, so that two may be compared as bytes. */
struct clone_facts {
	char ctx[CTX_MAX + 1]; /* target tenant; with clone_id the key */
	char clone_id[CLONE_ID_MAX + 1];
	char source_ctx[CTX_MAX + 1];
	struct facts_turn turns[TURN_END];
	struct facts_step last;
	struct facts_state state;
	struct facts_restored restored;
};

/* The clone and the target a message is about. False: it is none of the three events, a rejection (which never was a
 * clone of anybody), or names nobody. Borrowed from the message. */
bool facts_names(const struct message *m, const char **ctx_r, const char **clone_id_r);

void facts_init(struct clone_facts *f, const char *ctx, const char *clone_id);
/* Takes in an event about that clone; false when it says nothing new. */
bool facts_fold(struct clone_facts *f, const struct message *m);

#endif
