/* SPDX-License-Identifier: Apache-2.0
 * One clone as an operator sees it: what the store holds of it, put together. */
#ifndef SANDBOX_CTL_SIGHT_H
#define SANDBOX_CTL_SIGHT_H

#include "consumer/core/snapshot.h"
#include "consumer/ctl/ctl.h"

struct step_note { /* progress of a step under way */
	int64_t rows, bytes, rows_total, at_ms; /* at_ms 0: there is none in this run */
	int64_t tables, tables_total;           /* done, and in all; 0 when it goes over none */
	int64_t table_rows, table_bytes;        /* of the one under way */
	char table[STEP_TABLE_MAX];             /* its name; "" not known */
	const char *text;                       /* what it waits for; "" nothing known */
};

struct sight {
	const char *id, *target;
	bool is_readable; /* what the store holds makes sense; otherwise only the names above are known */
	const char *problem;
	struct clone_snapshot snap;
	const struct clone_request *request; /* as it was asked; NULL when not known */
	struct message *message;             /* owns request */
	struct step_note notes[STEP_END];
	step_set done, running; /* running: begun in this run and not done */
	int counted, total;
	int64_t seen_ms; /* when it was looked at */
	int64_t began_ms, ended_ms; /* ended 0: not at rest */
	size_t outbox;
	struct inspect_lease lease;
	bool lease_is_known;
};

/* How long a step under way has moved nothing; 0 when it moves, or waits for something that it names. A step that
 * counts nothing is still from its begin on. */
int64_t sight_still_ms(const struct sight *s, enum step_id step);

/* The clone of the command's first operand. The exit code: CTL_NOT_FOUND when there is none, said already. */
int sight_find(struct ctl *c, const char *id, struct inspect_clone *clone_r);
/* The same without a word, for those who will look again. */
bool sight_look_up(struct ctl *c, const char *id, struct inspect_clone *clone_r, struct err *e);

/* Puts together what was found; the lease only with_lease. Everything borrowed lives in c->mem, but for the message. */
void sight_make(struct ctl *c, const struct inspect_clone *clone, bool with_lease, struct sight *s_r);
void sight_done(struct sight *s);

/* Waits until a consumer has done something with what was just sent about the clone at rest: its status or run is
 * another. Says so when none does for a while; what comes next would only see the old state. */
void sight_await_change(struct ctl *c, const struct sight *s);

/* "RUNNING", "FAILED" ...; "UNREADABLE". */
const char *sight_status(const struct sight *s);
/* The step people should look at: the failed one, or the first under way; STEP_END none. */
enum step_id sight_step(const struct sight *s);
/* Why it does not move right now, as a sentence; "" when it moves or is at rest. */
const char *sight_waits_on(const struct sight *s, struct arena *mem);
/* "sandboxctl clone ..." to run next; "" nothing. */
const char *sight_next_command(const struct sight *s, struct arena *mem);
/* From its begin to its end, or to now. */
int64_t sight_elapsed_ms(const struct sight *s, int64_t now_ms);

#endif
