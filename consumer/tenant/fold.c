/* SPDX-License-Identifier: Apache-2.0
 * Which clone counts: the newest one that was begun on the tenant. Its generation's name says when that was. One that
 * has not touched the tenant yet leaves it as the one before it did; one that was cancelled or rolled back gives it
 * back. */
#include "consumer/tenant/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the order of clones ---- */

/* Only then its generation is known. Telling its state is the first thing a clone does. */
static bool counts(const struct clone_facts *f)
{
	return f->state.sequence > 0;
}

/* The token at the end of a generation's name rises, and so does its length. */
static int newest_first(const void *one, const void *other)
{
	const struct clone_facts *a = *(const struct clone_facts *const *)one;
	const struct clone_facts *b = *(const struct clone_facts *const *)other;
	size_t a_len = strlen(a->state.generation), b_len = strlen(b->state.generation);
	int by_name = strcmp(a->state.generation, b->state.generation);

	if (counts(a) != counts(b))
		return counts(a) ? -1 : 1;
	if (a_len != b_len)
		return a_len > b_len ? -1 : 1;
	return by_name ? -by_name : -strcmp(a->clone_id, b->clone_id);
}

/* ---- where one clone stands ---- */

/* A step of a later run was told already, the state that began it was not. */
static bool is_behind(const struct clone_facts *f)
{
	return f->last.run > f->state.run;
}

static enum clone_status status_of(const struct clone_facts *f)
{
	return is_behind(f) ? CLONE_RUNNING : f->state.status;
}

/* It is offline while it is switched back, and stays so when that broke off: such a clone has failed with every step
 * done. */
static bool is_half_rolled_back(const struct clone_facts *f)
{
	return status_of(f) == CLONE_ROLLING_BACK ||
	       (status_of(f) == CLONE_FAILED && f->state.steps_done > 0 && f->state.steps_done >= f->state.total_steps);
}

struct standing {
	bool known; /* this clone decides */
	enum tenant_state state;
	int64_t since_ms;
};

static struct standing left_in(enum tenant_state state, int64_t since_ms)
{
	return (struct standing){ true, state, since_ms };
}

/* What was there before the clone is there again, or nothing. */
static bool was_taken_back(const struct clone_facts *f)
{
	return status_of(f) == CLONE_CANCELLED || status_of(f) == CLONE_ROLLED_BACK;
}

/* An older consumer did not say what it left the tenant in. */
static enum tenant_state opened_to(const struct clone_facts *f)
{
	return f->state.leaves == TENANT_UNKNOWN ? TENANT_RUNNING : f->state.leaves;
}

static struct standing stands(const struct clone_facts *f)
{
	const struct facts_turn *offline = &f->turns[TURN_OFFLINE], *open = &f->turns[TURN_OPEN];
	bool is_open = open->sequence > offline->sequence;

	if (was_taken_back(f)) {
		if (f->state.leaves == TENANT_UNKNOWN)
			return (struct standing){ 0 };
		return left_in(f->state.leaves, f->state.updated_at_ms);
	}
	if (is_half_rolled_back(f))
		return left_in(TENANT_OFFLINE_MAINTENANCE, f->state.updated_at_ms);
	if (status_of(f) == CLONE_COMPLETED || is_open) {
		int64_t at_ms = is_open ? open->at_ms : f->state.updated_at_ms;

		if (opened_to(f) == TENANT_OFFLINE_MAINTENANCE && offline->sequence)
			at_ms = offline->at_ms;
		return left_in(opened_to(f), at_ms);
	}
	if (offline->sequence)
		return left_in(TENANT_OFFLINE_MAINTENANCE, offline->at_ms);
	if (f->state.steps_done > 0) /* its first step is no longer in the topic */
		return left_in(TENANT_OFFLINE_MAINTENANCE, f->state.updated_at_ms);
	return (struct standing){ 0 };
}

/* IDENTITY_UNSET: this clone has not touched it. */
static enum identity_state superid_of(const struct clone_facts *f)
{
	const struct facts_turn *in_migration = &f->turns[TURN_IN_MIGRATION], *normal = &f->turns[TURN_NORMAL];
	enum clone_status status = status_of(f);

	if (status == CLONE_COMPLETED || was_taken_back(f) || normal->sequence > in_migration->sequence)
		return IDENTITY_NORMAL;
	return in_migration->sequence ? IDENTITY_IN_MIGRATION : IDENTITY_UNSET;
}

/* ---- the row ---- */

static void put_state(const struct clone_facts *const *clones, size_t count, struct tenant_row *row)
{
	for (size_t i = 0; i < count; i++) {
		struct standing s = stands(clones[i]);

		if (!s.known)
			continue;
		row->state = s.state;
		row->since_ms = s.since_ms;
		break;
	}
	for (size_t i = 0; i < count && row->superid == IDENTITY_UNSET; i++)
		row->superid = superid_of(clones[i]);
	if (row->superid == IDENTITY_UNSET)
		row->superid = IDENTITY_NORMAL;
}

/* Host and version as they were told last by a clone that was not taken back; a host is the tenant's own, so one that
 * was taken back is better than none. */
static void put_endpoint(const struct clone_facts *const *clones, size_t count, struct tenant_row *row)
{
	for (size_t i = 0; i < count; i++) {
		const struct facts_restored *r = &clones[i]->restored;

		if (!r->sequence)
			continue;
		if (!was_taken_back(clones[i])) {
			memcpy(row->host, r->host, sizeof row->host);
			memcpy(row->version_name, r->version_name, sizeof row->version_name);
			memcpy(row->file_version, r->file_version, sizeof row->file_version);
			return;
		}
		if (!row->host[0])
			memcpy(row->host, r->host, sizeof row->host);
	}
}

/* The clone to speak of: one that was taken back only when it is why the tenant is offline. */
static const struct clone_facts *speaks_for(const struct clone_facts *const *clones, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!was_taken_back(clones[i]) || clones[i]->state.leaves == TENANT_OFFLINE_MAINTENANCE)
			return clones[i];
	return NULL;
}

static int64_t last_sequence(const struct clone_facts *f)
{
	int64_t last = f->state.sequence;

	if (f->last.sequence > last)
		last = f->last.sequence;
	return f->restored.sequence > last ? f->restored.sequence : last;
}

static void put_trouble(const struct clone_facts *f, struct tenant_row *row)
{
	switch (row->status) {
	case CLONE_CANCELLED:
		snprintf(row->cause, sizeof row->cause,
			"the clone was cancelled and there was no earlier sandbox to go back to");
		break;
	case CLONE_FAILED:
	case CLONE_PAUSED:
	case CLONE_COMPLETED: /* when it could not be rolled back */
		memcpy(row->cause, f->state.cause, sizeof row->cause);
		memcpy(row->next_command, f->state.next_command, sizeof row->next_command);
		if (f->state.step[0])
			memcpy(row->step, f->state.step, sizeof row->step);
		break;
	default:
		break;
	}
}

static void put_clone(const struct clone_facts *f, struct tenant_row *row)
{
	memcpy(row->clone_id, f->clone_id, sizeof row->clone_id);
	row->status = status_of(f);
	row->run = is_behind(f) ? f->last.run : f->state.run;
	row->step_no = f->last.step_no;
	row->total_steps = f->state.total_steps;
	row->sequence = last_sequence(f);
	memcpy(row->step, f->last.slug, sizeof row->step);
	put_trouble(f, row);
}

void tenant_fold(const char *ctx, const struct clone_facts **clones, size_t count, struct tenant_row *row)
{
	const struct clone_facts *clone;
	size_t counted = 0;

	memset(row, 0, sizeof *row);
	snprintf(row->ctx, sizeof row->ctx, "%s", ctx);
	qsort(clones, count, sizeof *clones, newest_first);
	while (counted < count && counts(clones[counted]))
		counted++;
	put_state(clones, counted, row);
	put_endpoint(clones, counted, row);
	clone = speaks_for(clones, counted);
	if (clone)
		put_clone(clone, row);
}

/* A complete one may be rolled back to the one before it, and no further: that needs the two newest. */
size_t tenant_fold_past(const struct clone_facts *const *clones, size_t count, size_t *first_r)
{
	enum { NEEDED = 2 };
	size_t counted = 0, first = 0, complete = 0;

	while (counted < count && counts(clones[counted]))
		counted++;
	while (first < counted && complete < NEEDED) {
		complete += clones[first]->state.status == CLONE_COMPLETED && clones[first]->restored.sequence;
		first++;
	}
	*first_r = first;
	return counted - first;
}
