/* SPDX-License-Identifier: Apache-2.0 */
#include "consumer/tenant/board.h"

#include "consumer/core/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct tenant_row row;
	int64_t changed;
};

struct board {
	pthread_rwlock_t lock;
	struct table index; /* by ctx, which is the entry's own */
	struct entry **entries;
	size_t count, size, stuck;
};

struct board *board_new(void)
{
	struct board *b = calloc(1, sizeof *b);
	pthread_rwlockattr_t attr;

	if (!b)
		return NULL;
	pthread_rwlockattr_init(&attr);
	/* Readers never end: the writer must not wait for a moment without any. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&b->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return b;
}

void board_free(struct board **b)
{
	if (!b || !*b)
		return;
	for (size_t i = 0; i < (*b)->count; i++)
		free((*b)->entries[i]);
	free((*b)->entries);
	table_done(&(*b)->index);
	pthread_rwlock_destroy(&(*b)->lock);
	free(*b);
	*b = NULL;
}

bool tenant_is_stuck(const struct tenant_row *row)
{
	if (row->state != TENANT_OFFLINE_MAINTENANCE && row->superid != IDENTITY_IN_MIGRATION)
		return false;
	return row->status == CLONE_FAILED || row->status == CLONE_PAUSED || row->status == CLONE_CANCELLED;
}

static struct entry *find(const struct board *b, const char *ctx)
{
	uint64_t at;

	return table_get(&b->index, ctx, &at) ? b->entries[at] : NULL;
}

/* ---- reading ---- */

bool board_state(struct board *b, const char *ctx, struct board_state *state_r)
{
	const struct entry *e;

	pthread_rwlock_rdlock(&b->lock);
	e = find(b, ctx);
	if (e) {
		state_r->state = e->row.state;
		memcpy(state_r->host, e->row.host, sizeof state_r->host);
		memcpy(state_r->version_name, e->row.version_name, sizeof state_r->version_name);
	}
	pthread_rwlock_unlock(&b->lock);
	return e;
}

static bool matches(const struct entry *e, const struct board_query *q)
{
	if (*q->ctx && strcmp(q->ctx, e->row.ctx) != 0)
		return false;
	return e->changed > q->changed_after && (!q->only_stuck || tenant_is_stuck(&e->row)) &&
		(!*q->after || strcmp(e->row.ctx, q->after) > 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct entry *const *)a)->row.ctx, (*(struct entry *const *)b)->row.ctx);
}

/* Copies, so that nobody waits while they are written out. */
static struct entry *pick(struct board *b, const struct board_query *q, size_t *count_r, size_t *total_r)
{
	struct entry **found, *copies = NULL;
	size_t total = 0, count;

	pthread_rwlock_rdlock(&b->lock);
	found = malloc((b->count + 1) * sizeof *found);
	for (size_t i = 0; found && i < b->count; i++)
		if (matches(b->entries[i], q))
			found[total++] = b->entries[i];
	if (found)
		qsort(found, total, sizeof *found, by_name);
	count = total < q->limit ? total : q->limit;
	if (found)
		copies = malloc((count + 1) * sizeof *copies);
	for (size_t i = 0; copies && i < count; i++)
		copies[i] = *found[i];
	pthread_rwlock_unlock(&b->lock);
	free(found);
	*count_r = count;
	*total_r = total;
	return copies;
}

bool board_list(struct board *b, const struct board_query *query, board_row_fn *fn, void *arg, size_t *total_r)
{
	size_t count;
	struct entry *copies = pick(b, query, &count, total_r);

	if (!copies)
		return false;
	for (size_t i = 0; i < count; i++)
		fn(arg, &copies[i].row, copies[i].changed);
	free(copies);
	return true;
}

size_t board_count(struct board *b)
{
	size_t count;

	pthread_rwlock_rdlock(&b->lock);
	count = b->count;
	pthread_rwlock_unlock(&b->lock);
	return count;
}

size_t board_stuck(struct board *b)
{
	size_t stuck;

	pthread_rwlock_rdlock(&b->lock);
	stuck = b->stuck;
	pthread_rwlock_unlock(&b->lock);
	return stuck;
}

/* ---- writing ---- */

const struct tenant_row *board_row(const struct board *b, const char *ctx)
{
	const struct entry *e = find(b, ctx);

	return e ? &e->row : NULL;
}

void board_begin(struct board *b)
{
	pthread_rwlock_wrlock(&b->lock);
}

void board_end(struct board *b)
{
	pthread_rwlock_unlock(&b->lock);
}

static struct entry *add(struct board *b, const char *ctx)
{
	struct entry *e, **grown;

	if (b->count == b->size) {
		size_t size = b->size ? 2 * b->size : 64;

		grown = realloc(b->entries, size * sizeof *grown);
		if (!grown)
			return NULL;
		b->entries = grown;
		b->size = size;
	}
	e = calloc(1, sizeof *e);
	if (!e)
		return NULL;
	memcpy(e->row.ctx, ctx, sizeof e->row.ctx);
	if (!table_set(&b->index, e->row.ctx, b->count)) {
		free(e);
		return NULL;
	}
	return b->entries[b->count++] = e;
}

bool board_put(struct board *b, const struct tenant_row *row, int64_t changed)
{
	struct entry *e = find(b, row->ctx);

	if (!e)
		e = add(b, row->ctx);
	if (!e)
		return false;
	b->stuck = b->stuck - tenant_is_stuck(&e->row) + tenant_is_stuck(row);
	e->row = *row;
	e->changed = changed;
	return true;
}
