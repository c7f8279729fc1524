/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/runtime/rebuild.h"

#include "consumer/core/snapshot.h"
#include "consumer/core/table.h"
#include "consumer/runtime/loop_priv.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEASE_MS = 30000, HELD_MS = 30000, CLONES_MAX = 1000000 };

#define TOKEN_MAX (UINT64_C(1) << 52) /* microseconds until the year 2112; more is nonsense, and no store takes it */

struct remembered {
	struct remembered *next;
	char clone_id[CLONE_ID_MAX + 1], target[CTX_MAX + 1];
	struct clone_snapshot snapshot;
	uint64_t token; /* the greatest that was told */
	char *request;
	size_t request_len;
};

struct rebuild {
	const struct rebuild_parts *p;
	struct table ids, targets; /* targets: the clone that began last on each */
	struct remembered *all;
	size_t count;
	bool failed;
	struct err later; /* a schema that could not be had: what is left out now would be lost */
	int64_t until_ms, held_until_ms;
};

/* ---- folding ---- */

static struct remembered *find(struct rebuild *r, const char *clone_id, const char *target)
{
	struct remembered *m;
	uint64_t value;

	if (table_get(&r->ids, clone_id, &value))
		return (struct remembered *)(uintptr_t)value;
	m = r->count < CLONES_MAX ? calloc(1, sizeof *m) : NULL;
	if (!m)
		return NULL;
	snprintf(m->clone_id, sizeof m->clone_id, "%s", clone_id);
	snprintf(m->target, sizeof m->target, "%s", target);
	snapshot_init(&m->snapshot);
	m->next = r->all;
	r->all = m;
	r->count++;
	return table_set(&r->ids, m->clone_id, (uint64_t)(uintptr_t)m) ? m : NULL;
}

/* Encoded again, because the store keeps no headers, which may have said the schema. */
static bool keep_request(struct rebuild *r, struct remembered *m, const struct message *message)
{
	struct err e = { 0 };
	struct buf bytes;

	if (m->request)
		return true; /* the first one counts: later ones of the id are duplicates or conflicts */
	buf_init(&bytes, RECORD_MAX_BYTES);
	if (!r->p->codec->encode(r->p->codec, message, &bytes, &e)) {
		buf_done(&bytes);
		return e.class != ERR_TRANSIENT; /* too large: it was refused when it came */
	}
	m->snapshot.fingerprint = message->request.fingerprint;
	m->snapshot.requested_at_ms = message->request.requested_at_ms;
	snprintf(m->snapshot.source_ctx, sizeof m->snapshot.source_ctx, "%s", message->request.job.source_ctx);
	m->request = bytes.data; /* malloc's, as free_all wants it */
	m->request_len = bytes.len;
	return true;
}

static bool fold(struct rebuild *r, const struct message *m)
{
	struct remembered *known;

	switch (m->kind) {
	case MESSAGE_REQUEST:
		known = find(r, m->request.job.clone_id, m->request.job.target_ctx);
		return known && keep_request(r, known, m);
	case MESSAGE_STEP_COMPLETED:
		known = find(r, m->step_completed.clone_id, m->step_completed.target_ctx);
		if (known)
			snapshot_fold_step(&known->snapshot, &m->step_completed);
		return known != NULL;
	case MESSAGE_BACKUP_RESTORED:
		known = find(r, m->backup_restored.clone_id, m->backup_restored.context_identifier);
		if (known)
			snapshot_fold_restored(&known->snapshot, &m->backup_restored);
		return known != NULL;
	default:
		known = find(r, m->state.clone_id, m->state.target_ctx);
		if (!known)
			return false;
		snapshot_fold_state(&known->snapshot, &m->state);
		if (m->state.token > known->token && m->state.token < TOKEN_MAX)
			known->token = m->state.token;
		return true;
	}
}

static bool is_name(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	return len > 0 && len <= max;
}

static bool has_names(const struct message *m)
{
	switch (m->kind) {
	case MESSAGE_REQUEST:
		return is_name(m->request.job.clone_id, CLONE_ID_MAX) && is_name(m->request.job.target_ctx, CTX_MAX);
	case MESSAGE_STEP_COMPLETED:
		return is_name(m->step_completed.clone_id, CLONE_ID_MAX) && is_name(m->step_completed.target_ctx, CTX_MAX);
	case MESSAGE_BACKUP_RESTORED:
		return is_name(m->backup_restored.clone_id, CLONE_ID_MAX) &&
			is_name(m->backup_restored.context_identifier, CTX_MAX);
	default:
		return is_name(m->state.clone_id, CLONE_ID_MAX) && is_name(m->state.target_ctx, CTX_MAX);
	}
}

static enum message_kind kind_of(enum topic topic)
{
	switch (topic) {
	case TOPIC_REQUESTED:
		return MESSAGE_REQUEST;
	case TOPIC_STEP_COMPLETED:
		return MESSAGE_STEP_COMPLETED;
	case TOPIC_BACKUP_RESTORED:
		return MESSAGE_BACKUP_RESTORED;
	default:
		return MESSAGE_STATE;
	}
}

static bool is_stopped(const struct rebuild *r)
{
	return r->p->stop && atomic_load(r->p->stop);
}

/* What cannot be decoded, or names nobody, was never ours or went to the dead-letter topic. */
static bool take_record(void *arg, const struct bus_record *record)
{
	struct rebuild *r = arg;
	struct message *message = NULL;
	struct err e = { 0 };
	enum message_kind kind = kind_of(record->at.topic);
	enum codec_result result;

	if (!record->value)
		return !is_stopped(r);
	result = r->p->codec->decode(r->p->codec, kind, record, &message, &e);
	if (result == CODEC_LATER)
		r->later = e;
	if (result != CODEC_OK)
		return result == CODEC_BAD;
	r->failed = has_names(message) && !fold(r, message);
	message_free(&message);
	return !r->failed && !is_stopped(r);
}

/* ---- asking the store, one thing at a time ---- */

static bool ask(struct rebuild *r, const struct store_op *op, struct store_answer *answer, struct err *e)
{
	struct store_port *store = r->p->store;

	if (!store->submit(store, op, e))
		return false;
	while (loop_now_ms() < r->until_ms && !is_stopped(r)) {
		struct pollfd watched = { .fd = store->fd(store), .events = POLLIN };
		int64_t ms = store->timeout_ms(store);

		store->flush(store);
		while (store->next(store, answer))
			if (answer->tag == op->tag)
				return true;
		poll(&watched, 1, ms < 0 || ms > 100 ? 100 : (int)ms);
	}
	return err_set(e, ERR_TRANSIENT, 0, "store", is_stopped(r) ? "it was told to stop" : "the store did not answer in time");
}

static struct store_op memory_op(enum store_op_kind kind, uint64_t token)
{
	return (struct store_op){ .kind = kind, .tag = (uint64_t)kind, .target_ctx = STORE_MARK_TARGET, .source_ctx = "",
		.clone_id = STORE_MARK_CLONE, .token = token, .ttl_ms = LEASE_MS, .utc_us = loop_now_ms() * 1000 };
}

static bool take_lease(struct rebuild *r, uint64_t *token_r, bool *done_r, struct err *e)
{
	struct store_op op = memory_op(STORE_ACQUIRE, 0);
	struct store_answer answer;

	while (loop_now_ms() < r->until_ms) {
		if (!ask(r, &op, &answer, e))
			return false;
		if (answer.status == STORE_OK) {
			*token_r = answer.token;
			*done_r = answer.found;
			return true;
		}
		poll(NULL, 0, 200);
	}
	return err_set(e, ERR_TRANSIENT, 0, "store", "another process rebuilds the store and does not end");
}

/* ---- writing ---- */

static bool introduce(struct rebuild *r, const struct remembered *m, struct err *e)
{
	struct snapshot_fields fields;
	struct store_pair pairs[SNAPSHOT_PAIRS_MAX + 1];
	struct store_op op = { .kind = STORE_INTRODUCE, .tag = 1, .target_ctx = m->target, .source_ctx = "",
		.clone_id = m->clone_id, .sequence_after = m->snapshot.sequence, .clone_set = pairs };
	struct store_answer answer;

	if (m->snapshot.status == CLONE_STATUS_UNSET)
		return true; /* asked for and never begun: its record is still to be read */
	snapshot_write(&m->snapshot, snapshot_done(&m->snapshot), &fields);
	memcpy(pairs, fields.pairs, fields.count * sizeof *pairs);
	op.clone_set_count = fields.count;
	if (m->request)
		pairs[op.clone_set_count++] = (struct store_pair){ "request", m->request, m->request_len };
	return ask(r, &op, &answer, e) && (answer.status != STORE_UNAVAILABLE ||
		err_set(e, ERR_TRANSIENT, 0, "store", "the store went away while it was rebuilt"));
}

/* The token at the end of a generation's name rises, and so does its length. */
static bool began_later(const struct remembered *a, const struct remembered *b)
{
	size_t a_len = strlen(a->snapshot.generation), b_len = strlen(b->snapshot.generation);

	return a_len != b_len ? a_len > b_len : strcmp(a->snapshot.generation, b->snapshot.generation) > 0;
}

static bool find_latest(struct rebuild *r)
{
	for (struct remembered *m = r->all; m; m = m->next) {
		uint64_t value;

		if (!m->snapshot.generation[0] || m->snapshot.status == CLONE_STATUS_UNSET)
			continue;
		if (table_get(&r->targets, m->target, &value) && !began_later(m, (struct remembered *)(uintptr_t)value))
			continue;
		if (!table_set(&r->targets, m->target, (uint64_t)(uintptr_t)m))
			return false;
	}
	return true;
}

static struct store_op target_op(enum store_op_kind kind, const struct remembered *m, uint64_t token)
{
	return (struct store_op){ .kind = kind, .tag = (uint64_t)kind, .target_ctx = m->target, .source_ctx = "",
		.clone_id = m->clone_id, .token = token, .least_token = m->token, .ttl_ms = LEASE_MS,
		.utc_us = loop_utc_ms() * 1000, .sequence_before = m->snapshot.sequence,
		.sequence_after = m->snapshot.sequence };
}

/* Who asks for a lease of an empty store has it for a moment until it is refused, and longer when it dies just then. */
static bool take_target(struct rebuild *r, const struct remembered *m, struct store_answer *answer, struct err *e)
{
	const struct store_op op = target_op(STORE_ACQUIRE, m, 0);

	for (;;) {
		if (!ask(r, &op, answer, e))
			return false;
		if (answer->status != STORE_HELD || loop_now_ms() >= r->held_until_ms)
			return true;
		poll(NULL, 0, 50);
	}
}

/* Otherwise an older clone could take the target back and destroy the newer one's sandbox. Whoever holds the lease for
 * long, or has named the target already, knows better. */
static bool name_target(struct rebuild *r, const struct remembered *m, struct err *e)
{
	const char *status = clone_status_name(m->snapshot.status);
	const struct store_pair pairs[] = {
		{ "active", m->clone_id, strlen(m->clone_id) },
		{ "active_status", status, strlen(status) },
		{ "generation", m->snapshot.generation, strlen(m->snapshot.generation) },
	};
	struct store_answer answer;
	struct store_op op;

	if (!take_target(r, m, &answer, e))
		return false;
	if (answer.status == STORE_HELD)
		return true;
	if (answer.status != STORE_OK)
		return err_set(e, ERR_TRANSIENT, 0, "store", "the store went away while it was rebuilt");
	op = target_op(STORE_RECORD, m, answer.token);
	op.target_set = pairs;
	op.target_set_count = sizeof pairs / sizeof *pairs;
	if (!answer.target_count && !ask(r, &op, &answer, e))
		return false;
	op = target_op(STORE_RELEASE, m, op.token);
	return ask(r, &op, &answer, e);
}

static bool name_targets(struct rebuild *r, struct err *e)
{
	if (!find_latest(r))
		return err_set(e, ERR_TRANSIENT, 0, "store", "out of memory while rebuilding the store");
	for (const struct remembered *m = r->all; m; m = m->next) {
		uint64_t value;

		if (table_get(&r->targets, m->target, &value) && (const struct remembered *)(uintptr_t)value == m &&
		    !name_target(r, m, e))
			return false;
	}
	return true;
}

static bool remember_done(struct rebuild *r, uint64_t token, struct err *e)
{
	const struct store_pair status = { "status", clone_status_name(CLONE_RUNNING), strlen(clone_status_name(CLONE_RUNNING)) };
	struct store_op op = memory_op(STORE_RECORD, token);
	struct store_answer answer;

	op.clone_set = &status; /* "running" for ever: what is at rest is forgotten one day */
	op.clone_set_count = 1;
	op.sequence_after = 1;
	if (!ask(r, &op, &answer, e))
		return false;
	return answer.status == STORE_OK || err_set(e, ERR_TRANSIENT, 0, "store", "the store did not take that it is rebuilt");
}

static bool write_all(struct rebuild *r, uint64_t token, struct err *e)
{
	size_t known = 0;

	if (!r->p->read_topics(r->p->read_arg, take_record, r, e))
		return false;
	if (r->later.class != ERR_NONE)
		return err_set(e, ERR_TRANSIENT, 0, "store", "the topics cannot be read for the empty store: %s", r->later.text);
	if (r->failed || is_stopped(r))
		return err_set(e, ERR_TRANSIENT, 0, "store", r->failed ? "out of memory while reading the topics" : "it was told to stop");
	for (struct remembered *m = r->all; m; m = m->next) {
		snapshot_fold_end(&m->snapshot);
		if (!introduce(r, m, e))
			return false;
		known += m->snapshot.status != CLONE_STATUS_UNSET;
	}
	if (known)
		log_warn(r->p->log, NULL, "the store was empty: clones are remembered from the topics",
			log_number("clones", (int64_t)known));
	return name_targets(r, e) && remember_done(r, token, e);
}

static void free_all(struct rebuild *r)
{
	while (r->all) {
		struct remembered *next = r->all->next;

		free(r->all->request);
		free(r->all);
		r->all = next;
	}
	table_done(&r->ids);
	table_done(&r->targets);
}

bool rebuild_store(const struct rebuild_parts *parts, struct err *e)
{
	struct rebuild r = { .p = parts, .until_ms = loop_now_ms() + parts->within_ms, .held_until_ms = loop_now_ms() + HELD_MS };
	struct store_answer answer;
	struct store_op release;
	uint64_t token = 0;
	bool done = false, ok;

	if (!take_lease(&r, &token, &done, e))
		return false;
	ok = done || write_all(&r, token, e);
	free_all(&r);
	release = memory_op(STORE_RELEASE, token);
	return ask(&r, &release, &answer, e) && ok;
}
